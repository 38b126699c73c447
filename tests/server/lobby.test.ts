// The Lobby over real HTTP: the participant’s page, when people go on, and what a stranger learns.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Room } from '../../platforms/project.ts';
import { anInstance, testContext, type AnInstance, type TestContext } from '../factories.ts';
import { anInstanceWithRooms, openLobby, stateOf, type Lobby } from './lobby-visitors.ts';

let ctx: TestContext;
let lobby: Lobby;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'http://lab.example.org', PATH_URL: 'http://paths.example.org/otree' });
  lobby = await openLobby(ctx);
});
afterAll(async () => {
  await lobby.close();
  await ctx.close();
});

const withRooms = (rooms: readonly Partial<Room>[], state?: string): Promise<AnInstance> => anInstanceWithRooms(ctx, rooms, state);

describe('the address of an instance', () => {
  test('leads to its only room', async () => {
    const { name } = await withRooms([{}]);
    expect(await lobby.ask(`/lobby/${name}`)).toMatchObject({ status: 303, location: `/lobby/${name}/lab` });
  });

  test('offers a choice where there are more', async () => {
    const { name } = await withRooms([{}, { name: 'hall', displayName: 'Great <hall>' }]);
    const { status, text } = await lobby.ask(`/lobby/${name}`);
    expect(status).toBe(200);
    expect(text).toContain(`<a class="button" href="/lobby/${name}/hall">Great &lt;hall&gt;</a>`);
  });

  test('says plainly that there is no room yet', async () => {
    const { name } = await anInstance(ctx);
    const { status, text } = await lobby.ask(`/lobby/${name}`);
    expect([status, text.includes('There is no room here yet.')]).toEqual([200, true]);
  });
});

describe('a stranger who guesses addresses', () => {
  test('reads the same page for an unknown instance, room, label and path', async () => {
    const { name } = await withRooms([{ labels: ['A01'] }]);
    const paths = [
      '/lobby/nobody',
      '/lobby/nobody/lab',
      `/lobby/${name}/attic`,
      `/lobby/${name}/attic/A01`,
      `/lobby/${name}/lab/B99`,
      `/lobby/${name}/a/b/c/d`,
      '/lobby',
      '/lobby/%E0%A4%A',
      '/lobby/a%00b',
    ];
    const answers = await Promise.all(paths.map((path) => lobby.ask(path)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 404));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.text).toContain('There is nothing at this address.');
  });

  test('cannot make somebody ready with a label that the room does not have', async () => {
    const instance = await withRooms([{ labels: ['A01'] }]);
    expect((await lobby.post(`/lobby/${instance.name}/lab/B99/ready`)).status).toBe(404);
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(0);
  });
});

describe('the participant’s page', () => {
  test('shows the seat, one sentence and one button, and marks the seat as opened', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    const { status, text } = await lobby.ask(`/lobby/${instance.name}/lab/A07`);
    expect(status).toBe(200);
    expect(text).toContain('<h1>Seat A07</h1>');
    expect(text).toContain('Please click when you are ready.');
    expect(text.match(/<button/g)).toHaveLength(1);
    expect(await stateOf(ctx, instance, 'A07')).toBe('opened');
  });

  test('loads nothing of oTree’s before the click', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    const { text } = await lobby.ask(`/lobby/${instance.name}/lab/A07`);
    expect(text).not.toContain(`${instance.name}.lab.example.org`);
    expect(text).not.toContain('participant_label');
  });

  test.each([
    ['a browser that only prefetches', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
    ['a program that asks for the head', { method: 'HEAD' }],
  ])('%s has not opened the seat', async (_who, init) => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    expect((await lobby.ask(`/lobby/${instance.name}/lab/A07`, init)).status).toBe(200);
    expect(await stateOf(ctx, instance, 'A07')).toBe('away');
  });

  test('goes to the oTree room at the click, ready in the database before the answer', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    expect(await lobby.post(`/lobby/${instance.name}/lab/A07/ready`)).toMatchObject({
      status: 303,
      location: `http://${instance.name}.lab.example.org/room/lab?participant_label=A07&welcome_page_ok=1`,
    });
    expect(await ctx.db.seat.findMany({ where: { instanceId: instance.id } })).toEqual([
      expect.objectContaining({ label: 'A07', openedAt: expect.any(Date), readyAt: expect.any(Date), forwardedAt: expect.any(Date) }),
    ]);
  });

  test('carries the hash where links are secure', async () => {
    const { name } = await withRooms([{ labels: ['A07'], usesSecureUrls: true }]);
    expect((await lobby.post(`/lobby/${name}/lab/A07/ready`)).location).toMatch(/participant_label=A07&hash=[0-9a-f]{8}&welcome_page_ok=1$/);
  });

  test('keeps its place after a reload: ready, with a button and by itself', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    await lobby.post(`/lobby/${instance.name}/lab/A07/ready`);
    const { text } = await lobby.ask(`/lobby/${instance.name}/lab/A07`);
    const url = `http://${instance.name}.lab.example.org/room/lab?participant_label=A07&amp;welcome_page_ok=1`;
    expect(text).toContain('You are ready.');
    expect(text).toContain(`<meta http-equiv="refresh" content="1;url=${url}"`);
    expect(text).toContain(`<a class="button large" href="${url}"`);
    expect(text).not.toContain('<form');
  });

  test('who reloads the address of the form comes back to the page', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    expect(await lobby.ask(`/lobby/${name}/lab/A07/ready?lang=de`)).toMatchObject({ status: 303, location: `/lobby/${name}/lab/A07?lang=de` });
  });
});

describe('an experiment that does not run', () => {
  test('remembers who is ready, waits, and lets them go on when it runs', async () => {
    const instance = await withRooms([{ labels: ['A07'] }], 'starting');
    const own = `/lobby/${instance.name}/lab/A07`;
    expect(await lobby.post(`${own}/ready`)).toMatchObject({ status: 303, location: own });
    expect(await stateOf(ctx, instance, 'A07')).toBe('ready');
    const waiting = await lobby.ask(own);
    expect(waiting.text).toContain('The experiment is not ready yet, please wait.');
    expect(waiting.text).toMatch(new RegExp(`http-equiv="refresh" content="[456];url=${own}"`));
    expect(waiting.text).not.toContain('<button');

    await ctx.db.instance.update({ where: { id: instance.id }, data: { state: 'running' } });
    expect((await lobby.ask(own)).text).toContain('/room/lab?participant_label=A07');
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id, forwardedAt: { not: null } } })).toBe(1);
  });
});

describe('a click from another web site', () => {
  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['an experiment under the same domain', { 'sec-fetch-site': 'same-site' }],
    ['another origin in an older browser', { origin: 'http://trust-game.lab.example.org' }],
    ['a page without an origin', { origin: 'null' }],
  ])('from %s is refused', async (_who, headers) => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    expect((await lobby.post(`/lobby/${instance.name}/lab/A07/ready`, { headers })).status).toBe(403);
    expect((await lobby.post(`/lobby/${instance.name}/lab`, { headers })).status).toBe(403);
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(0);
  });

  test.each([
    ['our own page', () => ({ 'sec-fetch-site': 'same-origin' })],
    ['our own page in an older browser', () => ({ origin: lobby.origin })],
    ['a very old browser', () => ({})],
  ])('from %s counts', async (_who, headers) => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    expect((await lobby.post(`/lobby/${name}/lab/A07/ready`, { headers: headers() })).status).toBe(303);
  });
});

describe('language', () => {
  test('is the browser’s, or the chosen one, which the form carries on', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    const own = `/lobby/${name}/lab/A07`;
    expect((await lobby.ask(own, { headers: { 'accept-language': 'de-AT,de;q=0.9,en;q=0.5' } })).text).toContain('Ich bin bereit');
    expect((await lobby.ask(own, { headers: { 'accept-language': 'ja' } })).text).toContain('I am ready');
    const chosen = await lobby.ask(`${own}?lang=fr`, { headers: { 'accept-language': 'de' } });
    expect(chosen.text).toContain('Je suis prêt');
    expect(chosen.text).toContain(`action="${own}/ready?lang=fr"`);
    expect((await lobby.ask(`${own}?lang=<b>`, { headers: { 'accept-language': 'it' } })).text).toContain('<html lang="it">');
  });

  test('holds for errors as well', async () => {
    expect((await lobby.ask('/lobby/nobody', { headers: { 'accept-language': 'es' } })).text).toContain('No hay nada en esta dirección.');
  });
});

describe('the answers', () => {
  test('are not stored, run no script, and let the form lead to this experiment only', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    const { headers } = await lobby.ask(`/lobby/${name}/lab/A07`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://${name}.lab.example.org; base-uri 'none'; frame-ancestors 'self'`,
    );
  });

  test('of one with a path name its origin: a browser would take a path for that one page', async () => {
    const { id, name } = await withRooms([{ labels: ['A07'] }]);
    await ctx.db.instance.update({ where: { id }, data: { addressMode: 'path' } });
    const { headers } = await lobby.ask(`/lobby/${name}/lab/A07`);
    expect(headers.get('content-security-policy')).toContain("form-action 'self' http://paths.example.org;");
  });

  test('name a style sheet that is there', async () => {
    const { text } = await lobby.ask('/lobby/nobody');
    const sheet = await lobby.ask(/href="(\/lobby\/assets\/[^"]+)"/.exec(text)?.[1] ?? '');
    expect([sheet.status, sheet.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
  });

  test('to a form that is far too large is the same friendly page', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    expect((await lobby.post(`/lobby/${name}/lab`, { body: `label=${'x'.repeat(10_000)}` })).status).toBe(404);
  });
});

describe('a database that does not answer', () => {
  test('gives a page that tries again by itself and names a number that the log has', async () => {
    const broken = { ...ctx, db: { instance: { findFirst: () => Promise.reject(new Error('connection refused')) } } } as unknown as TestContext;
    const other = await openLobby(broken);
    const { status, text } = await other.post('/lobby/trust-game/lab/A07/ready');
    await other.close();
    expect(status).toBe(500);
    expect(text).toMatch(/http-equiv="refresh" content="[456];url=\/lobby\/trust-game\/lab\/A07"/);
    expect(text).not.toContain('connection refused');
    const line = ctx.logged.find(({ level }) => level === 'error');
    expect(text).toContain(String(line?.fields['requestId']));
  });
});
