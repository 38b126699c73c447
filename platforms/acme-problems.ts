// What goes wrong with an ACME authority, in our own codes: its problem documents, and connections that do not come about.

import { AppError, type ErrorCode } from '../contracts/errors.ts';

/** A problem document as the authority sent it. @see RFC 8555 §6.7, RFC 7807 */
export type AcmeProblem = {
  /** Without `urn:ietf:params:acme:error:`. */
  readonly type: string;
  readonly detail: string;
  /** When it may be asked again; 0: it did not say. */
  readonly retryAfterSeconds: number;
};

const prefix = 'urn:ietf:params:acme:error:';
const detailLength = 400;

const codes: Readonly<Record<string, ErrorCode>> = {
  dns: 'acme_dns',
  connection: 'acme_no_answer',
  unauthorized: 'acme_wrong_answer',
  incorrectResponse: 'acme_wrong_answer',
  tls: 'acme_tls',
  caa: 'acme_caa',
  rejectedIdentifier: 'acme_rejected_name',
  unsupportedIdentifier: 'acme_rejected_name',
  rateLimited: 'acme_rate_limited',
  badNonce: 'acme_busy',
  serverInternal: 'acme_busy',
  userActionRequired: 'acme_user_action',
  externalAccountRequired: 'acme_account_needed',
  invalidContact: 'acme_contact_refused',
  unsupportedContact: 'acme_contact_refused',
};

type Body = { readonly type?: unknown; readonly detail?: unknown; readonly subproblems?: unknown };

/** The problem in the body of an answer (or in a challenge), null when it is none. @param retryAfter header of the same name */
export function readProblem(body: unknown, retryAfter?: unknown): AcmeProblem | null {
  const { type, detail, subproblems } = (typeof body === 'object' && body !== null ? body : {}) as Body;
  if (typeof type !== 'string' || !type.startsWith(prefix)) return null;
  const kind = type.slice(prefix.length);
  const inner = kind === 'compound' && Array.isArray(subproblems) ? readProblem(subproblems[0], retryAfter) : null;
  return inner ?? { type: kind, detail: (typeof detail === 'string' ? detail : kind).slice(0, detailLength), retryAfterSeconds: secondsOf(retryAfter) };
}

/** Seconds from a number of seconds or a date. @see RFC 9110 §10.2.3 */
function secondsOf(header: unknown): number {
  if (typeof header !== 'string') return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : 0;
}

type Case = { readonly authority: string; readonly hostName: string };

/** The problem in our words; what has no code of its own keeps the authority's. */
export function problemError({ authority, hostName }: Case, { type, detail, retryAfterSeconds }: AcmeProblem): AppError {
  // Some count a name that cannot be found among the connections that failed (pebble does).
  const isName = type === 'connection' && /no such host|NXDOMAIN|resolv/i.test(detail);
  const code = isName ? 'acme_dns' : codes[type];
  const said = detail.trim().replace(/[.\s]+$/, '');
  return new AppError(code ?? 'acme_refused', { authority, hostName, detail: code ? `${said}.` : `${said} (${type}).`, retryAfterSeconds });
}

const untrusted = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

/** A connection that did not come about, or an answer that is none of ACME. */
export function connectionError({ authority, hostName }: Case, error: unknown): AppError {
  const { code, message } = error as { code?: string; message?: string };
  const isUntrusted = untrusted.test(code ?? '');
  const detail = isUntrusted || code === undefined || code.startsWith('ERR_') ? (message ?? String(error)) : code;
  return new AppError(
    isUntrusted ? 'acme_untrusted' : 'acme_unreachable',
    { authority, hostName, detail: `${detail.slice(0, detailLength)}.` },
    { cause: error },
  );
}
