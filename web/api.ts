// The one way to the panel's HTTP interface: JSON in, checked JSON out, every failure an ApiError.

import type { z } from 'zod';
import type { FieldRemarks, Problem } from '../contracts/errors.ts';

const base = '/api/v1';
let csrfToken = '';

/** Remembers the token that unsafe requests of this sign-in carry. */
export const keepCsrfToken = (token: string): void => {
  csrfToken = token;
};

type Failure = { status: number; code: string; title: string; hint: string; requestId?: string; fields?: FieldRemarks; cause?: unknown };

/** What went wrong, in words for a person: `message` is the sentence, `hint` what to do now. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly requestId: string;
  readonly fields: FieldRemarks;

  constructor(failure: Failure) {
    super(failure.title, { cause: failure.cause });
    this.name = 'ApiError';
    this.status = failure.status;
    this.code = failure.code;
    this.hint = failure.hint;
    this.requestId = failure.requestId ?? '';
    this.fields = failure.fields ?? {};
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type RequestOptions = { method?: Method; body?: unknown; signal?: AbortSignal };

/** Sends a request and gives the answer, checked against its contract. @throws ApiError */
export async function request<S extends z.ZodType>(schema: S, path: string, options: RequestOptions = {}): Promise<z.infer<S>> {
  const response = await send(path, options);
  const answer = schema.safeParse(await response.json().catch(() => null));
  if (answer.success) return answer.data;
  throw new ApiError({
    status: response.status,
    code: 'contract',
    title: 'This page and the panel are of different versions.',
    hint: 'Reload the page.',
    cause: answer.error,
  });
}

/** Sends a request whose answer is empty or does not matter. @throws ApiError */
export async function send(path: string, { method = 'GET', body, signal }: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['X-CSRF-Token'] = csrfToken;
  const init: RequestInit = {
    method,
    headers,
    credentials: 'same-origin',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  };
  const response = await fetch(base + path, init).catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw new ApiError({ status: 0, code: 'unreachable', title: 'The panel does not answer.', hint: 'Check your connection, then try again.' });
  });
  if (!response.ok) throw await readProblem(response);
  return response;
}

/** Whether the server said that nobody is signed in (any more). */
export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.code === 'sign_in_required';

/** Whether there is nothing at this address for this person. */
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

async function readProblem(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  if (problem?.title === undefined || problem.code === undefined) {
    return new ApiError({
      status: response.status,
      code: 'unreachable',
      title: 'The panel is not ready just now.',
      hint: 'It may be starting. Try again in a moment.',
    });
  }
  return new ApiError({
    status: response.status,
    code: problem.code,
    title: problem.title,
    hint: problem.hint ?? '',
    requestId: problem.requestId ?? '',
    fields: problem.fields ?? {},
  });
}
