// An ACME authority (Let's Encrypt, or the institution's own), by HTTP-01. @see RFC 8555

import { setTimeout as wait } from 'node:timers/promises';
import acme, { type Authorization, type Client, type Order } from 'acme-client';
import { AppError } from '../contracts/errors.ts';
import { prepareChallenges, removeChallenge, writeChallenge } from './acme-challenges.ts';
import { AcmeRefusal, converse } from './acme-connection.ts';
import { connectionError, problemError, readProblem } from './acme-problems.ts';
import type { CertificateAuthority, StoryStep } from './certificate-authority.ts';
import type { DoorCertificate } from './front-door.ts';
import { Secret } from './secret.ts';

export type AcmeOptions = {
  readonly directoryUrl: string;
  readonly email: string;
  /** Authorities trusted for the directory's https, PEM; null: the system's. */
  readonly ca: string | null;
  /** PEM. The account belongs to it: whoever has the key has the account. */
  readonly accountKey: Secret;
  readonly challengesDir: string;
};

const firstLookMs = 250;
const longestLookMs = 5000;
const patienceMs = 90_000;

type Talk = { readonly options: AcmeOptions; readonly hostName: string; readonly authority: string; readonly signal: AbortSignal; readonly client: Client };

/** Opens nothing: the first request goes out with the first certificate. */
export function acmeAuthority(options: AcmeOptions): CertificateAuthority {
  const authority = new URL(options.directoryUrl).host;
  return {
    name: authority,
    issue: (hostName, { signal, step }) => {
      const client = new acme.Client({ directoryUrl: options.directoryUrl, accountKey: options.accountKey.open() });
      const talk: Talk = { options, hostName, authority, signal, client };
      return converse({ signal, ca: options.ca }, () => issue(talk, (name, label, work) => step(name, label, () => inOurWords(talk, work))));
    },
  };
}

async function issue(talk: Talk, step: StoryStep): Promise<DoorCertificate> {
  const { client, hostName, options, authority } = talk;
  const order = await step('order', `Ordering a certificate for ${hostName} at ${authority}`, async () => {
    await prepareChallenges(options.challengesDir);
    // With a key that is known already this is a look at its account, not a second one (RFC 8555 §7.3.1).
    await client.createAccount({ termsOfServiceAgreed: true, contact: [`mailto:${options.email}`] });
    return client.createOrder({ identifiers: [{ type: 'dns', value: hostName }] });
  });
  await step('challenge', `Showing that ${hostName} leads here (http://${hostName}/.well-known/acme-challenge/…)`, () => proveName(talk, order));
  return step('certificate', 'Fetching the certificate', () => fetchCertificate(talk, order));
}

async function proveName(talk: Talk, order: Order): Promise<void> {
  const { client, options, hostName, authority } = talk;
  const [authorization] = await client.getAuthorizations(order);
  // The authority remembers for some days what it has seen.
  if (!authorization || authorization.status === 'valid') return;
  const challenge = authorization.challenges.find(({ type }) => type === 'http-01');
  if (!challenge) throw new AppError('acme_refused', { authority, hostName, detail: 'it does not ask by HTTP-01.' });
  const answer = await client.getChallengeKeyAuthorization(challenge);
  try {
    await writeChallenge(options.challengesDir, challenge.token, answer);
    await client.completeChallenge(challenge);
    await seenBy(talk, async () => {
      const [now] = await client.getAuthorizations(order);
      if (now?.status === 'pending') return null;
      if (now?.status !== 'valid') throw refusalOf(talk, now);
      return now;
    });
  } finally {
    await removeChallenge(options.challengesDir, challenge.token);
  }
}

function refusalOf(talk: Talk, authorization: Authorization | undefined): AppError {
  const errors = authorization?.challenges.flatMap(({ error }) => readProblem(error) ?? []) ?? [];
  return problemError(talk, errors[0] ?? { type: 'unauthorized', detail: 'it did not say why', retryAfterSeconds: 0 });
}

async function fetchCertificate(talk: Talk, order: Order): Promise<DoorCertificate> {
  const { client, hostName } = talk;
  const key = await acme.crypto.createPrivateEcdsaKey('P-256');
  const [, csr] = await acme.crypto.createCsr({ commonName: hostName.length <= 64 ? hostName : '', altNames: [hostName] }, key);
  const ready = await seenBy(talk, async () => whenSettled(talk, await client.getOrder(order), 'pending'));
  const finalized = await client.finalizeOrder(ready, csr);
  const valid = finalized.status === 'valid' ? finalized : await seenBy(talk, async () => whenSettled(talk, await client.getOrder(order), 'processing'));
  return { chain: await client.getCertificate(valid), privateKey: new Secret(key.toString()) };
}

/** The order, null as long as it is in this state. @throws what the authority says when the order is lost */
function whenSettled(talk: Talk, order: Order, during: 'pending' | 'processing'): Order | null {
  if (order.status === during) return null;
  if (order.status !== 'invalid') return order;
  throw problemError(talk, readProblem(order.error) ?? { type: 'orderInvalid', detail: 'it gave up the order', retryAfterSeconds: 0 });
}

/** Looks again and again, in growing distances, until there is something. @throws acme_slow */
async function seenBy<T>({ signal, authority }: Talk, look: () => Promise<T | null>): Promise<T> {
  const until = Date.now() + patienceMs;
  for (let pauseMs = firstLookMs; ; pauseMs = Math.min(2 * pauseMs, longestLookMs)) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > until) throw new AppError('acme_slow', { authority, seconds: patienceMs / 1000 });
    await wait(pauseMs, undefined, { signal });
  }
}

async function inOurWords<T>(talk: Talk, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (talk.signal.aborted) throw talk.signal.reason;
    if (error instanceof AppError) throw error;
    if (error instanceof AcmeRefusal) throw problemError(talk, error.problem);
    throw connectionError(talk, error);
  }
}
