// The first start in the browser: the account, then where experiments run, without an engine and with one; later on the System page.

import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_IMAGE, engineForTests } from '../docker-engine.ts';
import { openBrowser, visitor } from './browser.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { until } from './until.ts';

const engine = await engineForTests();
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
type Axe = { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-first-'));
/** Where the panel looks for an engine; there is none before a test puts one there. */
const socket = path.join(home, 'docker.sock');
const errors: string[] = [];
let panel: WholePanel;
let browser: Browser;
let ada: Page;

beforeAll(async () => {
  panel = await makePanel({ DOCKER_SOCKET: socket, SWARM_BASE_IMAGES: BASE_IMAGE });
  browser = await openBrowser();
  await panel.start();
  ada = await visitor(browser, errors);
}, 420_000);

afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  await engine?.stop();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

/** What axe-core finds, and whether something runs out of the page, at both widths; with `ARBORETUM_SHOTS=FOLDER` a picture of each. */
async function inspect(name: string): Promise<string[]> {
  const found: string[] = [];
  for (const [width, colorScheme] of [
    [390, 'dark'],
    [1440, 'light'],
  ] as const) {
    await ada.setViewportSize({ width, height: 900 });
    await ada.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await ada.evaluate(axeSource);
    const { violations } = await ada.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
    found.push(...violations.map(({ id, nodes }) => `${name} at ${width}: ${id} ${nodes[0]?.html ?? ''}`));
    if (await ada.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1)) found.push(`${name} at ${width}: too wide`);
    const folder = process.env['ARBORETUM_SHOTS'];
    if (folder) await ada.screenshot({ path: path.join(folder, `${name}-${width}.png`), fullPage: (await ada.locator('dialog[open]').count()) === 0 });
  }
  return found;
}

const containers = () => ada.getByRole('radio', { name: /In containers/ });
const use = (name: string) => ada.getByRole('button', { name, exact: true });

it('leads from the account to the platforms; without an engine only this machine can be chosen, and it says what is missing', async () => {
  await ada.goto(/http\S+first-run\?token=\S+/.exec(panel.output())?.[0] ?? '');
  expect(await inspect('account')).toEqual([]);
  await ada.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
  await ada.getByLabel('User name').fill('ada');
  await ada.getByLabel('E-mail address').fill('ada@lab.example');
  await ada.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await use('Create my account').click();
  await ada.getByRole('heading', { name: 'Where shall experiments run?' }).waitFor();
  await ada.getByText(`There is no socket ${socket}.`).waitFor();
  await ada.getByText('Install Docker Engine 20.10 or later', { exact: false }).waitFor();
  expect(await containers().isDisabled()).toBe(true);
  expect(await ada.getByRole('radio', { name: /On a Dokku host/ }).isDisabled()).toBe(true);
  expect(await ada.getByRole('radio', { name: /without containers/ }).isChecked()).toBe(true);
  expect(await inspect('no-engine')).toEqual([]);
});

describe.skipIf(engine === null)('with an engine', () => {
  it('proposes containers, and says that local isolates less', async () => {
    symlinkSync(engine?.socket ?? '', socket);
    await use('Look again').click();
    await ada.getByText(`answers at ${socket}`, { exact: false }).waitFor();
    await ada.getByText('Proposed: in containers', { exact: false }).waitFor();
    await ada.getByText(/local, this machine without containers, isolates experiments less/).waitFor();
    await ada.reload();
    await ada.getByText('Proposed: in containers', { exact: false }).waitFor();
    expect(await containers().isChecked()).toBe(true);
    expect(await use('Run experiments in containers').isDisabled()).toBe(true);
    expect(await inspect('engine')).toEqual([]);
  });

  it('makes the engine a Swarm manager after saying what follows, at the address that was chosen', async () => {
    await use('Make it a Swarm manager…').click();
    const dialog = ada.getByRole('dialog');
    await dialog.getByText('no other machine can reach it', { exact: false }).waitFor();
    await dialog.getByText('docker swarm leave --force', { exact: false }).waitFor();
    expect(await inspect('make-manager')).toEqual([]);
    await dialog.getByRole('button', { name: 'Make it a manager' }).click();
    await ada.getByText('It is the manager of a Swarm.').waitFor();
    expect(await engine?.docker.info()).toMatchObject({ Swarm: { LocalNodeState: 'active', ControlAvailable: true, NodeAddr: '127.0.0.1' } });
  });

  it('takes containers into use at once, and keeps them over a restart of the panel', async () => {
    await use('Run experiments in containers').click();
    await ada.getByRole('button', { name: /sample experiment/i }).waitFor();
    await ada.goto(`${panel.url}/system`);
    const group = ada.getByRole('region', { name: 'Where experiments run' });
    await group.getByText('a lab manager, in the panel').waitFor();
    await ada.getByRole('region', { name: 'Docker Engine' }).getByText('answers', { exact: true }).waitFor();
    expect(await inspect('system')).toEqual([]);
    await panel.stop();
    await panel.start();
    await ada.goto(`${panel.url}/system`);
    await group.getByText('in containers', { exact: false }).first().waitFor();
    expect(await group.locator('code').first().innerText()).toBe('swarm');
  }, 240_000);

  it('is changed on the System page for new instances, and those that are there stay where they are', async () => {
    const group = ada.getByRole('region', { name: 'Where experiments run' });
    await group.getByRole('button', { name: 'Choose another platform…' }).click();
    await ada.getByRole('radio', { name: /without containers/ }).check();
    expect(await inspect('system-choose')).toEqual([]);
    await use('Run experiments on this machine').click();
    await until('it is local', async () => (await group.locator('code').first().innerText()) === 'local');
    await group.getByRole('button', { name: 'Choose another platform…' }).click();
    await containers().check();
    await use('Run experiments in containers').click();
    await until('it is swarm again', async () => (await group.locator('code').first().innerText()) === 'swarm');
    await ada.goto(`${panel.url}/instances/new`);
    await ada.getByLabel('Name').fill('trust-game');
    await use('Create instance').click();
    await ada.getByText('Waiting for your push…').waitFor();
    await ada.goto(`${panel.url}/system`);
    await group.getByRole('button', { name: 'Choose another platform…' }).click();
    await ada.getByRole('radio', { name: /without containers/ }).check();
    await use('Run experiments on this machine').click();
    await until('it is local once more', async () => (await group.locator('code').first().innerText()) === 'local');
    await ada.goto(`${panel.url}/instances/trust-game/settings`);
    await ada.getByText('It runs in a container.').waitFor();
    expect(errors).toEqual([]);
  }, 240_000);
});
