// An ordinary day of the three readers in a browser: the lab manager, the experimenter, and a participant without JavaScript.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentView } from '../../contracts/instances.ts';
import type { PersonView } from '../../contracts/people.ts';
import { dropFile, packSample, readSample } from './archive.ts';
import { openBrowser, picture, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { until } from './until.ts';
import { act, printTimes, seeDone, signIn } from './walk.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-daily-'));
const password = 'correct horse battery';
const errors: string[] = [];
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let ada: Page;
let grace: Page;

beforeAll(async () => {
  panel = await makePanel();
  await panel.start();
  browser = await openBrowser();
  client = await firstManager(panel);
  const ids: Record<string, string> = {};
  for (const [userName, name] of Object.entries({ grace: 'Grace Hopper', alan: 'Alan Turing' })) {
    const person = { name, userName, email: `${userName}@lab.example`, password, role: 'experimenter' };
    ids[userName] = ((await client.send('POST', '/users', person)).body as PersonView).id;
  }
  await create('trust-game', ids['grace']);
  await create('public-goods', ids['grace']);
  await create('market-entry');
  for (const name of ['trust-game', 'public-goods']) {
    const { state, error } = await client.run(name, { kind: 'deploy-sample' });
    if (state !== 'succeeded') throw new Error(JSON.stringify(error));
  }
  ada = await visitor(browser, errors);
  grace = await visitor(browser, errors);
  await signIn(ada, panel, { login: 'ada', password });
  await signIn(grace, panel, { login: 'grace@lab.example', password });
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

async function create(name: string, ownerId?: string): Promise<void> {
  const { status, body } = await client.send('POST', '/instances', { name, ...(ownerId ? { ownerId } : {}) });
  if (status !== 202) throw new Error(JSON.stringify(body));
  await client.ended((body as { job: { id: string } }).job.id);
}

const at = (name: string, tab = ''): string => `${panel.url}/instances/${name}${tab && `/${tab}`}`;
const address = (name: string): string => `http://${name}.localhost:${panel.port}`;
const cards = (page: Page): Promise<string[]> => page.getByRole('list', { name: 'Instances' }).locator('.card-name').allTextContents();
const row = (page: Page, text: string): Locator => page.getByRole('row').filter({ hasText: text });

describe('the lab manager', { timeout: 180_000 }, () => {
  printTimes();

  it('finds instances by state, words and order, and finds the same after a reload', async () => {
    await client.run('public-goods', { kind: 'stop' });
    await ada.goto(panel.url);
    await expect.poll(() => cards(ada)).toEqual(['market-entry', 'public-goods', 'trust-game']);
    await ada.getByRole('button', { name: 'Other way round' }).click();
    await expect.poll(() => cards(ada)).toEqual(['trust-game', 'public-goods', 'market-entry']);
    await ada.getByLabel('Owner').selectOption({ label: 'Grace Hopper (2)' });
    await expect.poll(() => cards(ada)).toEqual(['trust-game', 'public-goods']);
    await ada.getByLabel('State').selectOption({ label: 'stopped (1)' });
    await ada.getByRole('searchbox', { name: 'Search instances' }).fill('goods');
    await expect.poll(() => cards(ada)).toEqual(['public-goods']);
    await ada.reload();
    await expect.poll(() => cards(ada)).toEqual(['public-goods']);
    expect(await ada.getByRole('searchbox', { name: 'Search instances' }).inputValue()).toBe('goods');
    await ada.getByRole('searchbox', { name: 'Search instances' }).fill('nothing like it');
    await ada.getByText('No instance fits').waitFor();
    await ada.getByRole('link', { name: 'Show all 3' }).click();
    await expect.poll(async () => (await cards(ada)).length).toBe(3);
  });

  it('shares an instance, and hands it over to its new owner', async () => {
    const alan = await visitor(browser, errors);
    await signIn(alan, panel, { login: 'alan', password });
    await alan.getByText('You have no instance yet').waitFor();
    await ada.goto(at('market-entry', 'people'));
    const form = ada.getByRole('form', { name: 'Share with a colleague' });
    await form.getByLabel('Share with').selectOption('alan');
    await form.getByLabel('What they may do').selectOption('view');
    await form.getByRole('button', { name: 'Share' }).click();
    await ada.getByRole('button', { name: 'Stop sharing with Alan Turing' }).waitFor();
    await ada.getByRole('button', { name: 'Hand over…' }).click();
    await ada.getByRole('dialog').getByLabel('New owner').selectOption('grace');
    await ada.getByRole('dialog').getByRole('button', { name: 'Hand over' }).click();
    await ada.getByText('market-entry has a new owner.').waitFor();
    await ada.getByRole('button', { name: 'Stop sharing with Ada' }).waitFor();
    await picture(ada, 'instance-people');
    await alan.goto(at('market-entry'));
    await alan.getByText('Grace Hopper has not pushed a project yet.').waitFor();
    expect(await alan.getByRole('button', { name: 'Actions' }).count(), 'whoever only looks has no actions').toBe(0);
    await alan.goto(at('market-entry', 'data'));
    await alan.getByText('Only Grace Hopper and lab managers see the backups.').waitFor();
    await grace.goto(at('market-entry'));
    await grace.getByText('Waiting for your push…').waitFor();
    await alan.context().close();
  });

  it('writes a note that the owner reads at once', async () => {
    await grace.goto(at('trust-game'));
    await ada.goto(at('trust-game'));
    await ada.getByRole('button', { name: 'Write notes' }).click();
    await ada.getByLabel('Notes for everybody who works on this instance').fill('Thursday 14:00, 24 seats');
    await ada.getByRole('button', { name: 'Save' }).click();
    await grace.getByText('Thursday 14:00, 24 seats').waitFor();
  });

  it('makes a course of three from a pasted list, hands out a link, and deletes it at the end of term', async () => {
    await ada.goto(`${panel.url}/people/course`);
    await ada.getByLabel('Name of the course').fill('Experiments 2026');
    await ada.getByLabel('Names of the instances').fill('exp-{user}');
    await ada.getByLabel(/^People, one in a line/).fill('Ines Ott; ines; ines@uni.example\nJonas Berg\tjonas\tjonas@uni.example\nKim Park, kim');
    await ada.getByRole('button', { name: 'Look it over' }).click();
    await ada.getByText('1 line needs a look.').waitFor();
    await ada.getByLabel(/^People, one in a line/).fill('Ines Ott; ines; ines@uni.example\nJonas Berg\tjonas\tjonas@uni.example\nKim Park, kim@uni.example');
    await ada.getByRole('button', { name: 'Look it over' }).click();
    await ada.getByText('3 people, every line fits.').waitFor();
    await ada.getByRole('button', { name: 'Make accounts and instances for 3 people' }).click();
    await seeDone(ada, 'Create course');
    await row(ada, 'kim@uni.example').getByText('exp-kim').waitFor();
    await picture(ada, 'course');
    await row(ada, 'ines@uni.example').getByRole('button', { name: 'Link for Ines Ott' }).click();
    await ada.getByRole('button', { name: 'Make a link' }).click();
    const link = (await ada.locator('.handed-link code').textContent()) ?? '';
    await ada.getByRole('button', { name: 'Done' }).click();

    const ines = await visitor(browser, errors);
    await ines.goto(link);
    await ines.getByLabel('Password', { exact: true }).fill('a password of mine');
    await ines.getByRole('button', { name: 'Choose password and sign in' }).click();
    await expect.poll(() => cards(ines)).toEqual(['exp-ines']);
    await row(ada, 'ines@uni.example').getByText('accepted', { exact: true }).waitFor();
    await ada.goto(panel.url);
    await expect.poll(() => cards(ada)).toEqual(['exp-ines', 'exp-jonas', 'exp-kim', 'market-entry', 'public-goods', 'trust-game']);
    await picture(ada, 'dashboard', { widths: [1440, 390] });
    await ada.goBack();

    await ada.getByRole('button', { name: 'Delete course…' }).click();
    await ada.getByLabel('Type Experiments 2026 to confirm').fill('Experiments 2026');
    await ada.getByRole('button', { name: 'Delete course', exact: true }).click();
    await ada.getByText('The course Experiments 2026 is deleted').waitFor();
    await ada.goto(panel.url);
    await expect.poll(() => cards(ada)).toEqual(['market-entry', 'public-goods', 'trust-game']);
    await ines.reload();
    await ines.getByRole('button', { name: 'Sign in' }).waitFor();
    await ines.context().close();
  });
});

const settings = readSample('settings.py').replace("DEMO_PAGE_INTRO_HTML = ''", "DEMO_PAGE_INTRO_HTML = environ.get('LAB_MOTTO', '')");
const prolificIds = Array.from({ length: 12 }, (_, index) => `5f${(index + 16).toString(16)}a1b2c3d4e5f60718293a`);
/** Shows an environment variable on the demo page, and brings data that should have stayed at home. */
const careless = { 'settings.py': settings, 'pilot.csv': `participant\n${prolificIds.join('\n')}\n` };
/** Raises where its first page is shown. */
const broken = {
  'settings.py': settings,
  'trust_game/__init__.py': readSample('trust_game/__init__.py').replace(
    'class Introduction(Page):\n    pass',
    "class Introduction(Page):\n    @staticmethod\n    def vars_for_template(player: Player):\n        raise ValueError('the dice have no eyes')",
  ),
};
const deployments = async (): Promise<DeploymentView[]> =>
  (await client.get<{ deployments: DeploymentView[] }>('/instances/trust-game/deployments')).deployments;
const ends = (number: number, state: DeploymentView['state']): Promise<boolean> =>
  until(`deployment ${number} is ${state}`, async () => (await deployments()).some((one) => one.number === number && one.state === state), {
    withinMs: 180_000,
  });

describe('the experimenter', { timeout: 240_000 }, () => {
  printTimes();

  it('drops a .zip and reads the warning about data of participants', async () => {
    await grace.goto(at('trust-game', 'deploy'));
    await dropFile(grace, packSample(home, 'careless', careless));
    await ends(2, 'succeeded');
    const warnings = grace.getByRole('list', { name: 'Warnings of deployment 2' });
    await warnings.getByText('holds 12 ids that look like those of Prolific').waitFor();
    await grace.locator('summary', { hasText: '#1' }).click();
    await grace.getByRole('button', { name: 'Roll back to this version…' }).waitFor();
    await picture(grace, 'deployments');
  });

  it('cancels a deployment by a click, and the running version goes on', async () => {
    await grace.goto(at('trust-game', 'deploy'));
    // Reading its settings takes longer than any click.
    await dropFile(grace, packSample(home, 'too-early', { 'settings.py': `import time\ntime.sleep(25)\n${settings}` }));
    await grace.getByRole('button', { name: 'Cancel', exact: true }).click();
    await ends(3, 'cancelled');
    await grace.getByText('Grace Hopper cancelled this job.').first().waitFor();
    expect((await deployments()).find(({ isCurrent }) => isCurrent)?.number).toBe(2);
  });

  it('sets an environment variable and another auth level; after a restart the experiment has both', async () => {
    const guest = await visitor(browser, errors);
    await guest.goto(`${address('trust-game')}/demo`);
    expect(guest.url(), 'STUDY: oTree asks for the password').toMatch(/\/login/);
    await grace.goto(at('trust-game', 'settings'));
    await grace.getByRole('button', { name: 'Add a variable…' }).click();
    await grace.getByLabel('Name', { exact: true }).fill('lab-motto');
    await grace.getByLabel('Value').fill('We pay in <b>guilders</b>');
    await grace.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await grace.getByRole('alert').filter({ hasText: /./ }).first().waitFor();
    expect(await grace.getByLabel('Value').inputValue(), 'a refused name loses nothing').toBe('We pay in <b>guilders</b>');
    await grace.getByLabel('Name', { exact: true }).fill('LAB_MOTTO');
    await grace.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await grace.getByText('set by Grace Hopper').waitFor();
    expect(await grace.content()).not.toContain('guilders');
    await grace.getByLabel('DEMO', { exact: true }).check();
    await grace.getByRole('button', { name: 'Save', exact: true }).and(grace.locator(':enabled')).click();
    await grace.getByText('Changed since the start').waitFor();
    await picture(grace, 'settings');
    await grace.getByRole('button', { name: 'Restart to apply…' }).click();
    await grace.getByRole('button', { name: 'Restart', exact: true }).click();
    await seeDone(grace, 'Apply environment');
    await guest.goto(`${address('trust-game')}/demo`);
    await guest.getByText('guilders').waitFor();
    expect(guest.url()).toMatch(/\/demo/);
    await guest.context().close();
  });

  it('sees an error of the experiment in the log that she follows and on the overview, and rolls back', async () => {
    await grace.goto(at('trust-game', 'deploy'));
    await dropFile(grace, packSample(home, 'broken', broken));
    await ends(4, 'succeeded');
    // Until the page has it, too, what is below still moves.
    await grace.locator('summary', { hasText: '#4' }).getByText('current', { exact: true }).waitFor();
    await grace.getByText('What the experiment writes while it runs').click();
    const log = grace.getByRole('log', { name: 'runtime log' });
    await log.getByText('started as process').first().waitFor();
    const session = { sessionConfigName: 'trust_game', numParticipants: 2 };
    expect((await client.send('POST', '/instances/trust-game/rooms/lab/sessions', session)).status).toBe(201);
    const participant = await visitor(browser, []);
    await participant.goto(`${address('trust-game')}/room/lab?participant_label=seat_1&welcome_page_ok=1`);
    await log.getByText('ValueError: the dice have no eyes').first().waitFor();
    await participant.context().close();
    await grace.goto(at('trust-game'));
    await grace.getByRole('heading', { name: 'Last error of the experiment' }).waitFor();
    await grace.getByText('ValueError: the dice have no eyes').first().waitFor();

    await grace.goto(at('trust-game', 'deploy'));
    await grace.locator('summary', { hasText: '#2' }).click();
    await grace.getByRole('button', { name: 'Roll back to this version…' }).click();
    const dialog = grace.getByRole('dialog');
    await dialog.getByLabel('Why now?').fill('The first page is broken.');
    await dialog.getByRole('button', { name: 'Roll back', exact: true }).click();
    await seeDone(grace, 'Roll back');
    expect((await deployments()).find(({ isCurrent }) => isCurrent)?.number).toBe(2);
  });

  it('reads who did what on her instance', async () => {
    await grace.goto(at('trust-game'));
    for (const text of [/set LAB_MOTTO/, /Reason: The first page is broken\./, /changed the notes/]) await grace.getByText(text).first().waitFor();
    await picture(grace, 'overview', { widths: [1440, 390] });
  });
});

describe('the participant, on a phone without JavaScript', { timeout: 180_000 }, () => {
  printTimes();

  it('the experiment is started again first', async () => {
    await act(grace, at('public-goods'), 'Start');
    await seeDone(grace, 'Start');
  });

  it.each([
    { locale: 'de-DE', seat: 'seat_1', ready: 'Ich bin bereit', next: 'Den nächsten freien Platz nehmen' },
    { locale: 'fr-FR', seat: 'seat_2', ready: 'Je suis prêt', next: '' },
  ])('reads $locale, clicks, and lands in the room of oTree', async ({ locale, seat, ready, next }) => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, javaScriptEnabled: false, locale });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(`${panel.url}/lobby/public-goods/lab${next === '' ? `/${seat}` : ''}`);
    if (next !== '') await page.getByRole('button', { name: next }).click();
    await page.getByRole('button', { name: new RegExp(ready) }).click();
    await page.waitForURL(new RegExp(`^${address('public-goods')}/room/lab.*participant_label=${seat}`));
    await page.getByRole('heading').first().waitFor();
    await context.close();
  });

  it('nobody has seen an error in a page', () => {
    expect(errors).toEqual([]);
  });
});
