// The system check of a whole panel: on its page, and in a terminal beside it.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SystemCheck } from '../../contracts/system-check.ts';
import { openBrowser, picture, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makePanel, type WholePanel } from './panel.ts';

let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let page: Page;
const errors: string[] = [];

beforeAll(async () => {
  panel = await makePanel();
  await panel.start();
  browser = await openBrowser();
  client = await firstManager(panel);
  await client.create('trust-game');
  page = await visitor(browser, errors);
  await page.context().addCookies([{ ...client.cookie(), domain: 'localhost', path: '/' }]);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: panel.url });
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await panel?.remove();
}, 240_000);

it('is run from its page, shows what it found, and is still there after a reload', async () => {
  await page.goto(`${panel.url}/system`);
  await page.getByRole('link', { name: /^Names, ports, certificate/ }).click();
  await page.getByRole('heading', { name: 'Nobody has checked yet' }).waitFor();
  await page.getByRole('button', { name: 'Check now' }).click();
  const worker = page.locator('#check-worker');
  await worker.getByText('The worker answers.').waitFor();
  expect(await worker.locator('.sign').innerText()).toContain('good');
  for (const id of ['front-door', 'postgres', 'redis', 'port-panel', 'port-git', 'reached', 'passed-on', 'pg-dump'])
    expect(await page.locator(`#check-${id} > .sign`).innerText(), id).toContain('good');
  await picture(page, 'system-check', { widths: [1440, 390] });
  await page.reload();
  await worker.getByText('The worker answers.').waitFor();
  expect(await page.getByRole('button', { name: 'Check again' }).count()).toBe(1);
});

it('gives the text for the IT department with one click', async () => {
  await page.getByRole('button', { name: 'Copy the text for the IT department' }).click();
  await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
  const { last } = await client.get<{ last: SystemCheck }>('/system/check');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(last.letter);
  expect(last.letter).toContain(`${panel.gitPort}/tcp: git push`);
});

it('finds the same in a terminal, and sees there what dies', async () => {
  const running = await panel.command('system-check');
  expect(running.output).not.toContain('The panel is not running');
  for (const title of ['The worker', 'The front door (nginx)', 'Database (PostgreSQL)', 'Redis', 'Port of git push'])
    expect(running.output).toContain(`✓ good: ${title}\n`);
  expect(running.code, running.output).toBe(0);
  await panel.stop();
  const stopped = await panel.command('system-check');
  expect(stopped.output).toContain('The panel is not running; what can be seen without it was looked at.');
  // The ground goes on: its database and the front door answer.
  for (const title of ['Database (PostgreSQL)', 'Port of the panel']) expect(stopped.output).toContain(`✓ good: ${title}\n`);
  expect(stopped.code, stopped.output).toBe(0);
  expect(errors).toEqual([]);
});
