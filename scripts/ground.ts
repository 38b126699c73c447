// The ground: what experiments need to go on while the panel is away. Brings it up, looks after it, ends it.

import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { frontDoorOptionsOf } from '../domain/front-door-options.ts';
import { NginxFrontDoor } from '../platforms/nginx.ts';
import { NginxProcess } from '../platforms/nginx-process.ts';
import { keepPostgres, startPostgres, stopPostgres } from './ground-postgres.ts';
import { keepSupervisor, stopSupervisor } from './ground-supervisor.ts';
import type { Prepared } from './prepare.ts';
import { messageOf } from './problem.ts';
import type { Progress } from './progress.ts';
import { rotateLogs } from './rotate-logs.ts';

/** One service of the ground. */
type Part = {
  readonly name: string;
  /** Starts it when it does not run; says whether it had to. */
  keep(): Promise<boolean>;
  /** Says whether it ran. */
  stop(): Promise<boolean>;
};

const lookEveryMs = 2000;
const rotateEveryMs = 60_000;

/** A running `ground` command holds this; then a panel leaves the looking-after to it. */
export const groundLockOf = (prepared: Pick<Prepared, 'config'>): string => path.join(prepared.config.layout.runDir, 'ground.lock');

function partsOf(prepared: Prepared): readonly Part[] {
  const { config, accounts, programs } = prepared;
  const { layout } = config;
  const postgres = { layout, accounts, bin: programs.postgresBin };
  const nginx = new NginxProcess(layout, programs.nginx);
  const door = frontDoor(prepared);
  const own: Part = { name: 'PostgreSQL', keep: () => keepPostgres(postgres), stop: () => stopPostgres(postgres) };
  return [
    ...(config.DATABASE_URL ? [] : [own]),
    {
      name: 'the front door (nginx)',
      async keep() {
        // Only life is looked at here; whether its files are as they should is the worker's care.
        if ((await nginx.masterPid()) !== null) return false;
        await door.start();
        return true;
      },
      async stop() {
        const isRunning = (await nginx.masterPid()) !== null;
        if (isRunning) await nginx.stop();
        return isRunning;
      },
    },
    { name: 'supervisord and the experiments', keep: () => keepSupervisor(layout), stop: () => stopSupervisor(layout) },
  ];
}

/** The same door that the worker keeps (worker/adapters.ts). */
const frontDoor = ({ config, programs }: Prepared): NginxFrontDoor => new NginxFrontDoor({ ...frontDoorOptionsOf(config), nginxBinary: programs.nginx });

/** Brings PostgreSQL up (unless DATABASE_URL is set) and returns the address of the panel's database. */
export async function startDatabase({ config, accounts, programs, key }: Prepared, progress: Progress): Promise<string> {
  if (config.DATABASE_URL) return config.DATABASE_URL.open();
  return await progress.step('PostgreSQL', () => startPostgres({ layout: config.layout, accounts, bin: programs.postgresBin }, key));
}

/** Brings up what follows the database. @throws StartProblem */
export async function startRest(prepared: Prepared, progress: Progress): Promise<void> {
  for (const part of partsOf(prepared).slice(prepared.config.DATABASE_URL ? 0 : 1)) await progress.step(part.name, () => part.keep());
}

/** Starts every 2 s what has died, and keeps the logs small, until the signal. */
export async function keepGround(prepared: Prepared, progress: Progress, signal: AbortSignal): Promise<void> {
  const parts = partsOf(prepared);
  const complaints = new Map<string, string>();
  for (let rotatedAt = 0; !signal.aborted;) {
    for (const part of parts) await keep(part, { progress, complaints });
    if (Date.now() - rotatedAt > rotateEveryMs) {
      rotateLogs(prepared.config.layout.logsDir);
      rotatedAt = Date.now();
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Says something only when it changes: a part that cannot be started would fill the log otherwise. */
async function keep(part: Part, { progress, complaints }: { progress: Progress; complaints: Map<string, string> }): Promise<void> {
  try {
    if (await part.keep()) progress.say(`${part.name} had died and was started again.`);
    complaints.delete(part.name);
  } catch (error) {
    const message = messageOf(error);
    if (complaints.get(part.name) !== message) progress.say(`${part.name} is away and does not start: ${message}`);
    complaints.set(part.name, message);
  }
}

/** Ends everything in reverse: experiments, front door, database. */
export async function stopGround(prepared: Prepared, progress: Progress): Promise<void> {
  for (const part of partsOf(prepared).toReversed()) {
    if (await part.stop()) progress.say(`✓ ${part.name} stopped`);
  }
}
