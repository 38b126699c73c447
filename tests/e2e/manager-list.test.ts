// What a user of oTree Manager does in a term, in its order and in a browser, with the time of each step.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, picture, visitor } from './browser.ts';
import { makeKey, makeProject, push, type Key } from './git.ts';
import { countRows } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { playBargain } from './play.ts';
import { act, printTimes, seeDone, signInToOtree } from './walk.ts';

const project = path.join(import.meta.dirname, '..', 'projects', 'lab-games');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-list-'));
const name = 'lab-games';
const errors: string[] = [];
const people: Page[] = [];
let panel: WholePanel;
let browser: Browser;
/** The lab manager. */
let ada: Page;
/** The experimenter, in a browser of her own. */
let grace: Page;
let key: Key;

beforeAll(async () => {
  panel = await makePanel();
  browser = await openBrowser();
  await panel.start();
  ada = await visitor(browser, errors);
  await ada.goto(/http\S+\/first-run\?token=\S+/.exec(panel.output())?.[0] ?? '');
  await ada.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
  await ada.getByLabel('User name').fill('ada');
  await ada.getByLabel('E-mail address').fill('ada@lab.example');
  await ada.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await ada.getByRole('button', { name: 'Create my account' }).click();
  await ada.getByRole('link', { name: 'Decide later' }).click();
  await ada.getByRole('button', { name: /sample experiment/i }).waitFor();
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

const page = (tab = ''): string => `${panel.url}/instances/${name}${tab && `/${tab}`}`;
const address = (): string => `http://${name}.localhost:${panel.port}`;
const hall = (): Locator => grace.getByRole('region', { name: 'Room Hall 3' });

/** Clicks a link that downloads, and keeps the file. */
async function download(link: Locator): Promise<string> {
  const [file] = await Promise.all([grace.waitForEvent('download'), link.click()]);
  const place = path.join(home, file.suggestedFilename());
  await file.saveAs(place);
  return place;
}

/** Unpacks a .zip as a person does. @returns its files by name */
function unpack(archive: string): Record<string, string> {
  const script = 'import json, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nprint(json.dumps({n: z.read(n).decode() for n in z.namelist()}))';
  return JSON.parse(execFileSync('python3', ['-c', script, archive], { encoding: 'utf8' })) as Record<string, string>;
}

describe('a list of oTree Manager, done in its order', { timeout: 240_000 }, () => {
  printTimes();
  it('create user with key', async () => {
    await ada.goto(`${panel.url}/people`);
    await ada.getByRole('button', { name: 'Add a person…' }).click();
    const dialog = ada.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('Grace Hopper');
    await dialog.getByLabel('User name').fill('grace');
    await dialog.getByLabel('E-mail address').fill('grace@lab.example');
    await dialog.getByRole('button', { name: 'Invite' }).click();
    const link = await ada.locator('.handed-link code').textContent();
    await ada.getByRole('button', { name: 'Done' }).click();
    await ada.getByRole('row').filter({ hasText: 'grace@lab.example' }).getByText('invited', { exact: true }).waitFor();

    grace = await visitor(browser, errors);
    await grace.goto(link ?? '');
    await grace.getByRole('heading', { name: 'Welcome, Grace Hopper' }).waitFor();
    await grace.getByLabel('Password', { exact: true }).fill('sealing wax and cabbages');
    await grace.getByRole('button', { name: 'Choose password and sign in' }).click();
    await grace.waitForURL(`${panel.url}/`);
    key = makeKey(home, 'grace-key');
    await grace.goto(`${panel.url}/keys`);
    await grace.getByLabel('Public key').fill(key.publicKey);
    await grace.getByRole('button', { name: 'Add key' }).click();
    await grace
      .getByRole('table', { name: 'Your SSH keys' })
      .getByText(/SHA256:/)
      .waitFor();
  });

  it('create instance', async () => {
    await ada.goto(`${panel.url}/instances/new`);
    await ada.getByLabel('Name').fill(name);
    await ada.getByLabel('Owner').selectOption({ label: 'Grace Hopper (grace)' });
    await ada.getByRole('button', { name: 'Create instance' }).click();
    await ada.waitForURL(page());
    await grace.goto(panel.url);
    await grace.getByRole('link', { name: new RegExp(name) }).click();
    await grace.getByText('Waiting for your push…').waitFor();
    await grace.getByText(`ssh://git@localhost:${panel.gitPort}/${name}.git`).first().waitFor();
  });

  it('push', async () => {
    makeProject(project, path.join(home, name));
    const { code, output } = await push(path.join(home, name), { key, remote: `ssh://git@localhost:${panel.gitPort}/${name}.git` });
    expect(code, output).toBe(0);
    expect(output).toContain(`${name} is running: ${address()}`);
    await grace.getByText('Room 114').first().waitFor();
  }, 240_000);

  it('admin password', async () => {
    await act(grace, page(), 'Set admin password…');
    await grace.getByLabel('New password').fill('a-password-of-ours');
    await grace.getByRole('button', { name: 'Set password' }).click();
    await seeDone(grace, 'Set admin password');
    const admin = await visitor(browser, errors);
    expect(await signInToOtree(admin, address(), 'not-this-one')).toBe(false);
    expect(await signInToOtree(admin, address(), 'a-password-of-ours')).toBe(true);
    await admin.context().close();
  });

  it('room with 24 labels', async () => {
    await grace.goto(page('rooms'));
    await grace.getByRole('button', { name: 'New room…' }).click();
    const dialog = grace.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('hall');
    await dialog.getByLabel('Title').fill('Hall 3');
    await dialog.getByRole('button', { name: 'Make me 24' }).click();
    await dialog.getByText('24 labels.').waitFor();
    await dialog.getByRole('button', { name: 'Save room' }).click();
    await grace.getByText('the running experiment knows it').waitFor();
    await expect.poll(() => hall().getByRole('list', { name: 'Seats of hall' }).getByRole('listitem').count()).toBe(24);
  });

  it('Lobby', async () => {
    for (const label of ['A01', 'A02']) {
      const participant = await visitor(browser, errors);
      await participant.goto(`${panel.url}/lobby/${name}/hall/${label}`);
      await participant.getByRole('button', { name: 'I am ready' }).click();
      await participant.waitForURL(`${address()}/room/hall**`);
      people.push(participant);
    }
    await hall().getByText('2 of 24 ready').waitFor();
    const form = grace.getByRole('form', { name: 'Create a session in Hall 3' });
    await expect.poll(() => form.getByLabel('Participants').inputValue(), { message: 'as many as are ready' }).toBe('2');
    await form.getByRole('button', { name: 'Create session' }).click();
    await Promise.all(people.map((participant) => participant.waitForURL(/\/p\//)));
    await hall().getByText('2 playing').waitFor();
    await picture(grace, 'seat-map', { widths: [1440, 390], of: hall() });
    const [one, two] = people as [Page, Page];
    await playBargain(one, two);
    await Promise.all(people.map((participant) => participant.getByText('Your answers are saved.').waitFor()));
    await hall().getByText('2 finished').waitFor();
    expect(await countRows(panel, name)).toBe(2);
  });

  it('shortcuts, links and sheet', async () => {
    await hall().getByText('Shortcuts, QR codes and links for the computers').click();
    const seat = `${panel.url}/lobby/${name}/hall/A01`;
    const linux = unpack(await download(hall().getByRole('link', { name: 'Linux' })));
    expect(Object.keys(linux)).toHaveLength(25);
    expect(openedBy(linux['hall-A01.sh'] ?? '')).toBe(seat);
    const windows = unpack(await download(hall().getByRole('link', { name: 'Windows' })));
    expect(Object.keys(windows)).toHaveLength(25);
    expect(windows['hall-A01.cmd']).toContain(`set "ADDRESS=${seat}"`);
    const lines = readFileSync(await download(hall().getByRole('link', { name: 'Table of links (.csv)' })), 'utf8')
      .trim()
      .split('\r\n');
    expect(lines).toHaveLength(25);
    expect(lines[1]).toMatch(`"A01","${seat}","${address()}/room/hall?participant_label=A01`);
    const [sheet] = await Promise.all([
      grace.waitForEvent('popup'),
      hall()
        .getByRole('link', { name: /Sheet to print/ })
        .click(),
    ]);
    await expect.poll(() => sheet.getByRole('listitem').locator('svg').count()).toBe(24);
    await sheet.getByText(seat.replace('http://', ''), { exact: true }).waitFor();
    await sheet.close();
  });

  it('reset', async () => {
    await grace.goto(page('data'));
    await grace.getByText(/^No one is in a session/).waitFor();
    await act(grace, page('data'), 'Reset database…');
    await grace.getByLabel(`Type ${name} to confirm`).fill(name);
    await grace.getByRole('button', { name: 'Reset database', exact: true }).last().click();
    await seeDone(grace, 'Reset database');
    expect(await countRows(panel, name)).toBe(0);
    const backup = grace.getByRole('table', { name: 'Backups' }).getByRole('row').filter({ hasText: 'before reset' });
    await backup.getByText('verified', { exact: true }).waitFor();
    await backup.getByText('1 session').waitFor();
  });

  it('restore', async () => {
    await grace
      .getByRole('row')
      .filter({ hasText: 'before reset' })
      .getByRole('button', { name: /^Restore the backup/ })
      .click();
    await grace.getByText('It is backed up first and checked').waitFor();
    await grace.getByLabel(`Type ${name} to confirm`).fill(name);
    await grace.getByRole('button', { name: 'Restore this backup' }).click();
    await seeDone(grace, 'Restore a backup');
    expect(await countRows(panel, name)).toBe(2);
    await grace.getByText(/; [1-9]\d* rows; last backup/).waitFor();
    await picture(grace, 'backups');
  });

  it('scale to 0 and back to 1', async () => {
    await ada.goto(page('settings'));
    for (const [processes, state] of [
      ['0', 'stopped'],
      ['1', 'running'],
    ] as const) {
      await ada.getByLabel('Web processes').selectOption(processes);
      await ada.getByRole('button', { name: 'Apply by a restart' }).click();
      await ada.locator('.instance-head').getByText(state, { exact: true }).waitFor();
      await seeDone(ada, 'Scale');
    }
    await (people[0] as Page).reload();
    await (people[0] as Page).getByText('Your answers are saved.').waitFor();
  });

  it('delete', async () => {
    await act(ada, page(), 'Delete…');
    await ada.getByLabel(`Type ${name} to confirm`).fill(name);
    await ada.getByRole('button', { name: 'Delete', exact: true }).click();
    await ada.getByText(`“${name}” is gone`).waitFor({ timeout: 60_000 });
    await ada.goto(`${panel.url}/deleted-instances`);
    await ada
      .getByRole('row')
      .filter({ hasText: name })
      .getByRole('link', { name: `Download the last backup of ${name}` })
      .waitFor();
    await grace.goto(page());
    await grace.getByText(`There is no instance “${name}”`).waitFor();
    expect(errors).toEqual([]);
  });
});

/** Runs a Linux shortcut where the only browser is one that prints what it is asked to open. */
function openedBy(shortcut: string): string {
  const bin = path.join(home, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, 'chromium'), '#!/bin/sh\nfor last in "$@"; do :; done\nprintf %s "$last"\n');
  writeFileSync(path.join(home, 'seat.sh'), shortcut);
  chmodSync(path.join(bin, 'chromium'), 0o755);
  return execFileSync('/bin/sh', [path.join(home, 'seat.sh')], { encoding: 'utf8', env: { PATH: bin, HOME: home } });
}
