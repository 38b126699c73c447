// The panel by docker-compose.yml: built, brought up by one command, used, replaced by a newer one, ended, brought back, restored from a backup.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceView } from '../../contracts/instances.ts';
import type { Me } from '../../contracts/people.ts';
import { layoutOf } from '../../platforms/layout.ts';
import { readKey } from '../../domain/sealing.ts';
import { deriveSecret } from '../../scripts/service-secrets.ts';
import { engineForTests } from '../docker-engine.ts';
import { packSample } from './archive.ts';
import { firstManager, type PanelClient } from './client.ts';
import { type ComposeHost, makeComposeHost } from './compose-host.ts';
import { until } from './until.ts';

const engine = await engineForTests();
const name = 'trust-game';
const services = ['postgres', 'redis', 'nginx', 'panel', 'worker'] as const;

describe.skipIf(engine === null)('the panel by docker-compose.yml', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-compose-test-'));
  let host: ComposeHost;
  let client: PanelClient;

  beforeAll(async () => {
    if (engine === null) return;
    host = await makeComposeHost(engine);
    mkdirSync(path.join(host.dataDir, 'service'));
    writeFileSync(path.join(host.dataDir, 'service', 'settings.env'), 'INSTANCE_MEMORY_MIB=777\n');
    await host.compose(['build', 'panel', 'nginx']);
  }, 900_000);

  afterAll(async () => {
    await host?.remove();
    await engine?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 300_000);

  const ask = (where: string, hostName = `${name}.localhost`): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port: host.port, path: where, agent: false, headers: { host: `${hostName}:${host.port}` } }, (response) => {
          let body = '';
          response
            .setEncoding('utf8')
            .on('data', (text: string) => (body += text))
            .on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        })
        .on('error', reject);
    });
  const answers = async (): Promise<boolean> => (await ask('/login').catch(() => ({ status: 0 }))).status === 200;
  const show = (): Promise<InstanceView> => client.get(`/instances/${name}`);
  const inside = (service: string, script: string): Promise<string> => host.inside(service, script);
  /** As the experiment's own role in its own database: both have the same name. */
  const sql = (statement: string): Promise<string> =>
    inside(
      'postgres',
      `cd /tmp; at="$(echo "$DATA_DIR"/run/*/postgres)"; name="$(psql -X -A -t -h "$at" -d postgres -c "SELECT datname FROM pg_database WHERE datname LIKE 'i\\_%'")"; psql -X -q -A -t -h "$at" -d "$name" -c "SET ROLE \\"$name\\"" -c "${statement}"`,
    );

  it('is there after one command, and makes its first manager by the link that a second one prints', async () => {
    await host.compose(['up', '-d']);
    const printed = await host.compose(['exec', '-T', 'panel', 'arboretum', 'link']);
    expect(printed).toContain(`Arboretum is ready: ${host.url}`);
    client = await firstManager({ url: host.url, output: () => printed });
    expect(await host.compose(['exec', '-T', 'panel', 'arboretum', 'link'])).toContain('Sign in with your user name');
  }, 600_000);

  it('deploys an upload into a container, whose pages participants see through nginx', async () => {
    await client.create(name);
    expect(await client.upload(name, packSample(home, 'one'))).toMatchObject({ state: 'succeeded' });
    expect(await show()).toMatchObject({ state: 'running' });
    expect((await ask('/login')).body).toContain('csrf');
    expect((await ask('/lobby', 'localhost')).status).toBeLessThan(500);
    const [service] = (await engine?.docker.listServices()) ?? [];
    expect(service?.Spec?.TaskTemplate?.Resources?.Limits?.MemoryBytes).toBe(777 * 1024 * 1024);
    await sql("CREATE TABLE proof AS SELECT 'kept'::text AS word");
  }, 600_000);

  it('gives the Docker socket to the worker alone, and root to few', async () => {
    const seen: Record<string, { socket: string; around: string; user: string }> = {};
    for (const service of services) {
      const script = 'test -e /var/run/docker.sock && echo yes || echo no; ls -d /proc/[0-9]*/root/var/run/docker.sock 2>/dev/null | wc -l; id -un';
      const [socket = '', around = '', user = ''] = (await inside(service, script)).split('\n');
      seen[service] = { socket, around, user };
    }
    expect(seen).toMatchObject({
      postgres: { socket: 'no', around: '0', user: 'postgres' },
      redis: { socket: 'no', around: '0', user: 'arboretum' },
      nginx: { socket: 'no', around: '0', user: 'root' },
      panel: { socket: 'no', around: '0', user: 'arboretum' },
      worker: { socket: 'yes', user: 'root' },
    });
    for (const service of ['postgres', 'redis', 'nginx']) expect(await inside(service, 'ls "$DATA_DIR"')).not.toContain('secret.key');
    expect(Number(await inside('postgres', 'ls /sys/class/net | grep -c -v -x lo || true'))).toBe(0);
  }, 300_000);

  it('shows no password in docker inspect or in the file', async () => {
    const layout = layoutOf(host.dataDir, path.join(host.dataDir, 'run'));
    const key = readKey(readFileSync(layout.secretKeyFile, 'utf8'));
    const secrets = [readFileSync(layout.secretKeyFile, 'utf8').trim(), deriveSecret(key, 'redis'), deriveSecret(key, 'postgres role arboretum')];
    const shown = [await host.compose(['config']), await host.compose(['logs', '--no-color'])];
    for (const service of services) shown.push(JSON.stringify(await engine?.docker.getContainer(await host.idOf(service)).inspect()));
    for (const secret of secrets) for (const text of shown) expect(text.includes(secret)).toBe(false);
    expect(shown[1]).not.toContain('first-run?token');
  }, 300_000);

  it('is upgraded while experiments answer: accounts, instance and rows stay, nginx and PostgreSQL too', async () => {
    const before = await Promise.all(services.map((service) => host.idOf(service)));
    const container = await engine?.docker.createContainer({ Image: 'arbtest-panel:one' });
    await container?.commit({ repo: 'arbtest-panel', tag: 'two', comment: 'a newer one' });
    await container?.remove();
    const missed: number[] = [];
    const done = new AbortController();
    const watching = (async () => {
      while (!done.signal.aborted) {
        const { status } = await ask('/login').catch(() => ({ status: 0 }));
        if (status !== 200) missed.push(status);
      }
    })();
    await host.compose(['up', '-d', '--no-build'], { PANEL_IMAGE: 'arbtest-panel:two' });
    await host.compose(['exec', '-T', 'panel', 'arboretum', 'link'], { PANEL_IMAGE: 'arbtest-panel:two' });
    done.abort();
    await watching;
    const after = await Promise.all(services.map((service) => host.idOf(service)));
    expect(services.filter((_, index) => before[index] !== after[index])).toEqual(['panel', 'worker']);
    expect(missed).toEqual([]);
    expect((await client.get<Me>('/me')).person.userName).toBe('ada');
    await until('the worker is back', async () => (await show()).state === 'running', { withinMs: 120_000 });
    expect(await sql('SELECT word FROM proof')).toBe('kept\n');
    expect(await client.run(name, { kind: 'restart' })).toMatchObject({ state: 'succeeded' });
  }, 600_000);

  it('keeps everything over down and up', async () => {
    await host.compose(['down']);
    await host.compose(['up', '-d', '--no-build']);
    await host.compose(['exec', '-T', 'panel', 'arboretum', 'link']);
    await until('the experiment answers', answers, { withinMs: 180_000 });
    expect((await client.get<Me>('/me')).person.userName).toBe('ada');
    expect(await sql('SELECT word FROM proof')).toBe('kept\n');
  }, 600_000);

  it('comes back on an empty folder from the backup that the guide describes', async () => {
    // The very commands of docs/compose.md, with this test's folders.
    const guide = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'compose.md'), 'utf8');
    const dumping = /exec -T postgres sh -c '([^']+)'/.exec(guide)?.[1] ?? '';
    const excludes = /tar -C \/var\/lib\/arboretum (.*) -czf/.exec(guide)?.[1] ?? '';
    const restoring = /sh -c '([^']+)' < databases.sql/.exec(guide)?.[1] ?? '';
    expect([dumping, excludes, restoring]).not.toContain('');
    const dump = await inside('postgres', dumping);
    execFileSync('sh', ['-c', `tar -C ${host.dataDir} ${excludes} -czf ${home}/files.tgz .`]);
    await host.compose(['down']);
    renameSync(host.dataDir, `${host.dataDir}.lost`);
    execFileSync('sh', ['-c', `mkdir ${host.dataDir} && tar -C ${host.dataDir} --numeric-owner -xzpf ${home}/files.tgz`]);
    await host.compose(['up', '-d', '--no-build', 'postgres']);
    const postgres = await host.idOf('postgres');
    await until('PostgreSQL is healthy', async () => (await engine?.docker.getContainer(postgres).inspect())?.State.Health?.Status === 'healthy');
    await host.inside('postgres', restoring, dump);
    await host.compose(['up', '-d', '--no-build']);
    await host.compose(['exec', '-T', 'panel', 'arboretum', 'link']);
    expect((await client.get<Me>('/me')).person.userName).toBe('ada');
    expect(await sql('SELECT word FROM proof')).toBe('kept\n');
    expect(await client.run(name, { kind: 'restart' })).toMatchObject({ state: 'succeeded' });
    await until('the experiment answers', answers, { withinMs: 180_000 });
  }, 600_000);
});
