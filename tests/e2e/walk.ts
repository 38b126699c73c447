// What every walk in a browser needs: signing in, the actions menu, jobs as the page shows them, oTree's own sign-in, and a time for each step.

import type { Page } from 'playwright-core';
import { afterEach, beforeEach } from 'vitest';
import type { WholePanel } from './panel.ts';

/** Prints how long each test of this file took: `walk: push 21.4 s`. */
export function printTimes(): void {
  let begin = 0;
  beforeEach(() => {
    begin = performance.now();
  });
  afterEach(({ task }) => {
    process.stdout.write(`walk: ${task.name} ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
  });
}

/** Signs in by the page. */
export async function signIn(page: Page, panel: WholePanel, { login, password }: { login: string; password: string }): Promise<void> {
  await page.goto(`${panel.url}/sign-in`);
  await page.getByLabel('User name or e-mail address').fill(login);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${panel.url}/`);
}

/** Chooses an entry of the instance's menu. */
export async function act(page: Page, instanceUrl: string, action: string): Promise<void> {
  await page.goto(instanceUrl);
  await page.getByRole('button', { name: 'Actions' }).click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
}

/** Waits until the page shows that the job of this title has succeeded. */
export const seeDone = (page: Page, title: string): Promise<void> =>
  page.getByLabel(`Job: ${title}`).getByText('succeeded', { exact: true }).waitFor({ timeout: 180_000 });

/** Signs in to an instance's own admin page. @returns whether oTree took the password */
export async function signInToOtree(page: Page, address: string, password: string): Promise<boolean> {
  await page.goto(`${address}/login`);
  await page.locator('[name=username]').fill('admin');
  await page.locator('[name=password]').fill(password);
  const answered = page.waitForResponse((response) => response.request().method() === 'POST' && response.url().endsWith('/login'));
  await page.locator('[name=password]').press('Enter');
  // oTree 6.0 views/admin.py: 302 to /demo when the password is right, otherwise the form again.
  const isIn = (await answered).status() === 302;
  await page.waitForURL(isIn ? /\/demo/ : /\/login/);
  return isIn;
}
