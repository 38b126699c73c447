// A real browser, and pictures for the README when they are asked for.

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const picturesDir = path.join(import.meta.dirname, '..', '..', 'docs', 'images');

/** @param domain names below it are this machine's @throws when Chromium is missing; `npm test` installs it */
export const openBrowser = (domain?: string): Promise<Browser> =>
  chromium.launch({
    executablePath: path.join(import.meta.dirname, 'browser-alone.py'),
    args: [...flags, ...(domain === undefined ? [] : [`--host-resolver-rules=MAP *.${domain} 127.0.0.1`])],
  });

/** A page of a visitor of its own, with own cookies; its own errors end the test through `errors`. */
export async function visitor(browser: Browser, errors: string[]): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`));
  return page;
}

type Wish = { readonly widths?: readonly (1440 | 390)[]; /** What is to be seen of a long page; its beginning otherwise. */ readonly of?: Locator };

/** With `ARBORETUM_PICTURES=1`: `docs/images/NAME-WIDTH.png`, as much as a screen of that width shows. */
export async function picture(page: Page, name: string, { widths = [1440], of }: Wish = {}): Promise<void> {
  if (process.env['ARBORETUM_PICTURES'] !== '1') return;
  mkdirSync(picturesDir, { recursive: true });
  for (const width of widths) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await settle(page);
    await of?.evaluate((element) => element.scrollIntoView({ block: 'start' }));
    await page.screenshot({ path: path.join(picturesDir, `${name}-${width}.png`), animations: 'disabled' });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** Nothing loads, no message of a moment ago is left, and the page stands at its beginning. */
async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() => !document.querySelector('.waiting, .loading.button'));
  const dismiss = page.getByRole('button', { name: 'Dismiss' });
  while ((await dismiss.count()) > 0) await dismiss.first().click({ timeout: 5_000 });
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    window.scrollTo(0, 0);
  });
}
