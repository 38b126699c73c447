// Playing a project's bots: in memory, in a container of the release's own image that is gone afterwards, beside whatever runs.

import type { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type Docker from 'dockerode';
import { AppError } from '../../contracts/errors.ts';
import { BOTS_LIMIT_MS, botPackagesInContainer, botsOutput, botWords, explainBots, keepBotsData } from '../bots.ts';
import type { BotsRun, InstanceSpec } from '../platform.ts';
import { asking } from './engine.ts';
import { requireRelease } from './files.ts';
import type { Ground } from './ground.ts';
import { runLauncher } from './launcher.ts';
import { whyItEnded } from './running.ts';

/** In the container's own layer. */
const OUT = '/tmp/bots';

/** @see Platform.playBots */
export async function playBots(ground: Ground, spec: InstanceSpec, run: BotsRun): Promise<void> {
  const { release, images } = await requireRelease(ground, spec.instanceId, run.releaseNumber);
  const task = { ground, spec, signal: run.signal, onOutput: run.onOutput };
  const botPackages = await botPackagesInContainer(task, { lock: release.lock, python: release.project.pythonVersion });
  const { exportTo } = run;
  const result = await runLauncher(ground, spec, {
    image: images.image,
    command: 'bots',
    words: botWords(run, OUT),
    botPackages,
    database: null,
    timeoutMs: BOTS_LIMIT_MS,
    signal: run.signal,
    onOutput: (text) => run.onOutput(botsOutput(text)),
    diskMib: spec.limits.diskMib,
    onSuccess: async (container) => {
      if (exportTo !== null) await keepBotsData(await packed(container), exportTo);
    },
  });
  if (result.isTooLarge)
    throw new AppError('bots_failed', { config: run.config, reason: `the bots wrote more than the ${spec.limits.diskMib} MiB that the instance may.` });
  if (result.exitCode !== 0) throw explainBots({ ...result, stderr: whyItEnded(result) }, run.config);
}

/** The engine gives the folder as a tar; links in it stay links, and nothing else of the container is read. */
async function packed(container: Docker.Container): Promise<Readable> {
  const tar = (await asking(container.getArchive({ path: `${OUT}/.` }))) as unknown as Readable;
  const zipped = createGzip();
  tar.once('error', (error: Error) => zipped.destroy(error));
  return tar.pipe(zipped);
}
