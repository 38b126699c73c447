// The whole check: services as they are and as they should not be, time limits, the firewall list, the letter.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checked, GroundView } from '../../contracts/system-check.ts';
import { newId } from '../../domain/ids.ts';
import { checksFor, runCheck, runSystemCheck } from '../../domain/system-check.ts';
import { firewallList } from '../../domain/system-check-firewall.ts';
import { serviceChecks } from '../../domain/system-check-services.ts';
import { askDns, type Surroundings } from '../../domain/system-check-surroundings.ts';
import { readRedisInfo } from '../../server/redis-info.ts';
import { startDns, type DnsServer } from '../dns-server.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';
import { catchMails } from '../smtp-catcher.ts';
import { surroundings } from '../surroundings.ts';

let ctx: TestContext;
let dns: DnsServer;
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-check-'));
beforeAll(async () => {
  [ctx, dns] = await Promise.all([testContext(), startDns()]);
});
afterAll(async () => {
  await Promise.all([ctx.close(), dns.close()]);
  rmSync(home, { recursive: true, force: true });
});

const withDatabase = (env: Readonly<Record<string, string>> = {}, more: Partial<Surroundings> = {}): Surroundings =>
  surroundings(env, { query: (sql) => ctx.db.$queryRawUnsafe(sql), ...more });

async function run(id: string, around: Surroundings): Promise<Checked> {
  const check = serviceChecks.find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  return runCheck(check, around);
}

describe('the runner', () => {
  it('gives up on a check that hangs and goes on after one that fails', async () => {
    const base = { group: 'machine', title: 'A check' } as const;
    const hanging = await runCheck({ ...base, id: 'hangs', run: () => new Promise(() => undefined) }, surroundings(), 20);
    expect(hanging).toMatchObject({ id: 'hangs', result: 'unknown', seen: expect.stringContaining('no answer within') });
    const failing = await runCheck({ ...base, id: 'fails', run: () => Promise.reject(new Error('the floor is wet')) }, surroundings());
    expect(failing).toMatchObject({ result: 'unknown', seen: 'This could not be looked at: the floor is wet.' });
  });

  it('brings every check back, also where nothing at all answers', async () => {
    const { checks, letter, firewall } = await runSystemCheck(surroundings({ PUBLIC_URL: 'https://otree.lab.test:9' }));
    expect(checks.map(({ id }) => id)).toEqual(checksFor({ PLATFORM: 'local' }).map(({ id }) => id));
    expect(checks.filter(({ id }) => id.startsWith('dokku'))).toEqual([]);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { seen, means } of checks) for (const text of [seen, means]) expect(text).toMatch(/\S.*[.…]$/s);
    expect(letter).toContain('otree.lab.test');
    expect(firewall.length).toBeGreaterThan(5);
  });
});

describe('PostgreSQL', () => {
  it('that answers is good, with its version; one that cannot be reached is unknown', async () => {
    expect(await run('postgres', withDatabase())).toMatchObject({ result: 'good', seen: expect.stringMatching(/^PostgreSQL \d+/) });
    expect(await run('postgres', surroundings())).toMatchObject({ result: 'unknown' });
  });

  it('that is too old is bad', async () => {
    const old = surroundings({}, { query: <Row>() => Promise.resolve([{ version: '12.1', number: '120001' }] as Row[]) });
    expect(await run('postgres', old)).toMatchObject({ result: 'bad', seen: 'PostgreSQL 12.1 answers.' });
  });

  it('needs attention when all instances together may want more connections than there are', async () => {
    expect(await run('connections', withDatabase())).toMatchObject({ result: 'good' });
    for (let number = 0; number < 70; number += 1) await anInstance(ctx, { intent: 'run', state: 'running' });
    expect(await run('connections', withDatabase())).toMatchObject({ result: 'attention', fix: expect.stringContaining('max_connections') });
  });

  it('needs a pg_dump that is not older', async () => {
    const POSTGRES_BIN = process.env['ARBORETUM_TEST_POSTGRES_BIN'] ?? '';
    expect(await run('pg-dump', withDatabase({ POSTGRES_BIN }))).toMatchObject({ result: 'good' });
    expect(await run('pg-dump', withDatabase({ POSTGRES_BIN: path.join(home, 'nowhere') }))).toMatchObject({
      result: 'bad',
      seen: expect.stringContaining('There is no program'),
    });
    writeFileSync(path.join(home, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n');
    chmodSync(path.join(home, 'pg_dump'), 0o755);
    expect(await run('pg-dump', withDatabase({ POSTGRES_BIN: home }))).toMatchObject({
      result: 'bad',
      seen: expect.stringMatching(/^pg_dump is version 9, the server \d+\.$/),
    });
  });
});

describe('Redis', () => {
  const real = (): Promise<string> =>
    readRedisInfo({ path: process.env['ARBORETUM_TEST_REDIS_SOCKET'] ?? '', password: process.env['ARBORETUM_TEST_REDIS_PASSWORD'] ?? '' });

  it('as the panel sets it up is good', async () => {
    expect(await run('redis', surroundings({}, { redisInfo: real }))).toMatchObject({ result: 'good', seen: expect.stringMatching(/^Redis \d/) });
  });

  it('that throws entries away is bad, that keeps no log needs attention', async () => {
    const [evicting, forgetful] = [/maxmemory_policy:noeviction/, /aof_enabled:1/].map(
      (setting) => () => real().then((text) => text.replace(setting, (found) => found.replace(/:.*/, ':allkeys-lru'))),
    );
    expect(await run('redis', surroundings({}, { redisInfo: evicting ?? null }))).toMatchObject({
      result: 'bad',
      seen: expect.stringContaining('allkeys-lru'),
    });
    expect(await run('redis', surroundings({}, { redisInfo: forgetful ?? null }))).toMatchObject({ result: 'attention' });
  });

  it('that is away is bad while the panel runs, and no fault while it does not', async () => {
    const redisInfo = (): Promise<string> => readRedisInfo({ path: path.join(home, 'no.sock') });
    expect(await run('redis', surroundings({}, { redisInfo }))).toMatchObject({ result: 'bad', seen: expect.stringContaining('ENOENT') });
    expect(await run('redis', surroundings({}, { redisInfo, isPanelRunning: false }))).toMatchObject({ result: 'unknown' });
  });
});

describe('worker, front door and platform', () => {
  const view: GroundView = {
    frontDoor: { state: 'ok' },
    memoryLimit: true,
    separatesUsers: true,
    isolationNote: 'Every instance runs under a user id of its own.',
  };
  const seen = (more: Partial<GroundView> = {}): Surroundings => surroundings({}, { askGround: () => Promise.resolve({ ...view, ...more }) });

  it('are good when the worker says so', async () => {
    for (const id of ['worker', 'front-door', 'platform']) expect(await run(id, seen())).toMatchObject({ id, result: 'good' });
  });

  it('are bad or unknown when it does not answer', async () => {
    expect(await run('worker', surroundings())).toMatchObject({ result: 'bad' });
    expect(await run('front-door', surroundings())).toMatchObject({ result: 'unknown' });
    expect(await run('worker', surroundings({}, { isPanelRunning: false }))).toMatchObject({ result: 'not-here' });
    for (const id of ['worker', 'front-door', 'platform']) expect(await run(id, surroundings({}, { askGround: null }))).toMatchObject({ result: 'unknown' });
  });

  it('say what is wrong with nginx, and that experiments are not kept apart', async () => {
    expect(await run('front-door', seen({ frontDoor: { state: 'away', reason: 'nginx does not run.' } }))).toMatchObject({
      result: 'bad',
      seen: 'nginx does not run.',
    });
    expect(await run('front-door', seen({ frontDoor: { state: 'drifted', reason: 'nginx.conf is not as it was written.' } }))).toMatchObject({
      result: 'attention',
    });
    expect(await run('platform', seen({ separatesUsers: false }))).toMatchObject({ result: 'attention', fix: expect.stringContaining('as root') });
    expect(await run('platform', seen({ memoryLimit: false }))).toMatchObject({ result: 'attention' });
  });
});

describe('the mail server', () => {
  it('is signed in to, and gets no mail', async () => {
    const smtp = await catchMails('right');
    const env = (password: string) => ({
      SMTP_URL: `smtp://lab:${password}@127.0.0.1:${smtp.port}`,
      MAIL_FROM: 'lab@lab.example',
      PUBLIC_URL: 'http://lab.example',
    });
    expect(await run('mail', surroundings(env('right')))).toMatchObject({ result: 'good' });
    const refused = await run('mail', surroundings(env('wrong-secret')));
    expect(refused).toMatchObject({ result: 'bad', seen: expect.stringContaining('refuses this user name and password') });
    expect(JSON.stringify(refused)).not.toContain('wrong-secret');
    expect(smtp.mails).toEqual([]);
    await smtp.close();
    expect(await run('mail', surroundings(env('right')))).toMatchObject({ result: 'bad', request: expect.stringContaining(`127.0.0.1:${smtp.port}`) });
    expect(await run('mail', surroundings())).toMatchObject({ result: 'not-here' });
  });
});

describe('backups', () => {
  it('that are older than a week or missing are named with their instances', async () => {
    const [fresh, old, none] = [await deployed(), await deployed(), await deployed()];
    await backUp(fresh.id, 1);
    await backUp(old.id, 20);
    const found = await run('backups', withDatabase());
    expect(found.result).toBe('attention');
    expect(found.seen).toMatch(/^2 of 3 /);
    expect(found.seen).toContain(`${old.name} (20 days)`);
    expect(found.seen).toContain(`${none.name} (none)`);
    await backUp(old.id, 2);
    await backUp(none.id, 2);
    expect(await run('backups', withDatabase())).toMatchObject({ result: 'good' });
  });

  async function deployed(): Promise<{ id: string; name: string }> {
    const instance = await anInstance(ctx);
    const made = { number: 1, commit: 'a'.repeat(40), message: 'm', author: 'a', branch: 'main', project: {}, createdByName: 'test' };
    const { id } = await ctx.db.deployment.create({ data: { id: newId(), instanceId: instance.id, state: 'succeeded', ...made } });
    return ctx.db.instance.update({ where: { id: instance.id }, data: { currentDeploymentId: id } });
  }

  async function backUp(instanceId: string, daysAgo: number): Promise<void> {
    const at = new Date(Date.now() - daysAgo * 86_400_000 - 60_000);
    const job = await ctx.db.job.create({ data: { id: newId(), kind: 'back-up', instanceId, state: 'succeeded', actorName: 'test' } });
    const file = { file: `/tmp/${newId()}`, sizeBytes: 5n, sha256: 'x', rowCounts: {} };
    await ctx.db.backup.create({ data: { id: newId(), instanceId, jobId: job.id, reason: 'by hand', ...file, createdAt: at, verifiedAt: at } });
  }
});

describe('the firewall list', () => {
  const list = (env: Readonly<Record<string, string>>, mode: 'subdomain' | 'port', hasPorts = false) =>
    firewallList({ config: surroundings(env).config, mode, hasPorts }).map(({ way, ports }) => `${way} ${ports}`);

  it('opens what the kind of address needs and shuts the rest', () => {
    const env = { PUBLIC_URL: 'https://otree.example.org', GIT_SSH_PORT: '2022', INSTANCE_PORTS: '20001-20100' };
    const named = list(env, 'subdomain');
    expect(named).toEqual(
      expect.arrayContaining(['open 443/tcp', 'open 80/tcp', 'open 2022/tcp', 'shut 20001–20100/tcp', 'shut 8080/tcp', 'shut 5432/tcp', 'shut 6379/tcp']),
    );
    expect(list(env, 'port')).toContain('open 20001–20100/tcp');
    expect(list(env, 'port')).not.toContain('shut 20001–20100/tcp');
    // One instance of earlier days is enough.
    expect(list(env, 'subdomain', true)).toContain('open 20001–20100/tcp');
    expect(list({ PUBLIC_URL: 'http://otree.example.org:8080' }, 'subdomain')).not.toContain('shut 8080/tcp');
  });

  it.each([
    ['https://lab:hush@pypi.example/simple', 'pypi.example'],
    ['no address at all', 'the package index'],
  ])('names of a package index (%s) the host only', (PIP_INDEX_URL, what) => {
    const rules = firewallList({ config: surroundings({ PIP_INDEX_URL }).config, mode: 'port', hasPorts: false });
    expect(rules.find(({ id }) => id === 'out 443/tcp')?.what).toBe(what);
  });

  it('lets mail out where it is set, without the password', () => {
    const env = { PUBLIC_URL: 'https://o.example', SMTP_URL: 'smtp://lab:hush@mail.example:2525', MAIL_FROM: 'a@b' };
    expect(list(env, 'subdomain')).toContain('out 2525/tcp');
    expect(JSON.stringify(firewallList({ config: surroundings(env).config, mode: 'port', hasPorts: false }))).not.toContain('hush');
  });
});

describe('the letter', () => {
  it('asks for exactly what is missing, with the names and ports of this panel, and opens what is needed', async () => {
    dns.tell('otree.uni.test', ['192.0.2.10']);
    const env = { PUBLIC_URL: 'http://otree.uni.test:9', GIT_SSH_PORT: '2022', SMTP_URL: 'smtp://lab:hush@127.0.0.1:9', MAIL_FROM: 'lab@uni.test' };
    const { letter } = await runSystemCheck(withDatabase(env, { names: askDns([dns.address]) }));
    expect(letter).toMatch(/^Subject: .*otree\.uni\.test\n\nDear colleagues,/);
    expect(letter).toContain('Please make a wildcard entry *.otree.uni.test that leads where otree.uni.test leads (192.0.2.10)');
    expect(letter).toContain('Please provide a certificate for otree.uni.test');
    expect(letter).toMatch(/Please let in from outside:\n- 9\/tcp.*\n- 2022\/tcp.*\n- 10001–10999\/tcp/);
    expect(letter).toMatch(/Please keep shut from outside:\n- 5432\/tcp/);
    expect(letter).not.toContain('Please make an A record');
    expect(letter).not.toContain('hush');
    dns.tell('*.otree.uni.test', ['192.0.2.10']);
    expect((await runSystemCheck(withDatabase(env, { names: askDns([dns.address]) }))).letter).not.toContain('wildcard entry *.otree.uni.test that');
  });

  it('asks for a name first where there is none', async () => {
    const { letter } = await runSystemCheck(surroundings());
    expect(letter).toContain('1. Please give our machine (192.0.2.10) a name in DNS');
    expect(letter).toContain('(an address is still to be agreed)');
  });
});
