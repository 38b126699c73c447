// The runtime log over HTTP: followed, searched and downloaded through the worker's socket, and never a command to a terminal.

import { FactsWatch } from '../../domain/facts-watch.ts';
import { makeRoomsKeeper } from '../../domain/rooms-keeper.ts';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogSearch, RuntimeLogPiece } from '../../contracts/logs.ts';
import type { WorkerContext } from '../../domain/context.ts';
import { searchLog } from '../../domain/runtime-logs.ts';
import { LocalPlatform } from '../../platforms/local/local.ts';
import { Secret } from '../../platforms/secret.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { startAnswering } from '../../worker/answer.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let worker: Server;
let ctx: WorkerContext;
let owner: User;
let client: Client;

beforeAll(async () => {
  panel = await startPanel();
  const { layout } = panel.ctx.config;
  const platform = new LocalPlatform({
    layout,
    systemPython: '/usr/bin/python3',
    uvBinary: 'uv',
    postgres: { adminUrl: new Secret('postgresql://nobody@localhost/none'), binDir: null, instanceHost: 'localhost' },
    separatesUsers: false,
    buildUserId: 199_999,
    panelGroupId: null,
    packageIndex: {},
    log: () => undefined,
  });
  ctx = { ...panel.ctx, platform } as unknown as WorkerContext;
  mkdirSync(path.dirname(layout.workerSocket), { recursive: true });
  worker = await startAnswering(ctx, { facts: new FactsWatch(), rooms: makeRoomsKeeper() });
  owner = await panel.person('experimenter');
  client = await panel.signIn(owner);
});
afterAll(async () => {
  await new Promise((resolve) => worker.close(resolve));
  await panel.close();
});

async function aLog(text: string | null): Promise<{ instance: Instance; file: string; url: string }> {
  const instance = await anInstance(panel.ctx, { ownerId: owner.id, state: 'running' });
  const dir = path.join(panel.ctx.config.layout.instanceDir(instance.id), 'log');
  mkdirSync(dir, { recursive: true });
  const file = path.join(dir, 'otree.log');
  if (text !== null) writeFileSync(file, text);
  return { instance, file, url: `/instances/${instance.name}/logs` };
}

const piece = async (url: string): Promise<RuntimeLogPiece> => (await client.send('GET', url)).body as RuntimeLogPiece;
const search = async (url: string, text: string): Promise<LogSearch> =>
  (await client.send('GET', `${url}/search?text=${encodeURIComponent(text)}`)).body as LogSearch;
const download = async (url: string): Promise<{ text: string; headers: Headers }> => {
  const response = await fetch(`${panel.url}/api/v1${url}/file`, { headers: { cookie: client.cookie } });
  return { text: await response.text(), headers: response.headers };
};

describe('following', () => {
  it('answers with the end first and then only with what is new', async () => {
    const { url, file } = await aLog('one\ntwo\n');
    const first = await piece(url);
    expect(first.text).toBe('one\ntwo\n');
    appendFileSync(file, 'three\n');
    expect(await piece(`${url}?after=${first.position}`)).toMatchObject({ text: 'three\n', hasGap: false });
  });

  it('of an experiment that wrote nothing yet is empty, not an error', async () => {
    const { url } = await aLog(null);
    expect(await piece(url)).toEqual({ text: '', position: '', hasGap: false });
    expect(await search(url, 'x')).toEqual({ lines: [], found: 0, isCut: false });
    expect((await download(url)).text).toBe('');
  });

  it('sends at most a quarter of a mebibyte at once, however long the log is', async () => {
    const { url } = await aLog(`${'x'.repeat(99)}\n`.repeat(50_000));
    expect((await piece(url)).text.length).toBeLessThanOrEqual(256 * 1024);
  });
});

describe('searching', () => {
  it('finds a text in all that is kept, whatever its case and colour, with line numbers', async () => {
    const { url, file } = await aLog('first\nTraceback (most recent call last)\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'ok\n\u001B[31mtrace\u001B[0mBACK again\nlast');
    const found = await search(url, 'traceback');
    expect(found).toEqual({
      lines: [
        { number: 2, text: 'Traceback (most recent call last)' },
        { number: 4, text: 'traceBACK again' },
      ],
      found: 2,
      isCut: false,
    });
    expect((await search(url, 'LAST')).found).toBe(2);
    expect((await search(url, '.*')).found).toBe(0);
  });

  it('lists the newest 500 lines, cut to a readable length, and counts all', async () => {
    const { url } = await aLog(`hit ${'y'.repeat(5000)}\n`.repeat(800));
    const { lines, found } = await search(url, 'hit');
    expect([lines.length, found, lines[0]?.number, lines.at(-1)?.number]).toEqual([500, 800, 301, 800]);
    expect(lines[0]?.text.length).toBe(2000);
  });

  it('is broken off when it takes too long, and says so', async () => {
    const { instance } = await aLog('hit\n'.repeat(1000));
    expect(await searchLog(ctx, { instanceId: instance.id, text: 'hit' }, -1)).toEqual({ lines: [], found: 0, isCut: true });
  });

  it('refuses to look for nothing', async () => {
    const { url } = await aLog('a\n');
    const { status, body } = await client.send('GET', `${url}/search?text=`);
    expect([status, body['code']]).toEqual([400, 'invalid_input']);
  });
});

describe('downloading', () => {
  it('streams every kept part, oldest first, as a text file', async () => {
    const { url, file, instance } = await aLog('old\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'new\n');
    const { text, headers } = await download(url);
    expect(text).toBe('old\nnew\n');
    expect(headers.get('content-disposition')).toContain(`filename=${instance.name}-`);
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('holds nothing that a terminal would obey: titles, links, cursor, clipboard, eight-bit controls', async () => {
    const evil = '\u001B]0;title\u0007\u001B]8;;http://evil\u001B\\link\u001B]52;c;ZXZpbA==\u0007\u001B[2J\u001B[H\u009B31m\b\u0000\u007Fé 实验\ttab\r\n';
    const { url } = await aLog(evil);
    const { text } = await download(url);
    // oxlint-disable-next-line no-control-regex -- exactly these must not come through
    expect(text).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/);
    expect(text).toContain('é 实验\ttab\n');
    expect(text).toContain('␛]0;title␇');
  });

  it('of ten mebibytes with characters at every border comes whole', async () => {
    const line = `${'é实'.repeat(40)}\n`;
    const { url } = await aLog(line.repeat(50_000));
    expect((await download(url)).text).toBe(line.repeat(50_000));
  });
});

it('is a short sentence when the worker is away', async () => {
  const { url } = await aLog('a\n');
  await new Promise((resolve) => {
    worker.close(resolve);
    worker.closeAllConnections();
  });
  const { status, body } = await client.send('GET', url);
  expect([status, body['code']]).toEqual([503, 'worker_away']);
  worker = await startAnswering(ctx, { facts: new FactsWatch(), rooms: makeRoomsKeeper() });
});
