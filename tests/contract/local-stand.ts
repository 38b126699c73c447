// Ground of its own for tests of the local platform: folders, supervisord, the given PostgreSQL.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { layoutOf } from '../../platforms/layout.ts';
import { LocalPlatform } from '../../platforms/local/local.ts';
import { callRpc } from '../../platforms/local/xml-rpc.ts';
import { Secret } from '../../platforms/secret.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Shared by all runs on this machine, so that only the first one downloads. */
const CACHE = path.join(os.tmpdir(), 'arboretum-test-cache');

/** What the tests need from outside; one sentence when it is missing. */
export function requireEnvironment(name: 'ARBORETUM_TEST_DATABASE_URL' | 'ARBORETUM_TEST_TOOLS'): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: run the tests with “npm test”, which prepares PostgreSQL, uv and supervisord.`);
  return value;
}

/** A local platform on fresh folders with a running supervisord. */
export async function makeLocalStand() {
  const [databaseUrl, tools] = [requireEnvironment('ARBORETUM_TEST_DATABASE_URL'), requireEnvironment('ARBORETUM_TEST_TOOLS')];
  const ground = await mkdtemp(path.join(os.tmpdir(), 'arb-'));
  await chmod(ground, 0o711);
  const layout = { ...layoutOf(path.join(ground, 'data'), path.join(ground, 'run')), cacheDir: CACHE };
  for (const dir of [layout.dataDir, layout.runDir, layout.supervisorDir, layout.supervisorPrograms, layout.toolsDir])
    await mkdir(dir, { recursive: true, mode: 0o755 });
  let keeper = await startKeeper(layout, tools);
  const url = new URL(databaseUrl);
  const separatesUsers = process.getuid?.() === 0;
  const options = {
    layout,
    systemPython: '/usr/bin/python3',
    uvBinary: path.join(tools, 'bin', 'uv'),
    postgres: {
      adminUrl: new Secret(databaseUrl),
      binDir: process.env['ARBORETUM_TEST_POSTGRES_BIN'] ?? null,
      instanceHost: url.searchParams.get('host') ?? `${url.hostname}:${url.port || '5432'}`,
    },
    separatesUsers,
    buildUserId: 199_999,
    panelGroupId: null,
    packageIndex: existsSync(CERTIFICATES) ? { caFile: CERTIFICATES } : {},
    log: () => {},
  };
  const platform = new LocalPlatform(options);
  return {
    platform,
    options,
    layout,
    ground,
    separatesUsers,
    /** supervisord itself. */
    keeper: () => keeper.child,
    revive: async () => {
      keeper = await startKeeper(layout, tools);
    },
    close: async () => {
      keeper.child.kill('SIGTERM');
      await keeper.ended;
      await rm(ground, { recursive: true, force: true });
    },
  };
}

export type LocalStand = Awaited<ReturnType<typeof makeLocalStand>>;

async function startKeeper(
  layout: { supervisorConfig: string; supervisorSocket: string; supervisorPid: string; supervisorPrograms: string; supervisorDir: string },
  tools: string,
): Promise<{ child: ChildProcess; ended: Promise<void> }> {
  const config = `[unix_http_server]
file=${layout.supervisorSocket}
chmod=0700
[supervisord]
logfile=${path.join(layout.supervisorDir, 'supervisord.log')}
pidfile=${layout.supervisorPid}
nodaemon=true
silent=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files=${layout.supervisorPrograms}/*.conf
`;
  await writeFile(layout.supervisorConfig, config);
  const child = spawn(path.join(tools, 'bin', 'supervisord'), ['-c', layout.supervisorConfig], { stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until(
    'supervisord answers',
    async () => (await callRpc(layout.supervisorSocket, 'supervisor.getState', { timeoutMs: 10_000 }).catch(() => null)) !== null,
  );
  return { child, ended };
}

/** Polls until something holds; fails with its name when it does not within the time. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${timeoutMs / 1000} s: ${what}`);
    await pause(50);
  }
}
