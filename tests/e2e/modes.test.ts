// The chain in every address mode, plain and over https: two copies of one experiment side by side, in the same browsers.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AddressMode } from '../../contracts/addresses.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { makeAuthority } from '../certificate-maker.ts';
import { openBrowser } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { commit, makeKey, makeProject, push, type Key } from './git.ts';
import { askDatabase, countRows } from './inside.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { freePorts } from '../free-ports.ts';
import { playBargain } from './play.ts';
import { until } from './until.ts';
import { signInToOtree } from './walk.ts';

const project = path.join(import.meta.dirname, '..', 'projects', 'lab-games');

type Copy = { readonly name: string; readonly language: string; readonly currency: string; readonly money: RegExp };
const copies = (mode: AddressMode): readonly [Copy, Copy] => [
  { name: `${mode}-one`, language: 'en', currency: 'USD', money: /^\$2\.00$/ },
  { name: `${mode}-two`, language: 'de', currency: 'EUR', money: /^2,00\s€$/ },
];

/** What an institution would put into CERTIFICATES_DIR. Browsers take no wildcard for a whole top-level domain: every name is in it. */
function writeCertificate(folder: string): void {
  const authority = makeAuthority();
  const own = ['subdomain-one.localhost', 'subdomain-two.localhost', 'study.lab.test', 'survey.lab.test'];
  const { chain, key } = authority.issue({ names: ['localhost', ...own] });
  authority.clear();
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'lab.pem'), chain);
  writeFileSync(path.join(folder, 'lab.key'), key);
}

describe.each([
  { how: 'plain', modes: ['port', 'path'] },
  { how: 'https', modes: ['subdomain', 'port', 'path', 'host'] },
] as const)('$how', ({ how, modes }) => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-modes-'));
  const errors: string[] = [];
  let panel: WholePanel;
  let browser: Browser;
  let ada: PanelClient;
  let key: Key;

  beforeAll(async () => {
    const ports = await freePorts(44);
    const [https = 0, paths = 0, first = 0] = ports.toSorted((one, two) => one - two);
    const scheme = how === 'plain' ? 'http' : 'https';
    const certificates = path.join(home, 'certificates');
    const encrypted = { HTTPS_PORT: String(https), PUBLIC_URL: `https://localhost:${https}`, CERTIFICATES_DIR: certificates };
    writeCertificate(certificates);
    panel = await makePanel({
      INSTANCE_PORTS: `${first}-${first + 40}`,
      PATH_URL: `${scheme}://localhost:${paths}/otree`,
      PATH_PORT: String(paths),
      ...(how === 'https' ? encrypted : {}),
    });
    // The certificate signed itself; this process asks nobody else over https.
    if (how === 'https') process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    await panel.start();
    ada = await firstManager(panel);
    key = makeKey(home, 'key');
    await ada.send('POST', '/ssh-keys', { publicKey: key.publicKey });
    browser = await openBrowser('lab.test');
  }, 400_000);

  afterAll(async () => {
    delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    await browser?.close();
    await panel?.remove();
    rmSync(home, { recursive: true, force: true });
  }, 240_000);

  const urlOf = async (name: string): Promise<string> => (await ada.get<InstanceView>(`/instances/${name}`)).url;
  const passwordOf = async (name: string): Promise<string> => (await ada.get<{ password: string }>(`/instances/${name}/admin-password`)).password;

  /** A browser of one person; in mode https the certificate is accepted once for all. */
  async function person(): Promise<BrowserContext> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(60_000);
    return context;
  }

  /** A page that may ask nothing but this instance and the panel's Lobby. */
  async function pageOf(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    const note = (asked: string): void => {
      const address = asked.replace(/^ws/, 'http');
      if (!/^(?:data|blob|about):/.test(address) && !address.startsWith(`${url}/`) && !address.startsWith(`${panel.url}/lobby/`))
        errors.push(`${url} asked ${asked}`);
    };
    page.on('request', (request) => note(request.url()));
    page.on('websocket', (socket) => note(socket.url()));
    page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`));
    return page;
  }

  /** The project with a language and a currency of its own; payoffs are money, so that the currency is to be seen. */
  function variant({ name, language, currency }: Copy): string {
    const folder = path.join(home, name);
    makeProject(project, folder);
    const file = path.join(folder, 'settings.py');
    const settings = readFileSync(file, 'utf8')
      .replace("LANGUAGE_CODE = 'en'", `LANGUAGE_CODE = '${language}'`)
      .replace("REAL_WORLD_CURRENCY_CODE = 'EUR'", `REAL_WORLD_CURRENCY_CODE = '${currency}'`)
      .replace('USE_POINTS = True', 'USE_POINTS = False');
    commit(folder, `Speak ${language}, pay in ${currency}`, { 'settings.py': settings });
    return folder;
  }

  describe.each(modes.map((mode) => ({ mode })))('by $mode', ({ mode }) => {
    const pair = copies(mode);
    const urls = new Map<string, string>();
    const url = (copy: Copy): string => urls.get(copy.name) ?? '';
    let admin: BrowserContext;
    let people: readonly [BrowserContext, BrowserContext];
    const seats = new Map<string, readonly [Page, Page]>();

    async function change(copy: Copy, at: number): Promise<void> {
      const own = mode === 'host' ? { hostName: at === 0 ? 'study.lab.test' : 'survey.lab.test', isConfirmed: true } : {};
      const job = await ada.run(copy.name, { kind: 'change-address', mode, keepsOld: false, ...own });
      expect(job, JSON.stringify(job.error)).toMatchObject({ state: 'succeeded' });
    }

    it('gives both an address of that kind, and a push makes them answer there', async () => {
      for (const [at, copy] of pair.entries()) {
        await ada.create(copy.name);
        // Sub-domains are what new instances get here.
        if (mode !== 'subdomain') await change(copy, at);
        const pushed = await push(variant(copy), { key, remote: `ssh://git@localhost:${panel.gitPort}/${copy.name}.git` });
        expect(pushed.code, pushed.output).toBe(0);
        urls.set(copy.name, await urlOf(copy.name));
        expect(pushed.output).toContain(`${copy.name} is running: ${url(copy)}`);
      }
      const expected = {
        subdomain: /\/\/subdomain-one\.localhost:\d+$/,
        port: /\/\/localhost:\d+$/,
        path: /\/otree\/path-one$/,
        host: /\/\/study\.lab\.test:\d+$/,
      };
      expect(url(pair[0])).toMatch(expected[mode]);
      expect(new URL(url(pair[0])).protocol).toBe(how === 'https' ? 'https:' : 'http:');
    }, 240_000);

    it('lets one browser be signed in to both admins', async () => {
      admin = await person();
      for (const copy of pair) {
        const page = await pageOf(admin, url(copy));
        expect(await signInToOtree(page, url(copy), await passwordOf(copy.name))).toBe(true);
        await page.close();
      }
    }, 180_000);

    it('forwards from the Lobby, and two people play both experiments to the end in the same browsers', async () => {
      people = [await person(), await person()];
      for (const copy of pair) {
        const { rooms } = await ada.get<InstanceView>(`/instances/${copy.name}`);
        const labels = rooms.find(({ name }) => name === 'lab')?.labels?.slice(0, 2) ?? [];
        const made = await ada.send('POST', `/instances/${copy.name}/rooms/lab/sessions`, { sessionConfigName: 'bargain', numParticipants: 2 });
        expect(made.status, JSON.stringify(made.body)).toBe(201);
        const pages: Page[] = [];
        for (const [at, context] of people.entries()) {
          const page = await pageOf(context, url(copy));
          await page.goto(`${panel.url}/lobby/${copy.name}/lab/${labels[at]}`);
          await page.getByRole('button').first().click();
          pages.push(page);
        }
        seats.set(copy.name, pages as [Page, Page] & Page[]);
      }
      for (const copy of pair) for (const page of seats.get(copy.name) ?? []) await page.waitForURL(`${url(copy)}/p/**`);
      // Both experiments at the same time: what one says must not be heard in the other.
      await Promise.all(pair.map((copy) => playBargain(...(seats.get(copy.name) ?? ([] as never)))));
      for (const copy of pair) for (const page of seats.get(copy.name) ?? []) await page.getByText('Your answers are saved.').waitFor();
    }, 300_000);

    it('keeps both apart: rows, language, currency, and nobody is signed out', async () => {
      for (const copy of pair) {
        expect(await countRows(panel, copy.name)).toBe(2);
        const page = await pageOf(admin, url(copy));
        await page.goto(`${url(copy)}/sessions`);
        expect(page.url()).toBe(`${url(copy)}/sessions`);
        const [session] = await askDatabase<{ code: string }>(panel, copy.name, 'SELECT code FROM otree_session');
        for (const view of ['SessionMonitor', 'SessionData', 'SessionPayments', 'SessionDescription']) {
          await page.goto(`${url(copy)}/${view}/${session?.code}`);
          expect(page.url()).toBe(`${url(copy)}/${view}/${session?.code}`);
        }
        await page.goto(`${url(copy)}/SessionPayments/${session?.code}`);
        await page.locator('td').getByText(copy.money).first().waitFor();
        await page.goto(`${url(copy)}/rooms`);
        await page.getByText('Room 114').first().waitFor();
        const download = page.waitForEvent('download');
        await page.goto(`${url(copy)}/ExportWide`).catch(() => undefined);
        const table = readFileSync(await (await download).path(), 'utf8');
        expect(table.trim().split('\n')).toHaveLength(3);
        await page.close();
        const other = await pageOf(await person(), url(copy));
        await other.goto(`${url(copy)}/room/online?participant_label=later&welcome_page_ok=1`);
        await other.context().close();
      }
    }, 240_000);

    it('hands in by itself for somebody who went away', async () => {
      const [one] = pair;
      const made = await ada.send('POST', `/instances/${one.name}/rooms/online/sessions`, { sessionConfigName: 'survey', numParticipants: 1 });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      const away = await person();
      const page = await pageOf(away, url(one));
      await page.goto(`${url(one)}/room/online?participant_label=away&welcome_page_ok=1`);
      await page.locator('[name=age]').waitFor();
      await away.close();
      const handedIn = (): Promise<{ ran_out: boolean }[]> => askDatabase(panel, one.name, 'SELECT ran_out FROM survey_player WHERE ran_out');
      await until('the page was handed in', async () => (await handedIn()).length === 1, { withinMs: 60_000 });
    }, 180_000);

    it('stops with a page that says so, starts and resets at the same address', async () => {
      const [one, two] = pair;
      const page = await (await person()).newPage();
      expect((await ada.run(one.name, { kind: 'stop', reason: 'the walk' })).state).toBe('succeeded');
      expect((await page.goto(`${url(one)}/login`))?.status()).toBe(503);
      expect(await page.locator('body').innerText()).toContain('stopped');
      expect((await page.goto(`${url(two)}/login`))?.status()).toBe(200);
      expect((await ada.run(one.name, { kind: 'start' })).state).toBe('succeeded');
      expect((await ada.run(one.name, { kind: 'reset-database', confirm: one.name, reason: 'the walk' })).state).toBe('succeeded');
      expect((await page.goto(`${url(one)}/login`))?.status()).toBe(200);
      expect(await countRows(panel, one.name)).toBe(0);
      expect(await countRows(panel, two.name)).toBe(2);
      await page.context().close();
    }, 240_000);

    it('asked nothing outside its own address, and no page had an error', () => {
      expect(errors).toEqual([]);
    });
  });
});
