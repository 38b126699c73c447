// Which kind of address works best here, and why.

import type { NewAddressMode } from '../contracts/addresses.ts';
import { resolveAddressMode } from './addresses.ts';
import type { Config } from './config.ts';
import type { CertificateFacts, WithCertificate } from './system-check-certificate.ts';
import { allOf, type NameFacts, type WithNames } from './system-check-names.ts';
import type { Check, Finding, Surroundings } from './system-check-surroundings.ts';

type Facts = {
  readonly names: NameFacts;
  readonly certificate: CertificateFacts;
  readonly ownAddresses: readonly string[];
  readonly config: Pick<Config, 'HTTPS_PORT' | 'ACME_EMAIL' | 'ADDRESS_MODE' | 'pathUrl'>;
};

/** The best mode that works today, and what still stands against it (null: nothing). */
export type Advice = {
  readonly best: NewAddressMode;
  readonly because: string;
  readonly caveat: string | null;
  readonly fix: string | null;
  readonly request: string | null;
};

const words: Readonly<Record<NewAddressMode, string>> = { subdomain: 'a name each', port: 'a port each', path: 'a path each' };
const none = { caveat: null, fix: null, request: null } as const;

/** Judges by what was seen only. Names before ports before paths, as far as each can be had: that is the order in which browsers keep experiments apart. */
export function adviseMode(facts: Facts): Advice {
  const { names, ownAddresses } = facts;
  const { host } = names;
  if (names.kind === 'only-here') return { best: 'subdomain', because: `every name under ${host} leads to this machine, in its own browsers`, ...none };
  const isWildcardHere = names.wildcard.some((address) => allOf(names).includes(address) || ownAddresses.includes(address));
  if (names.kind === 'name' && isWildcardHere) return adviseNames(facts);
  const noNames = names.kind === 'address' ? 'there are no names under an address' : `made-up names under ${host} do not lead here`;
  return prefersPaths(facts) ? advisePaths(noNames) : advisePorts(facts, noNames);
}

function adviseNames({ names: { host }, certificate, config }: Facts): Advice {
  const because = `made-up names under ${host} lead here, and names are easier to read and to let through firewalls than ports`;
  // The front door gets a certificate for each name by itself.
  const isEachCertified = config.HTTPS_PORT !== undefined && config.ACME_EMAIL !== undefined;
  if (certificate.state !== 'seen' || certificate.fitsWildcard || isEachCertified) return { best: 'subdomain', because, ...none };
  return {
    best: 'subdomain',
    because,
    caveat: `The certificate (for ${certificate.names}) does not hold *.${host}, so browsers warn at instances.`,
    fix: `Get a certificate for ${host} and *.${host}, or let the panel get one for each name (HTTPS_PORT with ACME_EMAIL).`,
    request: `Please let the certificate of ${host} hold *.${host} as well.`,
  };
}

/** Whether ports get through firewalls cannot be seen: whoever has set it so knows; and a proxy in front rarely holds hundreds of ports. */
const prefersPaths = ({ config, certificate }: Facts): boolean =>
  config.pathUrl !== null && (config.ADDRESS_MODE === 'path' || (certificate.state !== 'plain-http' && config.HTTPS_PORT === undefined));

const advisePaths = (noNames: string): Advice => ({
  best: 'path',
  because: `${noNames}, and PATH_URL gives all experiments one address, apart from the panel’s. They share that origin: scripts of one experiment can act on the others, so let only people push whom you trust`,
  ...none,
});

function advisePorts({ config, certificate }: Facts, noNames: string): Advice {
  if (certificate.state === 'plain-http' || config.HTTPS_PORT !== undefined) return { best: 'port', because: noNames, ...none };
  return {
    best: 'port',
    because: noNames,
    caveat: 'PUBLIC_URL is https, so each of these ports must be encrypted, too, by the proxy in front.',
    fix: 'Let the proxy serve the ports of INSTANCE_PORTS with the same certificate, take https in the panel’s own front door (HTTPS_PORT), get a wildcard entry and a wildcard certificate, or set PATH_URL for paths below one address.',
    request: null,
  };
}

async function checkMode(surroundings: Surroundings & WithNames & WithCertificate): Promise<Finding> {
  const { config, ownAddresses } = surroundings;
  const [present, names, certificate] = await Promise.all([resolveAddressMode(config), surroundings.nameFacts, surroundings.certificate]);
  const chosen = config.ADDRESS_MODE === 'auto' ? 'chosen by itself' : `set by ADDRESS_MODE=${config.ADDRESS_MODE}`;
  const seen = `New instances get ${words[present]} (“${present}”, ${chosen}).`;
  if (names.dnsProblem !== null) return { result: 'unknown', seen, means: 'Which kind works best cannot be said without DNS.' };
  const { best, because, caveat, fix, request } = adviseMode({ names, certificate, ownAddresses, config });
  if (best !== present)
    return {
      result: 'attention',
      seen,
      means: `“${best}” (${words[best]}) works better here: ${because}.`,
      fix: `Start the panel with ADDRESS_MODE=${best}${best === 'path' ? '' : ' (or auto)'}. Instances that are there keep their addresses; each can get another one in its settings.`,
      request,
    };
  if (caveat !== null) return { result: 'attention', seen, means: `It is the best that works here: ${because}. ${caveat}`, fix, request };
  return { result: 'good', seen, means: `It is the best that works here: ${because}.` };
}

export const modeChecks: readonly Check<Surroundings & WithNames & WithCertificate>[] = [
  { id: 'address-mode', group: 'addresses', title: 'Kind of address', on: 'here', run: checkMode },
];
