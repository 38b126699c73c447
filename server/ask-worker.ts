// Asks the worker a short question; the platform's adapters live there, not here.

import http from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { AppError, isErrorCode } from '../contracts/errors.ts';
import { workerAnswerSchema, type WorkerQuestion } from '../contracts/worker.ts';
import type { Context } from '../domain/context.ts';

const timeoutMs = 30_000;
/** oTree makes an export before it sends the first byte of it. */
const longMs = 180_000;

type Asking = Pick<Context, 'config'>;

/** @throws worker_away when nobody answers, and whatever error the worker answers with */
export async function askWorker<S extends z.ZodType>(ctx: Asking, question: WorkerQuestion, schema: S): Promise<z.output<S>> {
  const response = await post(ctx, question);
  return schema.parse(readReply(await readText(response)));
}

/** A question that is answered with bytes, which come as they are read; the worker's headers come along. @throws as `askWorker` */
export async function streamFromWorker(ctx: Asking, question: WorkerQuestion): Promise<Readable & Pick<http.IncomingMessage, 'headers'>> {
  const response = await post(ctx, question);
  if (response.headers['content-type'] === 'application/octet-stream') return response;
  readReply(await readText(response));
  throw new AppError('worker_away');
}

function readReply(text: string): unknown {
  const reply = workerAnswerSchema.parse(JSON.parse(text));
  if ('error' in reply) throw new AppError(isErrorCode(reply.error.code) ? reply.error.code : 'internal', reply.error.details);
  return reply.answer;
}

const isLong = ({ kind }: WorkerQuestion): boolean => kind === 'open-export' || kind === 'read-page-times';

async function post(ctx: Asking, question: WorkerQuestion): Promise<http.IncomingMessage> {
  const options = {
    socketPath: ctx.config.layout.workerSocket,
    method: 'POST',
    path: '/',
    timeout: isLong(question) ? longMs : timeoutMs,
    headers: { 'content-type': 'application/json' },
  };
  try {
    return await new Promise((resolve, reject) => {
      const request = http.request(options, resolve);
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.end(JSON.stringify(question));
    });
  } catch (error) {
    throw new AppError('worker_away', {}, { cause: error });
  }
}

async function readText(response: http.IncomingMessage): Promise<string> {
  try {
    let text = '';
    for await (const piece of response.setEncoding('utf8')) text += String(piece);
    return text;
  } catch (error) {
    throw new AppError('worker_away', {}, { cause: error });
  }
}
