// Jobs that bring something back or are cut off, on a real platform: restore, roll back, cancel.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isCancellable, type StartJob } from '../../contracts/jobs.ts';
import { cancelJob } from '../../domain/cancel-job.ts';
import { readFacts } from '../../domain/facts.ts';
import { recoverJobs } from '../../domain/jobs.ts';
import { readTraceback } from '../../domain/last-traceback.ts';
import { presentJob } from '../../domain/present-job.ts';
import { specOf } from '../../domain/specs.ts';
import type { Backup, Instance, Job } from '../../prisma/client/client.ts';
import { lookForCancel } from '../../worker/cancelling.ts';
import { recoverInstances } from '../../worker/recover-instances.ts';
import { runJob } from '../../worker/run-job.ts';
import { projectWith, TRUST_GAME } from '../contract/instances.ts';
import { makeWorkerStand, type Place, type WorkerStand } from './stand.ts';

const never = new AbortController().signal;
let stand: WorkerStand;
let place: Place;
let first = '';
let second = '';

const instance = (): Promise<Instance> => stand.read(place.instanceId);
const ask = async (to: string, body?: unknown) =>
  stand.ctx.platform.askOtree(specOf(stand.ctx, await instance()), { method: body ? 'POST' : 'GET', path: to, body, timeoutMs: 30_000 });
const answers = async (): Promise<boolean> => (await ask('/api/otree_version').catch(() => ({ status: 0 }))).status === 200;
const rows = async () => (await stand.ctx.platform.databaseFacts(specOf(stand.ctx, await instance()))).rowCounts;
const play = () => ask('/api/sessions', { session_config_name: 'trust_game', num_participants: 2 });
const backups = (): Promise<Backup[]> => stand.ctx.db.backup.findMany({ where: { instanceId: place.instanceId }, orderBy: { createdAt: 'desc' } });
const releaseDir = (number: number): string => path.join(stand.ctx.config.layout.instanceDir(place.instanceId), 'releases', String(number));
const startedAt = async () => (await stand.ctx.platform.observe([place.instanceId])).get(place.instanceId)?.startedAt;

const sumOf = (counts: unknown): number => Object.values(counts as Record<string, number>).reduce((sum, count) => sum + count, 0);

async function done(request: StartJob): Promise<Job> {
  const job = await stand.run(await stand.start(place, request));
  if (job.state !== 'succeeded') throw new Error(await stand.logOf(job.id));
  return job;
}
const restoreOf = async (backup: Backup): Promise<StartJob> => ({ kind: 'restore', backupId: backup.id, confirm: (await instance()).name });

beforeAll(async () => {
  stand = await makeWorkerStand({ KEEP_BACKUPS: '1' });
  place = await stand.place();
  const one = await stand.run((await stand.upload(place, TRUST_GAME)).id);
  if (one.state !== 'succeeded') throw new Error(await stand.logOf(one.id));
  first = one.deploymentId ?? '';
  const settings = readFileSync(path.join(TRUST_GAME, 'settings.py'), 'utf8').replaceAll(/\blab\b/g, 'cellar');
  const folder = await projectWith(TRUST_GAME, { 'settings.py': settings, '_rooms/cellar.txt': 'c1\nc2\n' });
  const two = await stand.run((await stand.upload(place, folder)).id);
  if (two.state !== 'succeeded') throw new Error(await stand.logOf(two.id));
  second = two.deploymentId ?? '';
}, 240_000);
afterAll(() => stand?.close(), 120_000);

describe('a backup by hand', () => {
  it('bears its note, who took it and the commit of the tables', async () => {
    await done({ kind: 'back-up', note: 'after session 3' });
    const commit = (await stand.ctx.db.deployment.findUniqueOrThrow({ where: { id: second } })).commit;
    expect((await backups())[0]).toMatchObject({ reason: 'by hand', note: 'after session 3', createdByName: place.owner.name, commit });
  });
});

describe('restoring', () => {
  let backup: Backup;
  beforeEach(async () => {
    const [newest] = await stand.ctx.db.backup.findMany({ where: { instanceId: place.instanceId, reason: 'by hand' }, orderBy: { createdAt: 'desc' } });
    if (!newest) throw new Error('no backup');
    backup = newest;
  });

  it('puts the rows back, backs the present ones up first, frees the seats, and the experiment answers', async () => {
    await play();
    const seat = { instanceId: place.instanceId, room: 'cellar', label: 'c1', readyAt: new Date() };
    await stand.ctx.db.seat.create({ data: seat });
    const before = await rows();
    expect(before['otree_participant']).toBe(2);
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { facts: { rows: 7777 }, lastTraceback: { at: '', text: 'of before' } } });
    await done(await restoreOf(backup));
    expect(await rows()).toEqual(backup.rowCounts);
    const shown = await instance();
    expect([readFacts(shown).rows, readFacts(shown).sessions, readTraceback(shown)], 'looked at anew').toEqual([sumOf(backup.rowCounts), 0, null]);
    expect((await backups())[0]).toMatchObject({ reason: 'before restore', rowCounts: before, verifiedAt: expect.any(Date) });
    expect(await stand.ctx.db.seat.findFirst({ where: { instanceId: place.instanceId, readyAt: { not: null } } })).toBeNull();
    expect(await answers()).toBe(true);
    expect((await instance()).state).toBe('running');
    const restored = Object.values(backup.rowCounts as Record<string, number>).reduce((sum, count) => sum + count, 0);
    expect(readFacts(await instance()), 'the pages count what is there now').toMatchObject({ rows: restored });
    expect((await play()).status).toBe(200);
  });

  it('of the automatic backup that would be cleared away now keeps it until it is restored', async () => {
    const automatic = (await backups()).find(({ reason }) => reason === 'before restore');
    if (!automatic) throw new Error('no automatic backup');
    await done(await restoreOf(automatic));
    expect(await rows()).toEqual(automatic.rowCounts);
  });

  it('refuses a file that was changed, before anything is stopped', async () => {
    const [began, before, bytes] = [await startedAt(), await rows(), readFileSync(backup.file)];
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed.at(-5) ?? 0) ^ 1, changed.length - 5);
    writeFileSync(backup.file, changed);
    const job = await stand.run(await stand.start(place, await restoreOf(backup)));
    writeFileSync(backup.file, bytes);
    expect(job).toMatchObject({ state: 'failed', errorCode: 'restore_failed' });
    expect([await startedAt(), await rows()]).toEqual([began, before]);
  });

  it('does nothing when the present data cannot be backed up: no verified backup, no restore', async () => {
    const before = await rows();
    const full = { ...stand.ctx, config: { ...stand.ctx.config, layout: { ...stand.ctx.config.layout, backupsDir: '/proc/nowhere' } } };
    const jobId = await stand.start(place, await restoreOf(backup));
    await runJob(full, jobId, never);
    expect(await stand.ctx.db.job.findUnique({ where: { id: jobId } })).toMatchObject({ state: 'failed', errorCode: 'backup_failed' });
    expect(await rows()).toEqual(before);
    expect(await answers()).toBe(true);
  });

  it('that fails leaves the old data and starts the experiment again', async () => {
    const before = await rows();
    await stand.ctx.db.backup.update({ where: { id: backup.id }, data: { rowCounts: { otree_participant: 77 } } });
    const job = await stand.run(await stand.start(place, await restoreOf(backup)));
    await stand.ctx.db.backup.update({ where: { id: backup.id }, data: { rowCounts: backup.rowCounts as object } });
    expect(job).toMatchObject({ state: 'failed', errorCode: 'restore_failed' });
    expect(await rows()).toEqual(before);
    expect(await answers()).toBe(true);
  });

  it('waits for people in a session, unless somebody says why; and asks for the name', async () => {
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { facts: { participantsInSession: 18 } } });
    const request = await restoreOf(backup);
    await expect(stand.start(place, request)).rejects.toMatchObject({ code: 'people_in_session', details: { count: 18 } });
    await expect(stand.start(place, { ...request, confirm: 'something' } as StartJob)).rejects.toMatchObject({ code: 'confirmation_missing' });
    await expect(stand.start(place, { ...request, backupId: 'nosuch' } as StartJob)).rejects.toMatchObject({ code: 'people_in_session' });
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { facts: {} } });
    await expect(stand.start(place, { ...request, backupId: 'nosuch' } as StartJob)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('rolling back', () => {
  it('runs the version before without a build, with its rooms, and forward again', async () => {
    const { steps } = presentJob({ ...(await done({ kind: 'roll-back', deploymentId: first })), instance: null });
    expect(steps.map(({ name }) => name)).toEqual(['try', 'switch', 'address']);
    const away = steps.find(({ name }) => name === 'switch');
    const seconds = (Date.parse(away?.endedAt ?? '') - Date.parse(away?.startedAt ?? '')) / 1000;
    // 2–3 s on a quiet machine; printed, not asserted: the other tests of the run take most of it.
    process.stdout.write(`roll back: away for ${seconds.toFixed(1)} s\n`);
    expect(await instance()).toMatchObject({ currentDeploymentId: first, state: 'running' });
    expect(JSON.stringify((await instance()).project)).toContain('"lab"');
    expect(JSON.parse((await ask('/api/rooms')).body)).toMatchObject([{ name: 'lab' }]);
    await done({ kind: 'roll-back', deploymentId: second });
    expect(JSON.parse((await ask('/api/rooms')).body)).toMatchObject([{ name: 'cellar' }]);
  });

  it('to a version that does not answer starts the one in use again', async () => {
    const file = path.join(releaseDir(1), 'project', 'trust_game', '__init__.py');
    const code = readFileSync(file, 'utf8');
    rmSync(file);
    // In the trial it answers: what fails is the version itself.
    writeFileSync(file, `${code}\nimport os\nif '/try_' not in os.environ.get('DATABASE_URL', '/try_'):\n    os._exit(3)\n`, { mode: 0o444 });
    const job = await stand.run(await stand.start(place, { kind: 'roll-back', deploymentId: first }));
    writeFileSync(file, code);
    expect(job).toMatchObject({ state: 'failed', errorCode: 'start_failed' });
    expect(await stand.logOf(job.id)).toContain('the version before is started again');
    expect(await instance()).toMatchObject({ currentDeploymentId: second, state: 'running' });
    expect(JSON.parse((await ask('/api/rooms')).body)).toMatchObject([{ name: 'cellar' }]);
  });

  it('is refused in a sentence where it cannot be', async () => {
    const refuse = (data: object) =>
      stand.ctx.db.deployment
        .update({ where: { id: first }, data })
        .then(() => stand.start(place, { kind: 'roll-back', deploymentId: first }))
        .then(
          () => 'started',
          (error: Error) => error.message,
        );
    const { project } = await stand.ctx.db.deployment.findUniqueOrThrow({ where: { id: first } });
    expect(await refuse({ isReleaseKept: false })).toContain('cleared away');
    expect(await refuse({ isReleaseKept: true, state: 'failed' })).toContain('never ran');
    await stand.ctx.db.$executeRaw`UPDATE deployment SET project = NULL, state = 'succeeded' WHERE id = ${first}`;
    expect(await refuse({})).toContain('older version of the panel');
    await stand.ctx.db.deployment.update({ where: { id: first }, data: { project: project as object } });
    await expect(stand.start(place, { kind: 'roll-back', deploymentId: second })).rejects.toMatchObject({ code: 'roll_back_refused' });
  });

  it('cut off by the end of the worker leaves the version that the row names', async () => {
    const jobId = await stand.start(place, { kind: 'roll-back', deploymentId: first });
    const stop = new AbortController();
    const running = runJob(stand.ctx, jobId, stop.signal);
    await stand.ctx.waitForEvent('job', (_to, job) => job.id === jobId && job.steps.some(({ name }) => name === 'switch'));
    // As after a crash: the row says running, the step was begun.
    stop.abort();
    await running;
    await stand.ctx.db.job.update({ where: { id: jobId }, data: { state: 'running' } });
    await recoverInstances(stand.ctx, await recoverJobs(stand.ctx));
    await done({ kind: 'start' });
    expect(JSON.parse((await ask('/api/rooms')).body)).toMatchObject([{ name: 'cellar' }]);
    expect((await instance()).currentDeploymentId).toBe(second);
  });
});

describe('rolling back to a version whose tables differ', { timeout: 120_000 }, () => {
  let third = '';
  const back = async (deploymentId: string, more: object = {}): Promise<Job> =>
    stand.run(await stand.start(place, { kind: 'roll-back', deploymentId, ...more }));
  beforeAll(async () => {
    const file = 'trust_game/__init__.py';
    const code = readFileSync(path.join(TRUST_GAME, file), 'utf8');
    const player = 'class Player(BasePlayer):\n    ';
    const folder = await projectWith(TRUST_GAME, { [file]: code.replace(`${player}pass`, `${player}offer = models.IntegerField()`) });
    const job = await stand.upload(place, folder);
    await stand.ctx.db.job.update({ where: { id: job.id }, data: { input: { onDrift: 'reset' } } });
    if ((await stand.run(job.id)).state !== 'succeeded') throw new Error(await stand.logOf(job.id));
    third = job.deploymentId ?? '';
    // One column more than it knows is no trouble for the version to bring back; after a reset the tables are its own.
    await done({ kind: 'roll-back', deploymentId: second });
    await done({ kind: 'reset-database', confirm: (await instance()).name });
    await play();
  }, 120_000);

  it('keeps the version in use, stops nothing, and says which columns do not fit, also for an instance in test', async () => {
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { resetsOnDrift: true } });
    const began = await startedAt();
    const job = await back(third);
    await stand.ctx.db.instance.update({ where: { id: place.instanceId }, data: { resetsOnDrift: false } });
    expect(job).toMatchObject({ state: 'failed', errorCode: 'roll_back_drift' });
    const { error, rollBackTo } = presentJob({ ...job, instance: null });
    expect(error?.sentence).toBe('The version to bring back needs a column `player.offer` in `trust_game` that the database does not have.');
    expect(error?.hint).toContain(`${sumOf(await rows())} rows are there`);
    expect([rollBackTo, await startedAt(), (await instance()).currentDeploymentId]).toEqual([third, began, second]);
  });

  it('goes on knowingly where that was chosen, and the deployment says so', async () => {
    const before = await rows();
    expect((await back(third, { onDrift: 'go-on' })).state).toBe('succeeded');
    expect((await instance()).currentDeploymentId).toBe(third);
    expect(await rows()).toEqual(before);
    const { warnings } = await stand.ctx.db.deployment.findUniqueOrThrow({ where: { id: third } });
    expect(warnings).toEqual([expect.stringMatching(/`player\.offer`.*brought back knowingly/)]);
    await done({ kind: 'roll-back', deploymentId: second });
  });

  it('resets for it only by the instance’s name, after a verified backup, and shows the new numbers at once', async () => {
    await expect(back(third, { onDrift: 'reset' })).rejects.toMatchObject({ code: 'confirmation_missing' });
    const before = await rows();
    expect((await back(third, { onDrift: 'reset', confirm: (await instance()).name })).state).toBe('succeeded');
    expect((await backups())[0]).toMatchObject({ reason: 'before roll back', rowCounts: before, verifiedAt: expect.any(Date) });
    expect([sumOf(await rows()), readFacts(await instance()).rows]).toEqual([0, 0]);
    expect((await play()).status).toBe(200);
    await done({ kind: 'roll-back', deploymentId: second });
  });
});

describe('cancelling', () => {
  const changed = async (mark: string): Promise<Job> =>
    stand.upload(place, await projectWith(TRUST_GAME, { 'requirements.txt': `otree>=5.4\n# ${mark}\n`, 'note.txt': mark }));
  const during = (jobId: string, step: string) =>
    stand.ctx.waitForEvent('job', (_to, job) => job.id === jobId && job.steps.some(({ name, state }) => name === step && state === 'running'));

  it.each([
    ['told by the server', 'build', true],
    ['that hears nothing', 'try', false],
  ] as const)('a running deployment ends it, and the running version never notices: a worker %s, in the step “%s”', async (_how, step, isTold) => {
    const began = await startedAt();
    const job = await changed(step);
    const running = stand.run(job.id);
    await during(job.id, step);
    const begin = performance.now();
    await cancelJob(stand.ctx, place.owner, job.id);
    if (isTold) await lookForCancel(job.id);
    const ended = await running;
    process.stdout.write(`cancelled in the step “${step}”: ended after ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
    expect(ended).toMatchObject({ state: 'cancelled', errorCode: 'job_cancelled', errorDetails: { actor: place.owner.name } });
    expect(await stand.logOf(job.id)).toContain(`${place.owner.name} cancelled this job.`);
    expect(await stand.ctx.db.deployment.findUnique({ where: { id: job.deploymentId ?? '' } })).toMatchObject({
      state: 'cancelled',
      endedAt: expect.any(Date),
    });
    expect([await startedAt(), await answers(), (await instance()).currentDeploymentId]).toEqual([began, true, second]);
  });

  it('is over with the beginning of the switch', async () => {
    const job = await changed('switch');
    const running = stand.run(job.id);
    await during(job.id, 'switch');
    await expect(cancelJob(stand.ctx, place.owner, job.id)).rejects.toMatchObject({ code: 'too_late_to_cancel', details: { kind: 'Deploy' } });
    expect((await running).state).toBe('succeeded');
    await expect(cancelJob(stand.ctx, place.owner, job.id)).rejects.toMatchObject({ code: 'too_late_to_cancel' });
  });

  it('a back-up leaves no file, and the next one works', async () => {
    const before = await backups();
    const jobId = await stand.start(place, { kind: 'back-up' });
    const running = stand.run(jobId);
    await during(jobId, 'backup');
    await cancelJob(stand.ctx, place.owner, jobId);
    await lookForCancel(jobId);
    expect((await running).state).toBe('cancelled');
    expect(await backups()).toEqual(before);
    await done({ kind: 'back-up' });
    expect((await backups()).every(({ file }) => existsSync(file))).toBe(true);
  });

  it('is offered by the page exactly when the panel allows it', () => {
    const step = (name: string) => [{ name }];
    const may = (kind: string, state: string, steps: { name: string }[] = []): boolean => isCancellable({ kind, state, steps });
    expect(['deploy', 'back-up', 'reset-database', 'restore', 'roll-back'].map((kind) => may(kind, 'queued'))).toEqual([true, true, true, true, true]);
    expect(['start', 'stop', 'delete', 'create-instance', 'set-admin-password'].map((kind) => may(kind, 'queued'))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect([may('deploy', 'running', step('build')), may('deploy', 'running', step('switch')), may('deploy', 'succeeded')]).toEqual([true, false, false]);
    expect([may('restore', 'running', step('check')), may('restore', 'running', step('stop')), may('reset-database', 'running', step('stop'))]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
