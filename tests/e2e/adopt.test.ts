// A manager takes over an experiment that runs on the Dokku host without the panel, in a browser.

import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresConnect, postgresCreate } from '../../platforms/dokku-commands.ts';
import { makeForeignApp, makeRepository } from '../contract/foreign-app.ts';
import { TRUST_GAME } from '../contract/instances.ts';
import { openBrowser, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makeDokkuPanel, type DokkuPanel } from './dokku-panel.ts';
import { printTimes, seeDone, signIn } from './walk.ts';

const errors: string[] = [];
let dokku: DokkuPanel;
let browser: Browser;
let client: PanelClient;
let ada: Page;

beforeAll(async () => {
  dokku = await makeDokkuPanel();
  browser = await openBrowser();
  await dokku.panel.start();
  client = await firstManager(dokku.panel);
  ada = await visitor(browser, errors);
  await signIn(ada, dokku.panel, { login: 'ada', password: 'correct horse battery' });
  await dokku.asSomebodyElse(async (connection) => {
    await connection.run(postgresCreate('bargain-data'));
    await connection.run(postgresConnect('bargain-data'), { input: Buffer.from('CREATE TABLE answer (text varchar);\nINSERT INTO answer VALUES (NULL);\n') });
    const variables = { OTREE_PRODUCTION: '1', OTREE_ADMIN_PASSWORD: 'a password of before' };
    await makeForeignApp(connection, { app: 'bargain-2024', otreeVersion: '5.11.4', variables, dataOf: 'bargain-data' });
    await makeForeignApp(connection, { app: 'blog', otreeVersion: '1.0', variables: { TITLE: 'News' }, dataOf: null });
  });
  // On a branch that is not deployed by itself.
  const repository = mkdtempSync(path.join(os.tmpdir(), 'app-git-'));
  makeRepository(repository, { from: TRUST_GAME, branch: 'old-study' });
  dokku.host.state.app('bargain-2024').repository = repository;
}, 420_000);

afterAll(async () => {
  await browser?.close();
  await dokku?.remove();
}, 240_000);

printTimes();

describe('taking over an app of the Dokku host', () => {
  it('is offered where instances are made, and says of each other app why not', async () => {
    await ada.goto(`${dokku.panel.url}/instances/new`);
    const apps = ada.getByRole('table', { name: 'Apps on the host' });
    await apps.getByText('bargain-2024.lab.localhost').waitFor();
    await apps.getByText('It does not look like an oTree experiment').waitFor();
    expect(await apps.getByRole('button').count()).toBe(1);
  });

  it('says what it means before it begins, by keyboard', async () => {
    await ada.getByRole('button', { name: 'Take over bargain-2024…' }).press('Enter');
    const dialog = ada.getByRole('dialog', { name: 'Take over bargain-2024?' });
    for (const text of ['It stops, and stays on the host', 'A backup of its data is made and checked first', 'links of rooms with secure URLs'])
      await dialog.getByText(text).waitFor();
    expect(await dialog.getByRole('button', { name: 'Cancel' }).evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it('ends with an instance that has data and password, and waits for its code', async () => {
    await ada.getByLabel('Name of the instance').fill('bargain-2024');
    await ada.getByRole('button', { name: 'Take over', exact: true }).press('Enter');
    await ada.getByText('The app keeps bargain-2024.lab.localhost: choose another name.').waitFor();
    await ada.getByLabel('Name of the instance').fill('new-trust');
    await ada.getByRole('button', { name: 'Take over', exact: true }).press('Enter');
    await seeDone(ada, 'Take over');
    expect((await client.get<{ password: string }>('/instances/new-trust/admin-password')).password).toBe('a password of before');
    const { backups } = await client.get<{ backups: { reason: string; rows: number }[] }>('/instances/new-trust/backups');
    expect(backups).toMatchObject([{ reason: 'taken over', rows: 1 }]);
    expect(dokku.host.state.app('bargain-2024').container?.isRunning()).toBe(false);
    expect(dokku.host.unrecorded()).toEqual([]);
    expect(errors).toEqual([]);
  });
});
