// The chain with instances in containers, in every address mode: create, push, Lobby, play while one part after the other is killed, password, reset, roll back, delete.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
import { askDatabase, nginxPids, panelProcesses } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { freePorts } from '../free-ports.ts';
import { playBargain } from './play.ts';
import { type Fault, type Outcome, printOutcomes, statusAt, suffer } from './swarm-faults.ts';
import { until } from './until.ts';
import { act, printTimes, seeDone, signIn, signInToOtree } from './walk.ts';

const engine = await engineForTests();
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const name = 'trust-game';

describe.skipIf(engine === null)('a panel whose experiments run in containers', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-swarm-walk-'));
  const folder = path.join(home, 'project');
  const errors: string[] = [];
  const outcomes: Outcome[] = [];
  let panel: WholePanel;
  let browser: Browser;
  let client: PanelClient;
  let ada: Page;
  let games = 0;
  let key: Key;

  beforeAll(async () => {
    const [paths = 0, first = 0] = (await freePorts(12)).toSorted((one, two) => one - two);
    panel = await makePanel({
      INSTANCE_PORTS: `${first}-${first + 9}`,
      PATH_URL: `http://localhost:${paths}/otree`,
      PATH_PORT: String(paths),
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
  }, 480_000);

  afterAll(async () => {
    printOutcomes(outcomes);
    await browser?.close();
    await panel?.remove();
    await engine?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 240_000);

  printTimes();

  const remote = (): string => `ssh://git@localhost:${panel.gitPort}/${name}.git`;
  const page = (tab = ''): string => `${panel.url}/instances/${name}${tab && `/${tab}`}`;
  let address = '';
  const show = (): Promise<InstanceView> => client.get(`/instances/${name}`);
  const password = async (): Promise<string> => (await client.get<{ password: string }>(`/instances/${name}/admin-password`)).password;
  const backups = async (): Promise<BackupView[]> => (await client.get<{ backups: BackupView[] }>(`/instances/${name}/backups`)).backups;
  const containers = async () => (await engine?.docker.listContainers()) ?? [];
  const ask = async (where: string): Promise<number> => await statusAt(`${address}${where}`);
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
    address = (await show()).url;
    expect(address).toBe(`http://${name}.localhost:${panel.port}`);
  }, 240_000);

  it('shows the build of the first push in terminal and page, and then the experiment at its address', async () => {
    const { code, output } = await push(folder, { key, remote: remote() });
    expect(code, output).toBe(0);
    expect(output).toContain('Installing packages');
    expect(output).toContain(`${name} is running: ${address}`);
    await ada.getByText('running', { exact: true }).first().waitFor();
    const somebody = await visitor(browser, errors);
    expect(await signInToOtree(somebody, address, await password())).toBe(true);
    await somebody.context().close();
  }, 480_000);

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
  }, 480_000);

  /** Two more people from the Lobby into a session and to its end; the faults happen between two rounds. */
  async function walk(mode: 'subdomain' | 'port' | 'path', faults: readonly Fault[]): Promise<void> {
    const at = 2 * games;
    games += 1;
    const labels = (await show()).rooms.find((room) => room.name === 'lab')?.labels?.slice(at, at + 2) ?? [];
    await ada.goto(page('rooms'));
    const form = ada.getByRole('form', { name: 'Create a session in Room 114' });
    await form.getByLabel('Participants').fill('2');
    await form.getByRole('button', { name: 'Create session' }).click();
    await form.getByText('is open in this room').last().waitFor();
    // The one of before is open there, too, until then.
    await until('the session is made', async () => (await askDatabase(panel, name, 'SELECT code FROM otree_session')).length === games);
    const people: Page[] = [];
    for (const label of labels) {
      const participant = await visitor(browser, errors);
      await participant.goto(`${panel.url}/lobby/${name}/lab/${label}`);
      await participant.getByRole('button').first().click();
      people.push(participant);
    }
    await Promise.all(people.map((participant) => participant.waitForURL((url) => url.href.startsWith(`${address}/p/`))));
    await playBargain(people[0] as Page, people[1] as Page, async () => {
      for (const fault of faults) {
        const outcome = await suffer({ panel, instance: name, mode, people }, fault);
        outcomes.push(outcome);
        expect(outcome.lost, fault.killed).toEqual([]);
      }
      for (const participant of people) await participant.reload();
    });
    for (const participant of people) {
      await participant.getByText('Your answers are saved.').waitFor();
      await participant.context().close();
    }
    await until('it is seen running', async () => (await show()).state === 'running', { withinMs: 120_000 });
  }

  const newAddress = async (mode: 'port' | 'path'): Promise<void> => {
    const job = await client.run(name, { kind: 'change-address', mode, keepsOld: false, reason: 'the walk' });
    expect(job, JSON.stringify(job.error)).toMatchObject({ state: 'succeeded' });
    address = (await show()).url;
  };

  /** Told from what was there when it was killed. */
  const anew = (killed: string, kill: (ids: readonly string[]) => Promise<void> | void, more: Pick<Fault, 'mend'> = {}): Fault => {
    let before: readonly string[] = [];
    return {
      killed,
      kill: async () => {
        before = (await containers()).map(({ Id }) => Id);
        await kill(before);
      },
      isBack: async () => (await containers()).some(({ Id }) => !before.includes(Id)) && (await show()).state === 'running' && !isAway(await show()),
      ...more,
    };
  };
  const isAway = (instance: InstanceView): boolean => (instance.stateDetail ?? '').includes('does not answer');

  const container = anew('the container', async (ids) => {
    for (const id of ids) process.kill((await engine?.docker.getContainer(id).inspect())?.State.Pid ?? 0, 'SIGKILL');
  });
  /** What the page and the experiment do while there is no engine. */
  async function liveWithoutEngine(): Promise<void> {
    await ada.goto(panel.url);
    const words = ada.getByText(/The Docker Engine does not answer since \d\d:\d\d UTC/).first();
    await words.waitFor({ timeout: 60_000 });
    expect(await ask('/login')).toBe(200);
    const refused = { state: 'failed', error: { sentence: expect.stringContaining('the Docker Engine does not answer') } };
    expect(await client.run(name, { kind: 'restart', reason: 'the walk' })).toMatchObject(refused);
    await engine?.revive();
  }

  const dockerd = anew('dockerd', () => void process.kill(engine?.pid() ?? 0, 'SIGKILL'), { mend: liveWithoutEngine });
  const nginx: Fault = {
    killed: 'nginx',
    kill: () => {
      for (const pid of nginxPids(panel)) process.kill(pid, 'SIGKILL');
    },
    isBack: async () => (await ask('/login')) === 200,
  };
  const wholePanel: Fault = {
    killed: 'the panel',
    kill: () => {
      for (const pid of [panel.pid(), ...panelProcesses(panel)]) process.kill(pid, 'SIGKILL');
    },
    mend: async () => await panel.start(),
    isBack: async () => (await fetch(`${panel.url}/readyz`)).status === 200 && (await show()).state === 'running',
  };

  it('two play at a sub-domain, over the death of their container', async () => {
    await walk('subdomain', [container]);
  }, 480_000);

  it('two play at a port, over the death of the engine, which the page tells meanwhile, and of nginx', async () => {
    await newAddress('port');
    expect(address).toMatch(/^http:\/\/localhost:\d+$/);
    await walk('port', [dockerd, nginx]);
  }, 480_000);

  it('two play below a path, over the death of the whole panel', async () => {
    await newAddress('path');
    expect(address).toMatch(/\/otree\/trust-game$/);
    await walk('path', [wholePanel]);
  }, 480_000);

  it('sets the admin password, resets after a verified backup, stops, starts, and rolls back', async () => {
    await act(ada, page(), 'Set admin password…');
    await ada.getByLabel('New password').fill('a-password-of-ours');
    await ada.getByRole('button', { name: 'Set password' }).click();
    await seeDone(ada, 'Set admin password');
    const somebody = await visitor(browser, errors);
    expect(await signInToOtree(somebody, address, 'a-password-of-ours')).toBe(true);
    await somebody.context().close();
    await act(ada, page(), 'Reset database…');
    await confirm('Reset database');
    await seeDone(ada, 'Reset database');
    expect((await backups())[0]).toMatchObject({ reason: 'before reset', verifiedAt: expect.any(String) });
    expect((await backups())[0]?.rowCounts['otree_participant']).toBe(6);
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
  }, 480_000);

  it('moves out of its container by a button, which says what will be, and nothing is left there', async () => {
    await ada.goto(page('settings'));
    await ada.getByRole('button', { name: 'Run it as a process of this machine…' }).click();
    await ada.getByRole('dialog').getByText('Data, address, passwords, rooms, links and backups stay as they are.').waitFor();
    await ada.getByRole('dialog').getByRole('button', { name: 'Move', exact: true }).click();
    await seeDone(ada, 'Move to another platform');
    await ada.getByRole('button', { name: 'Run it in a container…' }).waitFor();
    expect((await show()).platform).toMatchObject({ kind: 'local', canMoveTo: 'swarm' });
    expect(await containers()).toEqual([]);
    const somebody = await visitor(browser, errors);
    expect(await signInToOtree(somebody, address, 'a-password-of-ours')).toBe(true);
    await somebody.context().close();
    expect((await backups())[0]).toMatchObject({ reason: 'before move', verifiedAt: expect.any(String) });
  }, 300_000);

  it('deletes, and nothing is left on the engine', async () => {
    await act(ada, page(), 'Delete…');
    await confirm('Delete');
    await until('it is gone', async () => (await client.get<{ instances: InstanceView[] }>('/instances')).instances.length === 0, { withinMs: 180_000 });
    expect(await engine?.docker.listServices()).toEqual([]);
    expect(await engine?.docker.listSecrets()).toEqual([]);
    expect(await engine?.docker.listContainers({ all: true })).toEqual([]);
    expect((await engine?.docker.listImages())?.flatMap(({ RepoTags }) => RepoTags ?? [])).toEqual([BASE_IMAGE]);
    expect(errors).toEqual([]);
  }, 240_000);
});
