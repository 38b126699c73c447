// A worker's context on real ground: the local platform, PostgreSQL, git; only the front door is a list of what was asked of it.

import { withPeople } from '../../domain/access.ts';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { StartJob } from '../../contracts/jobs.ts';
import type { Person } from '../../domain/access.ts';
import { systemActor, type WorkerContext } from '../../domain/context.ts';
import { announceJob, requestJob } from '../../domain/jobs.ts';
import { startJob } from '../../domain/start-job.ts';
import { receiveUpload } from '../../domain/uploads.ts';
import type { FrontDoor } from '../../platforms/front-door.ts';
import type { Deployment, Instance, Job, User } from '../../prisma/client/client.ts';
import { runJob } from '../../worker/run-job.ts';
import { makeLocalStand, type LocalStand } from '../contract/local-stand.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';
import { freeUserId, freeUserIds } from '../user-ids.ts';

const never = new AbortController().signal;

export type WorkerStand = Awaited<ReturnType<typeof makeWorkerStand>>;
export type Place = { readonly owner: User; readonly instanceId: string };

/** A front door that lets everything through. */
export const openDoor: FrontDoor = {
  apply: () => Promise.resolve({ refused: [] }),
  applyOne: () => Promise.resolve(),
  setCertificates: () => Promise.resolve(),
  check: () => Promise.resolve({ state: 'ok' }),
  repair: () => Promise.resolve(),
};

/** @param env settings over the defaults */
export async function makeWorkerStand(env: Readonly<Record<string, string>> = {}) {
  const local: LocalStand = await makeLocalStand();
  const firstUserId = freeUserIds(100);
  const test: TestContext = await testContext({ INSTANCE_USER_IDS: `${firstUserId}-${firstUserId + 99}`, ...env });
  const ctx = {
    ...test,
    config: { ...test.config, layout: local.layout },
    platform: local.platform,
    frontDoor: openDoor,
  } satisfies WorkerContext;
  for (const dir of [local.layout.repositoriesDir, local.layout.backupsDir]) mkdirSync(dir, { recursive: true });
  const made: string[] = [];

  const read = (instanceId: string): Promise<Instance> => ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId } });
  const find = (instanceId: string) => ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId }, include: withPeople });
  /** Runs a job to its end as the worker would. */
  const run = async (jobId: string): Promise<Job> => {
    await runJob(ctx, jobId, never);
    return ctx.db.job.findUniqueOrThrow({ where: { id: jobId } });
  };
  const logOf = async (jobId: string): Promise<string> =>
    (await ctx.db.jobLog.findMany({ where: { jobId }, orderBy: { sequence: 'asc' } })).map(({ text }) => text).join('');

  return {
    ctx,
    local,
    read,
    run,
    logOf,
    /** An instance that waits for its project. */
    async place(): Promise<Place> {
      const owner = await aUser(ctx, { role: 'manager' });
      const osUserId = ctx.config.isRoot ? freeUserId() : null;
      const { id } = await anInstance(ctx, { ownerId: owner.id, state: 'creating', osUserId });
      made.push(id);
      const job = await ctx.db.$transaction((tx) => requestJob(tx, systemActor, { kind: 'create-instance', instanceId: id }));
      const ended = await run((await announceJob(ctx, job.id)).id);
      if (ended.state !== 'succeeded') throw new Error(await logOf(job.id));
      return { owner, instanceId: id };
    },
    /** Asks for the deployment of a folder, as somebody who drops an archive. */
    async upload({ owner, instanceId }: Place, folder: string): Promise<Job> {
      const { stdout } = spawnSync('tar', ['-cz', '-C', folder, '--exclude=__pycache__', '.'], { maxBuffer: 50 * 1024 * 1024 });
      const request = { instance: await read(instanceId), filename: 'project.tar.gz', reason: undefined, content: Readable.from([stdout]) };
      const { job } = await receiveUpload(ctx, owner, request);
      if (!job) throw new Error('nothing to deploy');
      return job;
    },
    /** Starts a job as the owner, without running it. */
    async start({ owner, instanceId }: Place, request: StartJob, person: Person = owner): Promise<string> {
      return (await startJob(ctx, person, { instance: await find(instanceId), request, sampleFolder: '' })).id;
    },
    /** The newest deployment of an instance. */
    newest: (instanceId: string): Promise<Deployment> => ctx.db.deployment.findFirstOrThrow({ where: { instanceId }, orderBy: { number: 'desc' } }),
    async close(): Promise<void> {
      try {
        for (const instanceId of made) {
          const { osUserId } = await read(instanceId);
          await ctx.platform.destroy({ instanceId, osUserId }, never);
        }
      } finally {
        await test.close();
        await local.close();
      }
    },
  };
}
