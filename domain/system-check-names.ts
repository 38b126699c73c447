// Whether the names lead here: the panel's own, made-up ones under it (a wildcard), and those of the instances.

import { randomBytes } from 'node:crypto';
import { reach, type Reached } from './system-check-reach.ts';
import { hostOf, isAddress, isOnlyHere, listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

type Addresses = { readonly v4: readonly string[]; readonly v6: readonly string[] };

export type NameFacts = {
  readonly host: string;
  readonly kind: 'only-here' | 'address' | 'name';
  readonly panel: Addresses;
  /** What this machine alone takes the name for. */
  readonly byHostsFile: readonly string[];
  /** Addresses of a name that nobody has entered. */
  readonly wildcard: readonly string[];
  /** Why DNS could not be asked. */
  readonly dnsProblem: string | null;
  /** Who answers at PUBLIC_URL. */
  readonly reached: Reached;
};

export type WithNames = Surroundings & { readonly nameFacts: Promise<NameFacts> };

const nothing: Addresses = { v4: [], v6: [] };

/** Asks DNS and the public address once for all checks; never throws. */
export async function lookAtNames(surroundings: Surroundings): Promise<NameFacts> {
  const { config, names } = surroundings;
  const host = hostOf(config);
  const kind = isOnlyHere(host) ? 'only-here' : isAddress(host) ? 'address' : 'name';
  const reaching = reach(config);
  const base = { host, kind, panel: nothing, byHostsFile: [], wildcard: [], dnsProblem: null } as const;
  if (kind !== 'name') return { ...base, reached: await reaching };
  try {
    const probe = `arboretum-check-${randomBytes(3).toString('hex')}.${host}`;
    const [panel, wildcard, byHostsFile] = await Promise.all([names.resolve(host), names.resolve(probe), names.lookUp(host)]);
    return { ...base, panel, wildcard: [...wildcard.v4, ...wildcard.v6], byHostsFile, reached: await reaching };
  } catch (error) {
    return { ...base, dnsProblem: error instanceof Error ? error.message : String(error), reached: await reaching };
  }
}

export const allOf = ({ panel }: NameFacts): string[] => [...panel.v4, ...panel.v6];

/** Whether a name's addresses are this machine's, or those under which the panel is reached. */
export function leadsHere(facts: NameFacts, addresses: readonly string[], own: readonly string[]): boolean {
  const ways = facts.reached.who === 'this' ? [...own, ...allOf(facts)] : own;
  return addresses.some((address) => ways.includes(address));
}

const noDns = (facts: NameFacts): Finding => ({
  result: 'unknown',
  seen: `DNS could not be asked: ${facts.dnsProblem}.`,
  means: 'Nobody can say from here whether the names lead to this machine.',
  fix: 'Look at the DNS servers of this machine (/etc/resolv.conf), or run the check again later.',
});

const withoutName = (facts: NameFacts): Finding => ({
  result: 'not-here',
  seen: facts.kind === 'address' ? `PUBLIC_URL is an address (${facts.host}), not a name.` : `PUBLIC_URL is ${facts.host}: for this machine only.`,
  means:
    facts.kind === 'address' ? 'No name has to be looked up, and no certificate of a usual kind can be had.' : 'Nobody else can open the panel by this name.',
  fix: 'For a server that others use: get a name, and start the panel with PUBLIC_URL=https://NAME.',
});

async function checkName(surroundings: WithNames): Promise<Finding> {
  const facts = await surroundings.nameFacts;
  if (facts.kind !== 'name') return withoutName(facts);
  if (facts.dnsProblem !== null) return noDns(facts);
  const addresses = allOf(facts);
  const own = surroundings.ownAddresses;
  const entry = `an A record (and AAAA where IPv6 is used) for ${facts.host} that leads to ${listed(own) || 'this machine'}`;
  if (addresses.length === 0)
    return {
      result: 'bad',
      seen: `DNS knows no ${facts.host}${facts.byHostsFile.length > 0 ? `; only this machine itself takes it for ${listed(facts.byHostsFile)} (/etc/hosts)` : ''}.`,
      means: 'No other computer finds the panel or the experiments.',
      fix: 'Ask for the DNS entry, or set PUBLIC_URL to a name that exists.',
      request: `Please make ${entry}.`,
    };
  const seen = `${facts.host} is ${listed(addresses)}.`;
  if (leadsHere(facts, addresses, own)) return { result: 'good', seen, means: 'The name leads to this machine.' };
  return {
    result: 'attention',
    seen: `${seen} This machine has ${listed(own) || 'no address of its own'}.`,
    means: 'It leads elsewhere: right when a proxy or an address translation stands in front, wrong otherwise.',
    fix: 'Open the public address from another computer. If something else answers, the DNS entry must change.',
    request: `Please see that ${facts.host} (now ${listed(addresses)}) leads to our machine ${listed(own)}, directly or through your proxy.`,
  };
}

async function checkIpv6(surroundings: WithNames): Promise<Finding> {
  const facts = await surroundings.nameFacts;
  if (facts.kind !== 'name') return { ...withoutName(facts), fix: null };
  if (facts.dnsProblem !== null) return noDns(facts);
  const { v6 } = facts.panel;
  const own = surroundings.ownAddresses.filter((address) => address.includes(':'));
  if (v6.length === 0) return { result: 'not-here', seen: `${facts.host} has no IPv6 address.`, means: 'Everybody comes by IPv4, which works everywhere.' };
  if (v6.some((address) => own.includes(address)))
    return { result: 'good', seen: `By IPv6, ${facts.host} is ${listed(v6)}, this machine.`, means: 'Both kinds of address lead here.' };
  return {
    result: 'attention',
    seen: `By IPv6, ${facts.host} is ${listed(v6)}; this machine has ${own.length === 0 ? 'no IPv6 address' : listed(own)}.`,
    means: 'Browsers try IPv6 first: some people would wait or see an error, unless a proxy takes those calls.',
    fix: 'Give this machine that address, or have the AAAA record removed.',
    request: `Please remove the AAAA record of ${facts.host} (${listed(v6)}) or route that address to our machine.`,
  };
}

async function checkWildcard(surroundings: WithNames): Promise<Finding> {
  const facts = await surroundings.nameFacts;
  if (facts.kind === 'only-here')
    return {
      result: 'good',
      seen: `Browsers take every name under ${facts.host} for this machine.`,
      means: 'Instances get sub-domains, for this machine only.',
    };
  if (facts.kind === 'address')
    return { result: 'not-here', seen: `${facts.host} is an address.`, means: 'There are no names under an address; instances get ports.' };
  if (facts.dnsProblem !== null) return noDns(facts);
  const { config, ownAddresses } = surroundings;
  const panel = allOf(facts);
  const request = `Please make a wildcard entry *.${facts.host} that leads where ${facts.host} leads${panel.length > 0 ? ` (${listed(panel)})` : ''}, so that each experiment can have an address of its own. (A CNAME to ${facts.host} will do. If no wildcard is possible, everything works with ports as well.)`;
  if (facts.wildcard.length === 0)
    return {
      result: config.ADDRESS_MODE === 'subdomain' ? 'bad' : 'not-here',
      seen: `A made-up name under ${facts.host} is not known to DNS: there is no wildcard entry.`,
      means:
        config.ADDRESS_MODE === 'subdomain'
          ? 'ADDRESS_MODE is “subdomain”, so new instances cannot be reached.'
          : 'New instances get ports in place of names; both work.',
      fix: config.ADDRESS_MODE === 'subdomain' ? 'Have the wildcard entry made, or start the panel with ADDRESS_MODE=auto.' : null,
      request,
    };
  const isHere = facts.wildcard.some((address) => panel.includes(address) || ownAddresses.includes(address));
  if (isHere)
    return {
      result: 'good',
      seen: `Made-up names under ${facts.host} lead to ${listed(facts.wildcard)}, as the panel’s name does.`,
      means: 'Each instance can have a name of its own.',
    };
  return {
    result: config.ADDRESS_MODE === 'subdomain' ? 'bad' : 'attention',
    seen: `Made-up names under ${facts.host} lead to ${listed(facts.wildcard)}, the panel’s own name to ${listed(panel) || 'nothing'}.`,
    means: 'A wildcard entry is there, but it leads to another machine.',
    fix: 'Have the wildcard entry changed; until then instances get ports unless ADDRESS_MODE says otherwise.',
    request,
  };
}

/** Of all instances; a DNS server is not to be flooded. */
export const askedAtMost = 100;

/** Which of the names have none of the wanted addresses. @throws when no DNS server answers */
export async function lostNames(names: Surroundings['names'], hosts: readonly string[], wanted: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    hosts.map(async (host) => {
      const { v4, v6 } = await names.resolve(host);
      return { host, isRight: [...v4, ...v6].some((address) => wanted.includes(address)) };
    }),
  );
  return found.filter(({ isRight }) => !isRight).map(({ host }) => host);
}

async function checkInstanceNames(surroundings: WithNames): Promise<Finding> {
  const facts = await surroundings.nameFacts;
  if (!surroundings.query)
    return { result: 'unknown', seen: 'The panel’s database cannot be read from here.', means: 'Which instances there are is not known.' };
  const rows = await surroundings.query<{ name: string; host_name: string | null }>(
    `SELECT name, host_name FROM instance WHERE deleted_at IS NULL AND port IS NULL AND address_mode <> 'path' ORDER BY created_at LIMIT ${askedAtMost}`,
  );
  if (rows.length === 0) return { result: 'not-here', seen: 'No instance has a name of its own.', means: 'There is nothing to look up.' };
  const hosts = rows.map(({ name, host_name: own }) => own ?? `${name}.${facts.host}`).filter((host) => !isOnlyHere(host));
  if (hosts.length === 0) return { result: 'good', seen: `${rows.length} under ${facts.host}.`, means: 'Browsers on this machine find them all.' };
  const lost = await lostNames(surroundings.names, hosts, [...allOf(facts), ...surroundings.ownAddresses]);
  if (lost.length === 0) return { result: 'good', seen: `All ${hosts.length} looked up lead here.`, means: 'Participants find every experiment by its name.' };
  return {
    result: 'bad',
    seen: `${lost.length} of ${hosts.length} do not lead here: ${listed(lost.slice(0, 5))}${lost.length > 5 ? ', …' : ''}.`,
    means: 'Links to these experiments do not work.',
    fix: 'Have the names (or a wildcard entry) made, or give these instances another kind of address, each in its settings.',
    request: `Please make DNS entries for ${listed(lost)}, leading ${facts.kind === 'name' ? `where ${facts.host} leads (or a wildcard entry *.${facts.host})` : `to our machine (${listed(surroundings.ownAddresses)})`}.`,
  };
}

export const nameChecks: readonly Check<WithNames>[] = [
  { id: 'name', group: 'addresses', title: 'The panel’s name in DNS', run: checkName },
  { id: 'ipv6', group: 'addresses', title: 'The panel’s name by IPv6', run: checkIpv6 },
  { id: 'wildcard', group: 'addresses', title: 'Names for instances (wildcard)', on: 'here', run: checkWildcard },
  { id: 'instance-names', group: 'addresses', title: 'Names of the instances', on: 'here', run: checkInstanceNames },
];
