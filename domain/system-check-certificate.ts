// The certificate that browsers see at PUBLIC_URL: by connecting, whoever serves it.

import tls, { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { Config } from './config.ts';
import { hostOf, isOnlyHere, publicPortOf, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

export type CertificateFacts =
  | {
      readonly state: 'seen';
      /** With its fraction; below 0: ended. */
      readonly daysLeft: number;
      readonly fits: boolean;
      readonly fitsWildcard: boolean;
      readonly names: string;
      readonly distrust: string | null;
    }
  | { readonly state: 'plain-http' }
  | { readonly state: 'no-answer'; readonly reason: string };

export type WithCertificate = Surroundings & { readonly certificate: Promise<CertificateFacts> };

const connectMs = 4000;
const dayMs = 86_400_000;
/** Let's Encrypt renews 30 days before the end: what is below 21 was not renewed by itself. */
export const soonDays = 21;
const veryLateDays = 7;

/** Connects to PUBLIC_URL and reads the certificate; never throws. */
export function lookAtCertificate({ config, trusted }: Surroundings): Promise<CertificateFacts> {
  if (config.publicUrl.protocol !== 'https:') return Promise.resolve({ state: 'plain-http' });
  const host = hostOf(config);
  const options = { host, port: publicPortOf(config), rejectUnauthorized: false, timeout: connectMs, ...(trusted ? { ca: trusted } : {}), ...nameOf(host) };
  return new Promise((resolve) => {
    const socket = tls.connect(options, () => {
      resolve(read(socket, host));
      socket.end();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer in time')));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve({ state: 'no-answer', reason: error.code ?? error.message }));
  });
}

/** TLS knows names only: an address is not sent (RFC 6066 §3). */
const nameOf = (host: string): { servername?: string } => (/^[\d.]+$|:/.test(host) ? {} : { servername: host });

function read(socket: tls.TLSSocket, host: string): CertificateFacts {
  const certificate: PeerCertificate = socket.getPeerCertificate();
  const reason = socket.authorizationError as (Error & { code?: string }) | string | null | undefined;
  const distrust = socket.authorized ? null : typeof reason === 'string' ? reason : (reason?.code ?? reason?.message ?? 'not trusted');
  return {
    state: 'seen',
    daysLeft: (Date.parse(certificate.valid_to) - Date.now()) / dayMs,
    fits: checkServerIdentity(host, certificate) === undefined,
    fitsWildcard: checkServerIdentity(`arboretum-check.${host}`, certificate) === undefined,
    names: (certificate.subjectaltname ?? String(certificate.subject?.CN ?? 'no name')).replaceAll('DNS:', ''),
    // The end of its time and the name are said in words of their own.
    distrust: distrust === 'CERT_HAS_EXPIRED' || distrust === 'ERR_TLS_CERT_ALTNAME_INVALID' ? null : distrust,
  };
}

const days = (count: number): string => {
  const whole = Math.floor(count);
  return whole < 1 ? 'less than a day' : whole === 1 ? '1 day' : `${whole} days`;
};

async function checkCertificate(surroundings: WithCertificate): Promise<Finding> {
  const facts = await surroundings.certificate;
  const host = hostOf(surroundings.config);
  const ownHttps = surroundings.config.HTTPS_PORT !== undefined;
  const forInstances = surroundings.config.PLATFORM === 'dokku' ? '' : ` (for one name per experiment also for *.${host})`;
  const request = `Please provide a certificate for ${host} that browsers trust${forInstances}, and tell us how it is renewed.`;
  if (facts.state === 'plain-http') return withoutEncryption(host, request);
  if (facts.state === 'no-answer')
    return {
      result: 'bad',
      seen: `${surroundings.config.publicUrl.origin} takes no encrypted connection (${facts.reason}), asked from this machine.`,
      means: 'PUBLIC_URL says https, so the panel’s cookie works over https only: nobody can sign in.',
      fix: ownHttps
        ? 'The panel takes https itself: see “Certificates” on the System page for why there is none to show.'
        : 'Start the proxy that holds the certificate, or open its port; without one set PUBLIC_URL to http://…',
      request,
    };
  if (facts.daysLeft < 0)
    return {
      result: 'bad',
      seen: `The certificate ended ${days(-facts.daysLeft)} ago.`,
      means: 'Browsers warn everybody away.',
      fix: 'Renew it now.',
      request: `The certificate of ${host} has ended. Please renew it.`,
    };
  if (!facts.fits)
    return {
      result: 'bad',
      seen: `The certificate is for ${facts.names}, not for ${host}.`,
      means: 'Browsers warn everybody away.',
      fix: 'Get one for this name, or set PUBLIC_URL to a name that it holds.',
      request,
    };
  if (facts.distrust !== null)
    return {
      result: 'bad',
      seen: `The certificate is not trusted (${facts.distrust}); ${days(facts.daysLeft)} left.`,
      means: 'It signed itself, or the server does not send the certificates between it and a known authority. Browsers warn.',
      fix: 'Let the server send the whole chain (fullchain.pem), or get a certificate of a known authority.',
      request,
    };
  return judgeDays(surroundings.config, facts);
}

/** Of one that browsers trust. */
function judgeDays(config: Config, facts: Extract<CertificateFacts, { state: 'seen' }>): Finding {
  const seen = `Valid for ${days(facts.daysLeft)} more, for ${facts.names}, from an authority that is trusted.`;
  if (facts.daysLeft >= soonDays) return { result: 'good', seen, means: 'Browsers trust the panel’s address.' };
  return {
    result: facts.daysLeft < veryLateDays ? 'bad' : 'attention',
    seen,
    means: 'It is usually renewed 30 days before its end; this has not happened.',
    fix:
      config.HTTPS_PORT !== undefined ? 'See “Certificates” on the System page for what went wrong.' : 'Renew it, and look at why it is not renewed by itself.',
    request: `The certificate of ${hostOf(config)} ends in ${days(facts.daysLeft)}. Please renew it.`,
  };
}

function withoutEncryption(host: string, request: string): Finding {
  if (isOnlyHere(host))
    return { result: 'not-here', seen: 'The panel is used on this machine only, without encryption.', means: 'Nothing goes over a network.' };
  return {
    result: 'attention',
    seen: 'PUBLIC_URL is http: there is no encryption.',
    means: 'Passwords and answers of participants can be read on the way. In a laboratory’s own network this may do; for studies online it does not.',
    fix: 'Let the panel take https itself (docs/certificates.md), or put a proxy with a certificate in front (docs/behind-a-proxy.md); then start it with PUBLIC_URL=https://…',
    request,
  };
}

export const certificateChecks: readonly Check<WithCertificate>[] = [
  { id: 'certificate', group: 'addresses', title: 'Certificate (https)', run: checkCertificate },
];
