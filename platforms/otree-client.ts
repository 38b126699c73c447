// Talking HTTP to one oTree: over its Unix socket, or through the front door of another host.

import http from 'node:http';
import { PassThrough, pipeline } from 'node:stream';
import { AppError } from '../contracts/errors.ts';
import type { OpenedAnswer, OtreeRequest } from './platform.ts';
import type { Secret } from './secret.ts';

const MAX_BODY_BYTES = 256 * 1024 * 1024;
const NOT_THERE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EACCES', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ETIMEDOUT']);

/** Where an oTree answers: its own socket, or a web server that finds it by the name in the Host header. */
export type OtreePlace = { readonly socketPath: string } | { readonly host: string; readonly port: number; readonly hostHeader: string };

/** Asks oTree's REST interface. @throws not_running, platform_timeout */
export async function askOtree(place: OtreePlace, restKey: Secret, request: OtreeRequest): Promise<{ status: number; body: string }> {
  const { method, path, body, timeoutMs } = request;
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = {
    'otree-rest-key': restKey.open(),
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  try {
    return await send({ place, method, path, headers, timeoutMs }, text);
  } catch (error) {
    throw understand(error, timeoutMs);
  }
}

function understand(error: unknown, timeoutMs: number): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'TimeoutError') return new AppError('platform_timeout', { what: 'oTree’s answer', seconds: Math.ceil(timeoutMs / 1000) });
  return 'code' in error && NOT_THERE.has(String(error.code)) ? new AppError('not_running', {}, { cause: error }) : error;
}

/** Opens an answer that may be large; a pause longer than `timeoutMs` breaks it off. @see Platform.openOtree */
export async function openOtree(place: OtreePlace, restKey: Secret, request: Pick<OtreeRequest, 'path' | 'timeoutMs'>): Promise<OpenedAnswer> {
  const { path, timeoutMs } = request;
  try {
    return await new Promise<OpenedAnswer>((resolve, reject) => {
      const [where, host] = whereIs(place);
      const headers = { host, connection: 'close', 'otree-rest-key': restKey.open() };
      const call = http.request({ ...where, method: 'GET', path, headers, agent: false, timeout: timeoutMs }, (response) => {
        // Whoever asked gets a stream of his own: giving it up ends the connection, and a connection that breaks is its error.
        const body = new PassThrough();
        pipeline(response, body, () => call.destroy());
        resolve({ status: response.statusCode ?? 0, body });
      });
      call.on('timeout', () => call.destroy(new DOMException('no answer in time', 'TimeoutError')));
      call.on('error', reject).end();
    });
  } catch (error) {
    throw understand(error, timeoutMs);
  }
}

const whereIs = (place: OtreePlace): [http.RequestOptions, string] =>
  'socketPath' in place ? [{ socketPath: place.socketPath }, 'otree'] : [{ host: place.host, port: place.port }, place.hostHeader];

/** Whether `/login` answers 200: oTree renders it through its lock and its database session, so it proves both. */
export async function answersLogin(place: OtreePlace, timeoutMs: number): Promise<boolean> {
  try {
    return (await send({ place, method: 'GET', path: '/login', headers: {}, timeoutMs }, '')).status === 200;
  } catch {
    return false;
  }
}

type Call = { place: OtreePlace; method: string; path: string; headers: http.OutgoingHttpHeaders; timeoutMs: number };

/** One connection for each request: oTree closes idle ones after 5 s. */
function send({ place, timeoutMs, headers, ...target }: Call, body: string): Promise<{ status: number; body: string }> {
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(signal.aborted ? (signal.reason as Error) : error);
    const [where, host] = whereIs(place);
    const request = http.request({ ...target, ...where, agent: false, signal, headers: { host, connection: 'close', ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_BODY_BYTES) request.destroy(new Error('oTree’s answer is too large'));
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
    });
    request.on('error', fail);
    request.end(body);
  });
}
