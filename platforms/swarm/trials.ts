// Trying a release privately on a scratch database, and comparing the tables it makes with the live ones.

import { judgeTrial } from '../container-trial.ts';
import type { InstanceSpec } from '../platform.ts';
import type { Trial } from '../release.ts';
import { compareWithScratch } from '../postgres-schema.ts';
import type { Ground } from './ground.ts';
import { runLauncher } from './launcher.ts';
import { type RunIo, whyItEnded } from './running.ts';

/** oTree may take 60 s; making the container comes on top. */
const LIMIT_MS = 90_000;

/** @see Platform.tryRelease */
export async function tryRelease(ground: Ground, spec: InstanceSpec, { image, signal, onOutput }: RunIo & { image: string }): Promise<Trial> {
  onOutput('-----> Trying this version on an empty database\n');
  try {
    const database = await ground.databases.createScratch(spec.instanceId, 'try');
    const began = Date.now();
    const result = await runLauncher(ground, spec, { image, command: 'try', database, timeoutMs: LIMIT_MS, signal });
    judgeTrial({ ...result, stderr: whyItEnded(result) }, { began, onOutput });
    return { gaps: await compareWithScratch(ground.databases, spec, database) };
  } finally {
    await ground.databases.dropScratch(spec.instanceId);
  }
}
