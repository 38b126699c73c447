// Every page with a screen reader's eyes, at a telephone's width, by day and by night: axe-core finds nothing, nothing runs out of the page.

import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../contracts/jobs.ts';
import { makeLabels } from '../../contracts/rooms.ts';
import { packSample } from './archive.ts';
import { openBrowser } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { fillLastHours } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let cookie: { name: string; value: string };
let courseId = '';
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-care-'));

beforeAll(async () => {
  panel = await makePanel();
  await panel.start();
  browser = await openBrowser();
  client = await firstManager(panel);
  cookie = client.cookie();
  await client.create('trust-game');
  await client.create('empty-one');
  // Two versions, so that there is one to go back to.
  for (const version of ['one', 'two']) {
    const { state, error } = await client.upload('trust-game', packSample(home, version));
    if (state !== 'succeeded') throw new Error(JSON.stringify(error));
  }
  await client.run('trust-game', { kind: 'back-up', note: 'after session 3' });
  await fillPanel();
  await fillLastHours(panel, 'trust-game');
}, 400_000);

/** What a panel in use has: people, a course, a room with 24 seats, variables, a legal page, a share, something deleted. */
async function fillPanel(): Promise<void> {
  const done = async (method: string, where: string, body?: unknown): Promise<unknown> => {
    const answer = await client.send(method, where, body);
    if (answer.status >= 300) throw new Error(`${method} ${where}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await done('POST', '/users', { name: 'Grace Hopper', userName: 'grace', email: 'grace@lab.example', role: 'experimenter' });
  await done('POST', '/users', { name: 'Alan Turing', userName: 'alan', email: 'alan@lab.example', role: 'experimenter', password: 'sealing wax' });
  await done('POST', '/instances/trust-game/shares', { login: 'grace', level: 'view' });
  const plan = { name: 'Experiments 2026', pattern: 'exp-{user}', list: 'Ines Ott; ines; ines@uni.example\nJonas Berg; jonas; jonas@uni.example' };
  const course = (await done('POST', '/courses', plan)) as { courseId: string; job: JobView };
  ({ courseId } = course);
  await client.ended(course.job.id);
  await client.create('short-lived');
  await client.run('short-lived', { kind: 'delete', confirm: 'short-lived' });
  await done('PATCH', '/instances/trust-game/environment', { set: [{ name: 'API_KEY', value: 'secret' }] });
  await done('PATCH', '/legal/imprint', { text: '# Imprint\n\nThe **lab**, [its page](https://lab.example)\n\n- one\n- two', seenAt: null });
  for (const instance of ['trust-game', 'empty-one']) {
    const room = { displayName: 'Hall 3', labels: makeLabels('A', 24).join('\n'), usesSecureUrls: false, since: null };
    await done('PUT', `/instances/${instance}/rooms/hall`, room);
  }
  const codes = { done: 'C1ABC23D', noConsent: 'C2NO', expectedPeople: 40, startsAt: '2026-03-01T09:00:00Z' };
  await done('PUT', '/instances/trust-game/recruiting', { room: 'hall', recruitment: { kind: 'prolific', settings: codes }, since: null });
  await done('PUT', '/instances/trust-game/recruiting', { room: '', recruitment: { kind: 'mturk' }, since: null });
  await done('PUT', '/instances/trust-game/rooms/credits', { displayName: 'For credits', labels: null, usesSecureUrls: false, since: null });
  const creditUrl = 'https://lab.sona-systems.com/webstudy_credit.aspx?experiment_id=123&credit_token=4e48f9b638a94d0b8a72d4b2a04bb5c7';
  await done('PUT', '/instances/trust-game/recruiting', { room: 'credits', recruitment: { kind: 'sona', settings: { creditUrl } }, since: null });
  await done('PUT', '/me/requester-key', { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' });
  for (const label of ['A01', 'A02', 'A03']) await fetch(`${panel.url}/lobby/trust-game/hall/${label}`);
  for (const label of ['A01', 'A02']) await ready('trust-game', label);
  await ready('empty-one', 'A01');
}

const ready = (instance: string, label: string): Promise<Response> =>
  fetch(`${panel.url}/lobby/${instance}/hall/${label}/ready`, { method: 'POST', headers: { origin: panel.url }, redirect: 'manual' });

afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

type Axe = { run(options: object): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }> };

/** Rules of WCAG 2.2 AA and axe's own best practices. */
async function findProblems(page: Page, leftOut: readonly string[]): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async (rules) => {
    const options = { resultTypes: ['violations'], rules: Object.fromEntries(rules.map((rule) => [rule, { enabled: false }])) };
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run(options);
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html.slice(0, 200)}\n  ${failureSummary}`));
  }, leftOut);
}

/** What sticks out to the right of the page and is not inside something that scrolls by itself. */
const findOverflow = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element: Element | null): boolean =>
      element !== null && element !== document.body && (/auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > width + 1 && element.getClientRects().length > 0 && !scrolls(element.parentElement))
      .slice(0, 5)
      .map((element) => element.outerHTML.slice(0, 160));
  });

const looks = [
  { width: 1440, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const;

type Wish = {
  isSignedIn?: boolean;
  /** Brings the page into the state that is looked at. */
  open?: (page: Page) => Promise<unknown>;
  /** Rules of axe that the page may break, with the reason where it is said. */
  leftOut?: readonly string[];
};

/** Opens the page at both looks and says everything that is wrong with it. */
async function inspect(where: string, { isSignedIn = true, open, leftOut = [] }: Wish = {}): Promise<string[]> {
  const problems: string[] = [];
  for (const { width, colorScheme } of looks) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' });
    try {
      if (isSignedIn) await context.addCookies([{ ...cookie, domain: 'localhost', path: '/' }]);
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      page.on('pageerror', (error) => problems.push(`${where}: ${error.message}`));
      await page.goto(`${panel.url}${where}`);
      await page.locator('h1').first().waitFor();
      // The dashboard's socket never rests; its first answers do.
      await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
      await open?.(page);
      await page.waitForFunction(() => !document.querySelector('.waiting'));
      await shoot(page, `${expect.getState().currentTestName}-${width}`);
      const found = [...(await findProblems(page, leftOut)), ...(await findOverflow(page)).map((html) => `runs out of the page: ${html}`)];
      problems.push(...found.map((text) => `${where} at ${width} px, ${colorScheme}: ${text}`));
    } finally {
      await context.close();
    }
  }
  return problems;
}

/** With `ARBORETUM_SHOTS=FOLDER`: what was inspected, to be looked at. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['ARBORETUM_SHOTS'];
  if (!folder) return;
  const isModal = await page.evaluate(() => document.querySelector('dialog[open]') !== null);
  await page.screenshot({ path: path.join(folder, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.png`), fullPage: !isModal });
}

const press =
  (...names: readonly (string | RegExp)[]) =>
  async (page: Page): Promise<void> => {
    for (const name of names)
      await page
        .getByRole('button', { name, exact: typeof name === 'string' })
        .first()
        .click();
    await page.getByRole('dialog').waitFor();
  };

describe('the pages of a signed-in person', () => {
  it.each([
    '/',
    '/?q=nothing-of-this-name',
    '/instances/new',
    '/instances/trust-game',
    '/instances/trust-game/deploy',
    '/instances/trust-game/rooms',
    '/instances/trust-game/recruit?room=hall',
    '/instances/trust-game/recruit?room=credits',
    '/instances/trust-game/recruit?room=-mturk',
    '/instances/trust-game/preflight?room=hall',
    '/instances/trust-game/preflight?room=credits',
    '/instances/trust-game/preflight?room=&people=20',
    '/instances/empty-one/preflight',
    '/instances/trust-game/data',
    '/instances/trust-game/people',
    '/instances/trust-game/settings',
    '/instances/empty-one',
    '/instances/empty-one/rooms',
    '/instances/empty-one/recruit',
    '/instances/empty-one/data',
    '/instances/empty-one/people',
    '/instances/empty-one/settings',
    '/instances/nowhere',
    '/jobs',
    '/people',
    '/people/course',
    '/people/courses/nowhere',
    '/deleted-instances',
    '/keys',
    '/account',
    '/system',
    '/system/check',
    '/first-run/platform',
    '/about',
    '/nowhere',
  ])('%s', async (where) => {
    expect(await inspect(where)).toEqual([]);
  });

  it('a course', async () => {
    expect(await inspect(`/people/courses/${courseId}`, { open: (page) => page.getByText('exp-ines').waitFor() })).toEqual([]);
  });

  it('a job with its log', async () => {
    const { jobs } = await client.get<{ jobs: JobView[] }>('/instances/trust-game/jobs');
    const deploy = jobs.find(({ kind }) => kind === 'deploy');
    expect(await inspect(`/jobs/${deploy?.id}`, { open: (page) => page.getByRole('log').waitFor() })).toEqual([]);
  });

  it('the sheet to print', async () => {
    expect(await inspect('/api/v1/instances/trust-game/rooms/hall/sheet')).toEqual([]);
  });
});

describe('what opens on a page', () => {
  const rooms = '/instances/trust-game/rooms';
  const settings = '/instances/trust-game/settings';
  const recruit = '/instances/trust-game/recruit?room=hall';
  it.each<[string, string, (page: Page) => Promise<unknown>]>([
    ['a new room with labels that are none', rooms, newRoom],
    ['editing a room', rooms, press('Edit room… Hall 3')],
    ['removing a room', rooms, press('Remove room… Hall 3')],
    ['clearing the Lobby', rooms, press('Clear the Lobby…')],
    ['files of a room', rooms, (page) => page.getByText('Shortcuts, QR codes and links').first().click()],
    ['recruiting: letting a room take any label', recruit, press('Let the room take any label…')],
    ['recruiting: a code that is none', recruit, wrongCode],
    ['recruiting: lines for the project', recruit, (page) => page.locator('summary', { hasText: 'Lines for the last page' }).click()],
    ['recruiting: a test click that is turned away', recruit, testClick],
    ['recruiting: a file that is none', recruit, wrongExport],
    ['adding a variable', settings, press('Add a variable…')],
    ['pasting variables', settings, press('Paste several lines…')],
    ['removing a variable', settings, press('Remove API_KEY')],
    ['a variable that is shown', settings, (page) => page.getByRole('button', { name: 'Show API_KEY' }).click()],
    ['limits that are none', settings, wrongLimits],
    ['the admin password', settings, press('Set admin password…')],
    ['a reset', '/instances/trust-game/data', press('Reset database…')],
    ['a backup', '/instances/trust-game/data', press('Back up…')],
    ['a restore', '/instances/trust-game/data', press(/^Restore the backup/)],
    ['deleting a backup', '/instances/trust-game/data', press(/^Delete the backup/)],
    ['a roll back', '/instances/trust-game/deploy', rollBack],
    ['the log of a deployment', '/instances/trust-game/deploy', (page) => page.locator('summary', { hasText: '#1' }).click()],
    ['the runtime log', '/instances/trust-game/deploy', (page) => page.getByText('What the experiment writes').click()],
    ['handing over', '/instances/trust-game/people', press('Hand over…')],
    ['ending a share', '/instances/trust-game/people', press(/^Stop sharing/)],
    ['the menu of actions', '/instances/trust-game', (page) => page.getByRole('button', { name: 'Actions' }).click()],
    ['deleting an instance', '/instances/trust-game/settings', press('Delete…')],
    ['the last hours and their numbers', '/instances/trust-game', lastHours],
    ['writing notes', '/instances/trust-game', (page) => page.getByRole('button', { name: 'Write notes' }).click()],
    ['the table of instances', '/', table],
    ['notifications', '/instances/trust-game', notifications],
    ['adding a person', '/people', press('Add a person…')],
    ['a link to hand over', '/people', handLink],
    ['deleting a person', '/people', choose('Delete…')],
    ['disabling a person', '/people', choose('Disable…')],
    ['editing a person', '/people', choose('Edit…')],
    ['a course list with a mistake', '/people/course', courseList],
    ['a system check', '/system/check', systemCheck],
    ['a legal text', '/system', (page) => page.locator('summary', { hasText: 'Imprint' }).click()],
    ['a key that is none', '/keys', wrongKey],
  ])('%s', async (_, where, open) => {
    expect(await inspect(where, { open })).toEqual([]);
  });

  it('deleting a course', async () => {
    expect(await inspect(`/people/courses/${courseId}`, { open: press('Delete course…') })).toEqual([]);
  });
});

/** As drawn, with what was made of them in words, and as a table. */
async function lastHours(page: Page): Promise<void> {
  const part = page.getByRole('region', { name: 'Last hours' });
  await part.getByText('Out of memory: it used more than it may').waitFor();
  await part.getByText('If they waited, a faster core helps').waitFor();
  await part.getByRole('img', { name: /^Core/ }).waitFor();
  await part.getByRole('button', { name: '48 h' }).click();
  await part.locator('[aria-pressed=true]', { hasText: '48 h' }).waitFor();
  await part.locator('summary').filter({ hasText: 'as a table' }).click();
  await part.getByRole('cell', { name: '1 time, out of memory' }).waitFor();
}

/** By buttons that say which of them is pressed. */
async function table(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Table', pressed: false }).click();
  await page.getByRole('button', { name: 'Table', pressed: true }).waitFor();
  await page.getByRole('button', { name: 'Cards', pressed: false }).waitFor();
}

async function newRoom(page: Page): Promise<void> {
  await press('New room…')(page);
  await page.getByLabel('Name', { exact: true }).fill('lab-2');
  await page.getByRole('textbox', { name: 'Labels' }).fill('A01\nA-02');
  await page.getByRole('button', { name: 'Save room' }).click();
  await page.getByText('Line 2: “A-02” cannot be a label').waitFor();
}

async function wrongLimits(page: Page): Promise<void> {
  await page.getByLabel('Memory, MiB').fill('1');
  await page.getByRole('button', { name: 'Apply by a restart' }).click();
  await page.locator('.field.error .remark').first().waitFor();
}

async function wrongCode(page: Page): Promise<void> {
  await page.getByLabel('Completion code', { exact: true }).fill('two words');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('.field.error .remark').first().waitFor();
}

async function testClick(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Test click' }).click();
  await page.getByText('Something is in the way.').waitFor();
}

async function wrongExport(page: Page): Promise<void> {
  await page.getByLabel('Prolific’s CSV', { exact: true }).setInputFiles({ name: 'x.csv', mimeType: 'text/csv', buffer: Buffer.from('name,age\nAda,36\n') });
  await page.getByText('so it is not Prolific’s export', { exact: false }).waitFor();
}

async function rollBack(page: Page): Promise<void> {
  await page.locator('summary', { hasText: '#1' }).click();
  await press('Roll back to this version…')(page);
}

/** Saving a note tells so; the bell keeps it. */
async function notifications(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^(Write|Change) notes$/ }).click();
  await page.getByLabel('Notes for everybody').fill(`${page.viewportSize()?.width} px`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Notes saved.').waitFor();
  await page.getByRole('button', { name: /^Notifications/ }).click();
  await page.getByRole('menuitem', { name: /Notes saved/ }).waitFor();
}

async function systemCheck(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Check (now|again)$/ }).click();
  await page.locator('#check-worker').waitFor();
  await page.getByRole('button', { name: 'Check again', disabled: false }).waitFor();
  await page.locator('summary', { hasText: 'How this was reckoned' }).click();
}

function choose(entry: string): (page: Page) => Promise<void> {
  return async (page) => {
    await page.getByRole('button', { name: 'Change Alan Turing' }).click();
    await page.getByRole('menuitem', { name: entry }).click();
    await page.getByRole('dialog').waitFor();
  };
}

async function handLink(page: Page): Promise<void> {
  await choose('Link to a new password…')(page);
  await page.getByRole('button', { name: 'Make a link' }).click();
  await page.locator('.handed-link').waitFor();
}

async function courseList(page: Page): Promise<void> {
  await page.getByLabel('Name of the course').fill('Another');
  await page.getByLabel(/^People, one in a line/).fill('Kim Park; kim; kim@uni.example\nNobody; x');
  await page.getByRole('button', { name: 'Look it over' }).click();
  await page.getByText('1 line needs a look.').waitFor();
}

async function wrongKey(page: Page): Promise<void> {
  await page.getByLabel('Public key').fill('nothing of the kind');
  await page.getByRole('button', { name: 'Add key' }).click();
  await page.locator('.field.error .remark').first().waitFor();
}

describe('the pages for everybody', () => {
  it.each([
    '/sign-in',
    '/forgotten-password',
    '/invitation',
    '/invitation#token=one-that-was-used',
    '/first-run?token=used',
    '/legal/imprint',
    '/help',
    '/help/experimenter',
    '/help/glossary',
    '/help/prolific',
    '/help/rights',
    '/help/system-check',
    '/help/behind-a-proxy',
    '/help/certificates',
    '/api/v1/docs',
    '/lobby/trust-game',
    '/lobby/trust-game/hall',
    '/lobby/trust-game/hall/A24',
    '/lobby/trust-game/hall/A24?lang=de',
    '/lobby/trust-game/nowhere',
    '/lobby/nowhere',
  ])('%s', async (where) => {
    expect(await inspect(where, { isSignedIn: false })).toEqual([]);
  });

  it('a sign-in that is refused', async () => {
    const open = async (page: Page): Promise<void> => {
      await page.getByLabel('User name or e-mail address').fill('ada');
      await page.getByLabel('Password', { exact: true }).fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').filter({ hasText: /./ }).first().waitFor();
    };
    expect(await inspect('/sign-in', { isSignedIn: false, open })).toEqual([]);
  });

  it('the page on which a participant waits', async () => {
    // It has to come again by itself, and participants' pages work without JavaScript.
    const leftOut = ['meta-refresh'];
    const open = (page: Page): Promise<unknown> => page.route('**/*', (route) => route.abort('aborted'));
    expect(await inspect('/lobby/empty-one/hall/A01', { isSignedIn: false, open, leftOut })).toEqual([]);
  });
});

describe('the keyboard alone', () => {
  it('opens an instance, chooses an action, and steps back from it', async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.addCookies([{ ...cookie, domain: 'localhost', path: '/' }]);
    const page = await context.newPage();
    await page.goto(`${panel.url}/instances/trust-game`);
    await page.getByRole('button', { name: 'Actions' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    const chosen = await page.evaluate(() => document.activeElement?.textContent);
    expect(chosen).toContain('Delete');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    // The safe way out has the focus or is one Escape away; nothing was started.
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await client.get<{ job: unknown }>('/instances/trust-game')).toMatchObject({ job: null, state: 'running' });
    await context.close();
  });
});
