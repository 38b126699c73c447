// A study on Prolific in a browser: set up from the tab, tried, ten people who come by the link, and the bonus to the cent.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecruitingView } from '../../contracts/recruiting-view.ts';
import { packProject } from './archive.ts';
import { openBrowser, picture, visitor } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { until } from './until.ts';
import { signIn } from './walk.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-recruit-'));
const name = 'online-study';
const code = 'C1DONE77';
const errors: string[] = [];
/** What the stand-in for the completion pages was asked for. */
const arrivals: string[] = [];
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let ada: Page;
let standIn: http.Server;

beforeAll(async () => {
  standIn = http.createServer((request, response) => {
    arrivals.push(request.url ?? '');
    response.end('<h1>Thank you, your submission is complete</h1>');
  });
  await new Promise<void>((resolve) => standIn.listen(0, '127.0.0.1', resolve));
  panel = await makePanel();
  browser = await openBrowser();
  await panel.start();
  client = await firstManager(panel);
  await client.create(name);
  const { state, error } = await client.upload(name, packProject(home, 'prolific-study'));
  if (state !== 'succeeded') throw new Error(JSON.stringify(error));
  ada = await visitor(browser, errors);
  await signIn(ada, panel, { login: 'ada', password: 'correct horse battery' });
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await panel?.remove();
  standIn?.close();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

const recruiting = (): Promise<RecruitingView> => client.get<RecruitingView>(`/instances/${name}/recruiting`);
const standInUrl = (): string => `http://127.0.0.1:${(standIn.address() as AddressInfo).port}`;
/** An id as Prolific makes it, from 1. */
const idOf = (number: number): string => `5e9088a8a4b6ed018b45${String(number).padStart(4, '0')}`;

/** A person of Prolific's: their browser, in which Prolific's own completion page is the stand-in. */
async function arrive(id: string): Promise<Page> {
  const page = await visitor(browser, errors);
  await page.context().route('https://app.prolific.com/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: standInUrl() + pathname + search }) });
  });
  const room = (await recruiting()).rooms[0];
  await page.goto((room?.entryLink ?? '').replace('{{%PROLIFIC_PID%}}', id));
  await page.getByRole('button', { name: 'Start' }).click();
  return page;
}

const next = (page: Page): Promise<void> => page.locator('.otree-btn-next').click();

async function consent(page: Page): Promise<void> {
  await page.locator('[name=consent]').first().waitFor();
  const field = page.locator('[name=consent]').first();
  if ((await field.evaluate((element) => element.tagName)) === 'SELECT') await field.selectOption({ label: 'I agree' });
  else await page.getByLabel('I agree', { exact: true }).check();
  await next(page);
}

async function work(page: Page, units: number): Promise<void> {
  await page.locator('[name=units]').fill(String(units));
  await next(page);
  await page.getByText('your submission is complete').waitFor();
}

async function configsInOtree(): Promise<unknown> {
  const { id, url } = await client.get<{ id: string; url: string }>(`/instances/${name}`);
  const { environment } = JSON.parse(readFileSync(path.join(panel.dataDir, 'instances', id, 'env.json'), 'utf8')) as { environment: Record<string, string> };
  expect(environment['COMPLETIONLINK']).toBe(`https://app.prolific.com/submissions/complete?cc=${code}`);
  const { host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = { host, 'otree-rest-key': environment['OTREE_REST_KEY'] ?? '' };
    http
      .get({ host: '127.0.0.1', port, path: '/api/session_configs', agent: false, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve(JSON.parse(text)));
      })
      .on('error', reject);
  });
}

/** What eight people earn, in points of a penny. */
const earned = [137, 29, 100, 1, 0, 257, 58, 999];

describe('a study on Prolific', () => {
  it('is set up from the tab: the room lets everybody in, the link has the exact form', async () => {
    await ada.goto(`${panel.url}/instances/${name}`);
    await ada.getByRole('link', { name: 'Recruit', exact: true }).click();
    await ada.getByLabel('Prolific', { exact: true }).check();
    await ada.getByLabel('Completion code', { exact: true }).fill(`https://app.prolific.com/submissions/complete?cc=${code}`);
    await ada.getByLabel('Places on Prolific').fill('12');
    await ada.getByRole('button', { name: 'Save', exact: true }).click();
    await ada.getByText('This room turns people away').waitFor();
    await ada.getByRole('button', { name: 'Let the room take any label…' }).click();
    await ada.getByText('secure links (use_secure_urls)').waitFor();
    await ada.getByRole('button', { name: 'Let it take any label', exact: true }).click();
    await ada.getByText('This room turns people away').waitFor({ state: 'detached' });
    const room = (await recruiting()).rooms[0];
    const { url } = await client.get<{ url: string }>(`/instances/${name}`);
    expect(room?.entryLink).toBe(`${url}/room/study?participant_label={{%PROLIFIC_PID%}}`);
    await ada.getByText(room?.entryLink ?? '', { exact: true }).waitFor();
    expect(room?.sessionFields).toEqual({ completionlink: `https://app.prolific.com/submissions/complete?cc=${code}` });
    // The project has a placeholder of its own: both are shown.
    await ada.getByText('settings.py:9', { exact: false }).first().waitFor();
    await ada.getByText('What stands here takes its place', { exact: false }).waitFor();
    await picture(ada, 'recruit', { widths: [1440, 390] });
  }, 240_000);

  it('a test click says what is missing, and with a session that everything works', async () => {
    await ada.getByRole('button', { name: 'Test click' }).click();
    await ada.getByText('none is open in this room', { exact: false }).waitFor();
    await ada.getByRole('button', { name: 'Create session' }).click();
    await until('a session is open', async () => (await recruiting()).rooms[0]?.sessionCode);
    await ada.getByRole('button', { name: 'Test click' }).click();
    await ada.getByText('Everything works.').waitFor();
    await ada.getByText('It was not opened: opening it submits.', { exact: false }).waitFor();
    expect(arrivals).toEqual([]);
  }, 240_000);

  it('ten people come by the link: eight end at the completion page, two leave, one comes twice', async () => {
    for (const [index, units] of earned.entries()) {
      const page = await arrive(idOf(index + 1));
      await consent(page);
      await work(page, units);
      await page.context().close();
    }
    for (const number of [9, 10]) {
      const page = await arrive(idOf(number));
      await consent(page);
      await page.locator('[name=units]').waitFor();
      await page.context().close();
    }
    expect(arrivals).toEqual(earned.map(() => `/submissions/complete?cc=${code}`));
    // The link leads back to the same place, which is the end.
    const again = await arrive(idOf(1));
    await again.getByText('your submission is complete').waitFor();
    await again.context().close();
    expect(arrivals).toHaveLength(9);
  }, 240_000);

  it('Prolific’s export is compared, and the bonus file is right to the cent', async () => {
    const header = 'Submission id,Participant id,Status,Started at,Completed at,Time taken,Completion code,Total approvals';
    const statusOf = (number: number): string => ({ 8: 'TIMED-OUT', 9: 'RETURNED' })[number] ?? 'AWAITING REVIEW';
    const rows = Array.from({ length: 10 }, (_, index) => {
      const [number, given] = [index + 1, index + 1 === 10 ? 'NOCODE' : code];
      return `s${number},${idOf(number)},${statusOf(number)},2026-03-01T10:00:00Z,,${300 + index},${number === 8 || number === 9 ? '' : given},12`;
    });
    const file = (lines: readonly string[]) => ({ name: 'prolific_export.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) });
    await ada.reload();
    const picker = ada.getByLabel('Prolific’s CSV', { exact: true });
    await picker.setInputFiles(file(['name,age', 'Ada,36']));
    await ada.getByText('so it is not Prolific’s export', { exact: false }).waitFor();
    await picker.setInputFiles(file([header, ...rows]));
    await ada.getByText('10 in both').waitFor();
    await ada.getByText('1 finished in oTree, but did not submit on Prolific').waitFor();
    await ada.getByText('1 submitted on Prolific, but did not finish in oTree').waitFor();
    await ada.getByText('1 gave in another completion code, or none').waitFor();
    // 1.37 + 0.29 + 1.00 + 0.01 + 2.57 + 0.58; nobody is paid 0, nor who did not submit, nor who did not finish.
    await ada.getByText('Bonus: 5.82 GBP for 6 people').waitFor();
    await picture(ada, 'reconciliation', { of: ada.getByText('10 in both') });
    const [download] = await Promise.all([ada.waitForEvent('download'), ada.getByRole('button', { name: 'Bonus file' }).click()]);
    const paid = [1, 2, 3, 4, 6, 7].map((number) => `${idOf(number)},${((earned[number - 1] ?? 0) / 100).toFixed(2)}\n`);
    expect(readFileSync(await download.path(), 'utf8')).toBe(paid.join(''));
    await ada.getByLabel('The bonus holds the participation fee, too', { exact: false }).check();
    // Seven who submitted and finished get 1.50 more, also the one who earned nothing.
    await ada.getByText('Bonus: 16.32 GBP for 7 people').waitFor();
  }, 240_000);

  it('a new session takes the old one’s place after a backup, and who comes back is named', async () => {
    const before = (await recruiting()).rooms[0]?.sessionCode;
    await ada.getByRole('button', { name: 'Back up and make a new session…' }).click();
    await ada.getByRole('button', { name: 'The backup is there: go on' }).click({ timeout: 60_000 });
    await ada.getByRole('button', { name: 'Create session' }).click();
    await until('another session is open', async () => ![before, null].includes((await recruiting()).rooms[0]?.sessionCode));
    const back = await arrive(idOf(3));
    await back.locator('[name=consent]').first().waitFor();
    await back.context().close();
    await ada.getByRole('button', { name: 'Look for them' }).click();
    await ada.getByText('1 id').waitFor();
    await ada.getByText(`${before} in ${name}`).waitFor();
    const { backups } = await client.get<{ backups: { note: string }[] }>(`/instances/${name}/backups`);
    expect(backups.map(({ note }) => note)).toContain(`before a new session, ${before} was open`);
  }, 300_000);

  it('sessions of oTree’s own admin have the links after the restart that the page offers', async () => {
    await ada.getByRole('button', { name: 'Restart to apply…' }).click();
    const reason = ada.getByLabel('Why now?');
    await ada.getByRole('dialog').getByRole('button', { name: 'Restart', exact: true }).waitFor();
    if ((await reason.count()) > 0) await reason.fill('nobody real is in it');
    await ada.getByRole('dialog').getByRole('button', { name: 'Restart', exact: true }).click();
    await until('nothing waits for a restart', async () => (await recruiting()).pendingSince === null, { withinMs: 60_000 });
    await ada.getByRole('button', { name: 'Restart to apply…' }).waitFor({ state: 'detached' });
    // What oTree's own form for a new session offers, asked with the key that only the instance has.
    expect(await configsInOtree()).toMatchObject([{ name: 'effort', completionlink: `https://app.prolific.com/submissions/complete?cc=${code}` }]);
  }, 240_000);

  it('an own link is tried to its end: the completion page is asked for, and one that is away is told', async () => {
    const save = async (done: string, since: string | null): Promise<void> => {
      const recruitment = { kind: 'link', settings: { placeholder: '[ID]', done } };
      const { status, body } = await client.send('PUT', `/instances/${name}/recruiting`, { room: 'study', recruitment, since });
      expect([status, body]).toEqual([200, body]);
    };
    const updatedAt = async (): Promise<string | null> => (await recruiting()).rooms[0]?.updatedAt ?? null;
    const click = async () =>
      (await client.send('POST', `/instances/${name}/rooms/study/test-click`)).body as { steps: { isWell: boolean; sentence: string }[] };
    await save(`${standInUrl()}/done`, await updatedAt());
    await client.send('POST', `/instances/${name}/rooms/study/sessions`, { sessionConfigName: 'effort', numParticipants: 3 });
    expect((await click()).steps.every(({ isWell }) => isWell)).toBe(true);
    expect(arrivals.at(-1)).toBe('/done');
    await save('http://127.0.0.1:1/done', await updatedAt());
    const wrong = (await click()).steps.filter(({ isWell }) => !isWell).map(({ sentence }) => sentence);
    // The session was made before: it has the other link. And nobody listens at the new one.
    expect(wrong).toEqual([expect.stringContaining('another completionlink'), expect.stringContaining('nobody listens there')]);
  }, 240_000);

  it('no page of the walk had an error of its own', () => {
    expect(errors).toEqual([]);
  });
});
