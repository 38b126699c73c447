// A whole panel behind somebody else's https proxy, in a browser: the examples of the guide let people sign in and pages move.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { proxiesForTests, startProxyInFront, type ProxyInFront } from '../proxy-in-front.ts';
import { openBrowser } from './browser.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { freePorts } from '../free-ports.ts';
import { until } from './until.ts';

let panel: WholePanel;
let front: ProxyInFront;
let browser: Browser;
let page: Page;
let [http, https] = [0, 0];
const others = (await proxiesForTests()).filter((kind) => kind !== 'nginx');

beforeAll(async () => {
  [http = 0, https = 0] = await freePorts(2);
  panel = await makePanel({ PUBLIC_URL: `https://localhost:${https}`, TRUSTED_PROXIES: '127.0.0.1' });
  front = startProxyInFront({ host: 'localhost', http, https, panel: panel.port });
  await panel.start();
  browser = await openBrowser();
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await front?.stop();
  await panel?.remove();
}, 240_000);

it('lets people sign in, moves its pages, and says itself that the way is well and the certificate is not', async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(/https:\S+first-run\?token=\S+/.exec(panel.output())?.[0] ?? '');
  await page.getByLabel('Name', { exact: true }).fill('Ada');
  await page.getByLabel('User name').fill('ada');
  await page.getByLabel('E-mail address').fill('ada@lab.example');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.getByRole('link', { name: 'Decide later' }).click();
  await page.getByText('live', { exact: true }).waitFor();
  expect((await context.cookies()).map(({ name, secure }) => ({ name, secure }))).toEqual([{ name: '__Host-arboretum', secure: true }]);

  await page.goto(`${panel.url}/system/check`);
  await page.getByRole('button', { name: 'Check now' }).click();
  await page.locator('#check-passed-on').getByText('and a websocket opens').waitFor();
  expect(await page.locator('#check-reached > .sign').innerText()).toContain('good');
  expect(await page.locator('#check-certificate').innerText()).toMatch(/bad[^]*DEPTH_ZERO_SELF_SIGNED_CERT/);
});

it.each(others)('goes on when %s takes its place', async (kind) => {
  await front.stop();
  front = startProxyInFront({ kind, host: 'localhost', http, https, panel: panel.port });
  await page.goto('about:blank');
  await until(`${kind} answers`, () =>
    page.goto(`${panel.url}/system/check`).then(
      () => true,
      () => false,
    ),
  );
  await page.getByText('live', { exact: true }).waitFor();
  const checked = page.waitForResponse((response) => response.request().method() === 'POST' && response.url().endsWith('/system/check'));
  await page.getByRole('button', { name: 'Check again' }).click();
  expect((await checked).status()).toBe(200);
  await page.locator('#check-passed-on').getByText('and a websocket opens').waitFor();
  expect(await page.locator('#check-reached > .sign').innerText()).toContain('good');
});
