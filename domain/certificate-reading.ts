// Reading one certificate with its key: what it holds, and every reason not to show it to browsers as a sentence.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { DoorCertificate } from '../platforms/front-door.ts';
import { Secret } from '../platforms/secret.ts';

/** What a certificate says of itself. */
export type CertificateFacts = {
  /** Small letters; `*.lab.example` stands for one label before `.lab.example`. Addresses as they are. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly startsAt: Date;
  readonly expiresAt: Date;
};

export type ReadPair = CertificateFacts & {
  readonly certificate: DoorCertificate;
  /** What may be wrong, but need not be; null: nothing. */
  readonly warning: string | null;
};

/** Why a pair cannot be used: a sentence for people. */
export class CertificateProblem extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'CertificateProblem';
  }
}

const blocks = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;
const smallestRsaBits = 2048;

/**
 * Takes PEM texts apart and checks that they go together; dates are not judged here.
 * @throws CertificateProblem
 */
export function readPair(chainPem: string, keyPem: string): ReadPair {
  const chain = certificatesIn(chainPem);
  const [own, ...rest] = chain;
  if (!own)
    throw new CertificateProblem('It holds no certificate. It must be text in PEM form, with -----BEGIN CERTIFICATE----- (openssl x509 makes it from others).');
  const key = readKey(keyPem);
  checkKey(key, chain);
  checkOrder(chain);
  const facts = factsOf(own);
  if (facts.names.length === 0) throw new CertificateProblem('It holds no host name (subject alternative name), so browsers take it for none.');
  const isAlone = rest.length === 0 && !own.checkIssued(own);
  return {
    ...facts,
    certificate: {
      chain: `${chain.map((one) => one.toString().trim()).join('\n')}\n`,
      privateKey: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
    },
    warning: isAlone ? 'The certificates between it and its authority are missing in the file; most browsers and phones need them (fullchain.pem).' : null,
  };
}

/** What a certificate says of itself. @param chainPem the host's own first. @throws Error when it cannot be read */
export const readFacts = (chainPem: string): CertificateFacts => factsOf(new X509Certificate(chainPem));

function certificatesIn(pem: string): X509Certificate[] {
  const found = [...pem.matchAll(blocks)].filter(([, kind]) => kind === 'CERTIFICATE' || kind === 'TRUSTED CERTIFICATE');
  try {
    return found.map(([text]) => new X509Certificate(text));
  } catch {
    throw new CertificateProblem('It is damaged: it begins like a certificate but cannot be read.');
  }
}

function readKey(pem: string): KeyObject {
  const [text, kind = ''] = [...pem.matchAll(blocks)].find(([, kind]) => kind?.endsWith('PRIVATE KEY')) ?? [];
  if (text === undefined) throw new CertificateProblem('Its key file holds no private key in PEM form (-----BEGIN PRIVATE KEY-----).');
  if (kind.startsWith('ENCRYPTED') || text.includes('Proc-Type: 4,ENCRYPTED'))
    throw new CertificateProblem('Its key is locked by a password, which nobody could type at a start. Unlock it: openssl pkey -in OLD.key -out NEW.key');
  try {
    return createPrivateKey(text);
  } catch {
    throw new CertificateProblem('Its key is damaged: it cannot be read.');
  }
}

function checkKey(key: KeyObject, chain: readonly X509Certificate[]): void {
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  const fitsAt = chain.findIndex((one) => one.checkPrivateKey(key));
  if (fitsAt > 0) throw new CertificateProblem('The host’s own certificate must come first in the file, then those of its authorities.');
  if (fitsAt < 0) throw new CertificateProblem('The key does not belong to this certificate.');
  if (modulusLength !== undefined && modulusLength < smallestRsaBits)
    throw new CertificateProblem(`Its key has only ${modulusLength} bits: browsers ask for ${smallestRsaBits}.`);
}

function checkOrder(chain: readonly X509Certificate[]): void {
  const wrong = chain.findIndex((one, at) => at > 0 && chain[at - 1]?.checkIssued(one) === false);
  if (wrong > 0) throw new CertificateProblem(`The certificates are not in order: the one at place ${wrong + 1} did not issue the one before it.`);
}

function factsOf(own: X509Certificate): CertificateFacts {
  const names = (own.subjectAltName ?? '').split(', ').flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1]?.toLowerCase() ?? []);
  const issuer = own.issuer.split('\n');
  const said = (field: string): string | undefined => issuer.find((line) => line.startsWith(`${field}=`))?.slice(field.length + 1);
  return {
    names,
    issuer: [said('O'), said('CN')].filter(Boolean).join(' ') || 'nobody named',
    startsAt: new Date(own.validFrom),
    expiresAt: new Date(own.validTo),
  };
}

/** Whether it is for this host: by its name itself, by a wildcard, or not at all. @see RFC 6125 §6.4.3 */
export function fitOf({ names }: Pick<CertificateFacts, 'names'>, hostName: string): 'exact' | 'wildcard' | null {
  const host = hostName.toLowerCase().replaceAll(/^\[|\]$/g, '');
  if (names.includes(host)) return 'exact';
  const dot = host.indexOf('.');
  return dot > 0 && names.includes(`*${host.slice(dot)}`) ? 'wildcard' : null;
}

const dayMs = 86_400_000;
const renewDays = 30;

/** Days left, with their fraction; below 0: ended. */
export const daysLeft = ({ expiresAt }: Pick<CertificateFacts, 'expiresAt'>, now: Date): number => (expiresAt.getTime() - now.getTime()) / dayMs;

/** How many days before its end a certificate is renewed: 30, or a third of its life where that is shorter. */
const renewalDays = ({ startsAt, expiresAt }: Pick<CertificateFacts, 'startsAt' | 'expiresAt'>): number =>
  Math.min(renewDays, (expiresAt.getTime() - startsAt.getTime()) / dayMs / 3);

/**
 * How near its end is: `due` when it is to be renewed, `soon` and `late` when this has not happened (below 21 and 7 days for
 * one of 90 days and more, in proportion for short ones), `ended` afterwards.
 */
export type Stage = 'good' | 'due' | 'soon' | 'late' | 'ended';
export function stageOf(facts: CertificateFacts, now: Date): Stage {
  const left = daysLeft(facts, now);
  const share = left / renewalDays(facts);
  return left <= 0 ? 'ended' : share < 7 / 30 ? 'late' : share < 21 / 30 ? 'soon' : share < 1 ? 'due' : 'good';
}

type Choosable = { readonly facts: CertificateFacts };

/** The one to show for a host: valid now, exact name before wildcard, then the longest. */
export function chooseCertificate<C extends Choosable>(all: readonly C[], hostName: string, now: Date): C | null {
  const fitting = all.flatMap((one) => {
    const fit = fitOf(one.facts, hostName);
    return fit === null || one.facts.startsAt > now || one.facts.expiresAt <= now ? [] : [{ one, fit }];
  });
  const byRank = fitting.toSorted(
    (a, b) => Number(b.fit === 'exact') - Number(a.fit === 'exact') || b.one.facts.expiresAt.getTime() - a.one.facts.expiresAt.getTime(),
  );
  return byRank[0]?.one ?? null;
}
