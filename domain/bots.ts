// Bots: the project's own tests, played on a version; what came of it is kept with the job, by version and config.

import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { botStep, type BotList, type BotRun } from '../contracts/bots.ts';
import { AppError } from '../contracts/errors.ts';
import { stepSchema } from '../contracts/jobs.ts';
import { jobStates } from '../contracts/states.ts';
import type { Deployment, Instance, Job } from '../prisma/client/client.ts';
import { readCapabilities } from './capabilities.ts';
import type { Context } from './context.ts';
import { readProject } from './present-instance.ts';

/** How many jobs’ files are kept for each instance. */
const keptJobs = 5;
const listed = 10;

/** @throws platform_failed where no bots can be played, invalid_input for a config that is not there */
export async function checkBots(ctx: Pick<Context, 'db'>, instance: Pick<Instance, 'project' | 'platform'>, config: string | undefined): Promise<void> {
  if (!(await readCapabilities(ctx, instance)).playsBots) throw new AppError('platform_failed', { reason: 'bots are not played on this platform.' });
  const names = readProject(instance)?.sessionConfigs.map(({ name }) => name) ?? [];
  if (config !== undefined && !names.includes(config))
    throw new AppError('invalid_input', {}, { fields: { config: 'This project has no such session config.' } });
}

type Row = Job & { readonly deployment: Pick<Deployment, 'id' | 'commit'> | null };

/** The newest runs, each with its configs. */
export async function listBots(ctx: Pick<Context, 'db' | 'config'>, instance: Pick<Instance, 'id' | 'currentDeploymentId' | 'platform'>): Promise<BotList> {
  const [rows, { playsBots }] = await Promise.all([
    ctx.db.job.findMany({
      where: { instanceId: instance.id, kind: 'run-bots' },
      orderBy: { createdAt: 'desc' },
      take: listed,
      include: { deployment: { select: { id: true, commit: true } } },
    }),
    readCapabilities(ctx, instance),
  ]);
  return { canPlay: playsBots && instance.currentDeploymentId !== null, runs: rows.map((row) => present(row, instance)) };
}

const stepsSchema = z.array(stepSchema).catch([]);

/** A run stopped before its end leaves files of the configs that were through. */
function present(row: Row, instance: Pick<Instance, 'currentDeploymentId'>): BotRun {
  const steps = stepsSchema.parse(row.steps).filter(({ name }) => name.startsWith(botStep));
  return {
    jobId: row.id,
    state: z.enum(jobStates).catch('failed').parse(row.state),
    at: (row.endedAt ?? row.createdAt).toISOString(),
    byName: row.actorName,
    commit: row.deployment?.commit ?? null,
    isCurrent: row.deploymentId !== null && row.deploymentId === instance.currentDeploymentId,
    configs: steps.map(({ name, state }) => ({ name: name.slice(botStep.length), state, hasData: state === 'succeeded' })),
  };
}

/** Where a job's file for one config goes; configs are told apart by their place, since a name may hold anything. */
export async function botsFile(ctx: Pick<Context, 'config'>, job: Pick<Job, 'id' | 'instanceId'>, config: string): Promise<string> {
  const folder = path.join(ctx.config.layout.botsDir(job.instanceId ?? ''), job.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return path.join(folder, fileNameOf(config));
}

const fileNameOf = (config: string): string => `${Buffer.from(config).toString('hex').slice(0, 200)}.tar.gz`;

/** Removes the files of all jobs but the newest; job ids sort by time only in the table, so it decides. */
export async function pruneBotsData(ctx: Pick<Context, 'db' | 'config'>, instanceId: string): Promise<void> {
  const newest = await ctx.db.job.findMany({ where: { instanceId, kind: 'run-bots' }, orderBy: { createdAt: 'desc' }, take: keptJobs, select: { id: true } });
  const folder = ctx.config.layout.botsDir(instanceId);
  for (const name of await readdir(folder).catch((): string[] => []))
    if (!newest.some(({ id }) => id === name)) await rm(path.join(folder, name), { recursive: true, force: true });
}

/** @throws not_found when it is no longer kept */
export async function openBotsData(ctx: Pick<Context, 'db' | 'config'>, wish: { instanceId: string; jobId: string; config: string }): Promise<Readable> {
  const job = await ctx.db.job.findFirst({ where: { id: wish.jobId, instanceId: wish.instanceId, kind: 'run-bots' }, select: { id: true } });
  const file = path.join(ctx.config.layout.botsDir(wish.instanceId), wish.jobId, fileNameOf(wish.config));
  if (!job || !existsSync(file)) throw new AppError('not_found');
  return createReadStream(file);
}
