// A look behind a panel that these tests started: its database, its Redis, its processes.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { WholePanel } from './panel.ts';

type PanelProcess = { readonly pid: number; readonly argv: string; readonly env: Readonly<Record<string, string>> };

/** Server and worker of this panel, found by the folder in their environment. */
function serverAndWorker(panel: WholePanel): PanelProcess[] {
  const found: PanelProcess[] = [];
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const argv = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const env = Object.fromEntries(
        readFileSync(`/proc/${entry}/environ`, 'utf8')
          .split('\0')
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      if (/(server|worker)\/main\.ts/.test(argv) && env['DATA_DIR'] === panel.dataDir) found.push({ pid: Number(entry), argv, env });
    } catch {
      // It ended in between, or it is not ours to read.
    }
  }
  return found;
}

const environmentOf = (panel: WholePanel): Readonly<Record<string, string>> => {
  const [first] = serverAndWorker(panel);
  if (!first) throw new Error('neither server nor worker of this panel runs');
  return first.env;
};

/** The server or the worker of this panel. */
export function processOf(panel: WholePanel, name: 'server' | 'worker'): PanelProcess {
  const found = serverAndWorker(panel).find(({ argv }) => argv.includes(`${name}/main.ts`));
  if (!found) throw new Error(`the ${name} of this panel does not run`);
  return found;
}

/** Pids of the panel group: server, worker, Redis. */
export function panelProcesses(panel: WholePanel): number[] {
  const redis = execFileSync('pgrep', ['-f', `redis-server.*${environmentOf(panel)['REDIS_SOCKET'] ?? 'none'}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  return [...serverAndWorker(panel).map(({ pid }) => pid), ...redis];
}

/** Master and workers of this panel's front door. */
export function nginxPids(panel: WholePanel): number[] {
  const run = path.join(path.dirname(panel.dataDir), 'run');
  const folder = readdirSync(run).find((name) => existsSync(path.join(run, name, 'nginx.pid'))) ?? '';
  const master = Number(readFileSync(path.join(run, folder, 'nginx.pid'), 'utf8'));
  const workers = execFileSync('pgrep', ['-P', String(master)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number);
  return [master, ...workers];
}

export async function flushRedis(panel: WholePanel): Promise<void> {
  const { REDIS_SOCKET: socket = '', REDIS_PASSWORD: password = '' } = environmentOf(panel);
  const redis = new Redis({ path: socket, password });
  await redis.flushall();
  redis.disconnect();
}

/** Participants in an instance's own database, asked there. */
export async function countRows(panel: WholePanel, name: string): Promise<number> {
  const [count] = await askDatabase<{ rows: string }>(panel, name, 'SELECT count(*) AS rows FROM otree_participant');
  return Number(count?.rows);
}

/** Asks an instance's own database. */
export async function askDatabase<Row extends pg.QueryResultRow>(panel: WholePanel, name: string, sql: string): Promise<Row[]> {
  const url = new URL(environmentOf(panel)['DATABASE_URL'] ?? '');
  const [instance] = await query<{ id: string }>(url.href, `SELECT id FROM instance WHERE name = '${name}' AND deleted_at IS NULL`);
  url.pathname = `/i_${instance?.id}`;
  return query<Row>(url.href, sql);
}

async function query<Row extends pg.QueryResultRow>(connectionString: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
