// Certificates from the rule to the front door: rounds, jobs, retries and mails, against a real ACME authority.

import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CertificateKeeper } from '../../domain/certificate-keeper.ts';
import { tryNow } from '../../domain/certificate-requests.ts';
import { showCertificates } from '../../domain/certificate-view.ts';
import { certificatesOf, doorCertificatesOf } from '../../domain/certificates.ts';
import { systemActor, type WorkerContext } from '../../domain/context.ts';
import { recoverJobs } from '../../domain/jobs.ts';
import type { DoorCertificates, FrontDoor } from '../../platforms/front-door.ts';
import type { Job } from '../../prisma/client/client.ts';
import { runJob } from '../../worker/run-job.ts';
import { makeAuthority, type Maker } from '../certificate-maker.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';
import { hasPebble, serveChallenges, startPebble, type ChallengeServer, type Pebble } from '../pebble.ts';
import { catchMails, type SmtpCatcher } from '../smtp-catcher.ts';

const never = new AbortController().signal;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let maker: Maker;
let smtp: SmtpCatcher;
beforeAll(async () => {
  maker = makeAuthority();
  smtp = await catchMails();
});
afterAll(async () => {
  maker.clear();
  await smtp.close();
});

let test: TestContext;
let ctx: WorkerContext;
let shown: DoorCertificates[] = [];
let applied = 0;
let keeper: CertificateKeeper;

/** The front door is a list of what was asked of it; there are no instances on it. */
const door: FrontDoor = {
  apply: () => Promise.resolve((applied += 1)).then(() => ({ refused: [] })),
  applyOne: () => Promise.resolve(),
  setCertificates: (certificates) => Promise.resolve(void shown.push(certificates)),
  check: () => Promise.resolve({ state: 'ok' }),
  repair: () => Promise.resolve(),
};

async function open(env: Readonly<Record<string, string>> = {}): Promise<void> {
  test = await testContext({ PUBLIC_URL: 'https://lab.test', HTTPS_PORT: '8443', ...env });
  ctx = { ...test, frontDoor: door, platform: { upstreamSocket: () => null } as unknown as WorkerContext['platform'] };
  shown = [];
  applied = 0;
  keeper = new CertificateKeeper();
}
afterEach(() => test.close());

const jobs = (): Promise<Job[]> => ctx.db.job.findMany({ where: { kind: 'issue-certificate' }, orderBy: { createdAt: 'asc' } });
const run = async (jobId = ''): Promise<Job> => {
  await runJob(ctx, jobId, never);
  return ctx.db.job.findUniqueOrThrow({ where: { id: jobId } });
};
const rowOf = (hostName: string) => ctx.db.certificate.findUniqueOrThrow({ where: { hostName } });
const logOf = async (jobId: string): Promise<string> =>
  (await ctx.db.jobLog.findMany({ where: { jobId }, orderBy: { sequence: 'asc' } })).map(({ text }) => text).join('');
const put = (name: string, content: string): void => {
  mkdirSync(ctx.config.certificatesDir, { recursive: true });
  writeFileSync(path.join(ctx.config.certificatesDir, name), content);
};
const putPair = (name: string, wanted: Parameters<Maker['issue']>[0]): void => {
  const made = maker.issue(wanted);
  put(`${name}.pem`, made.chain);
  put(`${name}.key`, made.key);
};
const namesShown = (at = -1): (string | null)[] => {
  const last = shown.at(at);
  return [last?.panel ?? null, last?.paths ?? null].map((one) => (one === null ? null : (new X509Certificate(one.chain).subjectAltName ?? '')));
};

describe('a certificate that is exchanged file by file', () => {
  beforeEach(() => open());

  it('goes on with the old pair until the new one is whole, also over a start of the worker', async () => {
    putPair('lab', { names: ['lab.test'] });
    await keeper.round(ctx);
    const [before] = shown;
    const next = maker.issue({ names: ['lab.test', 'more.test'] });
    put('lab.pem', next.chain);
    await keeper.round(ctx);
    expect(shown).toHaveLength(1);
    await new CertificateKeeper().round(ctx);
    expect(shown.at(-1)?.panel?.chain).toBe(before?.panel?.chain);
    expect((await showCertificates(ctx)).files[0]?.problem).toMatch(/key/);
    put('lab.key', next.key);
    await keeper.round(ctx);
    expect(namesShown()).toEqual(['DNS:lab.test, DNS:more.test', null]);
    expect(JSON.stringify(await ctx.db.setting.findMany())).not.toContain('PRIVATE KEY');
  });

  it('is gone when its files are taken away', async () => {
    putPair('lab', { names: ['lab.test'] });
    await keeper.round(ctx);
    rmSync(path.join(ctx.config.certificatesDir, 'lab.pem'));
    rmSync(path.join(ctx.config.certificatesDir, 'lab.key'));
    await keeper.round(ctx);
    expect(namesShown()).toEqual([null, null]);
  });
});

describe.skipIf(!hasPebble)('with a real authority', () => {
  let pebble: Pebble;
  let web: ChallengeServer;
  let answer: string | null = null;

  beforeEach(async () => {
    answer = null;
    const folder = { path: '' };
    web = await serveChallenges(
      () => folder.path,
      () => answer,
    );
    pebble = await startPebble({ httpPort: web.port });
    pebble.dns.tell('lab.test', ['127.0.0.1']);
    pebble.dns.tell('*.lab.test', ['127.0.0.1']);
    await open({ ACME_EMAIL: 'lab@lab.example', ACME_DIRECTORY_URL: pebble.directoryUrl, ACME_CA_FILE: pebble.caFile });
    folder.path = ctx.config.layout.acmeChallenges;
    return async () => {
      await pebble.close();
      await web.close();
    };
  });

  it('a name without a certificate gets one by one job with four steps, and the front door shows it', async () => {
    await keeper.round(ctx);
    await keeper.round(ctx);
    const [job, ...more] = await jobs();
    expect([more.length, job?.actorName, job?.input]).toEqual([0, 'Arboretum', { hostName: 'lab.test' }]);
    const ended = await run(job?.id);
    expect([ended.state, (ended.steps as { name: string; state: string }[]).map(({ name, state }) => `${name} ${state}`)]).toEqual([
      'succeeded',
      ['order succeeded', 'challenge succeeded', 'certificate succeeded', 'install succeeded'],
    ]);
    expect(namesShown()).toEqual(['DNS:lab.test', null]);
    expect(readdirSync(ctx.config.layout.acmeChallenges)).toEqual([]);
    const [name] = (await showCertificates(ctx)).names;
    expect(name).toMatchObject({ hostName: 'lab.test', certificate: { file: null, daysLeft: 89, stage: 'good' }, nextTryAt: null, error: null });
    await keeper.round(ctx);
    expect(await jobs()).toHaveLength(1);
  });

  it('keys are kept sealed: neither in the row, nor in log, job, events or view', async () => {
    await keeper.round(ctx);
    const [job] = await jobs();
    await run(job?.id);
    const key = (await certificatesOf(ctx))('lab.test')?.privateKey.open() ?? '';
    expect(key).toContain('PRIVATE KEY');
    expect((await doorCertificatesOf(ctx))('lab.test')?.privateKey.open()).toBe(key);
    expect(
      (await doorCertificatesOf({ ...ctx, config: { ...ctx.config, HTTPS_PORT: undefined } }))('lab.test'),
      'a door that takes no https shows none',
    ).toBeNull();
    const account = await ctx.db.setting.findUniqueOrThrow({ where: { name: 'acme.account-key' } });
    const told = JSON.stringify([
      await rowOf('lab.test'),
      account,
      await jobs(),
      await logOf(job?.id ?? ''),
      test.logged,
      test.recorded,
      await showCertificates(ctx),
    ]);
    expect(told).not.toContain('PRIVATE KEY');
    expect(told).not.toContain(key.split('\n')[1] ?? '');
  });

  it('is renewed 30 days before its end with the same account, after a new start of the worker too', async () => {
    await keeper.round(ctx);
    await run((await jobs())[0]?.id);
    const before = (await rowOf('lab.test')).chain;
    await ctx.db.certificate.update({ where: { hostName: 'lab.test' }, data: { nextTryAt: new Date() } });
    keeper = new CertificateKeeper();
    await keeper.round(ctx, new Date(Date.now() + 59 * dayMs));
    expect(await jobs()).toHaveLength(1);
    await keeper.round(ctx, new Date(Date.now() + 61 * dayMs));
    const [, renewal] = await jobs();
    expect((await run(renewal?.id)).state).toBe('succeeded');
    expect((await rowOf('lab.test')).chain).not.toBe(before);
    expect(pebble.log().match(/There are now \d+ accounts in memory/g)).toHaveLength(1);
  });

  it('a failure is told with its hint, waits an hour, then two; a person who put it right tries at once', async () => {
    answer = 'another web server';
    await keeper.round(ctx);
    const [first] = await jobs();
    expect(await run(first?.id)).toMatchObject({ state: 'failed', errorCode: 'acme_wrong_answer' });
    expect(await logOf(first?.id ?? '')).toMatch(/The authority says: .+[\s\S]+let the name and its port 80 lead to this panel/);
    expect(await rowOf('lab.test')).toMatchObject({ failures: 1, chain: null });
    expect(readdirSync(ctx.config.layout.acmeChallenges)).toEqual([]);
    await keeper.round(ctx, new Date(Date.now() + 0.9 * hourMs));
    expect(await jobs()).toHaveLength(1);
    await keeper.round(ctx, new Date(Date.now() + 1.1 * hourMs));
    await run((await jobs())[1]?.id);
    const { failures, nextTryAt } = await rowOf('lab.test');
    expect([failures, Math.round((nextTryAt.getTime() - Date.now()) / hourMs)]).toEqual([2, 2]);
    const [shownName] = (await showCertificates(ctx)).names;
    expect(shownName).toMatchObject({
      certificate: null,
      isAsked: true,
      error: { code: 'acme_wrong_answer', hint: expect.stringContaining('Another machine'), saying: expect.stringContaining('another web server') },
    });
    answer = null;
    const manager = await aUser(ctx, { role: 'manager' });
    const byHand = await tryNow(ctx, manager, 'lab.test');
    await expect(tryNow(ctx, manager, 'lab.test')).rejects.toMatchObject({ code: 'job_in_progress' });
    expect((await run(byHand.id)).state).toBe('succeeded');
    expect(await rowOf('lab.test')).toMatchObject({ failures: 0, failure: null });
    await expect(tryNow(ctx, manager, 'lab.test')).rejects.toMatchObject({ code: 'certificate_not_due', details: { days: 89 } });
    expect((await ctx.db.audit.findMany({ where: { action: 'certificate.try' } })).map(({ subject }) => subject)).toEqual(['lab.test']);
  });

  it('an attempt that a killed worker left is taken up again and clears its folder', async () => {
    await keeper.round(ctx);
    const [job] = await jobs();
    await ctx.db.job.update({ where: { id: job?.id ?? '' }, data: { state: 'running', attempt: 1 } });
    mkdirSync(ctx.config.layout.acmeChallenges, { recursive: true });
    writeFileSync(path.join(ctx.config.layout.acmeChallenges, 'old-token'), 'old');
    expect(await recoverJobs(ctx)).toEqual([]);
    expect((await run(job?.id)).state).toBe('succeeded');
    expect(readdirSync(ctx.config.layout.acmeChallenges)).toEqual([]);
  });

  it('a name that nobody needs any more is forgotten, and an attempt that is still under way ends as it would have', async () => {
    const instance = await anInstance(ctx, { addressMode: 'subdomain' });
    const hostName = `${instance.name}.lab.test`;
    await keeper.round(ctx);
    expect((await jobs()).map(({ input }) => input)).toEqual([{ hostName: 'lab.test' }, { hostName }]);
    await ctx.db.instance.update({ where: { id: instance.id }, data: { deletedAt: new Date() } });
    await keeper.round(ctx);
    expect((await ctx.db.certificate.findMany()).map((row) => row.hostName)).toEqual(['lab.test']);
    answer = 'another web server';
    expect(await run((await jobs())[1]?.id)).toMatchObject({ state: 'failed', errorCode: 'acme_wrong_answer' });
  });

  it('a worker that stops in the middle does not make the name wait', async () => {
    await keeper.round(ctx);
    const [job] = await jobs();
    await runJob(ctx, job?.id ?? '', AbortSignal.abort());
    expect((await rowOf('lab.test')).nextTryAt.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it('a file of the institution’s own is taken instead, and the authority is not asked', async () => {
    putPair('uni', { names: ['lab.test', '*.lab.test'] });
    await keeper.round(ctx);
    expect([await jobs(), namesShown()]).toEqual([[], ['DNS:lab.test, DNS:*.lab.test', null]]);
    expect((await showCertificates(ctx)).names[0]?.certificate).toMatchObject({ file: 'uni.pem', issuer: 'Test University Between' });
  });
});

describe('the folder', () => {
  beforeEach(() => open({ PATH_URL: 'https://otree.test/otree' }));

  it('is looked at in each round: a changed file goes into place once, an unchanged one never again', async () => {
    await keeper.round(ctx);
    expect([namesShown(), shown.length]).toEqual([[null, null], 1]);
    putPair('lab', { names: ['lab.test'] });
    putPair('paths', { names: ['otree.test'] });
    await keeper.round(ctx);
    await keeper.round(ctx);
    expect([namesShown(), shown.length, applied]).toEqual([['DNS:lab.test', 'DNS:otree.test'], 2, 2]);
    putPair('lab', { names: ['lab.test'] });
    await keeper.round(ctx);
    expect(shown.length).toBe(3);
    rmSync(path.join(ctx.config.certificatesDir, 'lab.key'));
    await keeper.round(ctx);
    expect([namesShown(), shown.length]).toEqual([['DNS:lab.test', 'DNS:otree.test'], 3]);
    expect((await showCertificates(ctx)).files.find(({ file }) => file === 'lab.pem')?.problem).toContain('put lab.key beside it');
  });

  it('alone is never a reason to ask an authority', async () => {
    await keeper.round(ctx);
    expect(await jobs()).toEqual([]);
    await expect(tryNow(ctx, systemActor, 'lab.test')).rejects.toMatchObject({ code: 'acme_not_set' });
  });

  it('is not looked at where somebody else takes https', async () => {
    const config = { ...ctx.config, HTTPS_PORT: undefined };
    putPair('lab', { names: ['lab.test'] });
    await keeper.round({ ...ctx, config });
    expect([shown, (await showCertificates({ ...ctx, config })).takesHttps]).toEqual([[], false]);
  });
});

describe('trying by hand', () => {
  beforeEach(() => open({ ACME_EMAIL: 'lab@lab.example' }));

  it('is for names that need one: no other name, no address, no localhost', async () => {
    await expect(tryNow(ctx, systemActor, 'other.test')).rejects.toMatchObject({ code: 'not_found' });
    const local = { ...ctx, config: { ...ctx.config, publicUrl: new URL('https://localhost') } };
    await expect(tryNow(local, systemActor, 'localhost')).rejects.toMatchObject({ code: 'not_found' });
    await new CertificateKeeper().round(local);
    expect(await jobs()).toEqual([]);
  });

  it('is refused after four attempts in an hour, with the minutes to wait', async () => {
    for (let count = 0; count < 4; count += 1) {
      const { id } = await tryNow(ctx, systemActor, 'lab.test');
      await ctx.db.job.update({ where: { id }, data: { state: 'failed', createdAt: new Date(Date.now() - (30 - count) * 60_000) } });
    }
    await expect(tryNow(ctx, systemActor, 'lab.test')).rejects.toMatchObject({ code: 'certificate_too_soon', details: { minutes: 30 } });
  });

  it('is refused as long as the authority itself said so', async () => {
    const failure = { code: 'acme_rate_limited', details: { authority: 'ca.test', hostName: 'lab.test', detail: 'too many.', retryAfterSeconds: 7200 } };
    await ctx.db.certificate.create({ data: { hostName: 'lab.test', failure, failures: 1, nextTryAt: new Date(Date.now() + 7200_000) } });
    await expect(tryNow(ctx, systemActor, 'lab.test')).rejects.toMatchObject({ code: 'acme_rate_limited', details: { retryAfterSeconds: 7200 } });
  });
});

describe('a certificate that was not renewed', () => {
  beforeEach(() => open({ SMTP_URL: smtp.url, MAIL_FROM: 'panel@lab.example' }));

  it('is told to every manager by mail once below 21 days and once below 7, whatever number of rounds and starts', async () => {
    const [one, two, gone] = [
      await aUser(ctx, { role: 'manager' }),
      await aUser(ctx, { role: 'manager' }),
      await aUser(ctx, { role: 'manager', disabledAt: new Date() }),
    ];
    const experimenter = await aUser(ctx);
    putPair('lab', { names: ['lab.test'], days: 25, since: -65 });
    await keeper.round(ctx);
    const later = (days: number): Promise<void> => new CertificateKeeper().round(ctx, new Date(Date.now() + days * dayMs));
    await later(3);
    expect(smtp.mails.filter(({ to }) => to === one.email)).toEqual([]);
    await later(5);
    await later(6);
    await later(19);
    await later(20);
    const mails = await smtp.mailsTo(one.email, 2);
    expect(mails.map(({ subject }) => subject)).toEqual(['A certificate ends in 19 days: lab.test', 'A certificate ends in 5 days: lab.test']);
    expect(mails[0]?.text).toContain(`it comes from lab.pem in ${ctx.config.certificatesDir}`);
    expect(smtp.mails.filter(({ to }) => to === two.email)).toHaveLength(2);
    expect(smtp.mails.filter(({ to }) => to === gone.email || to === experimenter.email)).toEqual([]);
  });

  it('is told later when the mail server was away', async () => {
    const manager = await aUser(ctx, { role: 'manager' });
    putPair('lab', { names: ['lab.test'], days: 5, since: -85 });
    await new CertificateKeeper().round({ ...ctx, mailer: { server: { name: 'x', from: 'y' }, send: () => Promise.reject(new Error('away')) } });
    await new CertificateKeeper().round(ctx);
    expect(await smtp.mailsTo(manager.email)).toHaveLength(1);
  });
});
