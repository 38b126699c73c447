// `npm start`: looks, prepares, brings up the ground, migrates, builds, then runs the panel's own processes.

import path from 'node:path';
import type { Config } from '../domain/config.ts';
import { NginxProcess } from '../platforms/nginx-process.ts';
import { codeForServices } from './code-for-services.ts';
import { startDatabase, startRest } from './ground.ts';
import { checkForeignRedis } from './ground-redis.ts';
import { checkForeignDatabase, migratePanel, settleChosen } from './panel-database.ts';
import { checkDisk, checkPort } from './preflight.ts';
import { prepare, type Prepared } from './prepare.ts';
import { endNoted } from './process-identity.ts';
import type { Progress } from './progress.ts';
import { runServices } from './run-services.ts';
import { projectRoot } from './project-root.ts';
import { pidFileOf, type ServiceName } from './services.ts';
import { buildWeb } from './web-build.ts';

/** Without their Redis they may wait for something that never comes. */
const orphanGraceMs = 8000;

/** Starts and keeps the panel until the signal. @throws StartProblem when it cannot start, or dies too often */
export async function startPanel(config: Config, progress: Progress, signal: AbortSignal): Promise<void> {
  checkDisk(config.layout.dataDir);
  const prepared = await prepare(config, progress);
  progress.logTo(path.join(config.layout.logsDir, 'start.log'));
  await takeOver(prepared, progress);
  await checkPorts(prepared);
  const databaseUrl = await bringUpGround(prepared, progress);
  signal.throwIfAborted();
  const code = await buildParts(prepared, progress);
  const applied = await progress.step('migrations', () =>
    migratePanel({ url: databaseUrl, bin: prepared.programs.postgresBin, layout: config.layout, owner: prepared.accounts?.panel ?? null, root: projectRoot }),
  );
  await settleChosen(config, databaseUrl);
  if (applied.length > 0) progress.log(`applied: ${applied.join(', ')}\n`);
  signal.throwIfAborted();
  await runServices(prepared, { databaseUrl, code, progress, signal });
}

/** What a killed start left running is ended: it has no keeper any more. What it has in hand is in the database and goes on. */
async function takeOver(prepared: Prepared, progress: Progress): Promise<void> {
  const end = async (name: ServiceName): Promise<void> => {
    if (await endNoted(pidFileOf(prepared, name), orphanGraceMs)) progress.say(`  ended the ${name} of an earlier start`);
  };
  await Promise.all([end('server'), end('worker')]);
  await end('redis');
}

async function checkPorts({ config, programs }: Prepared): Promise<void> {
  // The front door outlives the panel: when it is ours, its ports are taken as they should be. So do workers of a killed master.
  const nginx = new NginxProcess(config.layout, programs.nginx);
  const isOurs = (await nginx.masterPid()) !== null || (await nginx.ask()) !== null;
  for (const name of isOurs ? [] : (['PORT', 'HTTPS_PORT', 'PATH_PORT'] as const)) {
    const port = config[name];
    if (port !== undefined) await checkPort(name, port);
  }
  await checkPort('GIT_SSH_PORT', config.GIT_SSH_PORT);
}

/** Where the `ground` service runs, it brings everything up; its database only has to be found. */
async function bringUpGround(prepared: Prepared, progress: Progress): Promise<string> {
  const { config, programs } = prepared;
  if (config.DATABASE_URL) await checkForeignDatabase(config.DATABASE_URL.open(), programs.postgresBin);
  if (config.REDIS_URL) await checkForeignRedis(config.REDIS_URL.open());
  const databaseUrl = await startDatabase(prepared, progress);
  await startRest(prepared, progress);
  return databaseUrl;
}

async function buildParts({ config, accounts }: Prepared, progress: Progress) {
  await progress.step('pages', () => buildWeb(projectRoot, progress.log));
  return await codeForServices(projectRoot, config.layout.dataDir, accounts?.panel ?? null);
}
