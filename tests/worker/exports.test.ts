// Taking the data home, from a real oTree of either kind through the worker's socket to a file.

import { mkdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportListSchema, pageTimesSchema, type ExportKind } from '../../contracts/exports.ts';
import { FactsWatch } from '../../domain/facts-watch.ts';
import { makeRoomsKeeper } from '../../domain/rooms-keeper.ts';
import { specOf } from '../../domain/specs.ts';
import { askWorker, streamFromWorker } from '../../server/ask-worker.ts';
import { startAnswering } from '../../worker/answer.ts';
import { projectWith } from '../contract/instances.ts';
import { makeWorkerStand, type Place, type WorkerStand } from './stand.ts';

const LAB_GAMES = path.join(import.meta.dirname, '..', 'projects', 'lab-games');
const many = 700;
let stand: WorkerStand;
let answering: http.Server;

beforeAll(async () => {
  stand = await makeWorkerStand();
  mkdirSync(path.dirname(stand.local.layout.workerSocket), { recursive: true });
  answering = await startAnswering(stand.ctx, { facts: new FactsWatch(), rooms: makeRoomsKeeper() });
}, 120_000);
afterAll(async () => {
  answering?.close();
  await stand?.close();
}, 120_000);

async function deploy(requirement: string): Promise<Place> {
  const place = await stand.place();
  const survey = readFileSync(path.join(LAB_GAMES, 'survey', '__init__.py'), 'utf8');
  const folder = await projectWith(LAB_GAMES, {
    'requirements.txt': `${requirement}\npsycopg2-binary\n`,
    'runtime.txt': null,
    'survey/__init__.py': `${survey}\n\ndef custom_export(players):\n    yield ['code', 'age']\n    for player in [p for p in players if p.session.num_participants == 1]:\n        yield [player.participant.code, 1 / player.age]\n`,
  });
  const job = await stand.run((await stand.upload(place, folder)).id);
  if (job.state !== 'succeeded') throw new Error(await stand.logOf(job.id));
  return place;
}

const ask = async ({ instanceId }: Place, to: string, body?: unknown): Promise<{ status: number; body: string }> => {
  const spec = specOf(stand.ctx, await stand.read(instanceId));
  return stand.ctx.platform.askOtree(spec, { method: body === undefined ? 'GET' : 'POST', path: to, body, timeoutMs: 150_000 });
};
const session = async (place: Place, config: string, participants: number): Promise<string> =>
  (JSON.parse((await ask(place, '/api/sessions', { session_config_name: config, num_participants: participants })).body) as { code: string }).code;

type Wish = { what: ExportKind; app?: string; function?: string; session?: string };
const open = ({ instanceId }: Place, wish: Wish): ReturnType<typeof streamFromWorker> =>
  streamFromWorker(stand.ctx, { kind: 'open-export', instanceId, ...wish });
async function read(stream: Readable): Promise<{ text: string; pieces: number }> {
  let [text, pieces] = ['', 0];
  for await (const piece of stream) {
    text += String(piece);
    pieces += 1;
  }
  return { text, pieces };
}
const linesOf = async (place: Place, wish: Wish): Promise<string[]> => (await read(await open(place, wish))).text.trim().split(/\r?\n/);

/** Takes the survey as a browser would: follows to its first page and sends that off. */
async function takeSurvey(place: Place, code: string): Promise<void> {
  let at = `/InitializeParticipant/${code}`;
  for (let hop = 0; hop < 4; hop += 1) {
    const location = await turn(place, at);
    if (location === null) break;
    at = location;
  }
  await turn(place, at, new URLSearchParams({ age: '30', mood: 'good' }).toString());
}

/** Where oTree sends a browser next, null when this is a page. */
function turn({ instanceId }: Place, to: string, form?: string): Promise<string | null> {
  const socketPath = stand.ctx.platform.upstreamSocket(instanceId) ?? '';
  const headers = { host: 'lab.example', ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }) };
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path: to, method: form === undefined ? 'GET' : 'POST', agent: false, headers }, (answer) => {
      answer.resume();
      const { location } = answer.headers;
      answer.once('end', () => resolve(location === undefined ? null : new URL(location, 'http://lab.example').pathname));
    });
    request.on('error', reject).end(form);
  });
}

describe.each([
  ['otree==6.0.15', '6'],
  ['otree==5.11.5', '5'],
])('the data of %s', (requirement) => {
  let place: Place;
  let code: string;
  beforeAll(async () => {
    place = await deploy(requirement);
    code = await session(place, 'bargain', many);
  }, 240_000);

  it('are listed: apps, sessions, chat', async () => {
    const list = await askWorker(stand.ctx, { kind: 'list-exports', instanceId: place.instanceId }, exportListSchema);
    expect(list).toMatchObject({ apps: ['bargain', 'survey'], hasChat: false, sessions: [{ code, participants: many, isWhole: true }] });
  });

  it('come as one table of all apps, in pieces and not as a whole', async () => {
    const { text, pieces } = await read(await open(place, { what: 'wide' }));
    expect(text.trim().split(/\r?\n/)).toHaveLength(many + 1);
    expect(text.length).toBeGreaterThan(64 * 1024);
    expect(pieces).toBeGreaterThan(1);
  });

  it('come app by app, as page times and as chat', async () => {
    expect(await linesOf(place, { what: 'app', app: 'bargain' })).toHaveLength(many * 2 + 1);
    expect(await linesOf(place, { what: 'chat' })).toHaveLength(1);
    expect((await linesOf(place, { what: 'page-times' }))[0]).toMatch(/^session_code,participant_id_in_session/);
    await expect(open(place, { what: 'app', app: 'nothing' })).rejects.toMatchObject({ code: 'export_failed' });
  });

  it('tell the seconds on each page, and what the project itself puts together', async () => {
    const survey = await session(place, 'survey', 1);
    const rows = await linesOf(place, { what: 'wide', session: survey });
    const participant = rows[1]?.split(',')[rows[0]?.split(',').indexOf('participant.code') ?? 0] ?? '';
    await takeSurvey(place, participant);
    const [head, ...visits] = await linesOf(place, { what: 'seconds', session: survey });
    expect(head).toBe('session_code,id_in_session,participant_code,app,round,page,seconds,timed_out,is_wait_page');
    expect(visits).toEqual([expect.stringMatching(new RegExp(`^${survey},1,${participant},survey,1,Questions,\\d+,0,0$`))]);
    const own = { what: 'custom', app: 'survey', function: 'custom_export' } as const;
    const { customs } = await askWorker(stand.ctx, { kind: 'list-exports', instanceId: place.instanceId }, exportListSchema);
    expect(customs).toContainEqual({ app: 'survey', function: 'custom_export' });
    expect(await linesOf(place, own)).toEqual(['code,age', expect.stringMatching(new RegExp(`^${participant},0\\.0333`))]);
    // Nobody has said an age in this one: the project's function fails, and says so.
    await session(place, 'survey', 1);
    await expect(open(place, own)).rejects.toMatchObject({ code: 'export_failed', message: expect.stringContaining('custom_export of survey failed') });
    const times = await askWorker(stand.ctx, { kind: 'read-page-times', instanceId: place.instanceId, session: survey }, pageTimesSchema);
    expect(times).toMatchObject({ people: 1, pages: [{ app: 'survey', page: 'Questions', visits: 1, timeouts: 0 }] });
  });

  it('stay whole when the making of another session broke off: it is named and left out', async () => {
    const before = await linesOf(place, { what: 'wide' });
    await ask(place, '/api/sessions', { session_config_name: 'survey', num_participants: 3, room_name: 'nowhere' }).catch(() => null);
    const { sessions } = await askWorker(stand.ctx, { kind: 'list-exports', instanceId: place.instanceId }, exportListSchema);
    const broken = sessions.filter(({ isWhole }) => !isWhole).map((one) => one.code);
    const file = await open(place, { what: 'wide' });
    expect(file.headers['x-left-out'] ?? '').toBe(broken.join(','));
    const after = (await read(file)).text.trim().split(/\r?\n/);
    expect(after).toHaveLength(before.length);
    expect(after[0]?.split(',').toSorted()).toEqual(before[0]?.split(',').toSorted());
    if (requirement.includes('6.0')) expect(broken).toHaveLength(1);
  });
});

it('nothing is exported of an instance that does not run', async () => {
  const place = await stand.place();
  await expect(open(place, { what: 'wide' })).rejects.toMatchObject({ code: 'not_deployed' });
});
