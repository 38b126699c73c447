// How `acme-client` talks: its one shared HTTP client gets the signal, the time limit and the trust of the conversation at hand.

import { AsyncLocalStorage } from 'node:async_hooks';
import https from 'node:https';
import acme from 'acme-client';
import { readProblem, type AcmeProblem } from './acme-problems.ts';

type Conversation = {
  readonly signal: AbortSignal;
  readonly agent: https.Agent;
  /** Nonces that were refused in a row. */
  refusedNonces: number;
};

const answerMs = 20_000;
/** The library tries so often itself (RFC 8555 §6.5). */
const mostNonces = 5;
const conversations = new AsyncLocalStorage<Conversation>();

/** A problem document as an error. */
export class AcmeRefusal extends Error {
  readonly problem: AcmeProblem;
  constructor(problem: AcmeProblem) {
    super(problem.detail);
    this.name = 'AcmeRefusal';
    this.problem = problem;
  }
}

// The library's own handlers wait as long as a `Retry-After` says, an hour perhaps, cannot be interrupted while they do, and
// in the end put an error of their own in the place of that of the connection (5.4.0, src/axios.js).
acme.axios.interceptors.request.clear();
acme.axios.interceptors.response.clear();

acme.axios.interceptors.request.use((config) => {
  const conversation = conversations.getStore();
  if (!conversation) return config;
  // A signal of its own for each request: the client leaves its listeners on it.
  return Object.assign(config, { signal: AbortSignal.any([conversation.signal]), httpsAgent: conversation.agent, timeout: answerMs });
});

// The library keeps only the text of a problem; its type says what to do.
acme.axios.interceptors.response.use((response) => {
  const problem = response.status >= 400 ? readProblem(response.data, response.headers['retry-after']) : null;
  if (problem !== null && isOurs(problem)) throw new AcmeRefusal(problem);
  if (problem === null) forgetNonces();
  return response;
});

/** A nonce that was refused the library answers with the next one, five times. */
function isOurs({ type }: AcmeProblem): boolean {
  const conversation = conversations.getStore();
  if (type !== 'badNonce' || !conversation) return true;
  conversation.refusedNonces += 1;
  return conversation.refusedNonces > mostNonces;
}

function forgetNonces(): void {
  const conversation = conversations.getStore();
  if (conversation) conversation.refusedNonces = 0;
}

/** Runs one conversation with an authority. @param options `ca`: authorities trusted for its https, PEM; null: the system's */
export async function converse<T>({ signal, ca }: { signal: AbortSignal; ca: string | null }, work: () => Promise<T>): Promise<T> {
  const agent = new https.Agent(ca === null ? {} : { ca });
  try {
    return await conversations.run({ signal, agent, refusedNonces: 0 }, work);
  } finally {
    agent.destroy();
  }
}
