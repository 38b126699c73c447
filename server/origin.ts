// Requests that another web site made a browser send are refused: by origin for all, by token for the signed-in.

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { AppError } from '../contracts/errors.ts';

/** Host as the browser asked for it; nginx passes it on unchanged. */
const hostOf = (request: IncomingMessage): string => request.headers.host ?? '';

/**
 * Whether a request comes from a page of the panel itself, or from a program.
 * Browsers send `Origin` with every unsafe request and every websocket; programs send neither header.
 */
export function isOwnOrigin(request: IncomingMessage): boolean {
  const { origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (typeof site === 'string' && site !== 'same-origin' && site !== 'none') return false;
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === hostOf(request);
  } catch {
    return false;
  }
}

/** Refuses every unsafe request from elsewhere. */
export const refuseForeignOrigin: RequestHandler = (request, _response, next) => {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method) || isOwnOrigin(request)) next();
  else throw new AppError('foreign_origin');
};

/** Compares the header `X-CSRF-Token` with the one of the sign-in. @throws csrf_failed */
export function checkCsrfToken(request: Request): void {
  const given = Buffer.from(request.get('x-csrf-token') ?? '');
  const wanted = Buffer.from(request.session.csrfToken ?? '');
  if (wanted.length === 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new AppError('csrf_failed');
}
