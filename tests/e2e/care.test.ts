// Every page with a screen reader's eyes, at a telephone's width, by day and by night: axe-core finds nothing, nothing runs out of the page.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makePanel, type WholePanel } from './panel.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let cookie: { name: string; value: string };

beforeAll(async () => {
  panel = await makePanel();
  await panel.start();
  browser = await openBrowser();
  client = await firstManager(panel);
  cookie = client.cookie();
  await client.create('trust-game');
  await client.create('empty-one');
  const { state, error } = await client.run('trust-game', { kind: 'deploy-sample' });
  if (state !== 'succeeded') throw new Error(JSON.stringify(error));
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await panel?.remove();
}, 120_000);

type Axe = { run(options: object): Promise<{ violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] }> };

/** Rules of WCAG 2.2 AA and axe's own best practices. */
async function findProblems(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html.slice(0, 200)}\n  ${failureSummary}`));
  });
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

/** Opens the page at both looks and says everything that is wrong with it. */
async function inspect(where: string, isSignedIn = true): Promise<string[]> {
  const problems: string[] = [];
  for (const { width, colorScheme } of looks) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' });
    try {
      if (isSignedIn) await context.addCookies([{ ...cookie, domain: 'localhost', path: '/' }]);
      const page = await context.newPage();
      page.on('pageerror', (error) => problems.push(`${where}: ${error.message}`));
      await page.goto(`${panel.url}${where}`);
      await page.locator('h1').first().waitFor();
      // The dashboard's socket never rests; its first answers do.
      await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
      const found = [...(await findProblems(page)), ...(await findOverflow(page)).map((html) => `runs out of the page: ${html}`)];
      problems.push(...found.map((text) => `${where} at ${width} px, ${colorScheme}: ${text}`));
    } finally {
      await context.close();
    }
  }
  return problems;
}

describe('the pages of a signed-in person', () => {
  it.each([
    '/',
    '/instances/new',
    '/instances/trust-game',
    '/instances/trust-game/deploy',
    '/instances/trust-game/rooms',
    '/instances/trust-game/data',
    '/instances/trust-game/settings',
    '/instances/empty-one',
    '/instances/empty-one/rooms',
    '/jobs',
    '/people',
    '/keys',
    '/account',
    '/system',
    '/nowhere',
  ])('%s', async (where) => {
    expect(await inspect(where)).toEqual([]);
  });
});

describe('the pages for everybody', () => {
  it.each(['/sign-in', '/help/experimenter', '/help/glossary', '/help/rights', '/api/v1/docs', '/lobby/trust-game'])('%s', async (where) => {
    expect(await inspect(where, false)).toEqual([]);
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
