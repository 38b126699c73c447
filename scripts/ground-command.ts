// `ground`: brings only the ground up and looks after it in the foreground; for the service that outlives the panel's.

import path from 'node:path';
import type { Config } from '../domain/config.ts';
import { inheritedEnvironment } from './environment.ts';
import { groundLockOf, keepGround, startDatabase, startRest } from './ground.ts';
import { prepare } from './prepare.ts';
import { StartProblem } from './problem.ts';
import type { Progress } from './progress.ts';
import { run } from './run.ts';
import { takeLock } from './start-lock.ts';

/** Until the signal; then the ground itself goes on. @throws StartProblem */
export async function runGround(config: Config, progress: Progress, signal: AbortSignal): Promise<void> {
  const lock = takeLock(groundLockOf({ config }));
  if ('holder' in lock)
    throw new StartProblem(`The ground of ${config.layout.dataDir} is looked after already (process ${lock.holder.pid}).`, 'Nothing needs to be done.');
  try {
    const prepared = await prepare(config, progress);
    progress.logTo(path.join(config.layout.logsDir, 'ground.log'));
    await startDatabase(prepared, progress);
    await startRest(prepared, progress);
    await tellSystemd();
    progress.say('The ground is up; this process starts again what dies.');
    await keepGround(prepared, progress, signal);
  } finally {
    lock.release();
  }
}

/** systemd starts the panel's unit only when this one says that it is ready. */
async function tellSystemd(): Promise<void> {
  if (inheritedEnvironment()['NOTIFY_SOCKET']) await run({ file: 'systemd-notify', args: ['--ready', `--pid=${process.pid}`] });
}
