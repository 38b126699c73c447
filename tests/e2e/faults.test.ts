// What goes wrong in a lab: a worker that dies in the middle, a backup that cannot be written, pushes that cross.

import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentView, InstanceView } from '../../contracts/instances.ts';
import type { JobView } from '../../contracts/jobs.ts';
import { identify } from '../../scripts/process-identity.ts';
import { firstManager, type PanelClient } from './client.ts';
import { commit, makeKey, makeProject, push, type Key } from './git.ts';
import { countRows, nginxPids, processOf } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { until } from './until.ts';

const root = path.join(import.meta.dirname, '..', '..');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-faults-'));
const folder = path.join(home, 'lab-games');
let panel: WholePanel;
let ada: PanelClient;
let key: Key;
let remote = '';

beforeAll(async () => {
  panel = await makePanel();
  await panel.start();
  ada = await firstManager(panel);
  key = makeKey(home, 'key');
  await ada.send('POST', '/ssh-keys', { publicKey: key.publicKey });
  await ada.create('lab-games');
  remote = `ssh://git@localhost:${panel.gitPort}/lab-games.git`;
  makeProject(path.join(root, 'tests', 'projects', 'lab-games'), folder);
  const { code, output } = await push(folder, { key, remote });
  if (code !== 0) throw new Error(output);
  const session = await ada.send('POST', '/instances/lab-games/rooms/online/sessions', { sessionConfigName: 'survey', numParticipants: 3 });
  if (session.status !== 201) throw new Error(JSON.stringify(session.body));
}, 420_000);

afterAll(async () => {
  await panel.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

const statusOf = (): Promise<number> =>
  new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: panel.port, path: '/login', agent: false, headers: { host: `lab-games.localhost:${panel.port}` } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on('error', reject);
  });

/** Not as a zombie that nobody has collected yet. */
const isAlive = (pid: number): boolean => identify(pid) !== null;

const show = (): Promise<InstanceView> => ada.get<InstanceView>('/instances/lab-games');
const newestJob = async (): Promise<JobView | undefined> => (await ada.get<{ jobs: JobView[] }>('/instances/lab-games/jobs')).jobs[0];

describe('a worker that is killed in the middle of a build', () => {
  it('leaves a job with a sentence, the running version as it was, and a push that works again', async () => {
    commit(folder, 'Second version', { 'survey/note.txt': 'two' });
    const pushing = push(folder, { key, remote });
    await until('the build is under way', async () => (await newestJob())?.steps.some(({ name, state }) => name === 'build' && state === 'running'));
    process.kill(processOf(panel, 'worker').pid, 'SIGKILL');
    const { code, output } = await pushing;
    expect(code).not.toBe(0);
    expect(output).toContain('The panel was stopped in the middle of this job.');
    expect(await statusOf()).toBe(200);
    expect((await ada.get<{ deployments: DeploymentView[] }>('/instances/lab-games/deployments')).deployments[0]).toMatchObject({
      state: 'failed',
      isCurrent: false,
    });
    const again = await push(folder, { key, remote });
    expect(again.code, again.output).toBe(0);
    expect((await show()).git.current).toMatchObject({ message: 'Second version', state: 'succeeded' });
  }, 300_000);
});

describe('two pushes at once', () => {
  it('are built one after the other, and the last one runs', async () => {
    commit(folder, 'Third version', { 'survey/note.txt': 'three' });
    const first = push(folder, { key, remote });
    await until('the first one is under way', async () => (await newestJob())?.state === 'running');
    commit(folder, 'Fourth version', { 'survey/note.txt': 'four' });
    const second = push(folder, { key, remote });
    expect((await first).code).toBe(0);
    expect((await second).code).toBe(0);
    expect((await show()).git.current?.message).toBe('Fourth version');
    expect(await countRows(panel, 'lab-games')).toBe(3);
  }, 240_000);
});

describe('a backup that cannot be written', () => {
  it('ends the reset before anything is deleted, and the experiment answers again', async () => {
    const backups = path.join(panel.dataDir, 'backups');
    const { id } = await show();
    // A file where the folder should be: no permission stands in root's way.
    const aside = readdirSync(backups).includes(id);
    if (aside) renameSync(path.join(backups, id), path.join(backups, `${id}.aside`));
    writeFileSync(path.join(backups, id), '');
    const job = await ada.run('lab-games', { kind: 'reset-database', confirm: 'lab-games' });
    rmSync(path.join(backups, id));
    expect(job).toMatchObject({ state: 'failed', error: { code: 'backup_failed' } });
    expect(job.steps.map(({ name }) => name)).not.toContain('reset');
    expect(await countRows(panel, 'lab-games')).toBe(3);
    await until('it answers', async () => (await statusOf()) === 200);
  }, 240_000);
});

describe('a push during a reset', () => {
  it('waits for its turn; both are done and the backup has the rows', async () => {
    const { status, body } = await ada.send('POST', '/instances/lab-games/jobs', { kind: 'reset-database', confirm: 'lab-games' });
    expect(status).toBe(202);
    commit(folder, 'Fifth version', { 'survey/note.txt': 'five' });
    const pushed = await push(folder, { key, remote });
    expect(pushed.code, pushed.output).toBe(0);
    expect(await ada.ended((body as JobView).id)).toMatchObject({ state: 'succeeded' });
    expect(await countRows(panel, 'lab-games')).toBe(0);
    const { backups } = await ada.get<{ backups: { rowCounts: Record<string, number>; verifiedAt: string | null }[] }>('/instances/lab-games/backups');
    expect(backups[0]?.verifiedAt).not.toBeNull();
    expect(backups[0]?.rowCounts['otree_participant']).toBe(3);
  }, 240_000);
});

describe('the same click twice', () => {
  it('does one thing; the second is told who is at it', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => ada.send('POST', '/instances/lab-games/jobs', { kind: 'restart' })));
    expect(answers.map(({ status }) => status).toSorted((one, two) => one - two)).toEqual([202, 409, 409]);
    const refused = answers.find(({ status }) => status === 409)?.body as { code: string; title: string };
    expect(refused).toMatchObject({ code: 'job_in_progress', title: expect.stringContaining('Ada') });
    const started = answers.find(({ status }) => status === 202)?.body as JobView;
    expect(await ada.ended(started.id)).toMatchObject({ state: 'succeeded' });
  }, 180_000);
});

describe('PostgreSQL that is stopped for a while', () => {
  it('is started again by the panel, and panel and experiment are well without a hand', async () => {
    const postmaster = (): number => {
      const file = path.join(panel.dataDir, 'postgres', 'postmaster.pid');
      return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
    };
    const pid = postmaster();
    process.kill(pid, 'SIGINT');
    await until(
      'the panel is ready again',
      async () => {
        const response = await fetch(`${panel.url}/readyz`).catch(() => null);
        return response?.status === 200 && ![0, pid].includes(postmaster());
      },
      { withinMs: 60_000 },
    );
    const session = await until(
      'oTree makes a session',
      async () => {
        const answer = await ada.send('POST', '/instances/lab-games/rooms/online/sessions', { sessionConfigName: 'survey', numParticipants: 1 });
        return answer.status === 201 ? answer : null;
      },
      { withinMs: 60_000 },
    );
    expect(session.status).toBe(201);
  }, 150_000);
});

describe('nginx that is killed', () => {
  it('is back by itself', async () => {
    const killed = nginxPids(panel);
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    const begin = Date.now();
    await until('the experiment answers', async () => !killed.some(isAlive) && (await statusOf().catch(() => 0)) === 200);
    // 1–3 s on a quiet machine; printed, not asserted: the other tests of the run take most of it.
    process.stdout.write(`nginx killed: answers again after ${((Date.now() - begin) / 1000).toFixed(1)} s\n`);
    expect(nginxPids(panel).filter((pid) => killed.includes(pid))).toEqual([]);
  }, 180_000);
});

describe('secrets', () => {
  it('stand in no log, no job output, no argv', async () => {
    const { password } = await ada.get<{ password: string }>('/instances/lab-games/admin-password');
    const job = await newestJob();
    const jobLog = await ada.get<{ text: string }>(`/jobs/${job?.id}/log`);
    const { env } = processOf(panel, 'server');
    const databasePassword = new URL(env['DATABASE_URL'] ?? '').password;
    const logs = readdirSync(path.join(panel.dataDir, 'logs'))
      .map((name) => readFileSync(path.join(panel.dataDir, 'logs', name), 'utf8'))
      .join('\n');
    const argv = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return '';
        }
      })
      .join('\n');
    for (const secret of [password, databasePassword, env['REDIS_PASSWORD'] ?? 'none']) {
      expect(secret.length).toBeGreaterThan(10);
      for (const text of [logs, argv, jobLog.text]) expect(text.includes(secret)).toBe(false);
    }
  });
});
