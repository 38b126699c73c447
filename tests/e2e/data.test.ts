// Code and data without a command line, in a browser: upload, cancel, roll back, read the log, back up, restore, find what was deleted.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentView } from '../../contracts/instances.ts';
import { packSample, readSample } from './archive.ts';
import { openBrowser, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { countRows } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { until } from './until.ts';
import { signIn } from './walk.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-data-'));
const name = 'trust-game';
const errors: string[] = [];
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let ada: Page;

// The experiment's own user must be able to look.
chmodSync(home, 0o755);
const pack = (mark: string): string => packSample(home, mark);
const drop = (file: string): Promise<void> => ada.locator('input[type=file]').first().setInputFiles(file);
const deployments = async (): Promise<DeploymentView[]> => (await client.get<{ deployments: DeploymentView[] }>(`/instances/${name}/deployments`)).deployments;
const newestIs = (number: number, state: string): Promise<boolean> =>
  until(`deployment ${number} is ${state}`, async () => (await deployments()).some((one) => one.number === number && one.state === state), {
    withinMs: 120_000,
  });
const open = (tab: string): Promise<unknown> => ada.goto(`${panel.url}/instances/${name}/${tab}`);

/** What a link leads to, asked for with the browser's own cookie. */
async function fetchLink(link: string): Promise<{ headers: Readonly<Record<string, string>>; body: Buffer }> {
  const href = await ada.getByRole('link', { name: link }).getAttribute('href');
  const response = await ada.request.get(`${panel.url}${href}`);
  expect(response.status()).toBe(200);
  return { headers: response.headers(), body: await response.body() };
}

beforeAll(async () => {
  panel = await makePanel();
  browser = await openBrowser();
  await panel.start();
  client = await firstManager(panel);
  await client.create(name);
  ada = await visitor(browser, errors);
  await signIn(ada, panel, { login: 'ada', password: 'correct horse battery' });
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

describe('without a command line', () => {
  it('an archive that is none is refused in a sentence, and one that is gets deployed', async () => {
    await open('');
    await ada
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'study.rar', mimeType: 'x', buffer: Buffer.from('Rar!') });
    await ada.getByText('“study.rar” is neither a .zip nor').waitFor();
    await drop(pack('one'));
    await newestIs(1, 'succeeded');
    await open('deploy');
    await drop(path.join(home, 'one.zip'));
    await ada.getByText('Nothing was changed.').waitFor();
  }, 300_000);

  it('a deployment is cancelled by a click, and the running one goes on', async () => {
    // While this file is there, reading its settings takes longer than any click.
    const slow = path.join(home, 'slow');
    writeFileSync(slow, '');
    const waits = `import os, time\nfor _ in range(250):\n    if os.path.exists('${slow}'):\n        time.sleep(0.1)\n`;
    await drop(packSample(home, 'two', { 'settings.py': waits + readSample('settings.py') }));
    await ada.getByRole('button', { name: 'Cancel', exact: true }).click();
    await newestIs(2, 'cancelled');
    rmSync(slow);
    await ada.getByText('Ada cancelled this job.').first().waitFor();
    expect((await deployments()).find(({ isCurrent }) => isCurrent)?.number).toBe(1);
    // The same files again are built, because they never ran.
    await drop(path.join(home, 'two.zip'));
    await newestIs(3, 'succeeded');
  }, 300_000);

  it('the version before comes back without a build', async () => {
    await ada.reload();
    await ada.locator('summary', { hasText: '#1' }).click();
    await ada.getByRole('button', { name: /Roll back to this version/ }).click();
    await ada.getByText('takes the place of').waitFor();
    await ada.getByRole('button', { name: 'Roll back', exact: true }).click();
    await until('version 1 is current', async () => (await deployments()).find(({ isCurrent }) => isCurrent)?.number === 1);
  }, 180_000);

  it('what the experiment writes is followed, searched and fetched', async () => {
    await ada.getByText('What the experiment writes while it runs').click();
    await ada.getByRole('log', { name: 'runtime log' }).getByText('started as process').first().waitFor();
    await ada.getByPlaceholder('Search the log').fill('STARTED AS');
    await ada.getByRole('button', { name: 'Search', exact: true }).click();
    await ada.getByText(/lines? with “STARTED AS”/).waitFor();
    const { headers, body } = await fetchLink('Download');
    expect(headers['content-disposition']).toMatch(/^attachment; filename=trust-game-.*\.log$/);
    expect(body.toString()).toContain('started as process');
  }, 180_000);
});

describe('data', () => {
  it('are backed up with a note, lost in a reset, and brought back from the page', async () => {
    const body = { sessionConfigName: 'trust_game', numParticipants: 2 };
    await until('oTree takes a session', async () => (await client.send('POST', `/instances/${name}/rooms/lab/sessions`, body)).status === 201);
    const before = await countRows(panel, name);
    expect(before).toBeGreaterThan(0);
    await open('data');
    await ada.getByRole('button', { name: 'Back up…' }).click();
    await ada.getByLabel('Note').fill('after session 3');
    await ada.getByRole('button', { name: 'Back up', exact: true }).click();
    await ada.getByRole('row').getByText('after session 3').waitFor();
    await client.run(name, { kind: 'reset-database', confirm: name });
    expect(await countRows(panel, name)).toBe(0);
    const row = ada.getByRole('row').filter({ hasText: 'after session 3' });
    await row.getByRole('button', { name: /Restore the backup/ }).click();
    await ada.getByText('It is backed up first and checked').waitFor();
    await ada.getByLabel(`Type ${name} to confirm`).fill(name);
    await ada.getByRole('button', { name: 'Restore this backup' }).click();
    await ada.getByLabel('Job: Restore a backup').getByText('succeeded').waitFor();
    expect(await countRows(panel, name)).toBe(before);
  }, 240_000);

  it('of a deleted instance can still be fetched by a manager', async () => {
    await client.run(name, { kind: 'delete', confirm: name });
    await ada.goto(`${panel.url}/deleted-instances`);
    const { headers, body } = await fetchLink(`Download the last backup of ${name}`);
    expect(headers['content-disposition']).toMatch(/^attachment; filename=trust-game-.*\.dump$/);
    expect(body.subarray(0, 5).toString()).toBe('PGDMP');
    expect(errors).toEqual([]);
  }, 180_000);
});
