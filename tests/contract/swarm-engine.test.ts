// A real Docker Engine before anything runs on it: what the worker tells of it, made a Swarm manager, and chosen over HTTP.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineReport } from '../../contracts/engine.ts';
import type { PlatformChoice } from '../../contracts/platform-choice.ts';
import type { SystemCheck } from '../../contracts/system-check.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { FactsWatch } from '../../domain/facts-watch.ts';
import { makeRoomsKeeper } from '../../domain/rooms-keeper.ts';
import { reportOnEngine } from '../../platforms/swarm/engine-report.ts';
import { LABEL, panelIdOf } from '../../platforms/swarm/names.ts';
import { openFrontDoor, openPlatform } from '../../worker/adapters.ts';
import { startAnswering } from '../../worker/answer.ts';
import { BASE_IMAGE, engineForTests } from '../docker-engine.ts';
import { startPanel, type Client, type TestPanel } from '../server/panel.ts';

const engine = await engineForTests();

describe.skipIf(engine === null)('a Docker Engine that nobody uses yet', () => {
  const socket = engine?.socket ?? '';
  let panel: TestPanel;
  let worker: WorkerContext;
  let answering: http.Server;
  let manager: Client;

  beforeAll(async () => {
    panel = await startPanel({ DOCKER_SOCKET: socket, SWARM_BASE_IMAGES: `${BASE_IMAGE},no/such-image:1` });
    const { ctx } = panel;
    const { layout } = ctx.config;
    // The worker is a process of its own, with settings of its own.
    const config = { ...ctx.config };
    for (const dir of [path.dirname(layout.workerSocket), layout.repositoriesDir, layout.instancesDir, layout.toolsDir]) mkdirSync(dir, { recursive: true });
    worker = { ...ctx, config, platform: await openPlatform({ ...ctx, config }), frontDoor: openFrontDoor(ctx) };
    answering = await startAnswering(worker, { facts: new FactsWatch(), rooms: makeRoomsKeeper() });
    manager = await panel.signIn(await panel.person('manager'));
  }, 240_000);

  afterAll(async () => {
    answering?.close();
    await panel?.close();
    await engine?.stop();
  }, 120_000);

  const choice = async (): Promise<PlatformChoice> => (await manager.send('GET', '/system/platform')).body as unknown as PlatformChoice;

  it('is described with its version, Swarm, limits, images and disk, and who may use it', async () => {
    const { status, body } = await manager.send('GET', '/system/engine');
    expect(status).toBe(200);
    const report = body as unknown as EngineReport;
    expect(report).toMatchObject({ socket, answer: 'answers', rights: { owner: 'root', mode: expect.stringMatching(/^0\d{3}$/) } });
    expect(report.facts).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+/), isRecent: true, swarm: 'none', swarmAddress: null, hosts: null });
    expect(report.facts).toMatchObject({
      storageDriver: expect.any(String),
      limits: { memory: true, processes: true, processor: true },
      running: 0,
      serving: [],
    });
    expect(report.facts?.baseImages).toEqual([
      { name: BASE_IMAGE, sizeBytes: expect.any(Number) },
      { name: 'no/such-image:1', sizeBytes: null },
    ]);
    expect(report.facts?.imagesBytes).toBeGreaterThan(50 * 1024 ** 2);
    expect(report.facts?.disk?.freeMib).toBeGreaterThan(0);
  });

  it('is proposed, but cannot be chosen before it manages a Swarm', async () => {
    const { proposed, chosenBy, options, addresses } = await choice();
    expect([proposed, chosenBy]).toEqual(['swarm', 'nobody']);
    expect(options.find(({ platform }) => platform === 'swarm')).toMatchObject({ whyNot: null, needsSwarm: true });
    expect(addresses[0]).toEqual({ address: '127.0.0.1', note: 'this machine alone' });
    const { status, body } = await manager.send('POST', '/system/platform', { platform: 'swarm' });
    expect([status, body['code'], body['hint']]).toEqual([409, 'platform_not_here', 'Make it the manager of one first.']);
  });

  it('is made a manager at an address of this machine, and at no other one', async () => {
    const elsewhere = await manager.send('POST', '/system/engine/swarm', { address: '192.0.2.77' });
    expect([elsewhere.status, elsewhere.body['fields']]).toEqual([400, { address: 'This machine does not have this address.' }]);
    const made = await manager.send('POST', '/system/engine/swarm', { address: '127.0.0.1' });
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    expect((made.body as unknown as PlatformChoice).options[0]).toMatchObject({ platform: 'swarm', whyNot: null, needsSwarm: false });
    expect(await panel.ctx.db.audit.findFirst({ where: { action: 'platform.make-manager' } })).toMatchObject({ subject: '127.0.0.1' });
    // Asked again, it stays what it is.
    expect((await manager.send('POST', '/system/engine/swarm', { address: '127.0.0.1' })).status).toBe(200);
  }, 60_000);

  it('is taken into use by the running worker, and the whole panel knows it', async () => {
    const { status, body } = await manager.send('POST', '/system/platform', { platform: 'swarm' });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ present: 'swarm', chosenBy: 'person' });
    expect([worker.platform.kind, worker.config.PLATFORM, panel.ctx.config.PLATFORM]).toEqual(['swarm', 'swarm', 'swarm']);
    expect((await manager.send('GET', '/system')).body).toMatchObject({ platform: 'swarm' });
    expect((await panel.ctx.db.setting.findUnique({ where: { name: 'platform.capabilities' } }))?.value).toMatchObject({
      swarm: { isolationNote: expect.stringContaining('container of its own'), problem: null },
    });
    const { checks } = (await manager.send('POST', '/system/check', {})).body as unknown as SystemCheck;
    const results = Object.fromEntries(checks.map(({ id, result }) => [id, result]));
    expect(results).toMatchObject({
      engine: 'good',
      'engine-swarm': 'good',
      'engine-limits': 'good',
      'engine-images': 'attention',
      'engine-containers': 'good',
    });
    expect(checks.find(({ id }) => id === 'engine-images')).toMatchObject({
      seen: expect.stringContaining('no/such-image:1 is not there'),
      request: expect.any(String),
    });
  }, 60_000);

  it('tells which experiments of this panel run on it, and leaves out those of others', async () => {
    const question = { socket, baseImages: [], postgresImage: null, panelId: panelIdOf(worker.config.layout.dataDir), registry: null, registryAccount: null };
    const run = async (panelId: string): Promise<void> => {
      const Labels = { [LABEL.panel]: panelId, [LABEL.instance]: 'abc1', [LABEL.part]: 'serve' };
      const container = await engine?.docker.createContainer({
        Image: BASE_IMAGE,
        Cmd: ['/bin/sleep', '300'],
        Labels,
        HostConfig: { NetworkMode: 'none', AutoRemove: true },
      });
      await container?.start();
    };
    await run(question.panelId);
    await run('0badcafe');
    expect((await reportOnEngine(question)).facts).toMatchObject({ running: 2, serving: ['abc1'] });
  }, 60_000);

  it('that is stopped, or behind no socket, is an answer, too', async () => {
    process.kill(engine?.pid() ?? 0, 'SIGKILL');
    await expect
      .poll(async () => (await reportOnEngine({ socket, baseImages: [], postgresImage: null, panelId: 'x', registry: null, registryAccount: null })).answer, {
        timeout: 60_000,
      })
      .toBe('silent');
    expect(
      await reportOnEngine({ socket: `${socket}.gone`, baseImages: [], postgresImage: null, panelId: 'x', registry: null, registryAccount: null }),
    ).toEqual({
      socket: `${socket}.gone`,
      isRoot: true,
      answer: 'absent',
      rights: null,
      facts: null,
    });
    const { options } = await choice();
    expect(options[0]).toMatchObject({ platform: 'swarm', seen: [`Nobody answers at ${socket}.`], fix: expect.stringContaining('systemctl start docker') });
  }, 60_000);
});
