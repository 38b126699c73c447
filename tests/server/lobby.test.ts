// The Lobby over real HTTP: who gets which seat, when people go on, and what a stranger learns.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seatMap } from '../../domain/seats.ts';
import type { Room } from '../../platforms/platform.ts';
import type { Instance } from '../../prisma/client/client.ts';
import { lobbyRouter } from '../../server/lobby.ts';
import { anInstance, aProject, aRoom, testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
let server: Server;
let origin: string;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'http://lab.example.org' });
  server = createServer(express().use('/lobby', lobbyRouter(ctx)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await ctx.close();
});

type Answer = { status: number; location: string | null; text: string; headers: Headers };
const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
  const response = await fetch(origin + path, { redirect: 'manual', ...init });
  return { status: response.status, location: response.headers.get('location'), text: await response.text(), headers: response.headers };
};
const post = (path: string, init: { headers?: Record<string, string>; body?: string } = {}): Promise<Answer> =>
  ask(path, { method: 'POST', body: init.body ?? '', headers: { 'content-type': 'application/x-www-form-urlencoded', ...init.headers } });

const labels = (count: number): string[] => Array.from({ length: count }, (_, index) => `A${String(index + 1).padStart(2, '0')}`);
const withRooms = (rooms: Partial<Room>[], state = 'running'): Promise<Instance> => anInstance(ctx, { state, project: aProject({ rooms: rooms.map((room) => aRoom(room)) }) });
const stateOf = async (instance: Instance, label: string): Promise<string | undefined> =>
  (await seatMap(ctx, instance, 'lab')).seats.find((seat) => seat.label === label)?.state;

/** A computer with a browser: keeps the cookie that the Lobby gives it. */
function aComputer() {
  let cookie = '';
  const keep = (answer: Answer): Answer => {
    for (const line of answer.headers.getSetCookie()) cookie = line.split(';')[0] ?? '';
    return answer;
  };
  const withCookie = (): Record<string, string> => (cookie === '' ? {} : { cookie });
  return {
    get: async (path: string) => keep(await ask(path, { headers: withCookie() })),
    post: async (path: string, body = '') => keep(await post(path, { body, headers: withCookie() })),
  };
}

describe('the address of an instance', () => {
  test('leads to its only room', async () => {
    const { name } = await withRooms([{}]);
    expect(await ask(`/lobby/${name}`)).toMatchObject({ status: 303, location: `/lobby/${name}/lab` });
  });

  test('offers a choice where there are more', async () => {
    const { name } = await withRooms([{}, { name: 'hall', displayName: 'Great <hall>' }]);
    const { status, text } = await ask(`/lobby/${name}`);
    expect(status).toBe(200);
    expect(text).toContain(`<a class="button" href="/lobby/${name}/hall">Great &lt;hall&gt;</a>`);
  });

  test('says plainly that there is no room yet', async () => {
    const { name } = await anInstance(ctx);
    const { status, text } = await ask(`/lobby/${name}`);
    expect([status, text.includes('There is no room here yet.')]).toEqual([200, true]);
  });
});

describe('a stranger who guesses addresses', () => {
  test('reads the same page for an unknown instance, room, label and path', async () => {
    const { name } = await withRooms([{ labels: ['A01'] }]);
    const paths = ['/lobby/nobody', '/lobby/nobody/lab', `/lobby/${name}/attic`, `/lobby/${name}/attic/A01`, `/lobby/${name}/lab/B99`, `/lobby/${name}/a/b/c/d`, '/lobby', '/lobby/%E0%A4%A', '/lobby/a%00b'];
    const answers = await Promise.all(paths.map((path) => ask(path)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 404));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.text).toContain('There is nothing at this address.');
  });

  test('cannot make somebody ready with a label that the room does not have', async () => {
    const instance = await withRooms([{ labels: ['A01'] }]);
    expect((await post(`/lobby/${instance.name}/lab/B99/ready`)).status).toBe(404);
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(0);
  });
});

describe('the participant’s page', () => {
  test('shows the seat, one sentence and one button, and marks the seat as opened', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    const { status, text } = await ask(`/lobby/${instance.name}/lab/A07`);
    expect(status).toBe(200);
    expect(text).toContain('<h1>Seat A07</h1>');
    expect(text).toContain('Please click when you are ready.');
    expect(text.match(/<button/g)).toHaveLength(1);
    expect(await stateOf(instance, 'A07')).toBe('opened');
  });

  test('loads nothing of oTree’s before the click', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    const { text } = await ask(`/lobby/${instance.name}/lab/A07`);
    expect(text).not.toContain(`${instance.name}.lab.example.org`);
    expect(text).not.toContain('participant_label');
  });

  test.each([
    ['a browser that only prefetches', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
    ['a program that asks for the head', { method: 'HEAD' }],
  ])('%s has not opened the seat', async (_who, init) => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    expect((await ask(`/lobby/${instance.name}/lab/A07`, init)).status).toBe(200);
    expect(await stateOf(instance, 'A07')).toBe('away');
  });

  test('goes to the oTree room at the click, ready in the database before the answer', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    expect(await post(`/lobby/${instance.name}/lab/A07/ready`)).toMatchObject({
      status: 303,
      location: `http://${instance.name}.lab.example.org/room/lab?participant_label=A07&welcome_page_ok=1`,
    });
    expect(await ctx.db.seat.findMany({ where: { instanceId: instance.id } })).toEqual([
      expect.objectContaining({ label: 'A07', openedAt: expect.any(Date), readyAt: expect.any(Date), forwardedAt: expect.any(Date) }),
    ]);
  });

  test('carries the hash where links are secure', async () => {
    const { name } = await withRooms([{ labels: ['A07'], usesSecureUrls: true }]);
    expect((await post(`/lobby/${name}/lab/A07/ready`)).location).toMatch(/participant_label=A07&hash=[0-9a-f]{8}&welcome_page_ok=1$/);
  });

  test('keeps its place after a reload: ready, with a button and by itself', async () => {
    const instance = await withRooms([{ labels: ['A07'] }]);
    await post(`/lobby/${instance.name}/lab/A07/ready`);
    const { text } = await ask(`/lobby/${instance.name}/lab/A07`);
    const url = `http://${instance.name}.lab.example.org/room/lab?participant_label=A07&amp;welcome_page_ok=1`;
    expect(text).toContain('You are ready.');
    expect(text).toContain(`<meta http-equiv="refresh" content="1;url=${url}">`);
    expect(text).toContain(`<a class="button large" href="${url}"`);
    expect(text).not.toContain('<form');
  });

  test('who reloads the address of the form comes back to the page', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    expect(await ask(`/lobby/${name}/lab/A07/ready?lang=de`)).toMatchObject({ status: 303, location: `/lobby/${name}/lab/A07?lang=de` });
  });
});

describe('an experiment that does not run', () => {
  test('remembers who is ready, waits, and lets them go on when it runs', async () => {
    const instance = await withRooms([{ labels: ['A07'] }], 'starting');
    const own = `/lobby/${instance.name}/lab/A07`;
    expect(await post(`${own}/ready`)).toMatchObject({ status: 303, location: own });
    expect(await stateOf(instance, 'A07')).toBe('ready');
    const waiting = await ask(own);
    expect(waiting.text).toContain('The experiment is not ready yet, please wait.');
    expect(waiting.text).toMatch(new RegExp(`http-equiv="refresh" content="[456];url=${own}"`));
    expect(waiting.text).not.toContain('<button');

    await ctx.db.instance.update({ where: { id: instance.id }, data: { state: 'running' } });
    expect((await ask(own)).text).toContain('/room/lab?participant_label=A07');
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id, forwardedAt: { not: null } } })).toBe(1);
  });
});

describe('a room with labels', () => {
  test('shows all seats and gives a free one, which the computer keeps', async () => {
    const instance = await withRooms([{ labels: labels(3) }]);
    const room = `/lobby/${instance.name}/lab`;
    await ask(`${room}/A01`);
    const computer = aComputer();
    const page = await computer.get(room);
    expect(page.text).toContain('<span>A01 <small>taken</small></span>');
    expect(page.text).toContain('<button name="label" value="A02">');
    expect(page.headers.getSetCookie()[0]).toMatch(new RegExp(`^arboretum_seat=[\\w-]{43}; Max-Age=86400; Path=${room}; Expires=.*; HttpOnly; SameSite=Lax$`));
    expect(await computer.post(room)).toMatchObject({ status: 303, location: `${room}/A02` });
    expect(await computer.get(room)).toMatchObject({ status: 303, location: `${room}/A02` });
    expect(await computer.post(room)).toMatchObject({ status: 303, location: `${room}/A02` });
  });

  test('50 computers at once get 50 different seats, the next reads that every seat is taken', async () => {
    const { name } = await withRooms([{ labels: labels(50) }]);
    const computers = Array.from({ length: 50 }, aComputer);
    await Promise.all(computers.map((computer) => computer.get(`/lobby/${name}/lab`)));
    const answers = await Promise.all(computers.map((computer) => computer.post(`/lobby/${name}/lab`)));
    expect(new Set(answers.map(({ location }) => location))).toEqual(new Set(labels(50).map((label) => `/lobby/${name}/lab/${label}`)));
    const late = aComputer();
    expect((await late.get(`/lobby/${name}/lab`)).text).toContain('Every seat is taken.');
    const refused = await late.post(`/lobby/${name}/lab`);
    expect([refused.status, refused.text.includes('Every seat is taken.')]).toEqual([409, true]);
  });

  test('two clicks before the first answer take one seat', async () => {
    const instance = await withRooms([{ labels: labels(5) }]);
    const computer = aComputer();
    await computer.get(`/lobby/${instance.name}/lab`);
    await Promise.all([computer.post(`/lobby/${instance.name}/lab`), computer.post(`/lobby/${instance.name}/lab`)]);
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(1);
  });

  test('a chosen seat that somebody was faster to take leads back to the seats', async () => {
    const { name } = await withRooms([{ labels: labels(5) }]);
    expect((await aComputer().post(`/lobby/${name}/lab`, 'label=A03')).location).toBe(`/lobby/${name}/lab/A03`);
    const late = await aComputer().post(`/lobby/${name}/lab`, 'label=A03');
    expect(late.status).toBe(409);
    expect(late.text).toContain(`href="/lobby/${name}/lab"`);
  });
});

describe('a room without labels', () => {
  test('gives each computer the next number, by which the experimenter finds it in oTree', async () => {
    const { name } = await withRooms([{}]);
    const room = `/lobby/${name}/lab`;
    const first = aComputer();
    const second = aComputer();
    expect((await first.get(room)).text).toContain('Get a seat');
    expect((await first.post(room)).location).toBe(`${room}/seat_1`);
    expect((await second.post(room)).location).toBe(`${room}/seat_2`);
    expect((await first.get(`${room}/seat_1`)).text).toContain('<h1>Seat 1</h1>');
    expect((await first.post(`${room}/seat_1/ready`)).location).toContain('/room/lab?participant_label=seat_1&welcome_page_ok=1');
  });
});

describe('500 people who click at once', () => {
  test('are all ready; as many go on as one oTree takes, the others wait a moment', async () => {
    const all = Array.from({ length: 500 }, (_, index) => `P${index + 1}`);
    const instance = await withRooms([{ labels: all }]);
    const began = performance.now();
    const answers = await Promise.all(all.map((label) => post(`/lobby/${instance.name}/lab/${label}/ready`)));
    const seconds = (performance.now() - began) / 1000;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id, readyAt: { not: null } } })).toBe(500);
    const gone = answers.filter(({ location }) => location?.startsWith('http'));
    expect(gone.length).toBeGreaterThanOrEqual(50);
    expect(gone.length).toBeLessThanOrEqual(50 + Math.ceil(seconds * 50));
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id, forwardedAt: { not: null } } })).toBe(gone.length);

    const waiting = await ask(answers.findLast(({ location }) => location?.startsWith('/'))?.location ?? '');
    expect(waiting.text).toMatch(/It is your turn in a moment|You are being taken to the experiment/);

    await ctx.waitForEvent('seats', (audience, { counts }) => audience.instanceId === instance.id && counts.ready === 500);
    const told = ctx.recorded.filter((event) => event.name === 'seats' && event.values[0].instanceId === instance.id);
    expect(told.length).toBeLessThan(Math.ceil(seconds * 10) + 5);
  });

  test('the pace of one experiment does not slow another', async () => {
    const crowded = await withRooms([{}]);
    const quiet = await withRooms([{}]);
    const crowd = await Promise.all(Array.from({ length: 200 }, (_, index) => post(`/lobby/${crowded.name}/lab/P${index}/ready`)));
    expect(crowd.some(({ location }) => location?.startsWith('/'))).toBe(true);
    expect((await post(`/lobby/${quiet.name}/lab/P1/ready`)).location).toContain(`${quiet.name}.lab.example.org/room/lab`);
  });

  test('who waits for their turn has a page that comes back within two seconds', async () => {
    const { name } = await withRooms([{}]);
    const own = `/lobby/${name}/lab/last_one`;
    await post(`${own}/ready`);
    // Whoever asks often enough in one instant finds the bucket empty.
    const pages = await Promise.all(Array.from({ length: 200 }, () => ask(own)));
    const waiting = pages.filter(({ text }) => text.includes('It is your turn in a moment'));
    expect(waiting.length).toBeGreaterThan(0);
    for (const { text } of waiting) expect(text).toMatch(new RegExp(`http-equiv="refresh" content="[12];url=${own}"`));
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
    expect((await post(`/lobby/${instance.name}/lab/A07/ready`, { headers })).status).toBe(403);
    expect((await post(`/lobby/${instance.name}/lab`, { headers })).status).toBe(403);
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(0);
  });

  test.each([
    ['our own page', () => ({ 'sec-fetch-site': 'same-origin' })],
    ['our own page in an older browser', () => ({ origin })],
    ['a very old browser', () => ({})],
  ])('from %s counts', async (_who, headers) => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    expect((await post(`/lobby/${name}/lab/A07/ready`, { headers: headers() })).status).toBe(303);
  });
});

describe('language', () => {
  test('is the browser’s, or the chosen one, which the form carries on', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    const own = `/lobby/${name}/lab/A07`;
    expect((await ask(own, { headers: { 'accept-language': 'de-AT,de;q=0.9,en;q=0.5' } })).text).toContain('Ich bin bereit');
    expect((await ask(own, { headers: { 'accept-language': 'ja' } })).text).toContain('I am ready');
    const chosen = await ask(`${own}?lang=fr`, { headers: { 'accept-language': 'de' } });
    expect(chosen.text).toContain('Je suis prêt');
    expect(chosen.text).toContain(`action="${own}/ready?lang=fr"`);
    expect((await ask(`${own}?lang=<b>`, { headers: { 'accept-language': 'it' } })).text).toContain('<html lang="it">');
  });

  test('holds for errors as well', async () => {
    expect((await ask('/lobby/nobody', { headers: { 'accept-language': 'es' } })).text).toContain('No hay nada en esta dirección.');
  });
});

describe('the answers', () => {
  test('are not stored, run no script, and let the form lead to this experiment only', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    const { headers } = await ask(`/lobby/${name}/lab/A07`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http://${name}.lab.example.org; base-uri 'none'; frame-ancestors 'self'`,
    );
  });

  test('name a style sheet that is there', async () => {
    const { text } = await ask('/lobby/nobody');
    const sheet = await ask(/href="(\/lobby\/assets\/[^"]+)"/.exec(text)?.[1] ?? '');
    expect([sheet.status, sheet.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
  });

  test('to a form that is far too large is the same friendly page', async () => {
    const { name } = await withRooms([{ labels: ['A07'] }]);
    expect((await post(`/lobby/${name}/lab`, { body: `label=${'x'.repeat(10_000)}` })).status).toBe(404);
  });
});

describe('a database that does not answer', () => {
  test('gives a page that tries again by itself and names a number that the log has', async () => {
    const broken = { ...ctx, db: { instance: { findFirst: () => Promise.reject(new Error('connection refused')) } } } as unknown as TestContext;
    const other = createServer(express().use('/lobby', lobbyRouter(broken)));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const response = await fetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}/lobby/trust-game/lab/A07/ready`, { method: 'POST' });
    const text = await response.text();
    await new Promise((resolve) => other.close(resolve));
    expect(response.status).toBe(500);
    expect(text).toMatch(/http-equiv="refresh" content="[456];url=\/lobby\/trust-game\/lab\/A07"/);
    expect(text).not.toContain('connection refused');
    const line = ctx.logged.find(({ level }) => level === 'error');
    expect(text).toContain(String(line?.fields['requestId']));
  });
});
