// The chain in front of a Dokku host: create, push, Lobby, play, password, reset, roll back, delete; and a host that goes away.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupView } from '../../contracts/backups.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { openBrowser, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makeDokkuPanel, type DokkuPanel } from './dokku-panel.ts';
import { commit, makeKey, makeProject, push, type Key } from './git.ts';
import { playBargain } from './play.ts';
import { until } from './until.ts';
import { act, printTimes, seeDone, signIn, signInToOtree } from './walk.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-dokku-walk-'));
const folder = path.join(home, 'project');
const name = 'trust-game';
const errors: string[] = [];
const people: Page[] = [];
const secrets = new Set(['a-password-of-ours']);
let dokku: DokkuPanel;
let browser: Browser;
let client: PanelClient;
let ada: Page;
let key: Key;

beforeAll(async () => {
  dokku = await makeDokkuPanel();
  browser = await openBrowser();
  await dokku.panel.start();
  client = await firstManager(dokku.panel);
  ada = await visitor(browser, errors);
  await signIn(ada, dokku.panel, { login: 'ada', password: 'correct horse battery' });
  key = makeKey(home, 'key');
  await client.send('POST', '/ssh-keys', { publicKey: key.publicKey });
  makeProject(path.join(import.meta.dirname, '..', 'projects', 'lab-games'), folder);
}, 420_000);

afterAll(async () => {
  await browser?.close();
  await dokku?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

printTimes();

const remote = (): string => `ssh://git@localhost:${dokku.panel.gitPort}/${name}.git`;
const page = (tab = ''): string => `${dokku.panel.url}/instances/${name}${tab && `/${tab}`}`;
const show = (): Promise<InstanceView> => client.get(`/instances/${name}`);
const password = async (): Promise<string> => (await client.get<{ password: string }>(`/instances/${name}/admin-password`)).password;
const backups = async (): Promise<BackupView[]> => (await client.get<{ backups: BackupView[] }>(`/instances/${name}/backups`)).backups;
/** Passwords and keys of all apps and databases that the host has now. */
function noteSecrets(): void {
  for (const { password: ofService } of dokku.host.state.services.values()) secrets.add(ofService);
  for (const { config } of dokku.host.state.apps.values()) {
    if (config['OTREE_REST_KEY']) secrets.add(config['OTREE_REST_KEY']);
    const launch = config['ARBORETUM_LAUNCH'] ?? '';
    if (launch === '') continue;
    secrets.add(launch);
    const { adminPassword, secretKey, roomSecret } = JSON.parse(Buffer.from(launch, 'base64').toString()) as Record<string, string | undefined>;
    for (const secret of [adminPassword, secretKey, roomSecret]) if (secret) secrets.add(secret);
  }
}

const confirm = async (action: string): Promise<void> => {
  await ada.getByLabel(new RegExp(`Type ${name}`)).fill(name);
  await ada.getByRole('button', { name: action, exact: true }).click();
};

describe('a panel in front of a Dokku host', () => {
  it('shows managers how it comes in, what it found there and what to be careful with', async () => {
    await ada.goto(`${dokku.panel.url}/system`);
    const group = ada.getByRole('region', { name: 'Dokku host' });
    for (const text of ['connected', '0.38.27', dokku.host.fingerprint(), 'NAME.lab.localhost', 'The plugin acl is installed'])
      await group.getByText(text).first().waitFor();
    await group.getByText(/postgres \d/).waitFor();
    await group.getByRole('button', { name: 'Copy public key' }).waitFor();
    expect(await group.getByLabel('command', { exact: true }).textContent()).toBe(`echo '${dokku.publicKey} arboretum' | dokku ssh-keys:add arboretum`);
  });

  it('creates an instance whose page is the instruction', async () => {
    await ada.goto(`${dokku.panel.url}/instances/new`);
    await ada.getByLabel('Name').fill(name);
    await ada.getByRole('button', { name: 'Create instance' }).click();
    await ada.getByText('Waiting for your push…').waitFor();
    await ada.getByText(remote()).first().waitFor();
    expect(dokku.addresses()).toEqual([`${name}.lab.localhost`]);
  });

  it('says whose a name is that the host has already, and lets go of the attempt', async () => {
    await dokku.takeAddress('news');
    await client.send('POST', '/instances', { name: 'news' });
    await ada.goto(`${dokku.panel.url}/instances/news`);
    await ada.getByText('The app “blog” on the Dokku host has the address news.lab.localhost already.').first().waitFor();
    expect((await client.run('news', { kind: 'delete', confirm: 'news' })).state).toBe('succeeded');
    await ada.goto(page());
  });

  it('shows the build of the first push in terminal and page, and then the experiment at its own address', async () => {
    const pushing = push(folder, { key, remote: remote() });
    await ada.getByText('Choosing versions').first().waitFor({ timeout: 60_000 });
    await ada.getByText('Step 1/').first().waitFor({ timeout: 60_000 });
    const { code, output } = await pushing;
    expect(code, output).toBe(0);
    expect(output).toContain('Step 1/');
    expect(output).toContain(`${name} is running: ${dokku.address(name)}`);
    await ada.getByText('running', { exact: true }).first().waitFor();
    expect((await dokku.ask(name, '/login')).status).toBe(200);
    expect((await show()).url).toBe(dokku.address(name));
    const somebody = await visitor(browser, errors);
    expect(await signInToOtree(somebody, dokku.address(name), await password())).toBe(true);
    await somebody.context().close();
  }, 240_000);

  it('leaves the running version alone when a push fails, and says why in the terminal and in the page', async () => {
    commit(folder, 'Break it', { 'survey/__init__.py': 'import nopackageofthisname\n' });
    const { code, output } = await push(folder, { key, remote: remote() });
    expect(code).not.toBe(0);
    expect(output).toContain('`nopackageofthisname` is used in survey/__init__.py but is not in requirements.txt.');
    await ada.goto(page('deploy'));
    await ada
      .getByText(/nopackageofthisname/)
      .first()
      .waitFor();
    expect((await dokku.ask(name, '/login')).status).toBe(200);
    expect((await show()).state).toBe('running');
  }, 240_000);

  it('deploys the next version', async () => {
    const working = path.join(import.meta.dirname, '..', 'projects', 'lab-games', 'survey', '__init__.py');
    commit(folder, 'Second version', { 'survey/__init__.py': readFileSync(working, 'utf8'), 'survey/note.txt': 'two' });
    const { code, output } = await push(folder, { key, remote: remote() });
    expect(code, output).toBe(0);
    expect((await show()).git.current).toMatchObject({ message: 'Second version', state: 'succeeded' });
  }, 240_000);
});

describe('participants on a Dokku host', () => {
  it('get ready in the Lobby and come to oTree’s own room there', async () => {
    await ada.goto(page('rooms'));
    const labels = (await show()).rooms.find((room) => room.name === 'lab')?.labels?.slice(0, 2) ?? [];
    for (const label of labels) {
      const participant = await visitor(browser, errors);
      await participant.goto(`${dokku.panel.url}/lobby/${name}/lab/${label}`);
      people.push(participant);
    }
    for (const participant of people) {
      await participant.getByRole('button').first().click();
      await participant.waitForURL((url) => url.origin === dokku.address(name) && url.pathname === '/room/lab');
    }
    await ada.getByText('2 of').first().waitFor();
  }, 180_000);

  it('play to the last page of the session that is made in the panel', async () => {
    const form = ada.getByRole('form', { name: 'Create a session in Room 114' });
    await form.getByLabel('Participants').fill('2');
    await form.getByRole('button', { name: 'Create session' }).click();
    await form.getByText('is open in this room').last().waitFor();
    await Promise.all(people.map((participant) => participant.waitForURL(/\/p\//)));
    await playBargain(people[0] as Page, people[1] as Page);
    for (const participant of people) await participant.getByText('Your answers are saved.').waitFor();
    await ada.getByRole('region', { name: 'Room Room 114' }).getByText('2 finished').waitFor();
  }, 240_000);
});

describe('the host away', () => {
  const note = (text: RegExp | string) => ada.getByText(text).first().waitFor({ timeout: 30_000 });

  it('is said in the page and on the dashboard, with the age of the last look, and the experiment answers on', async () => {
    await dokku.host.stop();
    await ada.goto(page());
    await note(/The Dokku host cannot be reached since \d\d:\d\d UTC: it refuses connections on port \d+\./);
    await note('It is not known how this instance is.');
    await note(/Last observed/);
    await ada.goto(dokku.panel.url);
    await ada.getByRole('listitem').filter({ hasText: name }).getByText('unknown', { exact: true }).waitFor();
    await note(/The Dokku host cannot be reached/);
    await ada.goto(`${dokku.panel.url}/system`);
    await note('not connected');
    expect((await dokku.ask(name, '/login')).status).toBe(200);
    await (people[0] as Page).reload();
    await (people[0] as Page).getByText('Your answers are saved.').waitFor();
  }, 180_000);

  it('does not keep anybody in the Lobby', async () => {
    const late = await visitor(browser, errors);
    await late.goto(`${dokku.panel.url}/lobby/${name}/lab/${(await show()).rooms.find((room) => room.name === 'lab')?.labels?.[2]}`);
    await late.getByRole('button').first().click();
    await late.waitForURL((url) => url.origin === dokku.address(name));
    await late.context().close();
  }, 180_000);

  it('ends a job at once with a sentence and a push with the same in the terminal', async () => {
    noteSecrets();
    const job = await client.run(name, { kind: 'restart' });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'host_unreachable', sentence: expect.stringContaining('cannot be reached') } });
    expect((await show()).state).toBe('unknown');
    commit(folder, 'Third version', { 'survey/note.txt': 'three' });
    const { code, output } = await push(folder, { key, remote: remote() });
    expect(code).not.toBe(0);
    expect(output).toContain('cannot be reached: it refuses connections on port');
    expect((await dokku.ask(name, '/login')).status).toBe(200);
  }, 180_000);

  it('is all well by itself when it is back', async () => {
    await dokku.host.revive();
    await until('it is seen running', async () => (await show()).state === 'running');
    expect((await show()).stateDetail).toBeNull();
    await ada.goto(page());
    await ada.getByText('running', { exact: true }).first().waitFor();
  }, 180_000);

  it('with another key gets nothing, and what to do is said', async () => {
    await until('nothing is under way', async () => (await show()).job === null);
    dokku.host.changeHostKey();
    dokku.host.cut();
    await ada.goto(page());
    await note(/shows another key than before, so nothing was sent to it\./);
    await note(/set DOKKU_HOST_KEY to SHA256:/);
    const before = dokku.host.commands().length;
    const job = await client.run(name, { kind: 'restart' });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'host_key_changed' } });
    await ada.goto(`${dokku.panel.url}/system`);
    await note(/shows another key than before/);
    expect(dokku.host.commands().slice(before)).toEqual([]);
  }, 180_000);

  it('is trusted again by the setting that the sentence named', async () => {
    await dokku.panel.stop();
    await dokku.panel.start({ DOKKU_HOST_KEY: dokku.host.fingerprint() });
    await until('it is seen running', async () => (await show().catch(() => null))?.state === 'running');
  }, 240_000);
});

describe('what a lab does on a Dokku host', () => {
  it('sets the admin password, and oTree takes it', async () => {
    await act(ada, page(), 'Set admin password…');
    await ada.getByLabel('New password').fill('a-password-of-ours');
    await ada.getByRole('button', { name: 'Set password' }).click();
    await seeDone(ada, 'Set admin password');
    const somebody = await visitor(browser, errors);
    expect(await signInToOtree(somebody, dokku.address(name), 'a-password-of-ours')).toBe(true);
    await somebody.context().close();
    await (people[0] as Page).reload();
    await (people[0] as Page).getByText('Your answers are saved.').waitFor();
  }, 240_000);

  it('resets the database only after a verified backup', async () => {
    await act(ada, page(), 'Reset database…');
    await confirm('Reset database');
    await seeDone(ada, 'Reset database');
    expect((await backups())[0]).toMatchObject({ reason: 'before reset', verifiedAt: expect.any(String) });
    expect((await backups())[0]?.rowCounts['otree_participant']).toBe(2);
    await until('oTree answers', async () => (await dokku.ask(name, '/login')).status === 200);
    expect((await client.run(name, { kind: 'back-up' })).state).toBe('succeeded');
    expect((await backups())[0]?.rowCounts['otree_participant']).toBe(0);
  }, 300_000);

  it('stops and starts', async () => {
    await act(ada, page(), 'Stop…');
    await ada.getByRole('button', { name: 'Stop', exact: true }).click();
    await seeDone(ada, 'Stop');
    expect((await dokku.ask(name, '/login')).status).toBe(502);
    await act(ada, page(), 'Start');
    await seeDone(ada, 'Start');
    expect((await dokku.ask(name, '/login')).status).toBe(200);
  }, 240_000);

  it('rolls back to the version before', async () => {
    await ada.goto(page('deploy'));
    await ada.locator('summary', { hasText: '#1' }).click();
    await ada.getByRole('button', { name: 'Roll back to this version…' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Roll back', exact: true }).click();
    await seeDone(ada, 'Roll back');
    expect((await show()).git.current?.message).toBe('Add the experiment');
    expect((await dokku.ask(name, '/login')).status).toBe(200);
  }, 300_000);

  it('deletes, and apps and databases are gone from the host', async () => {
    await act(ada, page(), 'Delete…');
    await confirm('Delete');
    const gone = async (): Promise<boolean> => (await client.get<{ instances: InstanceView[] }>('/instances')).instances.length === 0;
    await until('it is gone', gone, { withinMs: 90_000 });
    expect([...dokku.host.state.apps.keys()]).toEqual(['blog']);
    expect([...dokku.host.state.services.keys()]).toEqual([]);
  }, 240_000);

  it('has sent no secret in a command, asked nothing unknown and shown no error in any page', () => {
    const lines = dokku.host.commands().map(({ line }) => line);
    expect(lines.length).toBeGreaterThan(100);
    expect(secrets.size).toBeGreaterThan(4);
    expect(lines.filter((line) => [...secrets].some((secret) => line.includes(secret)) || /postgres(ql)?:\/\//.test(line))).toEqual([]);
    expect(dokku.host.unrecorded()).toEqual([]);
    expect(errors).toEqual([]);
  });
});
