// “Ready for participants?” in a browser: from red to green by the page's own buttons; the data taken home; a look kept and printed.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, picture, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { seeDone, signIn } from './walk.ts';

const LAB_GAMES = path.join(import.meta.dirname, '..', 'projects', 'lab-games');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-preflight-'));
const name = 'bargain-study';
const errors: string[] = [];
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let ada: Page;

const resultOf = (id: string): Promise<string> => ada.locator(`#check-${id} .sign`).innerText();

beforeAll(async () => {
  panel = await makePanel();
  browser = await openBrowser();
  await panel.start();
  client = await firstManager(panel);
  await client.create(name);
  const file = path.join(home, 'lab-games.tar.gz');
  spawnSync('tar', ['-czf', file, '-C', LAB_GAMES, '.']);
  const job = await client.upload(name, file);
  if (job.state !== 'succeeded') throw new Error(JSON.stringify(job));
  ada = await visitor(browser, errors);
  await signIn(ada, panel, { login: 'ada', password: 'correct horse battery' });
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

describe('ready for participants', () => {
  it('a fresh instance with DEMO is red, and says by which button it becomes green', async () => {
    await client.send('PATCH', `/instances/${name}/environment`, { authLevel: 'DEMO' });
    await ada.goto(`${panel.url}/instances/${name}/preflight?room=lab&people=2`);
    await ada.getByText(/^Not ready:/).waitFor();
    expect([await resultOf('auth-level'), await resultOf('session'), await resultOf('bots')]).toEqual(['bad', 'bad', 'needs attention']);
    await ada.getByRole('button', { name: 'Set STUDY…' }).click();
    await ada.getByRole('button', { name: 'Restart', exact: true }).click();
    await seeDone(ada, 'Apply environment');
    await ada.locator('#check-auth-level').getByText('good', { exact: true }).waitFor();
  }, 240_000);

  it('bots are played from the finding, and it is green afterwards', async () => {
    await ada.locator('#check-bots').getByRole('button', { name: 'Play bots' }).click();
    await seeDone(ada, 'Play bots');
    await ada.locator('#check-bots').getByText('good', { exact: true }).waitFor();
  }, 240_000);

  it('with a session nothing stands in the way; the look is kept, and can be opened and printed', async () => {
    const body = { sessionConfigName: 'bargain', numParticipants: 2 };
    expect((await client.send('POST', `/instances/${name}/rooms/lab/sessions`, body)).status).toBe(201);
    await ada.getByRole('button', { name: 'Look again' }).click();
    await ada
      .getByText(/^Ready/)
      .first()
      .waitFor();
    await picture(ada, 'preflight', { widths: [1440, 390] });
    await ada.getByRole('button', { name: 'Keep this look' }).click();
    await ada.getByRole('link', { name: /Open the look of/ }).click();
    await ada.getByText(/looked at .* by Ada/).waitFor();
    expect(await ada.getByRole('button', { name: 'Look again' }).count()).toBe(0);
    await ada.emulateMedia({ media: 'print' });
    expect([await ada.locator('nav.tabs').isVisible(), await ada.locator('#check-session').isVisible()]).toEqual([false, true]);
    await ada.emulateMedia({ media: 'screen' });
  }, 240_000);

  it('the data come home as a file, and what the bots did, too', async () => {
    await ada.goto(`${panel.url}/instances/${name}/data`);
    await ada.getByLabel('for Excel').check();
    const fetchLink = async (link: string): Promise<{ name: string; body: Buffer }> => {
      const href = await ada.getByRole('link', { name: link }).first().getAttribute('href');
      const response = await ada.request.get(`${panel.url}${href}`);
      return { name: response.headers()['content-disposition'] ?? '', body: await response.body() };
    };
    const wide = await fetchLink('Download “All apps”');
    expect(wide.name).toMatch(/bargain-study-all-apps-\d{4}-\d\d-\d\d-[0-9a-f]{7}\.csv/);
    expect(wide.body.subarray(0, 3).toString('hex')).toBe('efbbbf');
    expect(wide.body.toString().trim().split('\n')).toHaveLength(3);
    const bots = await fetchLink('Download what the bots did in bargain');
    expect(bots.body.subarray(0, 2).toString('hex')).toBe('1f8b');
    await ada.getByRole('button', { name: 'Show seconds per page' }).click();
    await ada.getByText('Nobody has left a page yet.').waitFor();
    expect(errors).toEqual([]);
  }, 180_000);

  it('the overview says what participants feel', async () => {
    await ada.goto(`${panel.url}/instances/${name}`);
    await ada.getByRole('button', { name: 'Watch the load' }).click();
    await ada.getByText(/A page comes after/).waitFor();
  }, 180_000);
});
