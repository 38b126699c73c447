// Visitors of the Lobby for tests: real HTTP to a server of its own, computers that keep their cookie.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { seatMap } from '../../domain/seats.ts';
import type { Room } from '../../platforms/project.ts';
import { lobbyRouter } from '../../server/lobby.ts';
import { anInstance, aProject, aRoom, type AnInstance, type TestContext } from '../factories.ts';

export type Answer = { status: number; location: string | null; text: string; headers: Headers };
export type Lobby = Awaited<ReturnType<typeof openLobby>>;

/** Serves the Lobby on a random port of the loopback; `close()` ends it. */
export async function openLobby(ctx: TestContext) {
  const server = createServer(express().use('/lobby', lobbyRouter(ctx)));
  // A request that meets the end of an idle connection would fail: this process is busy with both sides.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(origin + path, { redirect: 'manual', ...init });
    return { status: response.status, location: response.headers.get('location'), text: await response.text(), headers: response.headers };
  };
  const post = (path: string, init: { headers?: Record<string, string>; body?: string } = {}): Promise<Answer> =>
    ask(path, { method: 'POST', body: init.body ?? '', headers: { 'content-type': 'application/x-www-form-urlencoded', ...init.headers } });
  /** A computer with a browser: keeps the cookie that the Lobby gives it. */
  const aComputer = () => {
    let cookie: Record<string, string> = {};
    const keep = (answer: Answer): Answer => {
      for (const line of answer.headers.getSetCookie()) cookie = { cookie: line.split(';')[0] ?? '' };
      return answer;
    };
    return {
      get: async (path: string) => keep(await ask(path, { headers: cookie })),
      post: async (path: string, body = '') => keep(await post(path, { body, headers: cookie })),
    };
  };
  const close = (): Promise<unknown> => new Promise((resolve) => server.close(resolve));
  return { origin, ask, post, aComputer, close };
}

/** `A01`, `A02` … */
export const labels = (count: number): string[] => Array.from({ length: count }, (_, index) => `A${String(index + 1).padStart(2, '0')}`);

export const anInstanceWithRooms = (ctx: TestContext, rooms: readonly Partial<Room>[], state = 'running'): Promise<AnInstance> =>
  anInstance(ctx, { state, project: aProject({ rooms: rooms.map((room) => aRoom(room)) }) });

/** What the experimenter sees of one seat of the room “lab”. */
export const stateOf = async (ctx: TestContext, instance: AnInstance, label: string): Promise<string | undefined> =>
  (await seatMap(ctx, instance, 'lab')).seats.find((seat) => seat.label === label)?.state;
