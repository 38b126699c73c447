// Who is to blame: addresses that somebody has already, and the sites that nginx complains of.

import { AppError } from '../contracts/errors.ts';
import type { FrontDoorRoute, RouteAddress } from './front-door.ts';
import type { Sites } from './nginx-files.ts';
import { instanceOf, pathsFileOf, siteFileOf, type NginxSettings } from './nginx-settings.ts';
import { claimOf, claimOfSite, renderFormer, renderSite, type Site } from './nginx-site.ts';

/** A site that is not live, and why. */
export type RefusedSite = { readonly siteKey: string; readonly reason: string };

/** Adds a route's sites, leaving out what is unusable or taken by somebody; says what and why. */
export function addSites(settings: NginxSettings, sites: Map<string, Site>, route: FrontDoorRoute): readonly RefusedSite[] {
  const id = route.instanceId;
  if ([...sites.keys()].some((key) => instanceOf(key) === id)) return [{ siteKey: id, reason: 'this instance was named twice.' }];
  const present = addSite(settings, sites, { siteKey: id, address: route.address, render: () => renderSite(settings, route) });
  if (present !== null) return [{ siteKey: id, reason: present }];
  return route.redirects.flatMap((address, index) => {
    const siteKey = `${id}.${index + 1}`;
    const reason = addSite(settings, sites, { siteKey, address, render: () => renderFormer(settings, address, route.url) });
    return reason === null ? [] : [{ siteKey, reason: `a former address leads nowhere: ${reason}` }];
  });
}

type Wish = { readonly siteKey: string; readonly address: RouteAddress; readonly render: () => Site | null };

function addSite(settings: NginxSettings, sites: Map<string, Site>, { siteKey, address, render }: Wish): string | null {
  try {
    siteFileOf(settings.layout, siteKey);
    const claim = claimOf(address);
    const owner = ownerOf(settings, claim);
    if (owner !== null) return owner;
    const [holder] = [...sites].find(([, site]) => claimOfSite(site) === claim) ?? [];
    if (holder !== undefined) return `instance ${instanceOf(holder)} has this address (${claim.replace(/^\w+:/, '')}) already.`;
    const site = render();
    if (site !== null) sites.set(siteKey, site);
    return null;
  } catch (error) {
    if (error instanceof AppError) return String(error.details['reason']);
    throw error;
  }
}

function ownerOf({ listenPort, https, panelHostNames, pathDoor }: NginxSettings, claim: string): string | null {
  if ([`port:${listenPort}`, `port:${https?.port}`, ...panelHostNames.map((name) => `host:${name}`)].includes(claim)) return 'this address is the panel’s own.';
  return pathDoor !== null && [`port:${pathDoor.port}`, `host:${pathDoor.hostName}`].includes(claim) ? 'this address is the one that all paths share.' : null;
}

/** Which sites nginx complains of: by the name of a file or certificate (its test) or by port (no bind). */
export function culpritsOf(settings: NginxSettings, sites: Sites, complaint: string): readonly RefusedSite[] {
  const ports = new Map([...complaint.matchAll(/bind\(\) to \S*?:(\d+) failed \((\d+)/g)].map((match) => [`port:${match[1]}`, match[2]]));
  if ([settings.listenPort, settings.https?.port, settings.pathDoor?.port].some((port) => ports.has(`port:${port}`))) return [];
  return [...sites].flatMap(([siteKey, site]) => {
    const claim = claimOfSite(site) ?? '';
    const number = ports.get(claim);
    if (number === '98') return [{ siteKey, reason: `port ${claim.slice(5)} is in use by another program.` }];
    if (number !== undefined) return [{ siteKey, reason: sentenceOf(complaint) }];
    const names = [`${siteFileOf(settings.layout, siteKey)}:`, `${pathsFileOf(settings.layout, siteKey)}:`, ...(site.servers.match(/[^/"]+\.pem(?=")/g) ?? [])];
    return names.some((name) => complaint.includes(name)) ? [{ siteKey, reason: `nginx refuses its file: ${reasonIn(complaint)}` }] : [];
  });
}

/** Why nothing of it can go live, as a sentence. */
export function sentenceOf(complaint: string): string {
  const [, port] = /bind\(\) to \S*?:(\d+) failed \(13/.exec(complaint) ?? [];
  return port === undefined ? `nginx refuses its configuration: ${reasonIn(complaint)}` : `port ${port} may not be opened: ports below 1024 belong to root.`;
}

/** nginx's first emergency without date, level and pid. */
function reasonIn(complaint: string): string {
  const line = complaint.split('\n').find((text) => text.includes('[emerg]'));
  return line?.replace(/^.*\[emerg\] (?:[\d#]+: )?/, '') ?? complaint.slice(-300);
}
