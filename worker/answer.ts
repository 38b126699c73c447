// Where the server's short questions arrive: a Unix socket that only the panel's user may open.

import { chmodSync, chownSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../contracts/errors.ts';
import { workerQuestionSchema } from '../contracts/worker.ts';
import type { WorkerContext } from '../domain/context.ts';
import { answer, type RoundWork } from './questions.ts';

const maxQuestionBytes = 64 * 1024;

/** A stream with something to say about it beforehand. */
type Noted = { readonly body: Readable; readonly leftOut: readonly string[] };

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
