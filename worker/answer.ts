// Answers the server's short questions over a Unix socket: what only the worker can reach.

import { chmodSync, chownSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../contracts/errors.ts';
import type { GroundView } from '../contracts/system-check.ts';
import { workerQuestionSchema, type WorkerQuestion } from '../contracts/worker.ts';
import type { WorkerContext } from '../domain/context.ts';
import { openBotsData } from '../domain/bots.ts';
import { listExports, openExport, readPageTimes } from '../domain/exports.ts';
import type { FactsWatch } from '../domain/facts-watch.ts';
import { measureLoad } from '../domain/load.ts';
import { createOtreeSession } from '../domain/otree-sessions.ts';
import { searchLog, wholeLog } from '../domain/runtime-logs.ts';
import { findReturned, readSessionPeople } from '../domain/session-people.ts';
import { walkTestClick } from '../domain/test-click.ts';
import { lookForPreflight } from '../domain/preflight-otree.ts';
import { lookForCancel } from './cancelling.ts';
import type { RoomsKeeper } from '../domain/rooms-keeper.ts';

const maxQuestionBytes = 64 * 1024;
const logBytes = 256 * 1024;

export type RoundWork = { readonly facts: FactsWatch; readonly rooms: RoomsKeeper };
const done = { isDone: true };
/** A stream with something to say about it beforehand. */
type Noted = { readonly body: Readable; readonly leftOut: readonly string[] };

async function answer(ctx: WorkerContext, { facts, rooms }: RoundWork, question: WorkerQuestion): Promise<unknown> {
  switch (question.kind) {
    case 'ping':
      return { isAlive: true };
    case 'read-log':
      return ctx.platform.readLogFrom(question.instanceId, { position: question.position, maxBytes: logBytes });
    case 'search-log':
      return searchLog(ctx, question);
    case 'stream-log':
      return Readable.from(wholeLog(ctx, question.instanceId), { objectMode: false });
    case 'cancel-job':
      return lookForCancel(question.jobId);
    case 'create-session':
      return createOtreeSession(ctx, question);
    case 'look-at-host':
      return ctx.platform.lookAtHost();
    case 'watch':
      facts.watch(question.instanceId);
      return done;
    case 'look':
      await facts.lookNow(ctx, question.instanceId);
      return done;
    case 'apply-rooms':
      await rooms.apply(ctx, question.instanceId);
      return done;
    case 'list-exports':
      return listExports(ctx, question.instanceId);
    case 'open-export':
      return openExport(ctx, question);
    case 'read-page-times':
      return readPageTimes(ctx, question);
    case 'open-bots-data':
      return openBotsData(ctx, question);
    case 'test-click':
      return walkTestClick(ctx, question);
    case 'session-people':
      return readSessionPeople(ctx, question);
    case 'find-returned':
      return findReturned(ctx, question);
    case 'look-for-preflight':
      return lookForPreflight(ctx, question);
    case 'measure-load':
      return measureLoad(ctx, question.instanceId);
    case 'look-at-ground': {
      const [frontDoor, capabilities] = await Promise.all([ctx.frontDoor.check(), ctx.platform.capabilities()]);
      return { frontDoor, ...capabilities } satisfies GroundView;
    }
  }
}

/** Listens on the panel's worker socket, which only the panel's user may open. */
export async function startAnswering(ctx: WorkerContext, work: RoundWork): Promise<http.Server> {
  const socket = ctx.config.layout.workerSocket;
  const server = http.createServer((request, response) => {
    readText(request)
      .then(async (text) => answer(ctx, work, workerQuestionSchema.parse(JSON.parse(text))))
      .then((value) => send(response, value))
      .catch((raw: unknown) => {
        if (!(raw instanceof AppError)) ctx.log.error('a question of the server failed', { error: String(raw) });
        // Half a stream cannot become an error any more: it breaks off.
        if (response.headersSent) return void response.destroy();
        const error = raw instanceof AppError ? raw : new AppError('internal', { requestId: 'worker' });
        response.end(JSON.stringify({ error: { code: error.code, details: error.details } }));
      });
  });
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  const owner = statSync(path.dirname(socket));
  if (ctx.config.isRoot) chownSync(socket, owner.uid, owner.gid);
  chmodSync(socket, 0o600);
  return server;
}

async function send(response: http.ServerResponse, value: unknown): Promise<void> {
  if (isNoted(value)) {
    if (value.leftOut.length > 0) response.setHeader('X-Left-Out', value.leftOut.join(','));
    return send(response, value.body);
  }
  if (!(value instanceof Readable)) return void response.end(JSON.stringify({ answer: value ?? null }));
  response.setHeader('Content-Type', 'application/octet-stream');
  await pipeline(value, response);
}

const isNoted = (value: unknown): value is Noted => typeof value === 'object' && value !== null && 'body' in value && value.body instanceof Readable;

async function readText(request: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) {
    text += String(piece);
    if (text.length > maxQuestionBytes) throw new AppError('payload_too_large');
  }
  return text;
}
