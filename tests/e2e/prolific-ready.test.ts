// From a fresh instance to a green preflight: a study on Prolific, over https, by the buttons that the pages offer.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Preflight } from '../../contracts/preflight.ts';
import { makeAuthority } from '../certificate-maker.ts';
import { freePorts } from '../free-ports.ts';
import { packProject } from './archive.ts';
import { openBrowser } from './browser.ts';
import { firstManager, type PanelClient } from './client.ts';
import { makePanel, type WholePanel } from './panel.ts';
import { seeDone, signIn } from './walk.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-ready-'));
const name = 'fresh-study';
const errors: string[] = [];
let panel: WholePanel;
let browser: Browser;
let client: PanelClient;
let ada: Page;
let standIn: http.Server;

/** A panel with https whose own authority it trusts, as a lab's is known on the lab's machines. */
async function makeTrustedPanel(): Promise<WholePanel> {
  // The panel's own user reads it.
  chmodSync(home, 0o755);
  const authority = makeAuthority();
  const own = authority.issue({ names: ['localhost', `${name}.localhost`] });
  const certificates = path.join(home, 'certificates');
  mkdirSync(certificates);
  writeFileSync(path.join(certificates, 'lab.pem'), own.chain);
  writeFileSync(path.join(certificates, 'lab.key'), own.key);
  const others = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  const trusted = path.join(home, 'trusted.pem');
  writeFileSync(trusted, `${existsSync(others) ? readFileSync(others, 'utf8') : ''}\n${authority.root}`);
  authority.clear();
  const [port = 0] = await freePorts(1);
  return makePanel({ HTTPS_PORT: String(port), PUBLIC_URL: `https://localhost:${port}`, CERTIFICATES_DIR: certificates, NODE_EXTRA_CA_CERTS: trusted });
}

beforeAll(async () => {
  standIn = http.createServer((_, response) => response.end('<h1>Thank you</h1>'));
  await new Promise<void>((resolve) => standIn.listen(0, '127.0.0.1', resolve));
  panel = await makeTrustedPanel();
  // This process does not know the authority, and asks nobody else over https.
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  await panel.start();
  client = await firstManager(panel);
  await client.create(name);
  const { state, error } = await client.upload(name, packProject(home, 'prolific-study'));
  if (state !== 'succeeded') throw new Error(JSON.stringify(error));
  browser = await openBrowser();
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } });
  ada = await context.newPage();
  ada.setDefaultTimeout(60_000);
  ada.on('pageerror', (problem) => errors.push(`${ada.url()}: ${problem.message}`));
  await signIn(ada, panel, { login: 'ada', password: 'correct horse battery' });
}, 300_000);
afterAll(async () => {
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  await browser?.close();
  await panel?.remove();
  standIn?.close();
  rmSync(home, { recursive: true, force: true });
}, 240_000);

const look = (): Promise<Preflight> => client.get<Preflight>(`/instances/${name}/preflight?room=study`);
/** Checks that are not green; what is not here, as mail, counts for nothing. */
const notGreen = ({ findings }: Preflight): string[] => findings.filter(({ result }) => result !== 'good' && result !== 'not-here').map(({ id }) => id);
/** This machine's own disk and memory may be short: that is not what is tried here. */
const ofTheMachine = new Set(['disk', 'memory']);

describe('a fresh instance', () => {
  it('is red for people of Prolific: no link, a room with a list, no session, no bots', async () => {
    await ada.goto(`${panel.url}/instances/${name}/preflight?room=study&kind=prolific&people=12`);
    await ada.getByText(/^Not ready:/).waitFor();
    for (const id of ['completion', 'labels', 'session']) await ada.locator(`#check-${id}`).getByText('bad', { exact: true }).waitFor();
    await ada.locator('#check-bots').getByText('needs attention', { exact: true }).waitFor();
    for (const id of ['https', 'address', 'consent', 'completion-used']) await ada.locator(`#check-${id}`).getByText('good', { exact: true }).waitFor();
  }, 240_000);

  it('is set up where the findings lead to: the link, the room, the session', async () => {
    await ada.locator('#check-completion').getByRole('link', { name: 'Go to Recruit' }).click();
    await ada.getByLabel('Prolific', { exact: true }).check();
    await ada.getByLabel('Completion code', { exact: true }).fill(`http://127.0.0.1:${(standIn.address() as AddressInfo).port}/done?cc=C1DONE77`);
    await ada.getByLabel('Places on Prolific').fill('12');
    await ada.getByRole('button', { name: 'Save', exact: true }).click();
    await ada.getByRole('button', { name: 'Let the room take any label…' }).click();
    await ada.getByRole('button', { name: 'Let it take any label', exact: true }).click();
    await ada.getByText('This room turns people away').waitFor({ state: 'detached' });
    await ada.getByRole('button', { name: 'Create session' }).click();
    await ada.getByText('is open.', { exact: false }).first().waitFor();
  }, 240_000);

  it('is green after bots have played it, and the look is kept', async () => {
    await ada.goto(`${panel.url}/instances/${name}/preflight?room=study`);
    await ada.locator('#check-bots').getByRole('button', { name: 'Play bots' }).click();
    await seeDone(ada, 'Play bots');
    await ada.locator('#check-bots').getByText('good', { exact: true }).waitFor();
    await ada
      .getByText(/^Ready/)
      .first()
      .waitFor();
    const seen = await look();
    expect(notGreen(seen).filter((id) => !ofTheMachine.has(id))).toEqual([]);
    expect(seen).toMatchObject({ kind: 'prolific', people: 12 });
    await ada.getByRole('button', { name: 'Keep this look' }).click();
    await ada.getByRole('link', { name: /Open the look of/ }).waitFor();
  }, 240_000);

  it('had no page with an error of its own', () => {
    expect(errors).toEqual([]);
  });
});
