// The one address that all paths share: whether its name leads here, and whether this panel answers there.

import { identityHeader, panelIdentity } from './panel-identity.ts';
import { call, describeCircle, leadsToItself } from './system-check-reach.ts';
import { isAddress, isOnlyHere, listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

type Answering = 'this' | 'some' | 'other' | 'nobody' | 'circle';

export type PathFacts =
  | { readonly state: 'unset' }
  | {
      readonly state: 'set';
      readonly host: string;
      /** Addresses in DNS; empty where nobody has to ask. */
      readonly addresses: readonly string[];
      readonly ofPanel: readonly string[];
      readonly dnsProblem: string | null;
      /** `some`: something of the kind that this panel shows there, but it cannot be told whose. */
      readonly who: Answering;
      readonly how: string;
    };

export type WithPaths = Surroundings & { readonly pathFacts: Promise<PathFacts> };

/** Asks DNS and the address once for all checks; never throws. */
export async function lookAtPaths(surroundings: Pick<Surroundings, 'config' | 'names'>): Promise<PathFacts> {
  const { config, names } = surroundings;
  if (config.pathUrl === null || config.PLATFORM === 'dokku') return { state: 'unset' };
  const host = config.pathUrl.hostname.replaceAll(/^\[|\]$/g, '');
  const reached = callPaths(surroundings.config, config.pathUrl);
  const base = { state: 'set', host, addresses: [], ofPanel: [], dnsProblem: null } as const;
  if (isAddress(host) || isOnlyHere(host)) return { ...base, ...(await reached) };
  try {
    const [own, panel] = await Promise.all([names.resolve(host), names.resolve(config.publicUrl.hostname)]);
    return { ...base, addresses: [...own.v4, ...own.v6], ofPanel: [...panel.v4, ...panel.v6], ...(await reached) };
  } catch (error) {
    return { ...base, dnsProblem: error instanceof Error ? error.message : String(error), ...(await reached) };
  }
}

/** The front door answers below the path with the panel's own sign of life: no instance can be called so. */
async function callPaths({ layout }: Surroundings['config'], pathUrl: URL): Promise<{ who: Answering; how: string }> {
  const asked = new URL(`${pathUrl.pathname}/healthz`, pathUrl);
  const url = new URL(asked);
  // Browsers know these names by themselves, many systems do not.
  if (url.hostname.endsWith('.localhost')) url.hostname = '127.0.0.1';
  const answer = await call(url, { Host: pathUrl.host });
  if (typeof answer === 'string') return { who: 'nobody', how: answer };
  const how = `answers with status ${answer.statusCode}`;
  if (leadsToItself(asked, answer)) return { who: 'circle', how };
  const identity = answer.headers[identityHeader];
  if (identity === panelIdentity(layout)) return { who: 'this', how };
  return { who: identity === undefined && answer.statusCode === 404 ? 'some' : 'other', how };
}

const unset: Finding = { result: 'not-here', seen: 'PATH_URL is not set.', means: 'Instances have names or ports; paths are not offered.' };

async function checkPathName({ pathFacts, ownAddresses, config }: WithPaths): Promise<Finding> {
  const facts = await pathFacts;
  if (facts.state === 'unset') return unset;
  const { host, addresses, ofPanel, dnsProblem, who } = facts;
  if (isAddress(host) || isOnlyHere(host)) return { result: 'not-here', seen: `PATH_URL has ${host}, which is not looked up.`, means: 'No entry is needed.' };
  if (dnsProblem !== null)
    return { result: 'unknown', seen: `DNS could not be asked: ${dnsProblem}.`, means: 'Nobody can say from here where the name leads.' };
  const request = `Please make a DNS entry for ${host} that leads where ${config.publicUrl.hostname} leads (a CNAME will do; our machine is ${listed(ownAddresses)}).`;
  if (addresses.length === 0)
    return {
      result: 'bad',
      seen: `DNS knows no ${host}.`,
      means: 'No participant finds an experiment that has a path.',
      fix: 'Ask for the entry, or set PATH_URL to a name that exists.',
      request,
    };
  const seen = `${host} is ${listed(addresses)}.`;
  if (who === 'this' || addresses.some((address) => ownAddresses.includes(address) || ofPanel.includes(address)))
    return { result: 'good', seen, means: 'The name of the paths leads to this machine.' };
  return {
    result: 'attention',
    seen: `${seen} This machine has ${listed(ownAddresses) || 'no address of its own'}.`,
    means: 'It leads elsewhere: right when a proxy stands in front, wrong otherwise.',
    fix: 'Open an experiment with a path from another computer. If something else answers, the DNS entry must change.',
    request,
  };
}

async function checkPathReached({ pathFacts, config, isPanelRunning }: WithPaths): Promise<Finding> {
  const facts = await pathFacts;
  if (facts.state === 'unset' || config.pathUrl === null) return unset;
  const address = config.pathUrl.href;
  const { who, how } = facts;
  if (who === 'this') return { result: 'good', seen: `This panel’s front door answers below ${address}.`, means: 'Experiments with a path are found there.' };
  if (who === 'circle') return describeCircle(config, config.pathUrl);
  if (!isPanelRunning)
    return { result: 'unknown', seen: `The panel is not running; ${address}: ${how}.`, means: 'Whether it leads here shows when the panel runs.' };
  if (who === 'some')
    return {
      result: 'unknown',
      seen: `Something at ${address} ${how}.`,
      means: 'It is not seen whether that is this panel’s front door.',
      fix: 'Give an instance a path, and open it from another computer.',
    };
  if (who === 'nobody')
    return {
      result: 'attention',
      seen: `Nobody answers at ${address} (${how}), asked from this machine.`,
      means: 'The port, a proxy or the firewall is not as PATH_URL says. Some networks do not let a machine call its own outside address.',
      fix: 'Open it on another computer. If it does not answer there: compare PATH_URL with PORT, HTTPS_PORT and PATH_PORT, and look at the proxy in front.',
    };
  return {
    result: 'bad',
    seen: `Something else answers at ${address} (${how}).`,
    means: 'People who open an experiment with a path arrive at another program.',
    fix: 'Set PATH_URL to an address of this panel, or let the proxy there pass everything below that path to this machine, with Host as it came.',
  };
}

export const pathChecks: readonly Check<WithPaths>[] = [
  { id: 'path-name', group: 'addresses', title: 'The name of the paths in DNS', on: 'here', run: checkPathName },
  { id: 'path-reached', group: 'addresses', title: 'The address of the paths leads to this panel', on: 'here', run: checkPathReached },
];
