// The system check over HTTP: run anew, kept with its time, one at a time, and how the panel knows itself.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SystemCheck } from '../../contracts/system-check.ts';
import { identityHeader, panelIdentity, sawHeader } from '../../domain/panel-identity.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let manager: Client;
beforeAll(async () => {
  panel = await startPanel({ SMTP_URL: 'smtp://lab:a-planted-secret@127.0.0.1:9', MAIL_FROM: 'lab@lab.example', PUBLIC_URL: 'http://localhost:9' });
  manager = await panel.signIn(await panel.person('manager'));
});
afterAll(() => panel.close());

it('has no result before the first run, and afterwards the last one with its time', async () => {
  expect((await manager.send('GET', '/system/check')).body).toEqual({ last: null });
  const { status, body } = await manager.send('POST', '/system/check', {});
  expect(status).toBe(200);
  const fresh = body as unknown as SystemCheck;
  expect(Math.abs(Date.now() - Date.parse(fresh.at))).toBeLessThan(60_000);
  expect((await manager.send('GET', '/system/check')).body).toEqual({ last: fresh });
});

it('finds the database well, the worker and the mail server away, and tells no secret', async () => {
  const { body } = await manager.send('POST', '/system/check', {});
  const results = Object.fromEntries((body as unknown as SystemCheck).checks.map(({ id, result }) => [id, result]));
  expect(results).toMatchObject({ postgres: 'good', worker: 'bad', mail: 'bad', outside: 'not-here' });
  expect(JSON.stringify(body)).not.toContain('a-planted-secret');
});

it('is run once when two ask at the same time', async () => {
  const [one, two] = await Promise.all([manager.send('POST', '/system/check', {}), manager.send('POST', '/system/check', {})]);
  expect(one.body['at']).toBe(two.body['at']);
});

it('lets the panel recognise itself, and see how a request arrived', async () => {
  const { headers } = await fetch(`${panel.url}/healthz`);
  expect(headers.get(identityHeader)).toBe(panelIdentity(panel.ctx.config.layout));
  expect(headers.get(sawHeader)).toBe(panel.url);
});
