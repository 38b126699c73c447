// `npm run stop-all`: ends the panel and the ground of this DATA_DIR in order, and nothing else.

import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../domain/config.ts';
import { ensureAccounts } from './accounts.ts';
import { findPostgres, findProgram } from './binaries.ts';
import { dataMajor } from './ground-postgres.ts';
import { groundLockOf, stopGround } from './ground.ts';
import { endNoted, endProcess, identify, readPid, type ProcessIdentity } from './process-identity.ts';
import type { Progress } from './progress.ts';
import { stopKeepers } from './service-keepers.ts';
import { pidFileOf, serviceNames } from './services.ts';
import { serverTools } from './system-packages.ts';

/** Longer than the panel's own 30 s for what is in hand, and Redis after it. */
const panelGraceMs = 60_000;

/** @param options.withService also the service units that would start everything again */
export async function stopAll(config: Config, progress: Progress, options: { readonly withService: boolean }): Promise<void> {
  if (!existsSync(config.layout.dataDir)) return progress.say(`There is nothing at ${config.layout.dataDir}.`);
  if (options.withService) await stopKeepers(config, progress);
  const panel = readPid(config.layout.startLock);
  if (panel !== null) await end(panel, 'the panel', { progress, graceMs: panelGraceMs });
  for (const name of serviceNames.toReversed()) if (await endNoted(pidFileOf({ config }, name), 30_000)) progress.say(`✓ ${name} stopped`);
  const keeper = readPid(groundLockOf({ config }));
  if (keeper !== null && keeper.pid !== process.ppid) await end(keeper, 'the ground’s keeper', { progress, graceMs: 10_000 });
  const programs = {
    postgresBin: findPostgres(dataMajor(config.layout), serverTools) ?? '',
    nginx: findProgram('nginx') ?? 'nginx',
    redisServer: '',
    git: '',
    python: '',
  };
  await stopGround({ config, accounts: await ensureAccounts(), programs, key: Buffer.alloc(0) }, progress);
  const orphans = processesUnder(config.layout.instancesDir);
  await Promise.all(orphans.map((orphan) => endProcess(orphan, 10_000)));
  if (orphans.length > 0) progress.say(`✓ ${orphans.length} processes that experiments had left behind ended`);
  progress.say(`Everything of ${config.layout.dataDir} is stopped; the data are kept. “npm start” brings it back.`);
}

async function end(process_: ProcessIdentity, name: string, { progress, graceMs }: { progress: Progress; graceMs: number }): Promise<void> {
  await endProcess(process_, graceMs);
  progress.say(`✓ ${name} stopped (process ${process_.pid})`);
}

/** Whoever works in an instance's folder: left over when supervisord was killed (Linux). */
function processesUnder(folder: string): readonly ProcessIdentity[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => `${workingFolder(name)}/`.startsWith(`${folder}${path.sep}`))
    .flatMap((name) => identify(Number(name)) ?? []);
}

function workingFolder(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
