// An instance gets another address and gives up the old one, in a browser, by keyboard alone.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { InstanceAddresses } from '../../contracts/addresses.ts';
import { openBrowser, picture, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { freePorts } from '../free-ports.ts';
import { until } from './until.ts';

let panel: WholePanel;
let client: PanelClient;
let browser: Browser;
let page: Page;
let port = 0;
const errors: string[] = [];

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  panel = await makePanel({ INSTANCE_PORTS: `${port}-${port}` });
  await panel.start();
  client = await firstManager(panel);
  await client.create('trust-game');
  browser = await openBrowser();
  page = await visitor(browser, errors);
  await page.context().addCookies([{ ...client.cookie(), url: panel.url }]);
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await panel?.remove();
}, 240_000);

const addresses = () => client.get<InstanceAddresses>('/instances/trust-game/addresses');
const status = async (url: string): Promise<number | null> => (await fetch(url, { redirect: 'manual' }).catch(() => null))?.status ?? null;

it('a port in place of a name: every link on the page follows at once, and the front door answers there', async () => {
  const named = `http://trust-game.localhost:${panel.port}`;
  const ported = `http://localhost:${port}`;
  await page.goto(`${panel.url}/instances/trust-game/settings`);
  await page.getByRole('button', { name: 'Change address…' }).press('Enter');
  // The first kind that can be chosen has the focus.
  await page.keyboard.press('Space');
  expect(await page.getByLabel('A port of its own').isChecked()).toBe(true);
  expect(await page.getByRole('dialog').textContent()).toContain(`say ${named}. They lead to the new address`);
  await picture(page, 'change-address', { widths: [1440, 390] });
  await page.getByLabel('A port of its own').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: `Give up ${named}` }).waitFor();
  expect(await page.locator(`a[href="${named}"]`).count()).toBe(0);
  expect(await page.locator(`a[href="${ported}"]`).count()).toBeGreaterThan(0);
  await until('the front door answers on the port', async () => (await status(ported)) !== null);
  expect((await addresses()).present).toEqual({ mode: 'port', url: ported });
  await picture(page, 'address', { of: page.getByRole('heading', { name: 'Address', exact: true }) });
}, 180_000);

it('the old one is given up after a question, whose safe answer has the focus', async () => {
  await until('no job is under way', async () => page.getByRole('button', { name: /^Give up http/ }).isEnabled());
  await page.getByRole('button', { name: /^Give up http/ }).press('Enter');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect((await addresses()).former).toHaveLength(1);
  await page.getByRole('button', { name: /^Give up http/ }).press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('No other address leads here.').waitFor();
  expect((await addresses()).former).toEqual([]);
  expect(errors).toEqual([]);
}, 180_000);
