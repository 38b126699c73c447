// Two instances of one project side by side below paths of one host, in a browser: every way to write an address leads home.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Instance, repository, temporaryDatabase } from '../launcher/instance.ts';
import { pythonWith } from '../launcher/venv.ts';
import { openBrowser } from './browser.ts';
import { type Door, openDoor } from './paths-door.ts';

const names = ['one', 'two'] as const;
const project = 'tests/projects/hard-coded-addresses';
const settings = readFileSync(path.join(repository, project, 'settings.py'), 'utf8');
const password = 'the-panels-password';
/** What no script of ours can reach: styles in files, modules, and where a page goes to. The door sends it back. */
const strays = [/^\/static\/dot\.png\?(?:sheet|style-property)$/, /^\/static\/module\.js$/, /^\/static\/landed\.html\?by-file$/, /^\/favicon\.ico$/];

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
}, 180_000);
afterAll(() => browser?.close());

async function serveBoth(version: '6.0.15' | '5.11.5'): Promise<Door> {
  const sockets: Record<string, string> = {};
  for (const name of names) {
    // The same key, password and name of the cookie: what keeps them apart here is the path alone.
    const config = { pathPrefix: `/otree/${name}` };
    const files = name === 'two' ? { 'settings.py': settings.replace("'en'", "'de'").replace("'EUR'", "'USD'") } : {};
    const one = new Instance({ python: pythonWith(version), project, files, databaseUrl: await temporaryDatabase(), config });
    await one.serve();
    sockets[name] = one.socket;
  }
  const door = await openDoor(sockets, 'otree_k3v9');
  onTestFinished(() => door.close());
  return door;
}

async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext();
  context.setDefaultTimeout(60_000);
  onTestFinished(() => context.close());
  return context;
}

/** Signs in and makes a session for the room on the admin's page; returns the page, which shows the room. */
async function openSession(context: BrowserContext, home: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${home}/login`);
  await page.locator('[name=username]').fill('admin');
  await page.locator('[name=password]').fill(password);
  await page.locator('[name=password]').press('Enter');
  await page.waitForURL(`${home}/demo`);
  await page.goto(`${home}/room_without_session/online`);
  await page.locator('[name=session_config]').selectOption('addresses');
  await page.locator('[name=num_participants]').fill('2');
  await page.locator('#btn-create-session').click();
  await page.waitForURL(new RegExp(`^${home}/(?:room_with_session/online|SessionStartLinks/\\w+)$`));
  return page;
}

const resultsOf = (page: Page): Promise<Record<string, string>> =>
  page.evaluate(() =>
    Object.fromEntries([...document.querySelectorAll<HTMLElement>('[data-pattern]')].map(({ dataset }) => [dataset['pattern'] ?? '', dataset['result'] ?? ''])),
  );

/** From the waiting room to the last page; both people in one instance. */
async function play(pages: readonly Page[], home: string): Promise<void> {
  const next = async (): Promise<void> => void (await Promise.all(pages.map((page) => page.locator('.otree-btn-next').click())));
  // What is said before somebody's socket is open never reaches them: oTree keeps no live messages.
  await Promise.all(pages.map((page) => page.waitForFunction('window.liveSocket?.readyState === WebSocket.OPEN')));
  for (const [at, page] of pages.entries()) {
    await page.locator('#say').click();
    await page.locator('.otree-chat__input').fill(`good day from ${at}`);
    await page.locator('.otree-chat__btn-send').click();
  }
  for (const page of pages) {
    await page.locator('#said', { hasText: new RegExp(`^(?:hello from ${home.split('/').at(-1)} ){2}$`) }).waitFor();
    for (const at of pages.keys()) await page.locator('.otree-chat__body', { hasText: `good day from ${at}` }).waitFor();
  }
  await next();
  for (const page of pages) {
    await page.locator('[data-pattern="localStorage"]').waitFor();
    await page.waitForFunction(() => document.readyState === 'complete' && !document.querySelector('[data-pattern]:not([data-result])'));
    const results = await resultsOf(page);
    expect(Object.keys(results).length).toBeGreaterThan(40);
    expect(Object.entries(results).filter(([, result]) => result !== 'works')).toEqual([]);
  }
  await next();
  for (const page of pages)
    for (const way of ['by-file', 'by-page', 'by-link']) {
      await page.locator(`#${way}`).click();
      await page.getByText(`${new URL(home).pathname}/static/landed.html?${way}`).waitFor();
      await page.goBack();
      await page.locator(`#${way}`).waitFor();
    }
  await next();
  for (const page of pages) await page.locator('#amount', { hasText: home.endsWith('/one') ? '€12.00' : '$' }).waitFor();
}

test.each(['6.0.15', '5.11.5'] as const)(
  'every pattern works in both, nothing crosses, and nobody is signed out (oTree %s)',
  { timeout: 240_000 },
  async (version) => {
    const door = await serveBoth(version);
    const homes = names.map((name) => `${door.url}/otree/${name}`);
    const people = [await newContext(), await newContext()];
    const rooms = await Promise.all(
      homes.map(async (home) =>
        Promise.all(
          people.map(async (person) => {
            const page = await person.newPage();
            await page.goto(`${home}/room/online?welcome_page_ok=1`);
            return page;
          }),
        ),
      ),
    );
    const admin = await newContext();
    const desks = await Promise.all(homes.map((home) => openSession(admin, home)));
    await Promise.all(homes.map((home, at) => play(rooms[at] ?? [], home)));

    for (const [at, home] of homes.entries()) {
      await desks[at]?.reload();
      for (const tab of ['Monitor', 'Data', 'Payments']) {
        await desks[at]?.locator(`a[href*="/Session${tab}/"]`).first().click();
        await desks[at]?.waitForURL(new RegExp(`^${home}/Session${tab}/`));
      }
      await desks[at]?.goto(`${home}/demo`);
      await desks[at]?.locator('a[href$="/demo/addresses"]').first().click();
      await desks[at]?.waitForURL(new RegExp(`^${home}/SessionStartLinks/`));
      await desks[at]?.goto(`${home}/sessions`);
      expect(desks[at]?.url()).toBe(`${home}/sessions`);
    }
    const paths = (await people[0]?.cookies())?.map(({ name, path }) => `${name} ${path}`).toSorted();
    expect(paths).toEqual(['otree_k3v9 /otree/one/', 'otree_k3v9 /otree/two/', 'taste /otree/one/', 'taste /otree/two/']);

    const outside = door.seen.filter(({ isStray }) => isStray);
    expect(outside.filter(({ url, to, isSocket }) => to === null || isSocket || !strays.some((known) => known.test(url)))).toEqual([]);
    expect(new Set(outside.map(({ url }) => url)).size).toBeGreaterThan(3);
    expect(door.seen.filter(({ from, to }) => from !== null && from !== to)).toEqual([]);
    for (const name of names) expect(door.seen.filter(({ to, isSocket }) => to === name && isSocket).length).toBeGreaterThan(8);
  },
);
