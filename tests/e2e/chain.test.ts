// The chain that every user lives on, as one walk: start, sign in, create, push, Lobby, play, restart, reset, delete.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, picture, visitor } from './browser.ts';
import { commit, makeKey, makeProject, push, type Key } from './git.ts';
import { countRows, flushRedis, panelProcesses } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { playBargain } from './play.ts';
import { until } from './until.ts';
import { signInToOtree } from './walk.ts';
import { watchExperiment, type Watch } from './watch-experiment.ts';

const root = path.join(import.meta.dirname, '..', '..');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-walk-'));
const errors: string[] = [];
let panel: WholePanel;
let browser: Browser;
let ada: Page;
let key: Key;
const people: Page[] = [];

beforeAll(async () => {
  panel = await makePanel();
  browser = await openBrowser();
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

const remote = (name: string): string => `ssh://git@localhost:${panel.gitPort}/${name}.git`;
const address = (name: string): string => `http://${name}.localhost:${panel.port}`;

/** Asks an instance through the front door; node does not resolve `*.localhost` everywhere, browsers do. */
const ask = (name: string, where: string): Promise<{ status: number; location: string; body: string }> =>
  new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: panel.port, path: where, agent: false, headers: { host: `${name}.localhost:${panel.port}` } }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', body }));
      })
      .on('error', reject);
  });

async function createInstance(name: string): Promise<void> {
  await ada.goto(`${panel.url}/instances/new`);
  await ada.getByLabel('Name').fill(name);
  await ada.getByRole('button', { name: 'Create instance' }).click();
  await ada.getByText('Waiting for your push…').waitFor();
}

async function act(name: string, action: string): Promise<void> {
  await ada.goto(`${panel.url}/instances/${name}`);
  await ada.getByRole('button', { name: 'Actions' }).click();
  await ada.getByRole('menuitem', { name: action, exact: true }).click();
}

/** Waits until the newest job of this title has ended, as the page says it. */
async function jobEnds(name: string, title: string, state: 'succeeded' | 'failed'): Promise<void> {
  await until(
    `${title} of ${name} ${state}`,
    async () => {
      const jobs = await api<{ jobs: { title: string; state: string; error: unknown }[] }>(`/instances/${name}/jobs`);
      const job = jobs.jobs.find((one) => one.title === title);
      if (job?.state === 'failed' && state === 'succeeded') throw new Error(JSON.stringify(job));
      return job?.state === state;
    },
    { withinMs: 120_000 },
  );
}

const api = <T>(where: string): Promise<T> => ada.evaluate(async (url) => (await fetch(url)).json() as Promise<unknown>, `/api/v1${where}`) as Promise<T>;
const passwordOf = async (name: string): Promise<string> => (await api<{ password: string }>(`/instances/${name}/admin-password`)).password;

describe('the chain', () => {
  it('starts with one command and prints how to sign in', async () => {
    await panel.start();
    expect(panel.output()).toMatch(/\/first-run\?token=/);
  }, 300_000);

  it('lets the first manager in by the one-time link, once', async () => {
    ada = await visitor(browser, errors);
    const link = /http\S+\/first-run\?token=\S+/.exec(panel.output())?.[0] ?? '';
    await ada.goto(link);
    await ada.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await ada.getByLabel('User name').fill('ada');
    await ada.getByLabel('E-mail address').fill('ada@lab.example');
    await ada.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await ada.getByRole('button', { name: 'Create my account' }).click();
    await ada.getByRole('link', { name: 'Decide later' }).click();
    await ada.getByRole('button', { name: /sample experiment/i }).waitFor();
    const thief = await visitor(browser, errors);
    await thief.goto(link);
    await thief.getByText('There is a lab manager already').waitFor();
    await thief.context().close();
  });

  it('takes a public key in the page', async () => {
    key = makeKey(home, 'ada-key');
    await ada.goto(`${panel.url}/keys`);
    await ada.getByLabel('Public key').fill(key.publicKey);
    await ada.getByRole('button', { name: /^Add/ }).click();
    await ada
      .getByText(/SHA256:/)
      .first()
      .waitFor();
  });

  it('creates an instance whose page is the instruction, and shows the build of the first push live', async () => {
    await createInstance('trust-game');
    await ada.getByText(remote('trust-game')).first().waitFor();
    await picture(ada, 'instance-before-push', { widths: [1440, 390] });
    expect((await ask('trust-game', '/')).status).toBe(503);
    expect((await ask('trust-game', '/')).body).toContain('No experiment here yet');

    const folder = path.join(home, 'trust-game');
    const venv = process.env['ARBORETUM_TEST_VENV'] ?? '';
    const made = spawnSync(path.join(venv, 'bin', 'python'), [path.join(venv, 'bin', 'otree'), 'startproject', path.join(home, 'made')], {
      input: 'n\n',
      encoding: 'utf8',
    });
    expect(made.status, made.stderr).toBe(0);
    makeProject(path.join(home, 'made'), folder);
    const pushing = push(folder, { key, remote: remote('trust-game') });
    await ada.getByText('Choosing versions').first().waitFor({ timeout: 60_000 });
    await picture(ada, 'build-log', { widths: [1440, 390] });
    const { code, output, seconds } = await pushing;
    expect(code, output).toBe(0);
    expect(output).toContain(`trust-game is running: ${address('trust-game')}`);
    process.stdout.write(`push of a fresh startproject, to the first answer: ${seconds.toFixed(1)} s\n`);
    await ada.getByText('running', { exact: true }).first().waitFor();
  }, 240_000);

  it('is ready for production untouched: oTree asks for the password and shows no debug page', async () => {
    expect(await ask('trust-game', '/sessions')).toMatchObject({ status: 302 });
    expect(await ask('trust-game', '/api/sessions')).toMatchObject({ status: 403 });
    const page = await visitor(browser, errors);
    expect(await signInToOtree(page, address('trust-game'), 'wrong-password')).toBe(false);
    expect(await signInToOtree(page, address('trust-game'), await passwordOf('trust-game'))).toBe(true);
    await page.context().close();
  });

  it('deploys a richer project, made for Heroku, unchanged', async () => {
    await createInstance('lab-games');
    const folder = path.join(home, 'lab-games');
    makeProject(path.join(root, 'tests', 'projects', 'lab-games'), folder);
    const { code, output, seconds } = await push(folder, { key, remote: remote('lab-games') });
    expect(code, output).toBe(0);
    process.stdout.write(`push of lab-games, warm, to the first answer: ${seconds.toFixed(1)} s\n`);
    await ada.getByText('Room 114').first().waitFor();
    await createInstance('public-goods');
    await ada.goto(panel.url);
    await ada.getByText('lab-games').first().waitFor();
    await ada.goto(`${panel.url}/instances/lab-games`);
  }, 240_000);

  it('leaves the running version alone when a push fails, and says why in the terminal and in the page', async () => {
    const folder = path.join(home, 'lab-games');
    commit(folder, 'Break it', { 'survey/__init__.py': 'import nopackageofthisname\n' });
    const { code, output } = await push(folder, { key, remote: remote('lab-games') });
    expect(code).not.toBe(0);
    expect(output).toContain('`nopackageofthisname` is used in survey/__init__.py but is not in requirements.txt.');
    expect(output).toContain('Add a line');
    await ada.goto(`${panel.url}/instances/lab-games/deploy`);
    await ada
      .getByText(/nopackageofthisname/)
      .first()
      .waitFor();
    await picture(ada, 'failed-push', { widths: [1440, 390] });
    expect((await ask('lab-games', '/login')).status).toBe(200);
    const again = await push(folder, { key, remote: remote('lab-games') });
    expect(again.code, 'pushing the same commit builds again').not.toBe(0);
    spawnSync('git', ['-C', folder, 'reset', '-q', '--hard', 'HEAD~1']);
    const healed = await push(folder, { key, remote: remote('lab-games'), more: ['--force'] });
    expect(healed.code, healed.output).toBe(0);
  }, 240_000);

  it('refuses a wrong branch with the command that works', async () => {
    const { code, output } = await push(path.join(home, 'lab-games'), { key, remote: remote('lab-games'), refspec: 'main:experiment-2' });
    expect(code).not.toBe(0);
    expect(output).toContain(`git push ${remote('lab-games')} experiment-2:main`);
  });

  it('shows the Lobby: before the click oTree does not count a computer, after it does', async () => {
    const admin = await visitor(browser, errors);
    await signInToOtree(admin, address('lab-games'), await passwordOf('lab-games'));
    await admin.goto(`${address('lab-games')}/room_without_session/lab`);
    const present = async (): Promise<number> => Number(await admin.locator('#present_count').textContent());

    await ada.goto(`${panel.url}/instances/lab-games/rooms`);
    const labels =
      (await api<{ rooms: { name: string; labels: string[] }[] }>('/instances/lab-games')).rooms.find(({ name }) => name === 'lab')?.labels.slice(0, 2) ?? [];
    for (const label of labels) {
      const page = await visitor(browser, errors);
      await page.goto(`${panel.url}/lobby/lab-games/lab/${label}`);
      people.push(page);
    }
    await ada
      .getByRole('listitem')
      .filter({ hasText: labels[0] ?? '' })
      .filter({ hasText: /opened/i })
      .first()
      .waitFor();
    expect(await present()).toBe(0);
    await picture(people[0] as Page, 'lobby-participant', { widths: [1440, 390] });

    await (people[0] as Page).getByRole('button').first().click();
    await until('oTree counts one', async () => (await present()) === 1);
    await ada.getByText('1 of').first().waitFor();
    await (people[1] as Page).getByRole('button').first().click();
    await until('oTree counts two', async () => (await present()) === 2);
    await admin.context().close();
  }, 180_000);

  it('makes the oTree session in the room, and both play to the last page', async () => {
    await ada.goto(`${panel.url}/instances/lab-games/rooms`);
    const form = ada.getByRole('form', { name: 'Create a session in Room 114' });
    await form.getByLabel('Participants').fill('2');
    await form.getByRole('button', { name: 'Create session' }).click();
    await form.getByText('is open in this room').last().waitFor();
    await Promise.all(people.map((page) => page.waitForURL(/\/p\//)));
    // Both have their first page; that the map showed them in the room before may be missed.
    await ada.getByRole('region', { name: 'Room Room 114' }).getByText('2 playing').waitFor();
    await playBargain(people[0] as Page, people[1] as Page);
    for (const page of people) await page.getByText('Your answers are saved.').waitFor();
    await ada.getByRole('region', { name: 'Room Room 114' }).getByText('2 finished').waitFor();
  }, 240_000);

  describe('while the panel is away', () => {
    let watch: Watch;
    let rows = 0;

    it('the experiment answers all the time and no websocket closes', async () => {
      rows = await countRows(panel, 'lab-games');
      expect(rows).toBeGreaterThan(0);
      watch = await watchExperiment(await visitor(browser, errors), {
        port: panel.port,
        host: `lab-games.localhost:${panel.port}`,
        path: '/room/online?participant_label=watcher&welcome_page_ok=1',
      });
      await createInstance('by-the-way');
      await act('by-the-way', 'Delete…');
      await ada.getByLabel(/Type by-the-way/).fill('by-the-way');
      await ada.getByRole('button', { name: 'Delete', exact: true }).click();
      await until(
        'by-the-way is gone',
        async () => !(await api<{ instances: { name: string }[] }>('/instances')).instances.some(({ name }) => name === 'by-the-way'),
        { withinMs: 60_000 },
      );

      await flushRedis(panel);
      await panel.stop();
      await panel.start();
      for (const pid of panelProcesses(panel)) process.kill(pid, 'SIGKILL');
      await until('server and worker are back', async () => {
        const response = await fetch(`${panel.url}/readyz`).catch(() => null);
        return response?.status === 200;
      });
      const report = await watch.end();
      process.stdout.write(
        `answers while the panel was away, killed and restarted: ${report.answers}, failures ${report.failures.length}, closed websockets ${report.closedSockets}\n`,
      );
      expect(report.failures).toEqual([]);
      expect(report.closedSockets).toBe(0);
      expect(report.answers).toBeGreaterThan(20);
      expect(await countRows(panel, 'lab-games')).toBe(rows);
    }, 300_000);

    it('and after everything was ended, a start brings back what is meant to run', async () => {
      await panel.stop();
      const { code, output } = await panel.command('stop-all');
      expect(code, output).toBe(0);
      await expect(ask('lab-games', '/login')).rejects.toThrow();
      await panel.start();
      await until('lab-games answers', async () => (await ask('lab-games', '/login').catch(() => null))?.status === 200, { withinMs: 60_000 });
      expect(await countRows(panel, 'lab-games')).toBe(rows);
    }, 300_000);
  });

  it('sets the admin password without touching data or room links', async () => {
    const before = await countRows(panel, 'lab-games');
    await act('lab-games', 'Set admin password…');
    await ada.getByLabel('New password').fill('a-password-of-ours');
    await ada.getByRole('button', { name: 'Set password' }).click();
    await jobEnds('lab-games', 'Set admin password', 'succeeded');
    const page = await visitor(browser, errors);
    expect(await signInToOtree(page, address('lab-games'), 'a-password-of-ours')).toBe(true);
    await page.context().close();
    expect(await countRows(panel, 'lab-games')).toBe(before);
    // The participants' own pages are still theirs: neither cookie nor room link died.
    await (people[0] as Page).reload();
    await (people[0] as Page).getByText('Your answers are saved.').waitFor();
  }, 180_000);

  it('resets the database only after a verified backup, which can be downloaded', async () => {
    await act('lab-games', 'Reset database…');
    await ada.getByLabel(/Type lab-games/).fill('lab-games');
    await ada.getByRole('button', { name: 'Reset database', exact: true }).click();
    await jobEnds('lab-games', 'Reset database', 'succeeded');
    expect(await countRows(panel, 'lab-games')).toBe(0);
    await until('oTree answers', async () => (await ask('lab-games', '/login')).status === 200);
    await ada.goto(`${panel.url}/instances/lab-games/data`);
    const { backups } = await api<{ backups: { id: string; rows: number; sha256: string; verifiedAt: string | null; reason: string }[] }>(
      '/instances/lab-games/backups',
    );
    expect(backups[0]).toMatchObject({ reason: 'before reset', verifiedAt: expect.any(String) });
    expect(backups[0]?.rows).toBeGreaterThan(0);
    const sha256 = await ada.evaluate(async (url) => {
      const bytes = await (await fetch(url)).arrayBuffer();
      // crypto.subtle exists on localhost, which counts as a secure place.
      return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    }, `/api/v1/instances/lab-games/backups/${backups[0]?.id}/file`);
    expect(sha256).toBe(backups[0]?.sha256);
  }, 240_000);

  it('stops, says so at the address, and starts again', async () => {
    await act('lab-games', 'Stop…');
    await ada.getByRole('button', { name: 'Stop', exact: true }).click();
    await jobEnds('lab-games', 'Stop', 'succeeded');
    expect(await ask('lab-games', '/login')).toMatchObject({ status: 503, body: expect.stringContaining('stopped') });
    await act('lab-games', 'Start');
    await jobEnds('lab-games', 'Start', 'succeeded');
    expect((await ask('lab-games', '/login')).status).toBe(200);
    await act('lab-games', 'Restart…');
    await ada.getByRole('button', { name: 'Restart', exact: true }).click();
    await jobEnds('lab-games', 'Restart', 'succeeded');
    expect((await ask('lab-games', '/login')).status).toBe(200);
  }, 240_000);

  it('deletes with a last backup and frees the name', async () => {
    await act('trust-game', 'Delete…');
    await ada.getByLabel(/Type trust-game/).fill('trust-game');
    await ada.getByRole('button', { name: 'Delete', exact: true }).click();
    await until(
      'trust-game is gone',
      async () => !(await api<{ instances: { name: string }[] }>('/instances')).instances.some(({ name }) => name === 'trust-game'),
      { withinMs: 60_000 },
    );
    expect((await ask('trust-game', '/')).status).toBe(404);
    await createInstance('trust-game');
  }, 240_000);

  it('offers a sample experiment to those without a project', async () => {
    await ada.goto(`${panel.url}/instances/trust-game`);
    await ada.getByRole('button', { name: /sample experiment/i }).click();
    await until('the sample answers', async () => (await ask('trust-game', '/login')).status === 200, { withinMs: 90_000 });
  }, 240_000);

  it('has shown no error in any page', () => {
    expect(errors).toEqual([]);
  });
});
