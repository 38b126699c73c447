// Taking over an experiment of a Dokku host: data of a real oTree, settings and code; refused, or broken off, it goes on as before.

import { mkdirSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeForeign, demandAdoptable, startAdoption } from '../../domain/adoptions.ts';
import { loadConfig } from '../../domain/config.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import { psReport } from '../../platforms/dokku-commands.ts';
import { readPsReport } from '../../platforms/dokku-reports.ts';
import { firstService, liveApp } from '../../platforms/dokku/host.ts';
import type { Instance, Job, User } from '../../prisma/client/client.ts';
import { runJob } from '../../worker/run-job.ts';
import { type DokkuStand, replaySite, standOn } from '../contract/dokku-stand.ts';
import { makeForeignApp, makeRepository } from '../contract/foreign-app.ts';
import { deploy, makeSpec, refusal, TRUST_GAME } from '../contract/instances.ts';
import { never, version } from '../contract/stand.ts';
import type { ReplayHost } from '../dokku/replay-host.ts';
import { aUser, testContext, type TestContext } from '../factories.ts';
import { openDoor } from './stand.ts';

const VARIABLES = {
  OTREE_ADMIN_PASSWORD: 'a password of ours',
  OTREE_REST_KEY: 'a key of ours',
  OTREE_AUTH_LEVEL: 'DEMO',
  OTREE_PRODUCTION: '1',
  PAY_RATE: '0.5 "per" page',
  lower_case: 'x',
};

describe('taking over an app of a Dokku host', { timeout: 240_000 }, () => {
  /** Where the data come from: an instance with a session, whose service is read once. */
  const source = makeSpec();
  let base: TestContext;
  let ctx: WorkerContext;
  let replay: ReplayHost;
  let stand: DokkuStand;
  let manager: User;

  const run = async (job: Job): Promise<Job> => {
    await runJob(ctx, job.id, never);
    return ctx.db.job.findUniqueOrThrow({ where: { id: job.id } });
  };
  const logOf = async (job: Job): Promise<string> =>
    (await ctx.db.jobLog.findMany({ where: { jobId: job.id }, orderBy: { sequence: 'asc' } })).map(({ text }) => text).join('');
  const adopt = async (app: string, name: string): Promise<{ job: Job; instance: Instance }> => {
    const { job } = await startAdoption(ctx, manager, { app, name, ownerId: manager.id });
    return { job: await run(job), instance: await ctx.db.instance.findUniqueOrThrow({ where: { id: job.instanceId ?? '' } }) };
  };
  const isRunning = async (app: string): Promise<boolean> => readPsReport((await stand.connection.run(psReport(app))).stdout).running === 'true';
  const remove = async ({ id }: Instance): Promise<void> => stand.platform.destroy({ instanceId: id, osUserId: null }, never);

  beforeAll(async () => {
    const site = await replaySite();
    [base, replay, stand] = [await testContext(), site.replay, await standOn(site)];
    const config = loadConfig({ PLATFORM: 'dokku', DOKKU_HOST: '127.0.0.1', DOKKU_DOMAIN: 'exp.test', DATA_DIR: base.config.layout.dataDir });
    for (const dir of [config.layout.repositoriesDir, config.layout.backupsDir]) mkdirSync(dir, { recursive: true });
    ctx = { ...base, config, platform: stand.platform, frontDoor: openDoor };
    manager = await aUser(base, { role: 'manager' });
    await deploy(stand.platform, source, { dir: TRUST_GAME });
    const session = await stand.platform.askOtree(source, {
      method: 'POST',
      path: '/api/sessions',
      body: { session_config_name: 'trust_game', num_participants: 2 },
      timeoutMs: 20_000,
    });
    if (session.status !== 200) throw new Error(session.body);
    const dataOf = firstService(source.instanceId);
    await makeForeignApp(stand.connection, { app: 'old-trust', otreeVersion: '5.11.4', variables: VARIABLES, dataOf });
    await makeForeignApp(stand.connection, { app: 'ancient', otreeVersion: '3.4.0', variables: VARIABLES, dataOf });
    await makeForeignApp(stand.connection, { app: 'blog', otreeVersion: '1.0', variables: { TITLE: 'News' }, dataOf: null });
    const repository = mkdtempSync(path.join(os.tmpdir(), 'app-git-'));
    makeRepository(repository, { from: TRUST_GAME, branch: 'main' });
    replay.state.app('old-trust').repository = repository;
    const empty = mkdtempSync(path.join(os.tmpdir(), 'app-git-'));
    makeRepository(empty, { from: TRUST_GAME, branch: 'elsewhere' });
    replay.state.app('ancient').repository = empty;
  }, 240_000);

  afterAll(async () => {
    await stand.platform.destroy(source, never);
    await stand.close();
    await base.close();
  }, 60_000);

  it('sees which apps are not the panel’s, which of them are oTree, and why others cannot be taken over', async () => {
    expect(await stand.platform.adoption.list()).toEqual([
      { name: 'ancient', hostNames: ['ancient.lab.test'], isRunning: true, isOtree: true, refusal: null },
      { name: 'blog', hostNames: ['blog.lab.test'], isRunning: true, isOtree: false, refusal: expect.stringContaining('does not look like an oTree') },
      { name: 'old-trust', hostNames: ['old-trust.lab.test'], isRunning: true, isOtree: true, refusal: null },
    ]);
  });

  it('refuses an oTree before 5 with the way to upgrade, and changes nothing of it', async () => {
    const { job, instance } = await adopt('ancient', 'too-old');
    expect(job).toMatchObject({ state: 'failed', errorCode: 'adoption_refused' });
    expect(await logOf(job)).toContain('it runs oTree 3.4.0, and the panel runs oTree 5 and later. Follow “Upgrading to oTree 5”');
    expect(instance.state).toBe('failed');
    expect(await isRunning('ancient')).toBe(true);
    await remove(instance);
  });

  it('refuses the panel’s own apps, those that are not there, and to disturb people without a reason', async () => {
    for (const app of [liveApp(source.instanceId), 'nowhere', '--force'])
      expect((await refusal(stand.platform.adoption.look(app))).code).toBe('adoption_refused');
    const found = await stand.platform.adoption.look('old-trust');
    const playing = { sessionCode: 's', room: null, label: null, pageIndex: 1, maxPageIndex: 9, hasStarted: true, isFinished: false, lastPageAt: new Date() };
    const outlook = judgeForeign({ ...found, participants: [playing] });
    expect(outlook).toEqual({ refusal: null, people: 1, otreeVersion: '5.11.4', hostNames: ['old-trust.lab.test'] });
    expect(() => demandAdoptable('old-trust', outlook, undefined)).toThrow('1');
    expect(() => demandAdoptable('old-trust', outlook, 'The lab moves')).not.toThrow();
  });

  it('starts the app again when its data do not arrive', async () => {
    replay.cutAt((line) => line === 'postgres:export old-trust', 'during');
    const { job, instance } = await adopt('old-trust', 'broken-off');
    expect(job).toMatchObject({ state: 'failed' });
    expect(instance.state).toBe('failed');
    expect(await isRunning('old-trust')).toBe(true);
    expect(await ctx.db.backup.count({ where: { instanceId: instance.id } })).toBe(0);
    await remove(instance);
  });

  it('gives an instance its data, settings and code, and leaves the app stopped', async () => {
    const rows = (await stand.platform.databaseFacts(source)).rowCounts;
    const { job, instance } = await adopt('old-trust', 'new-trust');
    expect(await logOf(job)).toContain('oTree 5.11.4; it runs');
    expect(job).toMatchObject({ state: 'succeeded' });
    expect((job.steps as { name: string }[]).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['read', 'check', 'platform', 'code', 'stop', 'backup', 'restore', 'settings', 'address']),
    );
    const spec = specOf(ctx, await loadStartable(ctx, instance.id));
    expect((await stand.platform.databaseFacts(spec)).rowCounts).toEqual(rows);
    const backup = await ctx.db.backup.findFirstOrThrow({ where: { instanceId: instance.id } });
    expect(backup).toMatchObject({ reason: 'taken over', rowCounts: rows, verifiedAt: expect.any(Date) });
    expect(spec.adminPassword.open()).toBe('a password of ours');
    expect(spec.restKey.open()).toBe('a key of ours');
    expect(instance).toMatchObject({ authLevel: 'DEMO', isProduction: true, state: 'waiting' });
    expect(spec.environment['PAY_RATE']?.open()).toBe('0.5 "per" page');
    expect(await ctx.db.environmentVariable.findMany({ where: { instanceId: instance.id }, select: { name: true } })).toEqual([{ name: 'PAY_RATE' }]);
    expect(await logOf(job)).toContain('left out, since the panel or the host sets them: lower_case');
    expect(await isRunning('old-trust')).toBe(false);
    expect([...replay.state.services.keys()]).toContain('old-trust');
    expect(replay.state.app('old-trust').domains).toEqual(['old-trust.lab.test']);
  });

  it('deploys the code on these data, and the experiment answers with them', async () => {
    const instance = await ctx.db.instance.findFirstOrThrow({ where: { name: 'new-trust' } });
    const queued = await ctx.db.job.findFirstOrThrow({ where: { instanceId: instance.id, kind: 'deploy' } });
    const job = await run(queued);
    expect(await logOf(job)).not.toContain('✗');
    expect(job.state).toBe('succeeded');
    const spec = specOf(ctx, await loadStartable(ctx, instance.id));
    expect(await version(stand.platform, spec)).toBe(200);
    const answer = await stand.platform.askOtree(spec, { method: 'GET', path: '/api/sessions', timeoutMs: 30_000 });
    expect(JSON.parse(answer.body)).toHaveLength(1);
    await remove(instance);
  });

  it('asked nothing that no recording answers, and sent no secret in a command line', () => {
    expect(replay.unrecorded()).toEqual([]);
    expect(replay.commands().filter(({ line }) => line.includes('of ours'))).toEqual([]);
  });
});
