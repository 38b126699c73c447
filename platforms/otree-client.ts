// Talking HTTP to one oTree: over its Unix socket, or through the front door of another host.

import http from 'node:http';
import https from 'node:https';
import { AppError } from '../contracts/errors.ts';
import type { OtreeRequest } from './platform.ts';
import type { Secret } from './secret.ts';

const MAX_BODY_BYTES = 256 * 1024 * 1024;
const NOT_THERE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EACCES', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ETIMEDOUT']);

/** Where an oTree answers: its own socket, or a web server that finds it by the name in the Host header. */
export type OtreePlace =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number; readonly hostHeader: string; readonly isHttps: boolean };

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
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new AppError('platform_timeout', { what: 'oTree’s answer', seconds: Math.ceil(timeoutMs / 1000) });
    if (error instanceof Error && 'code' in error && NOT_THERE.has(String(error.code))) throw new AppError('not_running', {}, { cause: error });
    throw error;
  }
}

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
    const [where, host] = 'socketPath' in place ? [{ socketPath: place.socketPath }, 'otree'] : [{ host: place.host, port: place.port }, place.hostHeader];
    // As over plain http, the server is believed: it may show a certificate that only the laboratory's own browsers trust, or one that has run out.
    const [client, secured] = 'isHttps' in place && place.isHttps ? [https, { servername: host, rejectUnauthorized: false }] : [http, {}];
    const request = client.request(
      { ...target, ...where, ...secured, agent: false, signal, headers: { host, connection: 'close', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          sizeBytes += chunk.length;
          if (sizeBytes > MAX_BODY_BYTES) request.destroy(new Error('oTree’s answer is too large'));
        });
        response.on('error', fail);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }));
      },
    );
    request.on('error', fail);
    request.end(body);
  });
}
