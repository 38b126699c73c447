// Host names of one's own: which ones an instance may have, where DNS leads them, and what to ask the IT department for.

import os from 'node:os';
import type { Config } from './config.ts';
import type { Transaction } from './database.ts';
import { hostOf, isAddress, isOnlyHere, listed, type Names } from './system-check-surroundings.ts';

/** Why no instance can have this name, whoever asks; null: it may. */
export function whyNeverOurs(config: Pick<Config, 'publicUrl' | 'pathUrl' | 'isPublicUrlSet'>, hostName: string): string | null {
  if (hostName === config.publicUrl.hostname) return 'it is the panel’s own name.';
  if (hostName === config.pathUrl?.hostname) return 'all paths share it (PATH_URL).';
  // Whoever opens the panel by such a name would sign in to an experiment instead.
  if (hostName === os.hostname().toLowerCase()) return 'it is the name of this machine itself.';
  if (!config.isPublicUrlSet && !isOnlyHere(hostName))
    return 'people may open the panel by any name as long as PUBLIC_URL is not set; a manager sets it first.';
  return null;
}

/** Whether it stands directly below the panel's name, where instances get theirs. */
export const isBelowPanel = (config: Pick<Config, 'publicUrl'>, hostName: string): boolean =>
  hostName.slice(hostName.indexOf('.') + 1) === config.publicUrl.hostname;

/** Whether some instance is or was reached by a name below the panel's. */
export async function areNamesGiven(tx: Transaction): Promise<boolean> {
  const [present, former] = [
    await tx.instance.count({ where: { addressMode: 'subdomain', port: null, deletedAt: null } }),
    await tx.formerAddress.count({ where: { mode: 'subdomain' } }),
  ];
  return present + former > 0;
}

export type HostNameFacts = {
  readonly hostName: string;
  readonly leads: 'here' | 'elsewhere' | 'nowhere' | 'unknown';
  /** A whole sentence. */
  readonly seen: string;
  /** What to write to the IT department, with the record. */
  readonly request: string;
};

type Looking = { readonly config: Config; readonly names: Names; readonly ownAddresses: readonly string[] };

/** Asks DNS, as other computers would. It leads here when it has an address of this machine or one of the panel's name. Never throws. */
export async function lookAtHostName({ config, names, ownAddresses }: Looking, hostName: string): Promise<HostNameFacts> {
  const panelHost = hostOf(config);
  const hasName = !isAddress(panelHost) && !isOnlyHere(panelHost);
  const panel = hasName ? await addressesOf(names, panelHost) : [];
  const request = requestFor(hostName, { panelHost: hasName ? panelHost : null, addresses: panel?.length ? panel : ownAddresses });
  if (isOnlyHere(hostName)) return { hostName, leads: 'here', seen: `Browsers take ${hostName} for the machine that they run on.`, request };
  const found = await addressesOf(names, hostName);
  if (found === null) return { hostName, leads: 'unknown', seen: `No DNS server answers, so nobody can say where ${hostName} leads.`, request };
  if (found.length === 0) return { hostName, leads: 'nowhere', seen: `DNS does not know ${hostName} yet.`, request };
  const isHere = found.some((address) => ownAddresses.includes(address) || (panel ?? []).includes(address) || address === panelHost);
  return isHere
    ? { hostName, leads: 'here', seen: `${hostName} is ${listed(found)}: it leads to this machine.`, request }
    : { hostName, leads: 'elsewhere', seen: `${hostName} is ${listed(found)}: it leads to another machine.`, request };
}

/** The text for the IT department. */
function requestFor(hostName: string, { panelHost, addresses }: { panelHost: string | null; addresses: readonly string[] }): string {
  const first = [addresses.find((address) => !address.includes(':')), addresses.find((address) => address.includes(':'))].flatMap((one) => one ?? []);
  const plain = first.map((address) => `${hostName} ${address.includes(':') ? 'AAAA' : 'A'} ${address}`).join(' and ');
  const records = [...(panelHost === null ? [] : [`${hostName} CNAME ${panelHost}`]), ...(plain === '' ? [] : [plain])];
  if (records.length === 0) return `Please make a DNS entry for ${hostName} that leads to our machine.`;
  return `Please make this entry in DNS: ${records.join(', or ')}.`;
}

/** Null: no DNS server answers. */
const addressesOf = async (names: Names, name: string): Promise<readonly string[] | null> => {
  try {
    const { v4, v6 } = await names.resolve(name);
    return [...v4, ...v6];
  } catch {
    return null;
  }
};
