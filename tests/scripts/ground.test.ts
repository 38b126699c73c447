// PostgreSQL and supervisord of the ground, on folders of their own: interrupted, killed, stopped.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync, chmodSync, existsSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { layoutOf, type Layout } from '../../platforms/layout.ts';
import { ensureAccounts } from '../../scripts/accounts.ts';
import { prepareDirectories } from '../../scripts/directories.ts';
import { findPostmaster, keepPostgres, startPostgres, stopPostgres, type PostgresGround } from '../../scripts/ground-postgres.ts';
import { checkForeignRedis } from '../../scripts/ground-redis.ts';
import { findSupervisor, keepSupervisor, stopSupervisor } from '../../scripts/ground-supervisor.ts';
import { identify } from '../../scripts/process-identity.ts';
import { migratePanel } from '../../scripts/panel-database.ts';
import { freePorts } from '../free-ports.ts';

const key = randomBytes(32);
let home = '';
let layout: Layout;
let ground: PostgresGround;

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

beforeEach(async () => {
  home = mkdtempSync('/tmp/arb-gr-');
  chmodSync(home, 0o755);
  layout = layoutOf(path.join(home, 'data'), path.join(home, 'run'));
  const accounts = await ensureAccounts();
  prepareDirectories(layout, accounts);
  ground = { layout, accounts, bin: process.env['ARBORETUM_TEST_POSTGRES_BIN'] ?? '' };
});
afterEach(async () => {
  await stopPostgres(ground);
  rmSync(home, { recursive: true, force: true });
});

describe('the panel’s PostgreSQL', () => {
  it('keeps its data over a stop, answers only over its socket, and only to those who know a password', async () => {
    const url = await startPostgres(ground, key);
    await ask(url, 'CREATE TABLE kept (id int)');
    expect(
      await ask(
        url,
        "SELECT current_setting('listen_addresses') AS addresses, rolsuper AS super, rolcreatedb AS db, rolcreaterole AS role FROM pg_roles WHERE rolname = current_user",
      ),
    ).toEqual([{ addresses: '', super: false, db: true, role: true }]);
    const stranger = new URL(url);
    stranger.password = 'guessed';
    await expect(ask(stranger.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    expect(await stopPostgres(ground)).toBe(true);
    expect(await startPostgres(ground, key)).toBe(url);
    expect(await ask(url, 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 0 }]);
  });

  it('lets no other role into the panel’s or the maintenance databases', async () => {
    const url = await startPostgres(ground, key);
    await ask(url, "CREATE ROLE i_someone LOGIN PASSWORD 'x'");
    for (const database of ['arboretum', 'postgres', 'template1']) {
      const other = new URL(url);
      Object.assign(other, { username: 'i_someone', password: 'x', pathname: `/${database}` });
      await expect(ask(other.href, 'SELECT 1')).rejects.toThrow('permission denied for database');
    }
  });

  it('is made anew when the first start was killed in the middle of initdb', async () => {
    mkdirSync(`${layout.postgresDir}.new`);
    writeFileSync(path.join(`${layout.postgresDir}.new`, 'PG_VERSION'), '15\n');
    mkdirSync(path.join(layout.postgresDir, 'base'), { recursive: true });
    const url = await startPostgres(ground, key);
    expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    // What lay there without being a database is put aside, not deleted.
    expect(readdirSync(layout.dataDir).filter((name) => name.startsWith('postgres.unfinished-'))).toHaveLength(1);
  });

  it('comes back after kill -9, and with a pid file that names somebody else', async () => {
    const url = await startPostgres(ground, key);
    const { pid } = findPostmaster(layout) ?? { pid: 0 };
    process.kill(pid, 'SIGKILL');
    while (identify(pid) !== null) await delay(20);
    expect(findPostmaster(layout)).toBeNull();
    const lines = readFileSync(path.join(layout.postgresDir, 'postmaster.pid'), 'utf8').split('\n');
    writeFileSync(path.join(layout.postgresDir, 'postmaster.pid'), [String(process.pid), ...lines.slice(1)].join('\n'));
    // Its children notice the death within moments; the keeper tries every two seconds.
    let isBack = false;
    for (const deadline = Date.now() + 50_000; !isBack && Date.now() < deadline;) isBack = await keepPostgres(ground).catch(() => delay(500).then(() => false));
    expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await keepPostgres(ground)).toBe(false);
  });

  it('is dumped before an upgrade of the panel, and the dump can be restored', async () => {
    const url = await startPostgres(ground, key);
    const owner = ground.accounts?.panel ?? null;
    const upgrade = () => migratePanel({ url, bin: ground.bin, layout, owner, root: home });
    const write = (name: string, statements: string): void => {
      mkdirSync(path.join(home, 'prisma', 'migrations', name), { recursive: true });
      writeFileSync(path.join(home, 'prisma', 'migrations', name, 'migration.sql'), statements);
    };
    write('1_seats', "CREATE TABLE seat (label text); INSERT INTO seat VALUES ('before')");
    await upgrade();
    write('2_change', "UPDATE seat SET label = 'after'");
    expect(await upgrade()).toEqual(['2_change']);
    const [dump = '', ...others] = readdirSync(path.join(layout.backupsDir, 'panel'));
    expect([dump, others]).toEqual([expect.stringMatching(/^\d{14}-before-2_change\.dump$/), []]);
    const file = path.join(layout.backupsDir, 'panel', dump);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await ask(url, 'DROP TABLE seat, _prisma_migrations');
    const restored = spawnSync(path.join(ground.bin, 'pg_restore'), ['-d', url, file], { encoding: 'utf8' });
    expect(restored.stderr).toBe('');
    expect(await ask(url, 'SELECT label FROM seat')).toEqual([{ label: 'before' }]);
  });

  it('writes the role’s password into no log and no argument', async () => {
    const url = await startPostgres(ground, key);
    const { password } = new URL(url);
    expect(readFileSync(layout.postgresLog, 'utf8')).not.toContain(password);
    expect(readFileSync(`/proc/${findPostmaster(layout)?.pid}/cmdline`, 'utf8')).not.toContain(password);
  });
});

describe('supervisord', () => {
  it('runs what is in its folder, survives stale pid and socket, and ends its programs with itself', async () => {
    rmSync(layout.toolsDir, { recursive: true });
    symlinkSync(process.env['ARBORETUM_TEST_TOOLS'] ?? '', layout.toolsDir);
    const seen = path.join(home, 'environment');
    writeFileSync(
      path.join(layout.supervisorPrograms, 'one.conf'),
      `[program:one]\ncommand=/bin/sh -c "env > ${seen}; exec sleep 1000"\nautostart=true\nstdout_logfile=NONE\nstderr_logfile=NONE\n`,
    );
    writeFileSync(layout.supervisorPid, String(process.pid));
    writeFileSync(layout.supervisorSocket, '');
    process.env['ARBORETUM_ADMIN_PASSWORD'] = 'must not be inherited';
    expect(await keepSupervisor(layout)).toBe(true);
    expect(await keepSupervisor(layout)).toBe(false);
    while (!existsSync(seen) || readFileSync(seen, 'utf8') === '') await delay(20);
    expect(readFileSync(seen, 'utf8')).not.toContain('must not be inherited');
    const running = await findSupervisor(layout);
    const program = Number(readFileSync(`/proc/${running?.pid}/task/${running?.pid}/children`, 'utf8').trim());
    expect(identify(program)).not.toBeNull();
    process.kill(running?.pid ?? 0, 'SIGKILL');
    while (identify(running?.pid ?? 0) !== null) await delay(20);
    expect(await keepSupervisor(layout)).toBe(true);
    process.kill(program, 'SIGKILL');
    expect(await stopSupervisor(layout)).toBe(true);
    expect(await findSupervisor(layout)).toBeNull();
  });
});

describe('a Redis set from outside', () => {
  it('is refused with one sentence when it may throw entries away, or does not answer', async () => {
    const [port = 0] = await freePorts(1);
    const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'allkeys-lru'], {
      stdio: 'ignore',
    });
    const ask = (): Promise<string> => checkForeignRedis(`redis://127.0.0.1:${port}`).then(() => 'fine', String);
    expect(await ask()).toContain('does not answer');
    while ((await ask()).includes('does not answer')) await delay(50);
    expect(await ask()).toContain('throws entries away when its memory is full (maxmemory-policy allkeys-lru)');
    spawnSync('redis-cli', ['-p', String(port), 'config', 'set', 'maxmemory-policy', 'noeviction']);
    expect(await ask()).toBe('fine');
    redis.kill();
  });
});
