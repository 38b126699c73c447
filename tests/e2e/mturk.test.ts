// A study on MTurk in a browser, over https: judged on the tab, made by oTree’s “For MTurk”, up to oTree’s own publish page, and taken in a frame of another origin.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceView } from '../../contracts/instances.ts';
import type { Preflight } from '../../contracts/preflight.ts';
import { makeAuthority } from '../certificate-maker.ts';
import { openBrowser, picture } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { askDatabase } from './inside.ts';
import { questionOf, serveElements, startMturkSite, type MturkSite } from './mturk-site.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { freePorts } from '../free-ports.ts';
import { signIn, signInToOtree } from './walk.ts';

const project = path.join(import.meta.dirname, '..', 'projects', 'mturk-study');
const home = mkdtempSync(path.join(os.tmpdir(), 'arb-mturk-'));
const studies = [
  { name: 'turk-six', otree: '6.0.15' },
  { name: 'turk-five', otree: '5.11.5' },
] as const;
const workers = 3;
const errors: string[] = [];
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let site: MturkSite;
let admin: BrowserContext;
let ada: Page;

/** The project with this oTree, packed as people do. */
function pack({ name, otree }: (typeof studies)[number]): string {
  const folder = path.join(home, name);
  cpSync(project, folder, { recursive: true, filter: (file) => !file.includes('__pycache__') });
  writeFileSync(path.join(folder, 'requirements.txt'), `otree==${otree}\npsycopg2>=2.8.4\n`);
  execFileSync('python3', ['-c', 'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[1])', folder]);
  return `${folder}.zip`;
}

async function page(context: BrowserContext): Promise<Page> {
  const made = await context.newPage();
  made.setDefaultTimeout(60_000);
  made.on('pageerror', (error) => errors.push(`${made.url()}: ${error.message}`));
  return made;
}
/** A browser of one person; nobody but this test knows the authority. */
const person = (): Promise<BrowserContext> => browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } });

beforeAll(async () => {
  const authority = makeAuthority();
  const names = ['localhost', ...studies.map(({ name }) => `${name}.localhost`)];
  const [own, theirs] = [authority.issue({ names }), authority.issue({ names: ['worker.lab.test'] })];
  authority.clear();
  const certificates = path.join(home, 'certificates');
  mkdirSync(certificates);
  writeFileSync(path.join(certificates, 'lab.pem'), own.chain);
  writeFileSync(path.join(certificates, 'lab.key'), own.key);
  site = await startMturkSite('worker.lab.test', theirs);
  const [port = 0] = process.env['ARBORETUM_PICTURES'] === '1' ? [8443] : await freePorts(1);
  panel = await makePanel({ HTTPS_PORT: String(port), PUBLIC_URL: `https://localhost:${port}`, CERTIFICATES_DIR: certificates });
  // The certificate signed itself; this process asks nobody else over https.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  await panel.start();
  client = await firstManager(panel);
  for (const study of studies) {
    await client.create(study.name);
    const job = await client.upload(study.name, pack(study));
    if (job.state !== 'succeeded') throw new Error(JSON.stringify(job));
  }
  browser = await openBrowser('lab.test');
  admin = await person();
  ada = await page(admin);
  await signIn(ada, panel, { login: 'ada', password: 'correct horse battery' });
}, 400_000);
afterAll(async () => {
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  await browser?.close();
  site?.close();
  await panel?.remove();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

const instanceOf = (name: string): Promise<InstanceView> => client.get<InstanceView>(`/instances/${name}`);
async function resultsOf(name: string): Promise<Record<string, string>> {
  const { findings } = await client.get<Preflight>(`/instances/${name}/preflight?room=&kind=mturk&people=${workers}`);
  return Object.fromEntries(findings.map(({ id, result }) => [id, result]));
}
const judged = ['mturk-settings', 'mturk-times', 'mturk-template', 'mturk-button', 'mturk-qualifications', 'mturk-retakes', 'mturk-money', 'mturk-package'];

describe('a study on MTurk', () => {
  it('is looked through on the tab: what would be published, the total with fees, lines to paste', async () => {
    await ada.goto(`${panel.url}/instances/turk-six/recruit?room=-mturk`);
    await ada.getByLabel('Session config', { exact: true }).selectOption('pilot');
    await ada.getByLabel('Expected workers').fill(String(workers));
    await ada.getByRole('button', { name: 'Save', exact: true }).click();
    await ada.getByText('pilot has no mturk_hit_settings.').waitFor();
    await ada.getByText('minutes_allotted_per_assignment=60,', { exact: false }).first().waitFor();
    await ada.getByLabel('Session config', { exact: true }).selectOption('decide');
    await ada.getByRole('button', { name: 'Save', exact: true }).click();
    await ada.getByText('3 workers × $0.50 = $1.50, and MTurk’s fee of 20 %: $0.30. In all $1.80.', { exact: false }).waitFor();
    for (const id of judged) await ada.locator(`#check-${id}`).getByText('good', { exact: true }).waitFor();
    await ada.getByText('Sandbox: nobody is paid.', { exact: true }).waitFor();
    await picture(ada, 'mturk', { widths: [1440, 390] });
    await picture(ada, 'mturk-hit', { of: ada.getByText('In your project: decide', { exact: false }).first() });
  }, 240_000);

  it('has keys that are entered once and set for each instance with one restart', async () => {
    await ada.getByLabel('Access key id').fill('AKIAIOSFODNN7EXAMPLE');
    await ada.getByLabel('Secret access key').fill('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
    await ada.getByRole('button', { name: 'Keep the keys' }).click();
    for (const { name } of studies) {
      expect((await resultsOf(name))['mturk-keys']).toBe('bad');
      await ada.goto(`${panel.url}/instances/${name}/recruit?room=-mturk`);
      await ada.getByLabel('Session config', { exact: true }).selectOption('decide');
      await ada.getByLabel('Expected workers').fill(String(workers));
      await ada.getByRole('button', { name: 'Save', exact: true }).click();
      await ada.getByRole('button', { name: `Set mine for ${name}` }).click();
      await ada.getByRole('button', { name: 'Restart to apply…' }).first().click();
      const dialog = ada.getByRole('dialog');
      await dialog.getByRole('button', { name: 'Restart', exact: true }).click();
      await ada.getByRole('button', { name: 'Restart to apply…' }).waitFor({ state: 'detached', timeout: 120_000 });
      expect((await resultsOf(name))['mturk-keys']).toBe('good');
    }
  }, 400_000);
});

describe.each(studies)('with oTree $otree', ({ name, otree }) => {
  let url = '';
  let code = '';

  it('the session is made by “For MTurk”, with twice as many places, and oTree’s own publish page is reached', async () => {
    ({ url } = await instanceOf(name));
    expect(url).toMatch(/^https:/);
    expect((await resultsOf(name))['mturk-places']).toBe('bad');
    const { password } = await client.get<{ password: string }>(`/instances/${name}/admin-password`);
    const otreePage = await page(admin);
    expect(await signInToOtree(otreePage, url, password)).toBe(true);
    // The link of the Recruit tab is the entry of oTree’s own menu.
    await otreePage.goto(`${url}/sessions`);
    await otreePage.locator('.dropdown-toggle-split').click();
    await otreePage.getByText('For MTurk', { exact: true }).click();
    await otreePage.waitForURL(`${url}/create_session?is_mturk=1`);
    await otreePage.locator('[name=session_config]').selectOption('decide');
    await otreePage.locator('[name=num_participants]').fill(String(workers));
    await otreePage.locator('#btn-create-session').click();
    await otreePage.waitForURL(/MTurkCreateHIT/);
    const [session] = await askDatabase<{ code: string; num_participants: number; is_mturk: boolean }>(panel, name, 'SELECT * FROM otree_session');
    expect(session).toMatchObject({ num_participants: workers * 2, is_mturk: true });
    code = session?.code ?? '';
    await otreePage.getByText(`Number of MTurk assignments: ${workers}`).waitFor();
    await otreePage.getByRole('button', { name: 'Publish HIT' }).waitFor();
    expect(await otreePage.getByText('MTurk is currently disabled').count()).toBe(0);
    await picture(otreePage, 'mturk-publish');
    await otreePage.close();
    expect((await resultsOf(name))['mturk-places']).toBe('good');
  }, 240_000);

  it('the Recruit tab’s links lead to oTree’s own MTurk and Payments pages of that session', async () => {
    await ada.goto(`${panel.url}/instances/${name}/recruit?room=-mturk`);
    await ada.getByText(`Session ${code}, ${workers} workers:`).waitFor();
    const follow = async (link: string): Promise<Page> => {
      const [opened] = await Promise.all([admin.waitForEvent('page'), ada.getByRole('link', { name: `${link} ↗`, exact: true }).click()]);
      await opened.waitForLoadState();
      return opened;
    };
    const hit = await follow('MTurk');
    expect(hit.url()).toBe(`${url}/MTurkCreateHIT/${code}`);
    await hit.getByRole('button', { name: 'Publish HIT' }).waitFor();
    const payments = await follow('Payments');
    expect(payments.url()).toBe(`${url}/MTurkSessionPayments/${code}`);
    // Nothing is published, so that there is nobody to pay yet.
    await payments.getByText('The MTurk payments page will appear after you publish this').waitFor();
    await hit.close();
    await payments.close();
  }, 240_000);

  it('MTurk’s window frames oTree’s question: a worker opens the study by its link, ends it, and submits the code', async () => {
    const { id } = await instanceOf(name);
    const template = path.join(project, '_templates', 'global', 'mturk_template.html');
    site.show({ question: questionOf({ instanceDir: path.join(panel.dataDir, 'instances', id), template, startUrl: `${url}/MTurkStart/${code}` }) });
    const context = await person();
    await serveElements(context);
    const window = await page(context);
    await window.goto(`${site.url}/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE`);
    // Before the work is accepted, the link leads nowhere.
    expect(await window.frameLocator('iframe').getByText('Open the study').getAttribute('href')).toBeNull();
    await window.goto(`${site.url}/?assignmentId=A1&workerId=W1`);
    const [study] = await Promise.all([context.waitForEvent('page'), window.frameLocator('iframe').getByText('Open the study').click()]);
    study.setDefaultTimeout(60_000);
    await study.locator('[name=kept]').fill('0.30');
    await study.locator('.otree-btn-next').click();
    const given = await study.locator('#code').innerText();
    await study.locator('.otree-btn-next').click();
    await study.waitForURL(/OutOfRangeNotification/);
    await window.frameLocator('iframe').getByLabel('Completion code').fill(given);
    await window.frameLocator('iframe').getByRole('button', { name: 'Submit' }).click();
    await window.frameLocator('iframe').getByText('Your work was submitted').waitFor();
    expect(site.submitted.at(-1)).toBe(`?assignmentId=A1&workerId=W1 completion_code=${given}`);
    const [worker] = await askDatabase(panel, name, "SELECT code, mturk_assignment_id, payoff FROM otree_participant WHERE mturk_worker_id = 'W1'");
    expect(worker).toMatchObject({ code: given, mturk_assignment_id: 'A1' });
    await context.close();
  }, 240_000);

  it('the participant’s page itself works in a frame of another origin: no header forbids it, and the last page is handed in', async () => {
    site.show({ address: `${url}/MTurkStart/${code}` });
    const context = await person();
    const window = await page(context);
    const forbidding: string[] = [];
    window.on('response', (response) => {
      const headers = response.headers();
      if (response.url().startsWith(url) && ('x-frame-options' in headers || 'content-security-policy' in headers)) forbidding.push(response.url());
    });
    const framed = async (): Promise<Frame> => {
      await window.goto(`${site.url}/?assignmentId=A2&workerId=W2`);
      const frame = window.frame({ name: 'work' });
      if (!frame) throw new Error('nothing is framed');
      await frame.locator('[name=kept], #code').first().waitFor();
      return frame;
    };
    const frame = await framed();
    expect(new URL(frame.url()).origin).toBe(new URL(url).origin);
    await frame.locator('[name=kept]').fill('0.70');
    await frame.locator('.otree-btn-next').click();
    const given = await frame.locator('#code').innerText();
    // Whoever opens the work again is the same participant, on the same page.
    expect(await (await framed()).locator('#code').innerText()).toBe(given);
    await window.frame({ name: 'work' })?.locator('.otree-btn-next').click();
    await window.frame({ name: 'work' })?.waitForURL(/OutOfRangeNotification/);
    expect(forbidding).toEqual([]);
    // oTree’s cookie is SameSite=Lax, so that browsers keep it out of such a frame; the pages of a participant need none.
    expect((await context.cookies(url)).map(({ name: cookie }) => cookie)).toEqual([]);
    const [ended] = await askDatabase<{ ended: boolean }>(
      panel,
      name,
      "SELECT _index_in_pages > _max_page_index AS ended FROM otree_participant WHERE mturk_worker_id = 'W2'",
    );
    expect([otree, ended?.ended]).toEqual([otree, true]);
    await context.close();
  }, 240_000);
});

it('no page of the walk had an error of its own', () => {
  expect(errors).toEqual([]);
});
