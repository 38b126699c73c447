// Which kind of address works best here, and why.

import type { NewAddressMode } from '../contracts/addresses.ts';
import { resolveAddressMode } from './addresses.ts';
import type { CertificateFacts, WithCertificate } from './system-check-certificate.ts';
import { allOf, type NameFacts, type WithNames } from './system-check-names.ts';
import type { Check, Finding, Surroundings } from './system-check-surroundings.ts';

type Facts = { readonly names: NameFacts; readonly certificate: CertificateFacts; readonly ownAddresses: readonly string[] };

/** The best mode that works today, and what still stands against it (null: nothing). */
export type Advice = {
  readonly best: NewAddressMode;
  readonly because: string;
  readonly caveat: string | null;
  readonly fix: string | null;
  readonly request: string | null;
};

const words: Readonly<Record<NewAddressMode, string>> = { subdomain: 'a name each', port: 'a port each', path: 'a path each' };

/** Judges by what was seen only. */
export function adviseMode({ names, certificate, ownAddresses }: Facts): Advice {
  const { host } = names;
  const none = { caveat: null, fix: null, request: null };
  if (names.kind === 'only-here') return { best: 'subdomain', because: `every name under ${host} leads to this machine, in its own browsers`, ...none };
  const isEncrypted = certificate.state !== 'plain-http';
  const portCaveat = isEncrypted
    ? {
        caveat: 'PUBLIC_URL is https, so each of these ports must be encrypted, too, by the proxy in front.',
        fix: 'Let the proxy serve the ports of INSTANCE_PORTS with the same certificate, or get a wildcard entry and a wildcard certificate.',
      }
    : { caveat: null, fix: null };
  if (names.kind === 'address') return { best: 'port', because: 'there are no names under an address', ...portCaveat, request: null };
  const isWildcardHere = names.wildcard.some((address) => allOf(names).includes(address) || ownAddresses.includes(address));
  if (!isWildcardHere) return { best: 'port', because: `made-up names under ${host} do not lead here`, ...portCaveat, request: null };
  const because = `made-up names under ${host} lead here, and names are easier to read and to let through firewalls than ports`;
  if (certificate.state === 'seen' && !certificate.fitsWildcard)
    return {
      best: 'subdomain',
      because,
      caveat: `The certificate (for ${certificate.names}) does not hold *.${host}, so browsers warn at instances.`,
      fix: `Get a certificate for ${host} and *.${host}.`,
      request: `Please let the certificate of ${host} hold *.${host} as well.`,
    };
  return { best: 'subdomain', because, ...none };
}

async function checkMode(surroundings: Surroundings & WithNames & WithCertificate): Promise<Finding> {
  const { config, ownAddresses } = surroundings;
  const [present, names, certificate] = await Promise.all([resolveAddressMode(config), surroundings.nameFacts, surroundings.certificate]);
  const chosen = config.ADDRESS_MODE === 'auto' ? 'chosen by itself' : `set by ADDRESS_MODE=${config.ADDRESS_MODE}`;
  const seen = `New instances get ${words[present]} (“${present}”, ${chosen}).`;
  if (names.dnsProblem !== null) return { result: 'unknown', seen, means: 'Which kind works best cannot be said without DNS.' };
  const { best, because, caveat, fix, request } = adviseMode({ names, certificate, ownAddresses });
  if (best !== present)
    return {
      result: 'attention',
      seen,
      means: `“${best}” (${words[best]}) works better here: ${because}.`,
      fix: `Start the panel with ADDRESS_MODE=${best} (or auto). Instances that are there keep their addresses.`,
      request,
    };
  if (caveat !== null) return { result: 'attention', seen, means: `It is the best that works here: ${because}. ${caveat}`, fix, request };
  return { result: 'good', seen, means: `It is the best that works here: ${because}.` };
}

export const modeChecks: readonly Check<Surroundings & WithNames & WithCertificate>[] = [
  { id: 'address-mode', group: 'addresses', title: 'Kind of address', on: 'local', run: checkMode },
];
