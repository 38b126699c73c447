// Moving an instance between `local` and `swarm`: rows, links and sign-ins stay; whatever fails, or dies, leaves it where it was.

import http from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { StartJob } from '../../contracts/jobs.ts';
import type { MovePlatform } from '../../contracts/moving.ts';
import { readCapabilities, rememberCapabilities } from '../../domain/capabilities.ts';
import { systemActor, type WorkerContext } from '../../domain/context.ts';
import { readFacts } from '../../domain/facts.ts';
import { recoverJobs, requestJob } from '../../domain/jobs.ts';
import { cancelJob } from '../../domain/cancel-job.ts';
import { observeInstances, reconcileInstances } from '../../domain/observe.ts';
import { handOverRooms } from '../../domain/rooms-keeper.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import { PlatformsByInstance } from '../../platforms/by-instance.ts';
import type { Movable } from '../../platforms/moving.ts';
import type { InstanceSpec } from '../../platforms/platform.ts';
import type { Instance, Job } from '../../prisma/client/client.ts';
import { recoverInstances } from '../../worker/recover-instances.ts';
import { runJob } from '../../worker/run-job.ts';
import { deploy, makeSpec, TRUST_GAME } from '../contract/instances.ts';
import { makeSwarmStand, type SwarmStand } from '../contract/swarm-stand.ts';
import { engineForTests } from '../docker-engine.ts';
import { anInstance } from '../factories.ts';
import { importPostgres, POSTGRES_IMAGE } from '../postgres-image.ts';
import { freeUserId } from '../user-ids.ts';
import { makeWorkerStand, type Place, type WorkerStand } from './stand.ts';

const engine = await engineForTests();
const never = new AbortController().signal;
/** Keeps the images of the project on the engine, so that only the first build is slow. */
const neighbour = makeSpec();

type Answer = { readonly status: number; readonly location: string; readonly cookie: string; readonly body: string };

describe.skipIf(engine === null)('moving between local and swarm', { timeout: 240_000 }, () => {
  let stand: WorkerStand;
  let swarm: SwarmStand;
  let place: Place;
  let ctx: WorkerContext;

  /** A worker whose platforms are these. */
  const workerOn = (platforms: { local?: Movable; swarm?: Movable; home?: MovePlatform } = {}): WorkerContext => {
    const both = { local: platforms.local ?? stand.local.platform, swarm: platforms.swarm ?? swarm.platform };
    const home = platforms.home ?? 'local';
    const kindsOf = async (ids: readonly string[]): Promise<Map<string, string>> =>
      new Map((await stand.ctx.db.instance.findMany({ where: { id: { in: [...ids] } } })).map(({ id, platform }) => [id, platform]));
    return { ...stand.ctx, platform: new PlatformsByInstance({ home: both[home], others: [both[home === 'local' ? 'swarm' : 'local']], kindsOf }) };
  };
  const row = (): Promise<Instance> => stand.read(place.instanceId);
  const spec = async (): Promise<InstanceSpec> => specOf(ctx, await loadStartable(ctx, place.instanceId));
  const began = async () => (await ctx.platform.observe([place.instanceId])).get(place.instanceId)?.startedAt;
  const rows = async () => (await ctx.platform.databaseFacts(await spec())).rowCounts;
  const seen = async (platform: Movable): Promise<string | undefined> => (await platform.observe([place.instanceId])).get(place.instanceId)?.state;
  const ask = async (path: string, body?: unknown) =>
    JSON.parse((await ctx.platform.askOtree(await spec(), { method: body ? 'POST' : 'GET', path, body, timeoutMs: 30_000 })).body) as Record<string, unknown>;

  /** As a browser: by the socket that the front door uses. */
  const browse = (path: string, options: { method?: string; cookie?: string; form?: Record<string, string> } = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { host: 'a.test', cookie: options.cookie ?? '', 'content-type': 'application/x-www-form-urlencoded' };
      const socketPath = ctx.platform.upstreamSocket(place.instanceId) ?? '';
      const request = http.request({ socketPath, path, method: options.method ?? 'GET', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            location: response.headers.location ?? '',
            cookie: response.headers['set-cookie']?.[0]?.split(';')[0] ?? '',
            body: text,
          }),
        );
      });
      request.on('error', reject).end(options.form === undefined ? undefined : new URLSearchParams(options.form).toString());
    });

  const run = async (worker: WorkerContext, jobId: string, signal = never): Promise<Job> => {
    await runJob(worker, jobId, signal);
    return ctx.db.job.findUniqueOrThrow({ where: { id: jobId } });
  };
  const askToMove = (to: MovePlatform, reason = 'a test'): Promise<string> => stand.start(place, { kind: 'move', to, reason });
  const moveTo = async (to: MovePlatform, worker = ctx): Promise<Job> => run(worker, await askToMove(to));
  const done = async (request: StartJob): Promise<void> => expect(await run(ctx, await stand.start(place, request))).toMatchObject({ state: 'succeeded' });
  const signIn = async (): Promise<string> => {
    const { cookie, body } = await browse('/login');
    const form = { csrftoken: /name="csrftoken" value="(\w+)"/.exec(body)?.[1] ?? '', username: 'admin', password: (await spec()).adminPassword.open() };
    return (await browse('/login', { method: 'POST', cookie, form })).cookie;
  };
  const moved = async (to: MovePlatform, worker = ctx): Promise<Job> => {
    const job = await moveTo(to, worker);
    if (job.state !== 'succeeded') throw new Error(await stand.logOf(job.id));
    return job;
  };
  /** What a worker does at its start, and the jobs that it then asks for. */
  const comeBack = async (worker: WorkerContext): Promise<void> => {
    await recoverInstances(worker, await recoverJobs(worker));
    await observeInstances(worker);
    await reconcileInstances(worker);
    for (const { id } of await ctx.db.job.findMany({ where: { instanceId: place.instanceId, state: 'queued' } })) await run(worker, id);
  };
  /** It answers, on this platform and on no other. */
  const expectOn = async (kind: MovePlatform): Promise<void> => {
    const [here, there] = kind === 'local' ? [stand.local.platform, swarm.platform] : [swarm.platform, stand.local.platform];
    expect(await row()).toMatchObject({ platform: kind, state: 'running' });
    expect(await seen(here)).toBe('running');
    expect(await there.holds(place.instanceId)).toBe(false);
    expect((await browse('/login')).status).toBe(200);
    expect(await swarm.containers(await spec())).toHaveLength(kind === 'swarm' ? 1 : 0);
  };

  beforeAll(async () => {
    stand = await makeWorkerStand();
    swarm = await makeSwarmStand(engine, { layout: stand.local.layout });
    ctx = workerOn();
    await rememberCapabilities(ctx, ctx.platform);
    place = await stand.place();
    const job = await run(ctx, (await stand.upload(place, TRUST_GAME)).id);
    if (job.state !== 'succeeded') throw new Error(await stand.logOf(job.id));
    await deploy(swarm.platform, neighbour, { dir: TRUST_GAME });
  }, 420_000);

  afterAll(async () => {
    if (place !== undefined) await swarm.platform.vacate(await spec(), never);
    await swarm?.platform.destroy(neighbour, never);
    await stand?.close();
    await swarm?.close();
    await engine?.stop();
  }, 120_000);

  describe('there and back', () => {
    it('keeps rows, versions, participants’ pages, the admin’s sign-in, rooms and their links, and takes a verified backup each time', async () => {
      await ctx.db.panelRoom.create({
        data: { instanceId: place.instanceId, name: 'hall', displayName: 'Hall', labels: ['h1'], usesSecureUrls: true, updatedByName: 'Ada' },
      });
      await handOverRooms(ctx, place.instanceId, ctx.platform);
      const session = await ask('/api/sessions', { session_config_name: 'trust_game', num_participants: 2, room_name: 'hall' });
      const { participants } = await ask(`/api/sessions/${String(session['code'])}`);
      const [{ code }] = participants as [{ code: string }];
      const page = (await browse(`/InitializeParticipant/${code}`)).location;
      expect((await browse(page)).status).toBe(200);
      const cookie = await signIn();
      const [before, rooms, { lock, otreeVersion }] = [await rows(), await ask('/api/rooms'), await stand.newest(place.instanceId)];
      // Once its row says so, it is looked at there: here nothing of it is left.
      let logAfterwards = '';
      const readLog = async (): Promise<void> => {
        logAfterwards = await looking.platform.readLog(place.instanceId, 10_000);
      };
      const looking = workerOn({ local: acting(stand.local.platform, 'vacate', readLog) });
      await looking.platform.observe([place.instanceId]);
      for (const to of ['swarm', 'local'] as const) {
        // The way back is made by a stopped one, which stays stopped.
        if (to === 'local') await done({ kind: 'stop', reason: 'a test' });
        const job = await moved(to, looking);
        expect(await row()).toMatchObject({ platform: to, state: to === 'swarm' ? 'running' : 'stopped' });
        if (to === 'local') await done({ kind: 'start' });
        await expectOn(to);
        expect(await rows()).toEqual(before);
        expect((await browse(page)).status).toBe(200);
        expect((await browse('/sessions', { cookie })).status).toBe(200);
        expect(await ask('/api/rooms')).toEqual(rooms);
        expect(await stand.newest(place.instanceId)).toMatchObject({ lock, otreeVersion, isReleaseKept: true });
        expect(await stand.logOf(job.id)).toMatch(/\(locked\)[^]*\d+ rows, seen equally from both/);
        expect(logAfterwards).toContain('started');
        const [backup] = await ctx.db.backup.findMany({ where: { instanceId: place.instanceId }, orderBy: { createdAt: 'desc' } });
        expect(backup).toMatchObject({ reason: 'before move', verifiedAt: expect.any(Date), rowCounts: before, jobId: job.id });
      }
    });
  });

  describe('one platform of the settings, instances on both', () => {
    it('lets an instance run, restart and be looked at where its row says', async () => {
      const other = workerOn({ home: 'swarm' });
      await observeInstances(other);
      await expectOn('local');
      expect(await run(other, await stand.start(place, { kind: 'restart', reason: 'a test' }))).toMatchObject({ state: 'succeeded' });
      await expectOn('local');
      expect(await other.platform.readLog(place.instanceId, 10_000)).toContain('started');
    });

    it('offers the way to the other one, and refuses what is there already or cannot be', async () => {
      expect(await readCapabilities(ctx, { platform: 'local' })).toMatchObject({ canMoveTo: 'swarm', playsBots: true });
      expect(await readCapabilities(ctx, { platform: 'swarm' })).toMatchObject({ canMoveTo: 'local', playsBots: true });
      await expect(askToMove('local')).rejects.toMatchObject({ code: 'move_refused', message: expect.stringContaining('already') });
      const away = await makeSwarmStand(engine, { layout: stand.local.layout, engineSocket: '/nonexistent/docker.sock' });
      const without = workerOn({ swarm: away.platform });
      await rememberCapabilities(without, without.platform);
      expect((await readCapabilities(ctx, { platform: 'local' })).canMoveTo).toBeNull();
      await expect(askToMove('swarm')).rejects.toMatchObject({ code: 'move_refused' });
      await rememberCapabilities(ctx, ctx.platform);
      await away.close();
    });
  });

  describe('a database server of its own', () => {
    it('keeps its instance where it is, and that is said before anything happens', async () => {
      if (engine !== null) await importPostgres(engine);
      const newDatabases = { on: 'own', image: POSTGRES_IMAGE } as const;
      const own = await makeSwarmStand(engine, { layout: stand.local.layout, newDatabases });
      const worker = workerOn({ swarm: own.platform, home: 'swarm' });
      const osUserId = freeUserId();
      const { id: instanceId } = await anInstance(ctx, { ownerId: place.owner.id, platform: 'swarm', state: 'creating', osUserId });
      const there = { owner: place.owner, instanceId };
      const made = await ctx.db.$transaction((tx) => requestJob(tx, systemActor, { kind: 'create-instance', instanceId }));
      const onOwn = async (): Promise<string | null> => await own.platform.findTie(instanceId);
      try {
        const create = await run(worker, made.id);
        expect(create, JSON.stringify([create.errorCode, create.errorDetails])).toMatchObject({ state: 'succeeded' });
        expect(readFacts(await stand.read(instanceId)).hasOwnDatabaseServer).toBe(true);
        await expect(stand.start(there, { kind: 'move', to: 'local' })).rejects.toMatchObject({ code: 'move_tied' });
        // A row that does not say so yet: the worker looks by itself.
        await ctx.db.instance.update({ where: { id: instanceId }, data: { facts: {} } });
        const jobId = await stand.start(there, { kind: 'move', to: 'local' });
        expect(await run(worker, jobId)).toMatchObject({ state: 'failed', errorCode: 'move_tied' });
        expect([await stand.local.platform.holds(instanceId), (await stand.read(instanceId)).platform]).toEqual([false, 'swarm']);
        expect(await ctx.db.backup.count({ where: { instanceId } })).toBe(0);
        expect(await onOwn()).not.toBeNull();
        expect(await own.platform.databaseFacts(specOf(ctx, await loadStartable(ctx, instanceId)))).toMatchObject({ rowCounts: {} });
      } finally {
        await own.platform.destroy({ instanceId, osUserId }, never);
        await own.close();
      }
      expect(await onOwn()).toBeNull();
    });
  });

  describe('a move that fails', () => {
    let before: Awaited<ReturnType<typeof rows>>;
    let startedAt: Date | null | undefined;
    beforeEach(async () => {
      [before, startedAt] = [await rows(), await began()];
    });

    it('because it cannot be built there touches nothing here', async () => {
      const broken = await makeSwarmStand(engine, { layout: stand.local.layout, baseImages: ['arboretum-test-none:none'] });
      const job = await moveTo('swarm', workerOn({ swarm: broken.platform }));
      expect(job.state).toBe('failed');
      await expectOn('local');
      expect([await rows(), await began()]).toEqual([before, startedAt]);
      await broken.close();
    });

    it('because it does not answer there starts it again here', async () => {
      const mute = acting(swarm.platform, 'start', () => Promise.reject(new AppError('start_failed', { seconds: 60, lastLine: 'nothing' })));
      const job = await moveTo('swarm', workerOn({ swarm: mute }));
      expect(job).toMatchObject({ state: 'failed', errorCode: 'start_failed' });
      expect(await stand.logOf(job.id)).toContain('It stays where it was.');
      await expectOn('local');
      expect(await rows()).toEqual(before);
    });

    it('because somebody cancelled it before the switch touches nothing here', async () => {
      const jobId = await askToMove('swarm');
      const cancelling = acting(swarm.platform, 'tryRelease', async () => {
        await cancelJob(ctx, place.owner, jobId);
      });
      const job = await run(workerOn({ swarm: cancelling }), jobId);
      expect(job).toMatchObject({ state: 'cancelled' });
      await expectOn('local');
      expect([await rows(), await began()]).toEqual([before, startedAt]);
    });
  });

  describe('a worker that dies in the middle', () => {
    /** The job hangs for ever after this act: nothing of it goes on, nothing is cleared up. */
    const dieAfter = async (kind: MovePlatform, act: keyof Movable, to: MovePlatform): Promise<void> => {
      const reached = aMoment();
      const dying = acting(kind === 'local' ? stand.local.platform : swarm.platform, act, () => {
        reached.resolve();
        return new Promise(() => {});
      });
      void runJob(workerOn({ [kind]: dying }), await askToMove(to), never);
      await reached.promise;
    };

    it('after the build there leaves it here', async () => {
      const [before, startedAt] = [await rows(), await began()];
      await dieAfter('swarm', 'build', 'swarm');
      await comeBack(ctx);
      await expectOn('local');
      expect([await rows(), await began()]).toEqual([before, startedAt]);
    });

    it('after it was stopped here starts it here', async () => {
      await dieAfter('local', 'stop', 'swarm');
      await comeBack(ctx);
      await expectOn('local');
    });

    it('after it was started there, while the engine is away, starts it here only when it is known that nothing runs there', async () => {
      const before = await rows();
      await dieAfter('swarm', 'start', 'swarm');
      const away = await makeSwarmStand(engine, { layout: stand.local.layout, engineSocket: '/nonexistent/docker.sock' });
      await comeBack(workerOn({ swarm: away.platform }));
      expect(await seen(stand.local.platform)).toBe('stopped');
      expect(await ctx.db.job.findFirst({ where: { instanceId: place.instanceId, kind: 'start' }, orderBy: { createdAt: 'desc' } })).toMatchObject({
        state: 'failed',
        errorCode: 'platform_failed',
      });
      await comeBack(ctx);
      await expectOn('local');
      expect(await rows()).toEqual(before);
      await away.close();
    });

    it('before it is cleared away here leaves it there, undisturbed, and clears away', async () => {
      const before = await rows();
      const clearing = aMoment();
      const dying = instead(stand.local.platform, 'vacate', () => {
        clearing.resolve();
        return new Promise(() => {});
      });
      void runJob(workerOn({ local: dying }), await askToMove('swarm'), never);
      await clearing.promise;
      const [container] = await swarm.containers(await spec());
      expect(await stand.local.platform.holds(place.instanceId)).toBe(true);
      await comeBack(ctx);
      await expectOn('swarm');
      expect((await swarm.containers(await spec())).map(({ Id }) => Id)).toEqual([container?.Id]);
      expect(await rows()).toEqual(before);
    });

    it('after it was started here again leaves it in its container', async () => {
      await dieAfter('local', 'start', 'local');
      await comeBack(ctx);
      await expectOn('swarm');
    });
  });
});

/** Something that a test waits for. */
function aMoment(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

type Act = (...given: unknown[]) => Promise<unknown>;

/** A real platform where one method does something else besides, after its own work. */
const acting = (platform: Movable, act: keyof Movable, then: () => Promise<unknown>): Movable =>
  replacing(platform, act, (own) => async (...given) => {
    const result = await own(...given);
    await then();
    return result;
  });

/** A real platform where one method does something else. */
const instead = (platform: Movable, act: keyof Movable, other: Act): Movable => replacing(platform, act, () => other);

function replacing(platform: Movable, act: keyof Movable, change: (own: Act) => Act): Movable {
  return new Proxy(platform, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const own = value.bind(target) as Act;
      return name === act ? change(own) : own;
    },
  });
}
