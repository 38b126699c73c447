// Two hosts and two people in the middle of a game: the host of their experiment is cut off, then another time loses its power. What they see, for how long, and that nothing is lost or runs twice.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type Docker from 'dockerode';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostsView } from '../../contracts/hosts.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { LABEL } from '../../platforms/swarm/names.ts';
import { BASE_IMAGE, engineForTests, PRIVATE } from '../docker-engine.ts';
import { joinSwarm, SECOND_NAME, type SecondHost, startSecondHost } from '../second-host.ts';
import { packSample } from './archive.ts';
import { openBrowser, picture, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { askDatabase } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { type Fault, type Outcome, printOutcomes, suffer } from './swarm-faults.ts';
import { until } from './until.ts';
import { printTimes, signIn } from './walk.ts';

const engine = await engineForTests();
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const name = 'trust-game';

describe.skipIf(engine === null)('a panel with a second host', () => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-hosts-walk-'));
  const errors: string[] = [];
  const outcomes: Outcome[] = [];
  let second: SecondHost;
  let panel: WholePanel;
  let browser: Browser;
  let client: PanelClient;
  let ada: Page;
  let sender: Page;
  let receiver: Page;

  beforeAll(async () => {
    second = await startSecondHost();
    panel = await makePanel({
      PLATFORM: 'swarm',
      DOCKER_SOCKET: engine?.socket ?? '',
      SWARM_BASE_IMAGES: BASE_IMAGE,
      SWARM_ADVERTISE_ADDRESS: PRIVATE.first,
      SWARM_REGISTRY: PRIVATE.registry,
      ...(existsSync(certificates) ? { PIP_CERT: certificates } : {}),
    });
    browser = await openBrowser();
    await panel.start();
    client = await firstManager(panel);
    if (engine !== null) await joinSwarm(engine.docker, second.docker);
    ada = await visitor(browser, errors);
    await signIn(ada, panel, { login: 'ada', password: 'correct horse battery' });
  }, 480_000);

  afterAll(async () => {
    printOutcomes(outcomes);
    await browser?.close();
    await panel?.remove();
    await second?.stop();
    await engine?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 240_000);

  printTimes();

  const show = (): Promise<InstanceView> => client.get(`/instances/${name}`);
  const hosts = async (): Promise<HostsView['hosts']> => (await client.get<HostsView>('/system/hosts')).hosts;
  /** Name of the host that the experiment runs on. */
  const where = async (): Promise<string | undefined> => (await hosts()).find(({ instances }) => instances.length > 0)?.name;
  const own = async (): Promise<string> => (await hosts()).find(({ isPanelHost }) => isPanelHost)?.name ?? '';
  /** A host's row on the page System. */
  const rowOf = (host: string): Locator => ada.getByRole('region', { name: 'Hosts' }).getByRole('row').filter({ hasText: host });
  /** What the instance's page says of its host. */
  const hostFact = (): Locator =>
    ada
      .getByRole('region', { name: 'Now' })
      .locator('dl > div')
      .filter({ has: ada.getByText('Host', { exact: true }) });
  const ofInstance = async (docker: Docker | undefined, part: 'serve' | 'gate') =>
    (await docker?.listContainers({ filters: { label: [`${LABEL.part}=${part}`] } })) ?? [];
  /** Containers of the experiment that run on either host. */
  const running = async (): Promise<number> => (await ofInstance(engine?.docker, 'serve')).length + (await ofInstance(second.docker, 'serve')).length;

  async function empty(host: string, reason?: string): Promise<void> {
    await ada.goto(`${panel.url}/system`);
    await rowOf(host).getByRole('button', { name: 'Empty…' }).click();
    if (reason !== undefined) await ada.getByLabel('Why now?').fill(reason);
    await ada.getByRole('button', { name: 'Empty this host' }).click();
    await rowOf(host).getByText('takes no instances').waitFor();
  }
  async function useAgain(host: string): Promise<void> {
    await rowOf(host)
      .getByRole('button', { name: /Use\sagain/ })
      .click();
    await rowOf(host).getByText('ready', { exact: true }).waitFor();
  }

  /** Addresses that hold a connection to the database through the gate (`/proc/PID/net/tcp` of its container: local port 5432, established). */
  async function databaseOwners(): Promise<string[]> {
    const [gate] = await ofInstance(engine?.docker, 'gate');
    const { State } = (await engine?.docker.getContainer(gate?.Id ?? '').inspect()) ?? { State: { Pid: 0 } };
    const lines = readFileSync(`/proc/${State.Pid}/net/tcp`, 'utf8').split('\n').slice(1);
    const ends = lines.map((line) => line.trim().split(/\s+/)).filter(([, local, , state]) => local?.endsWith(':1538') === true && state === '01');
    return [...new Set(ends.map(([, , remote]) => remote?.split(':')[0] ?? ''))];
  }
  const runsOnce = async (): Promise<void> => {
    await until('one container runs, and no other', async () => (await running()) === 1, { withinMs: 120_000 });
    await until('it alone has connections to the database', async () => (await databaseOwners()).length === 1);
  };

  /** All is well when it runs on the panel's own host and both pages are there. */
  const away = (killed: string, lose: () => Promise<void>, mend: () => Promise<void>): Fault => ({
    killed,
    kill: lose,
    mend,
    isBack: async () => (await where()) === (await own()) && (await show()).state === 'running',
  });

  it('starts the experiment on the other host, because its own takes none', async () => {
    await ada.goto(`${panel.url}/system`);
    await rowOf(SECOND_NAME).getByText('ready', { exact: true }).waitFor();
    await empty(await own());
    await client.create(name);
    expect(await client.upload(name, packSample(home, 'first'))).toMatchObject({ state: 'succeeded' });
    expect(await where()).toBe(SECOND_NAME);
    await rowOf(SECOND_NAME).getByRole('link', { name }).click();
    // <dt>Host</dt><dd>NAME</dd>, on the instance's own page.
    await hostFact().getByText(SECOND_NAME, { exact: true }).waitFor();
    await ada.goto(`${panel.url}/system`);
    await rowOf(SECOND_NAME).getByRole('link', { name }).waitFor();
    await picture(ada, 'hosts', { widths: [390], of: ada.getByRole('region', { name: 'Hosts' }) });
  }, 300_000);

  it('two begin to play there', async () => {
    const body = { sessionConfigName: 'trust_game', numParticipants: 2 };
    await until('oTree takes a session', async () => (await client.send('POST', `/instances/${name}/rooms/lab/sessions`, body)).status === 201);
    const people: Page[] = [];
    for (const label of ['seat_1', 'seat_2']) {
      const participant = await visitor(browser, errors);
      await participant.goto(`${panel.url}/lobby/${name}/lab/${label}`);
      await participant.getByRole('button').first().click();
      await participant.waitForURL(/\/p\//);
      await participant.locator('.otree-btn-next').click();
      people.push(participant);
    }
    await Promise.all(people.map((page) => page.locator('[name=sent]').or(page.getByText('The sender is deciding.')).first().waitFor()));
    const isSender = (await (people[0] as Page).locator('[name=sent]').count()) > 0;
    [sender, receiver] = (isSender ? people : people.toReversed()) as [Page, Page];
    await receiver.getByText('The sender is deciding.').waitFor();
  }, 240_000);

  it('its host is cut off: the form that is sent meanwhile meets “one moment”, and both play on', async () => {
    await useAgain(await own());
    const sendMeanwhile = async (): Promise<void> => {
      await sender.locator('[name=sent]').fill('4');
      await sender.locator('.otree-btn-next').click();
      await sender.getByText('One moment…').waitFor({ timeout: 90_000 });
      await rowOf(SECOND_NAME).getByText('down', { exact: true }).waitFor({ timeout: 90_000 });
    };
    const outcome = await suffer(
      { panel, instance: name, mode: 'sub-domain', people: [sender, receiver] },
      away('cable of the host', async () => await second.cut(true), sendMeanwhile),
    );
    outcomes.push(outcome);
    expect(outcome.lost).toEqual([]);
    expect(await running(), 'the old one runs on behind the cut').toBe(2);
    expect(await databaseOwners()).toHaveLength(1);
    // Its own page came back: what was not taken is typed once more, in the same page.
    await sender.locator('[name=sent]').waitFor();
    await sender.locator('[name=sent]').fill('4');
    await sender.locator('.otree-btn-next').click();
    await sender.getByText('The receiver is deciding.').waitFor();
    await receiver.getByText('12 points reached you').waitFor();
  }, 300_000);

  it('its host is back: the old container ends, and nothing runs twice', async () => {
    await second.cut(false);
    await rowOf(SECOND_NAME).getByText('ready', { exact: true }).waitFor({ timeout: 60_000 });
    await runsOnce();
    expect(await ofInstance(second.docker, 'serve')).toEqual([]);
  }, 300_000);

  it('their host is emptied while they play, for a reason, and the experiment moves', async () => {
    await empty(await own(), 'a new disk');
    await until('it runs on the second host', async () => (await where()) === SECOND_NAME && (await show()).state === 'running', { withinMs: 120_000 });
    await runsOnce();
    await useAgain(await own());
  }, 300_000);

  it('its host loses its power: both play to the end in the same pages', async () => {
    const outcome = await suffer(
      { panel, instance: name, mode: 'sub-domain', people: [sender, receiver] },
      away('the host', second.lose, async () => {
        await rowOf(SECOND_NAME).getByText('down', { exact: true }).waitFor({ timeout: 90_000 });
        await receiver.reload();
      }),
    );
    outcomes.push(outcome);
    expect(outcome.lost).toEqual([]);
    await receiver.locator('[name=returned]').waitFor({ timeout: 60_000 });
    await receiver.locator('[name=returned]').fill('6');
    await receiver.locator('.otree-btn-next').click();
    for (const page of [sender, receiver]) await page.getByText('Thank you for playing.').waitFor();
    expect(await askDatabase(panel, name, 'SELECT sent, returned FROM trust_game_group')).toEqual([{ sent: '4', returned: '6' }]);
  }, 300_000);

  it('its host, kept empty while it is down, takes none when it is there again, then does, and nothing runs twice', async () => {
    const row = rowOf(SECOND_NAME);
    await row.getByText('What ran there is started again on other hosts').waitFor();
    expect(await row.getByRole('button').allTextContents()).toEqual(['Keep\u00a0empty…', 'Remove…']);
    await row.getByRole('button', { name: /Keep\sempty/ }).click();
    await ada.getByRole('button', { name: 'Keep it empty' }).click();
    await row.getByText('it takes none until').waitFor();
    await second.revive();
    await row.getByText('takes no instances', { exact: true }).waitFor({ timeout: 90_000 });
    await useAgain(SECOND_NAME);
    await runsOnce();
    expect([await where(), await ofInstance(second.docker, 'serve')]).toEqual([await own(), []]);
    expect(errors).toEqual([]);
  }, 300_000);
});
