// The Lobby over real HTTP: who gets which seat, and a whole lab that clicks at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Room } from '../../platforms/project.ts';
import { testContext, type AnInstance, type TestContext } from '../factories.ts';
import { anInstanceWithRooms, labels, openLobby, type Lobby } from './lobby-visitors.ts';

let ctx: TestContext;
let lobby: Lobby;
beforeAll(async () => {
  ctx = await testContext({ PUBLIC_URL: 'http://lab.example.org' });
  lobby = await openLobby(ctx);
});
afterAll(async () => {
  await lobby.close();
  await ctx.close();
});

const withRooms = (rooms: readonly Partial<Room>[], state?: string): Promise<AnInstance> => anInstanceWithRooms(ctx, rooms, state);

describe('a room with labels', () => {
  test('shows all seats and gives a free one, which the computer keeps', async () => {
    const instance = await withRooms([{ labels: labels(3) }]);
    const room = `/lobby/${instance.name}/lab`;
    await lobby.ask(`${room}/A01`);
    const computer = lobby.aComputer();
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
    const computers = Array.from({ length: 50 }, lobby.aComputer);
    await Promise.all(computers.map((computer) => computer.get(`/lobby/${name}/lab`)));
    const answers = await Promise.all(computers.map((computer) => computer.post(`/lobby/${name}/lab`)));
    expect(new Set(answers.map(({ location }) => location))).toEqual(new Set(labels(50).map((label) => `/lobby/${name}/lab/${label}`)));
    const late = lobby.aComputer();
    expect((await late.get(`/lobby/${name}/lab`)).text).toContain('Every seat is taken.');
    const refused = await late.post(`/lobby/${name}/lab`);
    expect([refused.status, refused.text.includes('Every seat is taken.')]).toEqual([409, true]);
  });

  test('two clicks before the first answer take one seat', async () => {
    const instance = await withRooms([{ labels: labels(5) }]);
    const computer = lobby.aComputer();
    await computer.get(`/lobby/${instance.name}/lab`);
    await Promise.all([computer.post(`/lobby/${instance.name}/lab`), computer.post(`/lobby/${instance.name}/lab`)]);
    expect(await ctx.db.seat.count({ where: { instanceId: instance.id } })).toBe(1);
  });

  test('a chosen seat that somebody was faster to take leads back to the seats', async () => {
    const { name } = await withRooms([{ labels: labels(5) }]);
    expect((await lobby.aComputer().post(`/lobby/${name}/lab`, 'label=A03')).location).toBe(`/lobby/${name}/lab/A03`);
    const late = await lobby.aComputer().post(`/lobby/${name}/lab`, 'label=A03');
    expect(late.status).toBe(409);
    expect(late.text).toContain(`href="/lobby/${name}/lab"`);
  });
});

describe('a room without labels', () => {
  test('gives each computer the next number, by which the experimenter finds it in oTree', async () => {
    const { name } = await withRooms([{}]);
    const room = `/lobby/${name}/lab`;
    const first = lobby.aComputer();
    const second = lobby.aComputer();
    expect((await first.get(room)).text).toContain('Get a seat');
    expect((await first.post(room)).location).toBe(`${room}/seat_1`);
    expect((await second.post(room)).location).toBe(`${room}/seat_2`);
    expect((await first.get(`${room}/seat_1`)).text).toContain('<h1>Seat 1</h1>');
    expect((await first.post(`${room}/seat_1/ready`)).location).toContain('/room/lab?participant_label=seat_1&welcome_page_ok=1');
  });
});
