// `npm start` and `npm run stop-all` as people use them, on folders and ports of their own.

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePanel, type WholePanel } from '../e2e/panel.ts';

const root = path.join(import.meta.dirname, '..', '..');
let panel: WholePanel;

type Found = { readonly pid: number; readonly argv: string };

/** Every process that has the panel's folders in its arguments, or works in them. */
function processes(words = path.dirname(panel.dataDir)): Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const argv = read(`/proc/${name}/cmdline`).replaceAll('\0', ' ');
      return argv.includes(words) ? [{ pid: Number(name), argv }] : [];
    });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Pids as the panel noted them. */
function noted(name: 'server' | 'worker' | 'redis'): number {
  const [hash = ''] = readdirSync(panel.env['RUN_DIR'] ?? '');
  return (JSON.parse(read(path.join(panel.env['RUN_DIR'] ?? '', hash, 'pids', `${name}.json`))) as { pid: number }).pid;
}

const environmentOf = (pid: number): Record<string, string> =>
  Object.fromEntries(
    read(`/proc/${pid}/environ`)
      .split('\0')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
const ownerOf = (pid: number): number => Number(/^Uid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]);

async function isReady(): Promise<boolean> {
  return await new Promise((resolve) => {
    http
      .get({ host: '127.0.0.1', port: panel.port, path: '/readyz', agent: false, headers: { host: `localhost:${panel.port}` } }, (response) =>
        resolve(response.resume().statusCode === 200),
      )
      .on('error', () => resolve(false));
  });
}

async function untilReadyAgain(name: 'server' | 'worker', oldPid: number): Promise<number> {
  const start = Date.now();
  while (noted(name) === oldPid || !(await isReady())) {
    if (Date.now() - start > 60_000) throw new Error(`the ${name} did not come back`);
    await delay(30);
  }
  return (Date.now() - start) / 1000;
}

/** One start that is expected to end by itself. */
function tryStart(env: Readonly<Record<string, string>>): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts', 'start.mjs')], {
    cwd: root,
    env: { ...process.env, ...panel.env, ...env },
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { code: status, output: stdout + stderr };
}

async function query(statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: environmentOf(noted('server'))['DATABASE_URL'] });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  panel = await makePanel();
  await panel.start();
}, 300_000);
afterAll(() => panel.remove(), 120_000);

describe('npm start', () => {
  it('prints the address and a link for the first account, whose token stands in no log', async () => {
    expect(panel.output()).toContain(`Arboretum is ready: http://localhost:${panel.port}/`);
    const token = /first-run\?token=(\S+)/.exec(panel.output())?.[1] ?? '';
    expect(token).not.toBe('');
    for (const file of readdirSync(path.join(panel.dataDir, 'logs'))) expect(read(path.join(panel.dataDir, 'logs', file)), file).not.toContain(token);
    expect(await isReady()).toBe(true);
  });

  it('gives passwords by environment, never by arguments', () => {
    const { DATABASE_URL = '', REDIS_PASSWORD = '' } = environmentOf(noted('server'));
    const secrets = [new URL(DATABASE_URL).password, REDIS_PASSWORD, read(path.join(panel.dataDir, 'secret.key')).trim()];
    expect(secrets.every((secret) => secret.length > 20)).toBe(true);
    for (const { argv } of processes()) for (const secret of secrets) expect(argv).not.toContain(secret);
  });

  it.runIf(process.getuid?.() === 0)('as root runs server and Redis as the panel’s user, who owns what they write', () => {
    const uid = Number(spawnSync('id', ['-u', 'arboretum'], { encoding: 'utf8' }).stdout);
    expect([ownerOf(noted('server')), ownerOf(noted('redis')), ownerOf(noted('worker'))]).toEqual([uid, uid, 0]);
    const asStranger = (file: string) => spawnSync('cat', [file], { uid: 200_001, gid: 200_001, encoding: 'utf8' }).stderr;
    for (const file of ['secret.key', 'redis/redis.conf', 'postgres/PG_VERSION', 'supervisor/supervisord.conf'])
      expect(asStranger(path.join(panel.dataDir, file))).toContain('Permission denied');
  });

  it('a second time on the same data is refused with the process that runs', () => {
    const { code, output } = tryStart({});
    expect(output).toMatch(/Arboretum is running already on .* \(process \d+\)\.\n {2}→ /);
    expect(code).toBe(1);
  });

  it('brings a killed server and a killed worker back', async () => {
    for (const name of ['server', 'worker'] as const) {
      const pid = noted(name);
      process.kill(pid, 'SIGKILL');
      const seconds = await untilReadyAgain(name, pid);
      // 1.5–3 s on a quiet machine; printed, not asserted: the other tests of the run take most of it.
      process.stdout.write(`killed ${name}: back after ${seconds.toFixed(1)} s\n`);
      expect(noted(name)).not.toBe(pid);
    }
  }, 150_000);

  it('brings back what dies of the ground', async () => {
    const nginx = () => processes(path.join(panel.dataDir, 'nginx', 'nginx.conf')).find(({ argv }) => argv.startsWith('nginx: master'))?.pid ?? 0;
    const postgres = () => processes(`postgres -D ${panel.dataDir}`)[0]?.pid ?? 0;
    const before = [nginx(), postgres()];
    for (const pid of before) process.kill(pid, 'SIGKILL');
    const deadline = Date.now() + 90_000;
    const isBack = async (): Promise<boolean> => [nginx(), postgres()].every((pid) => pid > 0 && !before.includes(pid)) && (await isReady());
    while (Date.now() < deadline && !(await isBack())) await delay(100);
    expect(await isBack()).toBe(true);
  }, 120_000);

  it('after a kill -9 of everything of the panel takes over, in seconds, with all data', async () => {
    await query("INSERT INTO setting (name, value) VALUES ('test.kept', '\"yes\"')");
    const starters = processes(path.join(root, 'scripts', 'panel.ts')).filter(({ pid }) => environmentOf(pid)['DATA_DIR'] === panel.dataDir);
    const orphan = noted('server');
    for (const { pid } of starters) process.kill(pid, 'SIGKILL');
    process.kill(panel.pid(), 'SIGKILL');
    process.kill(noted('redis'), 'SIGKILL');
    await panel.start();
    expect(panel.output()).toContain('ended the server of an earlier start');
    expect(noted('server')).not.toBe(orphan);
    expect(read(`/proc/${orphan}/cmdline`)).toBe('');
    expect(await query("SELECT value FROM setting WHERE name = 'test.kept'")).toEqual([{ value: 'yes' }]);
  });
});

describe('Ctrl-C', () => {
  it('ends server, worker and Redis in order, and leaves the ground', async () => {
    const pids = [noted('server'), noted('worker'), noted('redis')];
    await panel.stop();
    expect(panel.output()).toContain('The panel has stopped; experiments and their front door go on.');
    expect(pids.map((pid) => read(`/proc/${pid}/cmdline`))).toEqual(['', '', '']);
    const ground = processes()
      .map(({ argv }) => argv)
      .join('\n');
    expect(ground).toContain(`postgres -D ${panel.dataDir}/postgres`);
    expect(ground).toContain('nginx: master process');
    expect(ground).toContain('supervisord -c');
  });
});

describe('a start that cannot be', () => {
  it('lists every wrong setting at once and ends with code 78', () => {
    const { code, output } = tryStart({ PORT: '99999', PUBLIC_URL: 'lab', ADDRESS_MODE: 'somehow' });
    expect(code).toBe(78);
    for (const name of ['PORT', 'PUBLIC_URL', 'ADDRESS_MODE']) expect(output).toContain(`  ${name}: `);
  });

  it('names the program on the port', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const { port } = server.address() as net.AddressInfo;
    const { code, output } = await startAside({ GIT_SSH_PORT: String(port) });
    server.close();
    expect([code, output]).toEqual([1, expect.stringContaining(`Port ${port} (GIT_SSH_PORT) is in use by `)]);
    expect(output).toContain(`(process ${process.pid})`);
  });

  it('is refused when the key is missing or another one, and goes on when it is back', () => {
    const key = path.join(panel.dataDir, 'secret.key');
    renameSync(key, `${key}.away`);
    expect(tryStart({})).toEqual({ code: 78, output: expect.stringContaining('The panel’s key is missing') as string });
    expect(tryStart({ ARBORETUM_SECRET_KEY: Buffer.alloc(32, 1).toString('base64') }).output).toContain('not the one that its data were sealed with');
    renameSync(`${key}.away`, key);
  });

  it('on a database server that may not make databases says so', async () => {
    const given = process.env['ARBORETUM_TEST_DATABASE_URL'] ?? '';
    const admin = new pg.Client({ connectionString: given });
    await admin.connect();
    for (const statement of ["CREATE ROLE weak LOGIN PASSWORD 'x'", 'CREATE DATABASE weak', 'GRANT ALL ON DATABASE weak TO weak']) await admin.query(statement);
    const url = new URL(given);
    Object.assign(url, { username: 'weak', password: 'x', pathname: '/weak' });
    const { output } = tryStart({ DATABASE_URL: url.href });
    await admin.query('DROP DATABASE weak');
    await admin.query('DROP ROLE weak');
    await admin.end();
    expect(output).toContain('The role weak of DATABASE_URL may not make databases and roles.\n  → ');
  });
});

describe('npm run stop-all', () => {
  it('leaves nothing of this DATA_DIR running, and nothing else ends', async () => {
    await panel.start();
    const other = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const { code, output } = await panel.command('stop-all');
    expect(code).toBe(0);
    expect(output).toMatch(/✓ the panel stopped[^]*✓ supervisord and the experiments stopped[^]*✓ the front door \(nginx\) stopped[^]*✓ PostgreSQL stopped/);
    expect(processes()).toEqual([]);
    expect(other.exitCode).toBeNull();
    other.kill('SIGKILL');
    expect((await panel.command('stop-all')).code).toBe(0);
  });
});

/** Not `spawnSync`: the port's holder is this process, which has to stay awake. */
async function startAside(env: Readonly<Record<string, string>>): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [path.join(root, 'scripts', 'start.mjs')], {
    cwd: root,
    env: { ...process.env, ...panel.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}
