// The commands behind `npm start`, `npm run stop-all`, `npm run install-service`, `npm run system-check`, once the packages are there.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { ConfigProblem, loadConfig, type Config } from '../domain/config.ts';
import { StartProblem } from './problem.ts';
import { makeProgress, type Progress } from './progress.ts';
import { takeLock } from './start-lock.ts';
import { startPanel } from './start-panel.ts';

type Command = (config: Config, progress: Progress, signal: AbortSignal) => Promise<void>;

/** Each brings its own code: what a panel does not need stays out of the process that stays. */
const commands: Readonly<Record<string, Command>> = {
  start: startLocked,
  ground: async (...given) => (await import('./ground-command.ts')).runGround(...given),
  'stop-all': async (config, progress) => (await import('./stop-all.ts')).stopAll(config, progress, { withService: true }),
  // What the ground's unit runs when it is stopped: systemd itself ends the panel before.
  'stop-ground': async (config, progress) => (await import('./stop-all.ts')).stopAll(config, progress, { withService: false }),
  'install-service': async (...given) => (await import('./install-service.ts')).installService(...given),
  'system-check': async (config, progress) => (await import('./system-check.ts')).systemCheck(config, progress),
};

/** One start at a time for one DATA_DIR. */
async function startLocked(config: Config, progress: Progress, signal: AbortSignal): Promise<void> {
  mkdirSync(path.dirname(config.layout.startLock), { recursive: true });
  const lock = takeLock(config.layout.startLock);
  if ('holder' in lock)
    throw new StartProblem(
      `Arboretum is running already on ${config.layout.dataDir} (process ${lock.holder.pid}).`,
      `Open ${config.publicUrl.href}, or stop that one first (Ctrl-C there, or npm run stop-all).`,
    );
  try {
    await startPanel(config, progress, signal);
  } finally {
    lock.release();
  }
}

/** Exit codes: 0 stopped as asked, 1 foreseen problem, 78 wrong settings, 70 a bug. */
function explain(error: unknown): number {
  if (error instanceof ConfigProblem) {
    process.stderr.write(`${error.message}\n  → docs/configuration.md lists every setting.\n`);
    return 78;
  }
  if (error instanceof StartProblem) {
    process.stderr.write(`${error.message}\n  → ${error.hint}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `Something unexpected happened.\n${error instanceof Error ? error.stack : String(error)}\n  → If it happens again, please report it with these lines.\n`,
  );
  return 70;
}

async function main(): Promise<number> {
  const stopping = new AbortController();
  let signals = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      signals += 1;
      stopping.abort(new StartProblem('Stopped before it was ready.', 'The next start goes on from here.', 130));
      // Somebody is impatient: what still runs is found and ended by the next start.
      if (signals === 3) process.exit(130);
    });
  }
  const command = commands[process.argv[2] ?? 'start'];
  if (command === undefined) throw new StartProblem(`There is no command “${process.argv[2]}”.`, `There are: ${Object.keys(commands).join(', ')}.`, 2);
  await command(loadConfig(), makeProgress(), stopping.signal);
  return 0;
}

process.umask(0o022);
process.exitCode = await main().catch(explain);
