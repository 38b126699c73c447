// Asks the worker a short question; the platform's adapters live there, not here.

import http from 'node:http';
import type { z } from 'zod';
import { AppError, isErrorCode } from '../contracts/errors.ts';
import { workerAnswerSchema, type WorkerQuestion } from '../contracts/worker.ts';
import type { Context } from '../domain/context.ts';

const timeoutMs = 30_000;

/** @throws worker_away when nobody answers, and whatever error the worker answers with */
export async function askWorker<S extends z.ZodType>(ctx: Pick<Context, 'config'>, question: WorkerQuestion, schema: S): Promise<z.output<S>> {
  const text = await post(ctx.config.layout.workerSocket, JSON.stringify(question)).catch((error: unknown) => {
    throw new AppError('worker_away', {}, { cause: error });
  });
  const reply = workerAnswerSchema.parse(JSON.parse(text));
  if ('error' in reply) throw new AppError(isErrorCode(reply.error.code) ? reply.error.code : 'internal', reply.error.details);
  return schema.parse(reply.answer);
}

const post = (socketPath: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = http.request({ socketPath, method: 'POST', path: '/', timeout: timeoutMs, headers: { 'content-type': 'application/json' } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject);
    request.end(body);
  });
