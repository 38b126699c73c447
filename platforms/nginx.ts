// The front door done with nginx: writes files, tests, reloads, waits until it is live, rolls back, compares, repairs.

import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { AppError } from '../contracts/errors.ts';
import type { DoorCertificates, FrontDoor, FrontDoorHealth, FrontDoorRoute } from './front-door.ts';
import type { Layout } from './layout.ts';
import { claimOf, claimOfSite, generationFileOf, renderGeneration, renderSite, siteFileOf } from './nginx-config.ts';
import type { NginxSettings } from './nginx-config.ts';
import { hashOf, makeDirectories, readSites, readTree, replaceTree, treeOf, type Sites } from './nginx-files.ts';
import { NginxProcess, readOpenFilesLimit } from './nginx-process.ts';

export type NginxOptions = {
  readonly layout: Layout;
  /** The panel's and all sub-domains' port; 8080. */
  readonly listenPort: number;
  /** Host names of the panel without port. Unset: the panel answers to every name that no instance has. */
  readonly panelHostNames?: readonly string[];
  /** Found in PATH, or absolute; `nginx`. */
  readonly nginxBinary?: string;
  /** User and group of the workers; counts only as root. */
  readonly workerUser: string | null;
  /** Addresses and networks of proxies in front whose X-Forwarded-Proto and -For are believed. */
  readonly trustedProxies: readonly string[];
  readonly maxPanelBodyMib: number;
};

type Refusal = { readonly instanceId: string; readonly reason: string };

/**
 * An nginx of our own, beside any other on the machine, run by the user that runs this process.
 *
 * A reload takes some 150 ms and closes no websocket, but the workers of before live on until their last socket closes:
 * many changes while people play leave many small processes (a few MB each). They end by themselves.
 * Signals are looked at while a call waits in the queue; once files are being written it goes through (15 s at most).
 */
export class NginxFrontDoor implements FrontDoor {
  readonly #options: NginxOptions;
  readonly #nginx: NginxProcess;
  #settings: NginxSettings | null = null;
  /** What was last applied; null until the first call of this process, which then goes by the files on disk. */
  #wanted: Sites | null = null;
  /** Wanted, but nginx cannot have them just now (a port in use): tried again by every call. */
  #leftOut: ReadonlyMap<string, string> = new Map();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: NginxOptions) {
    this.#options = options;
    this.#nginx = new NginxProcess(options.layout, options.nginxBinary ?? 'nginx');
  }

  /** Brings the door up with the instance files as they lie on disk: for the start after a reboot, before the worker. */
  start(signal: AbortSignal = new AbortController().signal): Promise<void> {
    return this.repair(signal);
  }

  apply(routes: readonly FrontDoorRoute[], signal: AbortSignal): Promise<{ readonly refused: readonly Refusal[] }> {
    return this.#enqueue(signal, async (settings) => {
      const refused: Refusal[] = [];
      const sites = new Map<string, string>();
      for (const route of routes) {
        const reason = addSite(settings, sites, route);
        if (reason !== null) refused.push({ instanceId: route.instanceId, reason });
      }
      const culprits = await this.#goLive(settings, sites);
      for (const { instanceId } of culprits) sites.delete(instanceId);
      this.#remember(sites, []);
      return { refused: [...refused, ...culprits] };
    });
  }

  applyOne(instanceId: string, route: FrontDoorRoute | null, signal: AbortSignal): Promise<void> {
    return this.#enqueue(signal, async (settings) => {
      siteFileOf(settings.layout, instanceId);
      const before = this.#wanted ?? (await readSites(settings.layout));
      const sites = new Map(before);
      sites.delete(instanceId);
      const reason = route === null ? null : addSite(settings, sites, { ...route, instanceId });
      if (reason !== null) throw new AppError('platform_failed', { reason });
      const previous = new Map([...before].filter(([id, site]) => id === instanceId && site !== sites.get(id)));
      const culprits = await this.#goLive(settings, sites, previous);
      const own = culprits.filter((culprit) => culprit.instanceId === instanceId);
      if (own[0] === undefined) return this.#remember(sites, culprits);
      // With a previous file the first refusal is the new one's; only a second one means that the old is out as well.
      const others = culprits.filter((culprit) => culprit.instanceId !== instanceId);
      this.#remember(before, before.has(instanceId) ? [...others, ...own.slice(previous.size)] : others);
      throw new AppError('platform_failed', { reason: own[0].reason });
    });
  }

  setCertificates(_certificates: DoorCertificates, signal: AbortSignal): Promise<void> {
    return this.repair(signal);
  }

  check(): Promise<FrontDoorHealth> {
    return this.#enqueue(null, (settings) => this.#compare(settings)).catch((error: unknown) => {
      if (error instanceof AppError) return { state: 'away', reason: String(error.details['reason']) };
      throw error;
    });
  }

  repair(signal: AbortSignal): Promise<void> {
    return this.#enqueue(signal, async (settings) => {
      const sites = this.#wanted ?? (await readSites(settings.layout));
      this.#remember(sites, await this.#goLive(settings, sites));
    });
  }

  /** Ends nginx and every connection through it; for stop-all. The files stay. */
  stop(signal: AbortSignal): Promise<void> {
    return this.#enqueue(signal, () => this.#nginx.stop());
  }

  async #compare(settings: NginxSettings): Promise<FrontDoorHealth> {
    if ((await this.#nginx.masterPid()) === null) return { state: 'away', reason: 'nginx does not run.' };
    const voice = await this.#nginx.ask();
    if (voice === null) return { state: 'away', reason: 'nginx runs but does not answer.' };
    const disk = await readTree(settings);
    const live = [...(this.#wanted ?? (await readSites(settings.layout)))].filter(([id]) => !this.#leftOut.has(id));
    const expected = await treeOf(settings, new Map(live));
    const files = [...new Set([...expected.keys(), ...disk.keys()])].filter((file) => file !== generationFileOf(settings.layout));
    const strange = files.find((file) => expected.get(file) !== disk.get(file));
    if (strange !== undefined) return { state: 'drifted', reason: `${strange} is not as it was written.` };
    if (!voice.generation.startsWith(`${hashOf(settings, expected)}-`))
      return { state: 'drifted', reason: 'nginx runs with another configuration than the one that was applied.' };
    const [leftOut] = this.#leftOut;
    return leftOut === undefined ? { state: 'ok' } : { state: 'drifted', reason: `Instance ${leftOut[0]} is not reachable: ${leftOut[1]}` };
  }

  #remember(wanted: Sites, leftOut: readonly Refusal[]): void {
    this.#wanted = wanted;
    this.#leftOut = new Map(leftOut.map(({ instanceId, reason }) => [instanceId, reason]));
  }

  #enqueue<T>(signal: AbortSignal | null, run: (settings: NginxSettings) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      signal?.throwIfAborted();
      return run(await this.#prepare());
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #prepare(): Promise<NginxSettings> {
    if (this.#settings !== null) return this.#settings;
    const { options, version } = { options: this.#options, version: await this.#nginx.version() };
    if (version === null) throw new AppError('platform_failed', { reason: `there is no ${options.nginxBinary ?? 'nginx'}; install the package nginx.` });
    const [major, minor, patch] = version;
    this.#settings = {
      layout: options.layout,
      listenPort: options.listenPort,
      panelHostNames: options.panelHostNames ?? [],
      workerUser: process.getuid?.() === 0 ? options.workerUser : null,
      trustedProxies: options.trustedProxies,
      maxPanelBodyMib: options.maxPanelBodyMib,
      hasIpv6: Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6')),
      canEditCookieFlags: major > 1 || (major === 1 && (minor > 19 || (minor === 19 && patch >= 3))),
      openFiles: await readOpenFilesLimit(),
    };
    return this.#settings;
  }

  /** Makes these sites live, leaving out those that nginx will not have, and says which. A refused one's `previous` file goes in for it. */
  async #goLive(settings: NginxSettings, wanted: Sites, previous: Sites = new Map()): Promise<readonly Refusal[]> {
    const sites = new Map(wanted);
    const refused: Refusal[] = [];
    for (;;) {
      const complaint = await this.#install(settings, sites);
      if (complaint === null) return refused;
      const culprits = culpritsOf(settings, sites, complaint);
      if (culprits.length === 0) throw new AppError('platform_failed', { reason: `nginx refuses its configuration: ${reasonIn(complaint)}` });
      for (const { instanceId } of culprits) {
        const old = previous.get(instanceId);
        if (old === undefined || old === sites.get(instanceId)) sites.delete(instanceId);
        else sites.set(instanceId, old);
      }
      refused.push(...culprits);
    }
  }

  /** One attempt: all files, test, reload or start. Null when live; otherwise the files are as before and nginx says why. */
  async #install(settings: NginxSettings, sites: Sites): Promise<string | null> {
    const tree = await treeOf(settings, sites);
    const before = await readTree(settings);
    const voice = await this.#nginx.ask();
    const master = await this.#masterThatAnswers(voice !== null);
    const isWritten = hashOf(settings, before) === hashOf(settings, tree);
    if (master !== null && isWritten && voice?.generation.startsWith(`${hashOf(settings, tree)}-`)) return null;
    const generation = `${hashOf(settings, tree)}-${randomBytes(4).toString('hex')}`;
    const full = new Map(tree).set(generationFileOf(settings.layout), renderGeneration(settings, generation));
    await makeDirectories(settings.layout);
    await replaceTree(before, full);
    const tested = await this.#nginx.test();
    const outcome = !tested.ok ? tested : master === null ? await this.#nginx.start(generation) : await this.#nginx.reload(master, generation);
    if (outcome.ok) return null;
    await replaceTree(full, before);
    return outcome.complaint;
  }

  async #masterThatAnswers(hasAnswered: boolean): Promise<number | null> {
    const master = await this.#nginx.masterPid();
    if (master === null || hasAnswered || (await this.#nginx.ask()) !== null) return master;
    await this.#nginx.retire(master);
    return null;
  }
}

/** Adds a rendered route unless it is unusable or somebody has its address; then says why not. */
function addSite(settings: NginxSettings, sites: Map<string, string>, route: FrontDoorRoute): string | null {
  try {
    siteFileOf(settings.layout, route.instanceId);
    const claim = claimOf(route.address);
    if (claim === `port:${settings.listenPort}` || settings.panelHostNames.some((name) => claim === `host:${name}`)) return 'this address is the panel’s own.';
    const holder = [...sites].find(([id, site]) => id === route.instanceId || claimOfSite(site) === claim);
    if (holder !== undefined) return `instance ${holder[0]} has this address (${claim.replace(/^\w+:/, '')}) already.`;
    sites.set(route.instanceId, renderSite(settings, route));
    return null;
  } catch (error) {
    if (error instanceof AppError) return String(error.details['reason']);
    throw error;
  }
}

/** Which sites nginx complains of: by file name (its test) or by port (no bind). */
function culpritsOf(settings: NginxSettings, sites: Sites, complaint: string): readonly Refusal[] {
  const ports = new Map([...complaint.matchAll(/bind\(\) to \S*?:(\d+) failed \((\d+)/g)].map((match) => [`port:${match[1]}`, match[2]]));
  if (ports.has(`port:${settings.listenPort}`)) return [];
  return [...sites].flatMap(([instanceId, site]) => {
    const claim = claimOfSite(site) ?? '';
    if (ports.has(claim))
      return [
        {
          instanceId,
          reason:
            ports.get(claim) === '98'
              ? `port ${claim.slice(5)} is in use by another program.`
              : `port ${claim.slice(5)} cannot be opened: ${reasonIn(complaint)}`,
        },
      ];
    return complaint.includes(`${siteFileOf(settings.layout, instanceId)}:`) ? [{ instanceId, reason: `nginx refuses its file: ${reasonIn(complaint)}` }] : [];
  });
}

/** nginx's first emergency without date, level and pid. */
function reasonIn(complaint: string): string {
  const line = complaint.split('\n').find((text) => text.includes('[emerg]'));
  return line?.replace(/^.*\[emerg\] (?:[\d#]+: )?/, '') ?? complaint.slice(-300);
}
