// Answers the server's short questions over a Unix socket: what only the worker can reach.

import { chmodSync, chownSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { AppError } from '../contracts/errors.ts';
import { workerQuestionSchema, type WorkerQuestion } from '../contracts/worker.ts';
import type { WorkerContext } from '../domain/context.ts';
import type { FactsWatch } from '../domain/facts-watch.ts';
import { createOtreeSession } from '../domain/otree-sessions.ts';
import type { RoomsKeeper } from '../domain/rooms-keeper.ts';

const maxQuestionBytes = 64 * 1024;
const logBytes = 256 * 1024;

export type RoundWork = { readonly facts: FactsWatch; readonly rooms: RoomsKeeper };
const done = { isDone: true };

async function answer(ctx: WorkerContext, { facts, rooms }: RoundWork, question: WorkerQuestion): Promise<unknown> {
  switch (question.kind) {
    case 'ping':
      return { isAlive: true };
    case 'read-log':
      return { text: await ctx.platform.readLog(question.instanceId, logBytes) };
    case 'create-session':
      return createOtreeSession(ctx, question);
    case 'watch':
      facts.watch(question.instanceId);
      return done;
    case 'look':
      await facts.lookNow(ctx, question.instanceId);
      return done;
    case 'apply-rooms':
      await rooms.apply(ctx, question.instanceId);
      return done;
  }
}

/** Listens on the panel's worker socket, which only the panel's user may open. */
export async function startAnswering(ctx: WorkerContext, work: RoundWork): Promise<http.Server> {
  const socket = ctx.config.layout.workerSocket;
  const server = http.createServer((request, response) => {
    readText(request)
      .then(async (text) => answer(ctx, work, workerQuestionSchema.parse(JSON.parse(text))))
      .then(
        (value) => response.end(JSON.stringify({ answer: value })),
        (raw: unknown) => {
          if (!(raw instanceof AppError)) ctx.log.error('a question of the server failed', { error: String(raw) });
          const error = raw instanceof AppError ? raw : new AppError('internal', { requestId: 'worker' });
          response.end(JSON.stringify({ error: { code: error.code, details: error.details } }));
        },
      );
  });
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  const owner = statSync(path.dirname(socket));
  if (ctx.config.isRoot) chownSync(socket, owner.uid, owner.gid);
  chmodSync(socket, 0o600);
  return server;
}

async function readText(request: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) {
    text += String(piece);
    if (text.length > maxQuestionBytes) throw new AppError('payload_too_large');
  }
  return text;
}
