// Choosing the platform over HTTP, with a real worker behind its socket and no Docker Engine: what is offered, refused, taken into use.

import type http from 'node:http';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { WorkerContext } from '../../domain/context.ts';
import { FactsWatch } from '../../domain/facts-watch.ts';
import { makeRoomsKeeper } from '../../domain/rooms-keeper.ts';
import { openFrontDoor, openPlatform } from '../../worker/adapters.ts';
import { startAnswering } from '../../worker/answer.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let worker: WorkerContext;
let answering: http.Server;
let manager: Client;

beforeAll(async () => {
  // Nobody listens on port 9: a Dokku host that is configured, but away.
  panel = await startPanel({ DOCKER_SOCKET: '/no/such/docker.sock', DOKKU_HOST: '127.0.0.1', DOKKU_PORT: '9', DOKKU_DOMAIN: 'exp.test' });
  const { ctx } = panel;
  const { layout } = ctx.config;
  for (const dir of [path.dirname(layout.workerSocket), layout.repositoriesDir, layout.instancesDir, layout.toolsDir]) mkdirSync(dir, { recursive: true });
  // The worker is a process of its own, with settings of its own.
  const config = { ...ctx.config };
  worker = { ...ctx, config, platform: await openPlatform({ ...ctx, config }), frontDoor: openFrontDoor(ctx) };
  answering = await startAnswering(worker, { facts: new FactsWatch(), rooms: makeRoomsKeeper() });
  manager = await panel.signIn(await panel.person('manager'));
});
afterAll(async () => {
  answering.close();
  await panel.close();
});

const choose = (platform: string) => manager.send('POST', '/system/platform', { platform });
const platforms = (): string[] => [panel.ctx.config.PLATFORM, worker.config.PLATFORM, worker.platform.kind];

it('offers what is configured, and says of the rest what is missing', async () => {
  const { status, body } = await manager.send('GET', '/system/platform');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    present: 'local',
    chosenBy: 'nobody',
    proposed: 'dokku',
    options: [
      { platform: 'swarm', whyNot: 'No Docker Engine can be used here.' },
      { platform: 'local', whyNot: null },
      { platform: 'dokku', whyNot: null },
    ],
  });
  expect((await manager.send('GET', '/system/engine')).body).toMatchObject({ answer: 'absent', facts: null });
});

it('exchanges the worker’s platform while it runs, there and back', async () => {
  expect((await choose('dokku')).body).toMatchObject({ present: 'dokku', chosenBy: 'person' });
  expect(platforms()).toEqual(['dokku', 'dokku', 'dokku']);
  // The worker asks the other machine from now on.
  expect((await manager.send('GET', '/system/host')).body).toMatchObject({ address: 'dokku@127.0.0.1:9', isUp: false });
  expect((await choose('local')).body).toMatchObject({ present: 'local' });
  expect(platforms()).toEqual(['local', 'local', 'local']);
});

it('refuses an engine that is not there, a platform of no name, and a change beside an instance; nothing is changed', async () => {
  const absent = await choose('swarm');
  expect([absent.status, absent.body['code'], absent.body['hint']]).toEqual([409, 'platform_not_here', expect.stringContaining('apt install docker.io')]);
  expect((await choose('kubernetes')).body['code']).toBe('invalid_input');
  const swarm = await manager.send('POST', '/system/engine/swarm', { address: '127.0.0.1' });
  expect([swarm.status, swarm.body['title']]).toEqual([500, 'The platform could not do this: the Docker Engine does not answer.']);
  await anInstance(panel.ctx);
  const fixed = await choose('dokku');
  expect([fixed.status, fixed.body['code'], fixed.body['title']]).toEqual([
    409,
    'platform_not_here',
    expect.stringContaining('There is 1 instance on this machine'),
  ]);
  expect(platforms()).toEqual(['local', 'local', 'local']);
  expect(await panel.ctx.db.audit.findMany({ where: { action: { startsWith: 'platform.' } }, select: { subject: true }, orderBy: { at: 'asc' } })).toEqual([
    { subject: 'dokku' },
    { subject: 'local' },
  ]);
});

it('changes nothing while the worker is away', async () => {
  answering.close();
  await panel.ctx.db.instance.deleteMany();
  const { status, body } = await choose('dokku');
  expect([status, body['code']]).toEqual([503, 'worker_away']);
  expect(panel.ctx.config.PLATFORM).toBe('local');
});
