// A worker that dies between emptying a database for the new version and starting it leaves the old version working.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asJson } from '../../domain/database.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { newId } from '../../domain/ids.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import { NginxFrontDoor } from '../../platforms/nginx.ts';
import type { InstanceSpec } from '../../platforms/platform.ts';
import type { Job } from '../../prisma/client/client.ts';
import { recoverInstances } from '../../worker/recover-instances.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';
import { askPostgres, build, projectWith, TRUST_GAME } from './instances.ts';
import { type LocalStand, makeLocalStand, requireEnvironment } from './local-stand.ts';
import { freeUserId } from '../user-ids.ts';

const never = new AbortController().signal;
const silent = { signal: never, onOutput: (): void => {} };
const column = { table: 'trust_game_player', column: 'offer' };

describe('after a worker died in the middle of a reset', { timeout: 120_000 }, () => {
  let stand: LocalStand;
  let base: TestContext;
  let ctx: WorkerContext;
  let spec: InstanceSpec;
  let job: Job;

  /** The old version has a field more than the new one, which was chosen last and for which the database was emptied. */
  beforeAll(async () => {
    [stand, base] = [await makeLocalStand(), await testContext()];
    const frontDoor = new NginxFrontDoor({
      layout: stand.layout,
      listenPort: 0,
      nginxBinary: 'nginx',
      workerUser: null,
      trustedProxies: [],
      maxPanelBodyMib: 1,
      panelHostNames: [],
    });
    ctx = { ...base, platform: stand.platform, frontDoor };
    const instance = await anInstance(ctx, { osUserId: freeUserId(), state: 'starting' });
    spec = specOf(ctx, await loadStartable(ctx, instance.id));
    const app = await readFile(path.join(TRUST_GAME, 'trust_game', '__init__.py'), 'utf8');
    const old = app.replace('class Player(BasePlayer):\n    pass', 'class Player(BasePlayer):\n    offer = models.IntegerField()');
    await ctx.platform.create(spec, never);
    await build(ctx.platform, spec, { dir: await projectWith(TRUST_GAME, { 'trust_game/__init__.py': old }), number: 1 });
    await build(ctx.platform, spec, { dir: TRUST_GAME, number: 2 });
    const commit = { commit: 'c'.repeat(40), message: 'm', author: 'a', branch: 'main', createdByName: 'test' };
    const current = await ctx.db.deployment.create({ data: { id: newId(), instanceId: instance.id, number: 1, state: 'succeeded', ...commit } });
    await ctx.db.instance.update({ where: { id: instance.id }, data: { currentDeploymentId: current.id } });
    const steps = ['switch', 'backup', 'reset'].map((name) => ({ name, label: name, state: 'running', startedAt: new Date().toISOString(), endedAt: null }));
    job = await ctx.db.job.create({
      data: { id: newId(), kind: 'deploy', instanceId: instance.id, state: 'failed', actorName: 'test', steps: asJson(steps) },
    });
  }, 120_000);

  afterAll(async () => {
    await stand.platform.destroy(spec, never);
    await stand.close();
    await base.close();
  }, 60_000);

  async function emptyForNewVersion(): Promise<void> {
    await ctx.platform.selectRelease(spec, 2);
    await ctx.platform.resetDatabase(spec, silent);
    expect((await ctx.platform.tryRelease(spec, 1, silent)).gaps).toMatchObject([column]);
  }

  it('the old version gets its own tables again, as nothing is in the new ones', async () => {
    await emptyForNewVersion();
    await recoverInstances(ctx, [job]);
    expect((await ctx.platform.tryRelease(spec, 1, silent)).gaps).toEqual([]);
  });

  it('but what somebody has put there meanwhile is left alone', async () => {
    await emptyForNewVersion();
    const insert = `SET ROLE i_${spec.instanceId}; INSERT INTO otree_roomtosession (room_name) VALUES ('lab')`;
    await askPostgres(requireEnvironment('ARBORETUM_TEST_DATABASE_URL'), `i_${spec.instanceId}`, insert);
    await recoverInstances(ctx, [job]);
    expect((await ctx.platform.tryRelease(spec, 1, silent)).gaps).toMatchObject([column]);
    expect((await ctx.platform.databaseFacts(spec)).rowCounts['otree_roomtosession']).toBe(1);
  });
});
