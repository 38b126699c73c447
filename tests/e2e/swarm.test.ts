// The chain with instances in containers: create, push, Lobby, play while the container and the engine are killed, password, reset, roll back, delete.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupView } from '../../contracts/backups.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { BASE_IMAGE, engineForTests } from '../docker-engine.ts';
import { openBrowser, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { commit, makeKey, makeProject, push, type Key } from './git.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { playBargain } from './play.ts';
import { until } from './until.ts';
import { act, printTimes, seeDone, signIn, signInToOtree } from './walk.ts';

const engine = await engineForTests();
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const name = 'trust-game';

describe.skipIf(engine === null)('a panel whose experiments run in containers', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-swarm-walk-'));
  const folder = path.join(home, 'project');
  const errors: string[] = [];
  const people: Page[] = [];
  let panel: WholePanel;
  let browser: Browser;
  let client: PanelClient;
  let ada: Page;
  let key: Key;

  beforeAll(async () => {
    panel = await makePanel({
      PLATFORM: 'swarm',
      DOCKER_SOCKET: engine?.socket ?? '',
      SWARM_BASE_IMAGES: BASE_IMAGE,
      SWARM_ADVERTISE_ADDRESS: '127.0.0.1',
      ...(existsSync(certificates) ? { PIP_CERT: certificates } : {}),
    });
    browser = await openBrowser();
    await panel.start();
    client = await firstManager(panel);
    ada = await visitor(browser, errors);
    await signIn(ada, panel, { login: 'ada', password: 'correct horse battery' });
    key = makeKey(home, 'key');
    await client.send('POST', '/ssh-keys', { publicKey: key.publicKey });
    makeProject(path.join(import.meta.dirname, '..', 'projects', 'lab-games'), folder);
  }, 420_000);

  afterAll(async () => {
    await browser?.close();
    await panel?.remove();
    await engine?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 120_000);

  printTimes();

  const remote = (): string => `ssh://git@localhost:${panel.gitPort}/${name}.git`;
  const page = (tab = ''): string => `${panel.url}/instances/${name}${tab && `/${tab}`}`;
  const address = (): string => `http://${name}.localhost:${panel.port}`;
  const show = (): Promise<InstanceView> => client.get(`/instances/${name}`);
  const password = async (): Promise<string> => (await client.get<{ password: string }>(`/instances/${name}/admin-password`)).password;
  const backups = async (): Promise<BackupView[]> => (await client.get<{ backups: BackupView[] }>(`/instances/${name}/backups`)).backups;
  const containers = async () => (await engine?.docker.listContainers()) ?? [];
  const ask = (where: string): Promise<number> =>
    new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port: panel.port, path: where, headers: { host: `${name}.localhost:${panel.port}` } }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
        .on('error', reject);
    });
  const confirm = async (action: string): Promise<void> => {
    await ada.getByLabel(new RegExp(`Type ${name}`)).fill(name);
    await ada.getByRole('button', { name: action, exact: true }).click();
  };

  it('says that it found the engine, and creates an instance whose page is the instruction', async () => {
    await ada.goto(`${panel.url}/system`);
    await ada.getByText('swarm', { exact: true }).first().waitFor();
    await ada.getByText('PLATFORM, given to the start of the panel').waitFor();
    await ada.getByRole('region', { name: 'Docker Engine' }).getByText('manager, 1 host at 127.0.0.1').waitFor();
    await ada.goto(`${panel.url}/first-run/platform`);
    await ada.getByText('The panel was started with PLATFORM=swarm', { exact: false }).waitFor();
    await ada.goto(`${panel.url}/instances/new`);
    await ada.getByLabel('Name').fill(name);
    await ada.getByRole('button', { name: 'Create instance' }).click();
    await ada.getByText('Waiting for your push…').waitFor();
    await ada.getByText(remote()).first().waitFor();
  }, 60_000);

  it('shows the build of the first push in terminal and page, and then the experiment at its address', async () => {
    const { code, output } = await push(folder, { key, remote: remote() });
    expect(code, output).toBe(0);
    expect(output).toContain('Installing packages');
    expect(output).toContain(`${name} is running: ${address()}`);
    await ada.getByText('running', { exact: true }).first().waitFor();
    const somebody = await visitor(browser, errors);
    expect(await signInToOtree(somebody, address(), await password())).toBe(true);
    await somebody.context().close();
  }, 240_000);

  it('leaves the running version alone when a push fails, and says why', async () => {
    commit(folder, 'Break it', { 'survey/__init__.py': 'import nopackageofthisname\n' });
    const { code, output } = await push(folder, { key, remote: remote() });
    expect(code).not.toBe(0);
    expect(output).toContain('`nopackageofthisname` is used in survey/__init__.py but is not in requirements.txt.');
    expect(await ask('/login')).toBe(200);
    const working = path.join(import.meta.dirname, '..', 'projects', 'lab-games', 'survey', '__init__.py');
    commit(folder, 'Second version', { 'survey/__init__.py': readFileSync(working, 'utf8'), 'survey/note.txt': 'two' });
    expect((await push(folder, { key, remote: remote() })).code).toBe(0);
    expect((await show()).git.current).toMatchObject({ message: 'Second version', state: 'succeeded' });
  }, 180_000);

  it('brings participants from the Lobby into a session, and over the death of their container', async () => {
    await ada.goto(page('rooms'));
    const labels = (await show()).rooms.find((room) => room.name === 'lab')?.labels?.slice(0, 2) ?? [];
    for (const label of labels) {
      const participant = await visitor(browser, errors);
      await participant.goto(`${panel.url}/lobby/${name}/lab/${label}`);
      people.push(participant);
    }
    for (const participant of people) {
      await participant.getByRole('button').first().click();
      await participant.waitForURL((url) => url.origin === address() && url.pathname === '/room/lab');
    }
    const form = ada.getByRole('form', { name: 'Create a session in Room 114' });
    await form.getByLabel('Participants').fill('2');
    await form.getByRole('button', { name: 'Create session' }).click();
    await form.getByText('is open in this room').last().waitFor();
    await Promise.all(people.map((participant) => participant.waitForURL(/\/p\//)));
    for (const { Id } of await containers()) process.kill((await engine?.docker.getContainer(Id).inspect())?.State.Pid ?? 0, 'SIGKILL');
    const began = Date.now();
    await until('oTree is back', async () => (await ask('/login').catch(() => 0)) === 200, { withinMs: 60_000 });
    process.stdout.write(`walk: back after the death of the container ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    for (const participant of people) await participant.reload();
    await playBargain(people[0] as Page, people[1] as Page);
    for (const participant of people) await participant.getByText('Your answers are saved.').waitFor();
    await until('the restart is seen', async () => (await show()).state === 'running');
  }, 180_000);

  it('says when the engine is away, while the experiment answers, and is all well by itself afterwards', async () => {
    process.kill(engine?.pid() ?? 0, 'SIGKILL');
    await ada.goto(panel.url);
    await ada
      .getByText(/The Docker Engine does not answer since \d\d:\d\d UTC/)
      .first()
      .waitFor({ timeout: 60_000 });
    expect(await ask('/login')).toBe(200);
    expect(await client.run(name, { kind: 'restart' })).toMatchObject({
      state: 'failed',
      error: { sentence: expect.stringContaining('the Docker Engine does not answer') },
    });
    await engine?.revive();
    await until(
      'it runs',
      async () =>
        (await ask('/login').catch(() => 0)) === 200 && (await show()).state === 'running' && !((await show()).stateDetail ?? '').includes('does not answer'),
      {
        withinMs: 120_000,
      },
    );
    for (const participant of people) {
      await participant.reload();
      await participant.getByText('Your answers are saved.').waitFor();
    }
  }, 240_000);

  it('sets the admin password, resets after a verified backup, stops, starts, and rolls back', async () => {
    await act(ada, page(), 'Set admin password…');
    await ada.getByLabel('New password').fill('a-password-of-ours');
    await ada.getByRole('button', { name: 'Set password' }).click();
    await seeDone(ada, 'Set admin password');
    const somebody = await visitor(browser, errors);
    expect(await signInToOtree(somebody, address(), 'a-password-of-ours')).toBe(true);
    await somebody.context().close();
    await act(ada, page(), 'Reset database…');
    await confirm('Reset database');
    await seeDone(ada, 'Reset database');
    expect((await backups())[0]).toMatchObject({ reason: 'before reset', verifiedAt: expect.any(String) });
    expect((await backups())[0]?.rowCounts['otree_participant']).toBe(2);
    await act(ada, page(), 'Stop…');
    await ada.getByRole('button', { name: 'Stop', exact: true }).click();
    await seeDone(ada, 'Stop');
    expect(await containers()).toEqual([]);
    await act(ada, page(), 'Start');
    await seeDone(ada, 'Start');
    await ada.goto(page('deploy'));
    await ada.locator('summary', { hasText: '#1' }).click();
    await ada.getByRole('button', { name: 'Roll back to this version…' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Roll back', exact: true }).click();
    await seeDone(ada, 'Roll back');
    expect((await show()).git.current?.message).toBe('Add the experiment');
    expect(await ask('/login')).toBe(200);
  }, 300_000);

  it('deletes, and nothing is left on the engine', async () => {
    await act(ada, page(), 'Delete…');
    await confirm('Delete');
    await until('it is gone', async () => (await client.get<{ instances: InstanceView[] }>('/instances')).instances.length === 0, { withinMs: 90_000 });
    expect(await engine?.docker.listServices()).toEqual([]);
    expect(await engine?.docker.listSecrets()).toEqual([]);
    expect(await engine?.docker.listContainers({ all: true })).toEqual([]);
    expect((await engine?.docker.listImages())?.flatMap(({ RepoTags }) => RepoTags ?? [])).toEqual([BASE_IMAGE]);
    expect(errors).toEqual([]);
  }, 120_000);
});
