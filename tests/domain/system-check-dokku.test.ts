// The system check of a panel whose instances run on a Dokku host: a replayed Dokku 0.38.27, a real DNS server.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostReportSchema, type HostReport } from '../../contracts/system.ts';
import type { Checked } from '../../contracts/system-check.ts';
import { checksFor, runCheck, runSystemCheck } from '../../domain/system-check.ts';
import { dokkuChecks, lookAtDokku } from '../../domain/system-check-dokku.ts';
import { dokkuCertificateChecks } from '../../domain/system-check-dokku-certificates.ts';
import { dokkuDoubledChecks } from '../../domain/system-check-dokku-doubled.ts';
import { dokkuNameChecks, lookAtWay } from '../../domain/system-check-dokku-names.ts';
import { firewallList } from '../../domain/system-check-firewall.ts';
import { askDns, type Surroundings } from '../../domain/system-check-surroundings.ts';
import { DokkuConnection, type DokkuHost } from '../../platforms/dokku/connection.ts';
import { newMemory } from '../../platforms/dokku/host.ts';
import { judgeHost, reportOn } from '../../platforms/dokku/report.ts';
import { Secret } from '../../platforms/secret.ts';
import { requireEnvironment } from '../contract/local-stand.ts';
import { startDns, type DnsServer } from '../dns-server.ts';
import { ReplayHost } from '../dokku/replay-host.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';
import { newSshKey } from '../../platforms/ssh-key.ts';
import { surroundings } from '../surroundings.ts';

const keys = newSshKey();
const publicKey = 'ssh-ed25519 AAAA arboretum';
const strangeKey = `SHA256:${'A'.repeat(43)}`;
let ctx: TestContext;
let dns: DnsServer;
let host: ReplayHost;
beforeAll(async () => {
  [ctx, dns, host] = await Promise.all([
    testContext(),
    startDns(),
    ReplayHost.start({ publicKey: keys.public, databaseUrl: requireEnvironment('ARBORETUM_TEST_DATABASE_URL') }),
  ]);
});
afterAll(() => Promise.all([ctx.close(), dns.close(), host.close()]));

/** As the worker tells it over its socket. */
async function askHost(more: Partial<DokkuHost> = {}): Promise<HostReport> {
  const ssh = { host: '127.0.0.1', port: host.port, user: 'dokku', privateKey: new Secret(keys.private), hostKey: null, ...more };
  const connection = new DokkuConnection(ssh);
  const place = { dataDir: '/nowhere', http: { host: '127.0.0.1', port: host.httpPort, httpsPort: host.httpsPort }, maxBodyMib: 50, letsencryptEmail: null };
  const report = await reportOn({ ...place, connection, ...newMemory() }, { address: `dokku@127.0.0.1:${ssh.port}`, publicKey });
  await connection.close();
  return hostReportSchema.parse(JSON.parse(JSON.stringify(report)));
}

/** What the worker would say of such a version with such plugins. */
const judged = (report: HostReport, plugins: Parameters<typeof judgeHost>[1]): HostReport =>
  hostReportSchema.parse({ ...report, ...judgeHost(report.version ?? '', plugins) });

const around = (env: Readonly<Record<string, string>> = {}, more: Partial<Surroundings> = {}): Surroundings =>
  surroundings(
    { PLATFORM: 'dokku', DOKKU_HOST: '127.0.0.1', DOKKU_PORT: String(host.port), DOKKU_HTTP_PORT: String(host.httpPort), DOKKU_DOMAIN: 'lab.test', ...env },
    { askHost: () => askHost(), names: askDns([dns.address]), ...more },
  );

async function run(id: string, where: Surroundings): Promise<Checked> {
  const looked = { ...where, dokkuFacts: lookAtDokku(where), dokkuWay: lookAtWay(where) };
  const check = [...dokkuChecks, ...dokkuNameChecks, ...dokkuCertificateChecks, ...dokkuDoubledChecks].find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  return runCheck(check, looked);
}

const results = async (where: Surroundings): Promise<Record<string, string>> =>
  Object.fromEntries(await Promise.all(dokkuChecks.map(async ({ id }) => [id, (await run(id, where)).result])));

describe('a Dokku host', () => {
  it('that answers is good, with its version, its keys and its plugins; acl is warned of', async () => {
    expect(await results(around())).toEqual({
      'dokku-host': 'good',
      'dokku-host-key': 'good',
      'dokku-key': 'good',
      'dokku-version': 'good',
      'dokku-plugins': 'attention',
      'dokku-disk': 'unknown',
    });
    expect(await run('dokku-version', around())).toMatchObject({ seen: 'Dokku 0.38.27 answers.' });
    expect(await run('dokku-plugins', around())).toMatchObject({
      seen: expect.stringMatching(/acl 1\.\S+.* postgres 1\.48\.0/),
      means: expect.stringContaining('announce a push of somebody else as refused and then deploy it all the same'),
    });
    expect(await run('dokku-host-key', around())).toMatchObject({
      seen: expect.stringContaining(host.fingerprint()),
      fix: expect.stringContaining('ssh-keygen'),
    });
    expect(await run('dokku-host-key', around({ DOKKU_HOST_KEY: host.fingerprint() }))).toMatchObject({ fix: null });
  });

  it('that refuses connections is bad, since when, and the rest is unknown; the way to it is asked for', async () => {
    const away = around({}, { askHost: () => askHost({ port: 9 }) });
    expect(await results(away)).toEqual({
      'dokku-host': 'bad',
      'dokku-host-key': 'unknown',
      'dokku-key': 'unknown',
      'dokku-version': 'unknown',
      'dokku-plugins': 'unknown',
      'dokku-disk': 'unknown',
    });
    const { seen, request } = await run('dokku-host', away);
    expect(seen).toMatch(
      /^dokku@127\.0\.0\.1:9 is not reached since \d{4}-\d\d-\d\d \d\d:\d\d UTC\. The host 127\.0\.0\.1 cannot be reached: it refuses connections/,
    );
    expect(request).toBe(`Please let our machine reach port ${host.port}/tcp (SSH) of 127.0.0.1.`);
  });

  it('that does not take the panel’s key gets the command that adds it', async () => {
    const stranger = new Secret(newSshKey().private);
    const refused = around({}, { askHost: () => askHost({ privateKey: stranger }) });
    expect(await run('dokku-key', refused)).toMatchObject({ result: 'bad', fix: `As root on the host: echo '${publicKey}' | dokku ssh-keys:add arboretum` });
    expect(await run('dokku-host', refused)).toMatchObject({ result: 'good' });
    expect(await run('dokku-version', refused)).toMatchObject({ result: 'unknown' });
  });

  it('that shows another key than before is bad, and nothing is said of what it would answer', async () => {
    const changed = around({}, { askHost: () => askHost({ hostKey: strangeKey }) });
    expect(await run('dokku-host-key', changed)).toMatchObject({
      result: 'bad',
      seen: expect.stringContaining(strangeKey),
      fix: expect.stringContaining(host.fingerprint()),
    });
    expect(await run('dokku-key', changed)).toMatchObject({ result: 'unknown' });
  });

  it('has room on its disk, little, or hardly any, as an experiment there told', async () => {
    const report = await askHost();
    const freeOf = (freeDiskMib: number) => run('dokku-disk', around({}, { askHost: () => Promise.resolve({ ...report, freeDiskMib }) }));
    expect(await freeOf(40 * 1024)).toMatchObject({ result: 'good', seen: '40.0 GiB are free on the host’s disk.', fix: null });
    expect(await freeOf(3 * 1024)).toMatchObject({ result: 'attention', request: 'Please enlarge the disk of 127.0.0.1: 3.0 GiB are free.' });
    expect(await freeOf(500)).toMatchObject({ result: 'bad', seen: '500 MiB are free on the host’s disk.', fix: expect.stringContaining('dokku cleanup') });
  });

  it('that is too old or has no postgres is bad, each in its own check', async () => {
    const report = await askHost();
    const plugins = report.plugins.map((plugin) => ({ ...plugin, isEnabled: true, isCore: false, description: '' }));
    const old = around({}, { askHost: () => Promise.resolve(judged({ ...report, version: '0.29.4' }, plugins)) });
    expect(await results(old)).toMatchObject({ 'dokku-host': 'good', 'dokku-version': 'bad', 'dokku-plugins': 'attention' });
    const bare = around({}, { askHost: () => Promise.resolve(judged({ ...report, plugins: [] }, [])) });
    expect(await results(bare)).toMatchObject({ 'dokku-host': 'good', 'dokku-version': 'good', 'dokku-plugins': 'bad' });
    expect(await run('dokku-plugins', bare)).toMatchObject({ fix: expect.stringContaining('dokku plugin:install') });
  });

  it('cannot be judged without the worker, or while nothing comes back', async () => {
    expect(await run('dokku-host', around({}, { askHost: null }))).toMatchObject({ result: 'unknown' });
    const silent = around({}, { askHost: () => new Promise(() => undefined) });
    expect(await lookAtDokku(silent, 20)).toEqual({ report: null, reason: 'the host has not answered within 0.02 seconds' });
    const resting = around({}, { askHost: () => Promise.reject(new Error('nobody')), isPanelRunning: false });
    expect(await run('dokku-host', resting)).toMatchObject({ result: 'not-here' });
  });
});

describe('the way of participants to it', () => {
  it('is good when names under DOKKU_DOMAIN lead to the host and its nginx answers there', async () => {
    dns.tell('*.good.test', ['127.0.0.1']);
    const good = around({ DOKKU_DOMAIN: 'good.test' });
    expect(await run('dokku-domain', good)).toMatchObject({ result: 'good', seen: 'Made-up names under good.test lead to 127.0.0.1.' });
    expect(await run('dokku-nginx', good)).toMatchObject({ result: 'good', seen: expect.stringContaining(`answers at 127.0.0.1, port ${host.httpPort}`) });
  });

  it('is bad without a wildcard entry, which the IT department is asked for', async () => {
    const bare = around({ DOKKU_DOMAIN: 'bare.test' });
    expect(await run('dokku-domain', bare)).toMatchObject({
      result: 'bad',
      request: 'Please make a wildcard entry *.bare.test that leads to 127.0.0.1, so that each experiment has an address of its own there.',
    });
  });

  it('needs attention when the names lead elsewhere, and is bad when nobody answers there', async () => {
    dns.tell('*.else.test', ['127.0.0.2']);
    const elsewhere = around({ DOKKU_DOMAIN: 'else.test' });
    expect(await run('dokku-domain', elsewhere)).toMatchObject({ result: 'attention', seen: expect.stringContaining('127.0.0.2') });
    expect(await run('dokku-nginx', elsewhere)).toMatchObject({ result: 'bad', seen: `Nobody answers at 127.0.0.2, port ${host.httpPort} (ECONNREFUSED).` });
    const noWeb = around({ DOKKU_HTTP_PORT: '9' });
    expect(await run('dokku-nginx', noWeb)).toMatchObject({
      result: 'bad',
      means: expect.stringContaining('every start fails'),
      request: expect.stringContaining('9/tcp'),
    });
  });

  it('cannot be judged without DNS, and needs none on one machine', async () => {
    expect(await run('dokku-domain', around({}, { names: askDns(['127.0.0.1:9']) }))).toMatchObject({ result: 'unknown' });
    const here = around({ DOKKU_DOMAIN: 'lab.localhost' }, { names: askDns(['127.0.0.1:9']) });
    expect(await run('dokku-domain', here)).toMatchObject({ result: 'good' });
    expect(await run('dokku-addresses', here)).toMatchObject({ result: 'good', seen: expect.stringContaining(`http://NAME.lab.localhost:${host.httpPort}`) });
  });

  it('names every instance whose name leads elsewhere', async () => {
    dns.tell('*.mixed.test', ['127.0.0.1']);
    const query: Surroundings['query'] = (sql) => ctx.db.$queryRawUnsafe(sql);
    const mixed = around({ DOKKU_DOMAIN: 'mixed.test' }, { query });
    expect(await run('dokku-names', mixed)).toMatchObject({ result: 'not-here' });
    expect(await run('dokku-nginx', around({ DOKKU_HTTP_PORT: '9' }, { query }))).toMatchObject({
      result: 'unknown',
      seen: expect.stringContaining('no instance yet'),
    });
    const [found, lost] = [await anInstance(ctx), await anInstance(ctx)];
    dns.tell(`${lost.name}.mixed.test`, ['198.51.100.7']);
    const { result, seen } = await run('dokku-names', mixed);
    expect(result).toBe('bad');
    expect(seen).toContain(`${lost.name}.mixed.test`);
    expect(seen).not.toContain(found.name);
  });
});

describe('certificates on it', () => {
  const query: Surroundings['query'] = (sql) => ctx.db.$queryRawUnsafe(sql);
  const inDays = (days: number): Date => new Date(Date.now() + (days + 0.5) * 86_400_000);

  it('are told with the days that are left, the next to end first, and what to do in time', async () => {
    await ctx.db.instance.updateMany({ data: { frontCertificateUntil: null } });
    expect(await run('dokku-certificates', around({}, { query }))).toMatchObject({ result: 'not-here', seen: 'No instance has a certificate.' });
    expect(await run('dokku-addresses', around({}, { query }))).toMatchObject({ result: 'attention' });
    const [one, two] = [await anInstance(ctx, { frontCertificateUntil: inDays(80) }), await anInstance(ctx, { frontCertificateUntil: inDays(40) })];
    const all = await ctx.db.instance.count();
    expect(await run('dokku-certificates', around({}, { query }))).toMatchObject({
      result: 'good',
      seen: `2 of ${all} have one: ${two.name} (40 days left) and ${one.name} (80 days left).`,
    });
    await ctx.db.instance.update({ where: { id: two.id }, data: { frontCertificateUntil: inDays(9) } });
    expect(await run('dokku-certificates', around({}, { query }))).toMatchObject({ result: 'attention', fix: expect.stringContaining('letsencrypt:cron-job') });
    await ctx.db.instance.update({ where: { id: two.id }, data: { frontCertificateUntil: inDays(-2) } });
    expect(await run('dokku-certificates', around({}, { query }))).toMatchObject({ result: 'bad', seen: expect.stringContaining(`${two.name} (has run out)`) });
    await ctx.db.instance.updateMany({ data: { frontCertificateUntil: inDays(50) } });
    expect(await run('dokku-addresses', around({}, { query }))).toMatchObject({ result: 'good', seen: expect.stringContaining('https://NAME.lab.test') });
  });

  it('need the plugin that is to get them', async () => {
    const wanted = around({ DOKKU_LETSENCRYPT_EMAIL: 'lab@example.org' }, { query });
    expect(await run('dokku-certificates', wanted)).toMatchObject({ result: 'attention', fix: expect.stringContaining('dokku-letsencrypt.git') });
  });
});

it('a second container of an instance is named, with the way to be rid of it', async () => {
  const query: Surroundings['query'] = (sql) => ctx.db.$queryRawUnsafe(sql);
  expect(await run('dokku-doubled', around({}, { query }))).toMatchObject({ result: 'good' });
  const { name } = await anInstance(ctx, { stateDetail: 'A second container of it still runs on the Dokku host (0123456789ab), …' });
  expect(await run('dokku-doubled', around({}, { query }))).toMatchObject({
    result: 'attention',
    seen: `A second container runs of ${name}.`,
    fix: expect.stringContaining('dokku ps:retire'),
  });
});

describe('the whole check', () => {
  const env = { PUBLIC_URL: 'http://panel.test:9', DOKKU_HOST: 'dokku.test', DOKKU_PORT: '2222', DOKKU_HTTP_PORT: '8080', DOKKU_DOMAIN: 'games.test' };

  it('holds what is about Dokku in the place of what is about this machine, and no estimate of another machine', async () => {
    const { checks, capacity } = await runSystemCheck(around(env));
    const ids = checks.map(({ id }) => id);
    expect(ids).toEqual(checksFor({ PLATFORM: 'dokku' }).map(({ id }) => id));
    expect(ids).toEqual(expect.arrayContaining(['dokku-host', 'dokku-domain', 'dokku-nginx', 'name', 'worker']));
    for (const id of ['wildcard', 'instance-names', 'address-mode', 'port-instances', 'pg-dump']) expect(ids).not.toContain(id);
    for (const { seen, means } of checks) for (const text of [seen, means]) expect(text).toMatch(/\S.*[.…]$/s);
    expect(capacity).toBeNull();
  });

  it('names Dokku’s ports in the firewall list, and no ports of instances', () => {
    const rules = firewallList({ config: around(env).config, mode: 'subdomain', hasPorts: false }).map(({ id }) => id);
    expect(rules).toEqual(
      expect.arrayContaining([
        'open 8080/tcp of dokku.test',
        'shut 2222/tcp of dokku.test',
        'out 2222/tcp, 8080/tcp of dokku.test',
        'out 443/tcp from dokku.test',
      ]),
    );
    expect(rules.join(' ')).not.toContain('10001–10999');
    expect(new Set(rules).size).toBe(rules.length);
  });

  it('tells the IT department where the experiments run and what is missing there', async () => {
    const { letter } = await runSystemCheck(around(env, { askHost: () => askHost({ port: 9 }) }));
    expect(letter).toContain('The experiments themselves run on a second machine, dokku.test');
    expect(letter).toContain('Please make a wildcard entry *.games.test that leads to dokku.test');
    expect(letter).toContain('Please let our machine reach port 2222/tcp (SSH) of dokku.test.');
    expect(letter).not.toContain('data stay on this machine');
    expect(letter).not.toContain('wildcard entry *.panel.test');
  });
});

it('asked nothing that no recording answers', () => expect(host.unrecorded()).toEqual([]));
