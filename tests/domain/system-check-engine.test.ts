// The system check of a panel whose instances run in containers: what is good, what is not, and what to do.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineFacts, EngineReport } from '../../contracts/engine.ts';
import type { Checked } from '../../contracts/system-check.ts';
import { checksFor, runCheck, runSystemCheck } from '../../domain/system-check.ts';
import { askForEngine, engineChecks, judgeLimits, judgeSocket, judgeSwarm } from '../../domain/system-check-engine.ts';
import {
  checkContainers,
  judgeBaseImages,
  judgeEngineDisk,
  judgeEngineSwap,
  judgePostgresImage,
  judgeRegistry,
  judgeStorage,
} from '../../domain/system-check-engine-content.ts';
import type { Surroundings } from '../../domain/system-check-surroundings.ts';
import { engineFacts, engineReport, noEngine } from '../engine-report.ts';
import { anInstance, testContext, type TestContext } from '../factories.ts';
import { surroundings } from '../surroundings.ts';

const around = (report: EngineReport | null, more: Partial<Surroundings> = {}): Surroundings =>
  surroundings({ PLATFORM: 'swarm' }, { ...(report === null ? {} : { askEngine: () => Promise.resolve(report) }), ...more });

const run = async (id: string, where: Surroundings): Promise<Checked> => {
  const check = engineChecks.find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  return runCheck(check, { ...where, engine: askForEngine(where) });
};
const results = async (where: Surroundings): Promise<Record<string, string>> =>
  Object.fromEntries(await Promise.all(engineChecks.map(async ({ id }) => [id, (await run(id, where)).result])));

describe('a Docker Engine', () => {
  it('that answers and manages a Swarm is good in everything', async () => {
    const found = await results(around(engineReport()));
    expect(Object.entries(found).filter(([id, result]) => result !== 'good' && id !== 'engine-swap')).toEqual([]);
    expect(await run('engine', around(engineReport()))).toMatchObject({ seen: 'Docker Engine 27.3.1 answers at /var/run/docker.sock.' });
  });

  it('that is not there is bad, with what to do, and the rest is unknown', async () => {
    expect(await run('engine', around(noEngine))).toMatchObject({
      result: 'bad',
      seen: 'There is no socket /var/run/docker.sock.',
      fix: expect.stringContaining('docker.io'),
    });
    const found = await results(around(noEngine));
    expect(new Set(Object.values(found))).toEqual(new Set(['bad', 'unknown']));
    expect(await run('engine', around(engineReport({ isRecent: false, version: '19.3' })))).toMatchObject({
      result: 'bad',
      fix: 'Upgrade it to 20.10 or later.',
    });
  });

  it('cannot be judged without the worker, and is nobody’s fault while the panel rests', async () => {
    expect(await run('engine', around(null, { askEngine: null }))).toMatchObject({ result: 'unknown', seen: expect.stringContaining('only root') });
    expect(await run('engine', around(null))).toMatchObject({ result: 'unknown', fix: 'See “The worker”.' });
    expect(await run('engine', around(null, { isPanelRunning: false }))).toMatchObject({ result: 'not-here' });
    const silent = around(null, { askEngine: () => new Promise(() => undefined) });
    expect(await askForEngine(silent, 20)).toEqual({ report: null, reason: 'it has not answered within 0.02 seconds' });
  });

  it('is judged by who may use its socket', () => {
    const rights = { owner: 'root', group: 'docker', mode: '0660', members: [] as string[] };
    expect(judgeSocket(rights, '/s')).toMatchObject({ result: 'good' });
    expect(judgeSocket({ ...rights, members: ['ada', 'bob'] }, '/s')).toMatchObject({
      result: 'attention',
      seen: expect.stringContaining('ada and bob'),
      fix: expect.stringContaining('gpasswd'),
    });
    expect(judgeSocket({ ...rights, mode: '0666' }, '/s')).toMatchObject({ result: 'bad', means: expect.stringContaining('become root') });
  });

  it.each([
    [{}, 'good', 'It manages a Swarm of one host, at 127.0.0.1.'],
    [{ hosts: 3, swarmAddress: '10.0.0.5' }, 'good', 'It manages a Swarm of 3 hosts, at 10.0.0.5.'],
    [{ swarm: 'none' }, 'bad', 'It is in no Swarm.'],
    [{ swarm: 'worker' }, 'bad', 'It belongs to a Swarm that another machine manages.'],
    [{ swarm: 'locked' }, 'bad', 'Its Swarm is locked since its last start.'],
    [{ swarm: 'unwell' }, 'bad', 'It belongs to a Swarm that does not work just now.'],
  ] as const)('%o is judged by its Swarm', (facts: Partial<EngineFacts>, result, seen) => {
    expect(judgeSwarm(engineFacts(facts))).toMatchObject({ result, seen });
  });

  it('is bad where its kernel holds no limits, which the IT department is asked for', () => {
    const limits = { memory: false, swap: false, processes: false, processor: true };
    expect(judgeLimits(engineFacts({ limits }))).toMatchObject({
      result: 'bad',
      seen: 'The kernel cannot limit memory and number of processes (cgroup version 2).',
      request: expect.stringContaining('control groups'),
    });
  });

  it.each([
    [null, 'good', 'None is set.'],
    [{ answer: 'takes', hasAccount: true }, 'good', '10.0.0.1:5000 answers and takes the panel’s user name and password.'],
    [{ answer: 'takes', hasAccount: false }, 'good', '10.0.0.1:5000 answers, and asks for no password.'],
    [{ answer: 'refuses', hasAccount: true }, 'bad', '10.0.0.1:5000 does not take the panel’s user name and password.'],
    [{ answer: 'refuses', hasAccount: false }, 'bad', '10.0.0.1:5000 asks for a user name and a password, and none are set.'],
    [{ answer: 'away', hasAccount: false, reason: 'connection refused' }, 'bad', '10.0.0.1:5000 cannot be used: connection refused'],
  ] as const)('with the registry %o is judged by it', (registry, result, seen) => {
    const found = registry === null ? null : { address: '10.0.0.1:5000', reason: null, ...registry };
    expect(judgeRegistry(engineFacts({ registry: found }))).toMatchObject({ result, seen });
  });

  it('needs attention where there is swap, a copying driver or a missing base image', () => {
    expect(judgeEngineSwap(engineFacts(), { swapMib: 2048 })).toMatchObject({ result: 'attention', seen: '2.0 GiB swap space are on.' });
    expect(judgeEngineSwap(engineFacts(), { swapMib: 0 })).toMatchObject({ result: 'good' });
    expect(judgeStorage(engineFacts({ storageDriver: 'vfs' }))).toMatchObject({ result: 'attention' });
    const baseImages = [
      { name: 'python:3.12-slim', sizeBytes: 130 * 1024 ** 2 },
      { name: 'python:3.11-slim', sizeBytes: null },
    ];
    expect(judgeBaseImages(engineFacts({ baseImages }))).toMatchObject({
      result: 'attention',
      seen: 'python:3.11-slim is not there; python:3.12-slim (130 MiB) is.',
      fix: expect.stringContaining('docker pull python:3.11-slim.'),
      request: expect.stringContaining('python:3.11-slim'),
    });
  });

  it('needs an image of PostgreSQL only where new instances get a server of their own', () => {
    const image = (sizeBytes: number | null) => engineFacts({ postgresImage: { name: 'postgres:15', sizeBytes } });
    expect(judgePostgresImage(engineFacts(), 'shared')).toMatchObject({ result: 'good' });
    expect(judgePostgresImage(engineFacts(), 'own')).toMatchObject({ result: 'bad', seen: expect.stringContaining('pg_dump') });
    expect(judgePostgresImage(image(140 * 1024 ** 2), 'own')).toMatchObject({ result: 'good', seen: 'postgres:15 (140 MiB) is there.' });
    expect(judgePostgresImage(image(null), 'own')).toMatchObject({
      result: 'attention',
      fix: expect.stringContaining('docker pull postgres:15.'),
      request: expect.stringContaining('postgres:15'),
    });
  });

  it('is judged by its own disk, with what its images take', () => {
    expect(judgeEngineDisk(engineFacts())).toMatchObject({
      result: 'good',
      seen: '87.9 GiB of 97.7 GiB are free at /var/lib/docker. Its images take 3.0 GiB, 4 are of this panel.',
    });
    expect(judgeEngineDisk(engineFacts({ disk: { freeMib: 300, totalMib: 100_000 } }))).toMatchObject({
      result: 'bad',
      fix: expect.stringContaining('docker system df'),
    });
    expect(judgeEngineDisk(engineFacts({ disk: null, imagesBytes: null }))).toMatchObject({ result: 'unknown', fix: expect.stringContaining('df -h') });
  });
});

describe('containers', () => {
  let ctx: TestContext;
  beforeAll(async () => {
    ctx = await testContext();
  });
  afterAll(() => ctx.close());

  it('are compared with the instances: one that runs twice, one without, one of nobody', async () => {
    const where = around(null, { query: (sql) => ctx.db.$queryRawUnsafe(sql) });
    const [one, two] = [await anInstance(ctx, { state: 'running' }), await anInstance(ctx, { state: 'running' })];
    const look = (...serving: string[]) => checkContainers(engineFacts({ running: serving.length + 1, serving }), where);
    expect(await look(one.id, two.id)).toMatchObject({ result: 'good', seen: '3 containers run, 2 of them are experiments of this panel.' });
    expect(await look(one.id, two.id, one.id)).toMatchObject({ result: 'bad', seen: expect.stringContaining(`${one.name} runs twice`) });
    expect(await look(one.id)).toMatchObject({ result: 'attention', seen: expect.stringContaining(`${two.name} has no container`) });
    expect(await look(one.id, two.id, 'gone1')).toMatchObject({ result: 'attention', fix: 'As root: docker service rm i-gone1' });
  });
});

it('the whole check holds the engine beside what is about this machine, in whole sentences', async () => {
  const { checks, capacity } = await runSystemCheck(around(engineReport({ swarm: 'none' })));
  const ids = checks.map(({ id }) => id);
  expect(ids).toEqual(checksFor({ PLATFORM: 'swarm' }).map(({ id }) => id));
  for (const id of ['engine', 'engine-swarm', 'engine-images', 'wildcard', 'address-mode', 'port-instances', 'pg-dump']) expect(ids).toContain(id);
  expect(ids).not.toContain('dokku-host');
  for (const { seen, means } of checks) for (const text of [seen, means]) expect(text).toMatch(/\S.*[.…]$/s);
  expect(capacity).not.toBeNull();
  expect(checksFor({ PLATFORM: 'local' }).map(({ id }) => id)).not.toContain('engine');
});
