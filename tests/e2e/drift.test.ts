// Models that change under data: seen before the switch, said with the columns, and nothing is emptied but by choice and with a backup.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupView } from '../../contracts/backups.ts';
import type { DeploymentView, InstanceView } from '../../contracts/instances.ts';
import { openBrowser, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { commit, makeKey, makeProject, push, type Key } from './git.ts';
import { countRows } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { signIn } from './walk.ts';

const sample = path.join(import.meta.dirname, '..', '..', 'samples', 'trust-game');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-drift-'));
const folder = path.join(home, 'study');
const app = readFileSync(path.join(sample, 'trust_game', '__init__.py'), 'utf8');
const errors: string[] = [];
let panel: WholePanel;
let client: PanelClient;
let browser: Browser;
let page: Page;
let key: Key;

beforeAll(async () => {
  panel = await makePanel();
  await panel.start();
  client = await firstManager(panel);
  key = makeKey(home, 'ada');
  await client.send('POST', '/ssh-keys', { publicKey: key.publicKey });
  await client.create('study');
  makeProject(sample, folder);
  browser = await openBrowser();
  page = await visitor(browser, errors);
  await signIn(page, panel, { login: 'ada', password: 'correct horse battery' });
  await page.getByText('study').first().waitFor();
}, 400_000);

afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

/** Commits a version whose players have these fields, with further lines at the end, and pushes it. */
async function pushFields(fields: readonly string[], options: { more?: readonly string[]; code?: string } = {}) {
  const lines = fields.map((name) => `    ${name} = models.IntegerField()`).join('\n');
  const source = app.replace('class Player(BasePlayer):\n    pass', `class Player(BasePlayer):\n${lines || '    pass'}`);
  commit(folder, `Fields ${fields.join(', ')}`, { 'trust_game/__init__.py': `${source}\n${options.code ?? ''}` });
  return push(folder, { key, remote: `ssh://git@localhost:${panel.gitPort}/study.git`, more: options.more ?? [] });
}

const makeSession = async (): Promise<number> =>
  (await client.send('POST', '/instances/study/rooms/lab/sessions', { sessionConfigName: 'trust_game', numParticipants: 2 })).status;
const newest = async (): Promise<DeploymentView | undefined> =>
  (await client.get<{ deployments: DeploymentView[] }>('/instances/study/deployments')).deployments[0];
const backups = async (): Promise<BackupView[]> => (await client.get<{ backups: BackupView[] }>('/instances/study/backups')).backups;
const participants = (): Promise<number> => countRows(panel, 'study');

describe('models that change', { timeout: 180_000 }, () => {
  it('stop a push before the switch when data are there, and the terminal ends with the columns and the ways out', async () => {
    expect((await pushFields([])).code).toBe(0);
    expect(await makeSession()).toBe(201);
    expect(await participants()).toBe(2);
    const { code, output } = await pushFields(['offer']);
    expect(code).not.toBe(0);
    const words = output.split('\n').map((line) => line.replace(/^remote: */, '').trim());
    const at = words.lastIndexOf('The new version needs a column `player.offer` in `trust_game` that the database does not have.');
    expect(at, output).toBeGreaterThan(0);
    expect(words[at + 1]).toMatch(/^Nothing was changed, and \d+ rows are there\. .*git push -o on-drift=reset/);
    expect(await newest()).toMatchObject({ state: 'failed' });
    expect(await makeSession(), 'the old version runs on').toBe(201);
    expect(await participants()).toBe(4);
    expect(await backups()).toEqual([]);
  });

  it('a reset asks for the name, and only the newest failed deployment can be deployed again', async () => {
    const { id } = (await newest()) ?? { id: '' };
    const without = await client.send('POST', '/instances/study/jobs', { kind: 'deploy', deploymentId: id, onDrift: 'reset' });
    expect(without).toMatchObject({ status: 400, body: { code: 'confirmation_missing' } });
    const other = await client.send('POST', '/instances/study/jobs', { kind: 'deploy', deploymentId: 'another', onDrift: 'go-on' });
    expect(other).toMatchObject({ status: 409, body: { code: 'push_refused' } });
  });

  it('go on knowingly from the page: the data stay, and the deployment says what will fail', async () => {
    await page.goto(`${panel.url}/instances/study/deploy`);
    await page.getByRole('button', { name: 'Back up and reset…' }).waitFor();
    await page.getByRole('button', { name: 'Back up and reset…' }).click();
    await page.getByLabel('Type study to confirm').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Go on without…' }).click();
    await page.getByRole('button', { name: 'Go on without', exact: true }).click();
    await page.getByRole('list', { name: /^Warnings of deployment/ }).waitFor({ timeout: 60_000 });
    await expect.poll(async () => (await newest())?.state, { timeout: 60_000 }).toBe('succeeded');
    expect(await newest()).toMatchObject({ state: 'succeeded', warnings: [expect.stringContaining('`player.offer` in `trust_game`')] });
    expect(await participants()).toBe(4);
    expect(await makeSession(), 'what was foretold').not.toBe(201);
  });

  it('back up and reset by an option of the push', async () => {
    // The session that failed has left half of itself, as oTree does.
    const present = await participants();
    const { code, output } = await pushFields(['offer'], { more: ['-o', 'on-drift=reset'] });
    expect(code, output).toBe(0);
    expect(output).toContain('restored once with equal counts');
    expect(await participants()).toBe(0);
    const [backup] = await backups();
    expect(backup).toMatchObject({ reason: 'before deploy', verifiedAt: expect.any(String) });
    expect(backup?.rowCounts['otree_participant']).toBe(present);
    expect((await newest())?.warnings).toEqual([]);
  });

  it('a database without a row is made anew without asking, after the same backup', async () => {
    const { code, output } = await pushFields(['offer', 'belief']);
    expect(code, output).toBe(0);
    expect(output).toContain('The database has no rows: it is backed up and made anew.');
    expect((await backups()).map(({ reason }) => reason)).toEqual(['before deploy', 'before deploy']);
    expect(await makeSession()).toBe(201);
  });

  it('an instance in test resets by itself, also then with a backup, unless this push says keep', async () => {
    await page.goto(`${panel.url}/instances/study/settings`);
    await page.getByRole('switch', { name: /in test/ }).click();
    await page.getByText('On from the next deployment.').waitFor();
    expect((await client.get<InstanceView>('/instances/study')).resetsOnDrift).toBe(true);
    expect((await pushFields(['belief2'], { more: ['-o', 'on-drift=keep'] })).output).toContain('`player.belief2` in `trust_game`');
    expect(await participants()).toBe(2);
    const { code, output } = await pushFields(['belief3']);
    expect(code, output).toBe(0);
    expect(await participants()).toBe(0);
    expect((await backups())[0]?.rowCounts['otree_participant']).toBe(2);
    await client.send('PATCH', '/instances/study', { resetsOnDrift: false });
  });

  it('refuses a choice that does not exist', async () => {
    const { code, output } = await pushFields(['belief4'], { more: ['-o', 'on-drift=maybe'] });
    expect(code).not.toBe(0);
    expect(output).toContain('“on-drift=maybe” is not known.');
    expect(output).toContain('Choose one of reset, keep, go-on.');
  });

  it('when the new version does not start after the reset, the old one runs on tables of its own, and the terminal says so', async () => {
    expect((await pushFields(['belief3'])).code).toBe(0);
    expect(await makeSession()).toBe(201);
    const code = "import os\nif '/try_' not in os.environ.get('DATABASE_URL', '/try_') and 'resetdb' not in __import__('sys').argv:\n    os._exit(3)\n";
    const pushed = await pushFields(['belief5'], { more: ['-o', 'on-drift=reset'], code });
    expect(pushed.code).not.toBe(0);
    expect(pushed.output).toContain('is empty for the old one. What was in it is in the backup “before deploy”.');
    expect((await backups())[0]?.rowCounts['otree_participant']).toBe(2);
    expect(await participants()).toBe(0);
    expect(await makeSession(), 'the old version works on the tables it needs').toBe(201);
  });

  it('a roll back to other models changes nothing, names the columns, and goes on only where the page is told to', async () => {
    const current = async () => (await client.get<InstanceView>('/instances/study')).git.current;
    const before = await current();
    await page.goto(`${panel.url}/instances/study/deploy`);
    await page.locator('summary').filter({ hasText: 'Fields offer, belief' }).first().click();
    await page.getByRole('button', { name: 'Roll back to this version…' }).click();
    await page.getByText('Its tables are compared').waitFor();
    await page.getByRole('button', { name: 'Roll back', exact: true }).click();
    const job = page.getByLabel('Job: Roll back');
    await job.getByText('The version to bring back needs the columns').waitFor({ timeout: 60_000 });
    expect(await current()).toEqual(before);
    expect(await makeSession(), 'the version in use runs on').toBe(201);
    await job.getByRole('button', { name: 'Go on without…' }).click();
    await page.getByRole('button', { name: 'Go on without', exact: true }).click();
    await expect.poll(async () => (await current())?.message, { timeout: 60_000 }).toContain('Fields offer, belief');
    await page
      .getByRole('list', { name: /^Warnings of deployment/ })
      .getByText('brought back knowingly')
      .waitFor();
  });

  it('has shown no error in any page', () => {
    expect(errors).toEqual([]);
  });
});
