// The front door done with nginx: writes files, tests, reloads, waits until it is live, rolls back, compares, repairs.

import { randomBytes } from 'node:crypto';
import { AppError } from '../contracts/errors.ts';
import type { DoorCertificates, FrontDoor, FrontDoorHealth, FrontDoorRoute } from './front-door.ts';
import { renderGeneration, type DoorFiles } from './nginx-config.ts';
import { hashOf, makeDirectories, readDoor, readSites, readTree, replaceTree, treeOf, type Door, type Sites } from './nginx-files.ts';
import { settingsOf, type NginxOptions } from './nginx-options.ts';
import { NginxProcess } from './nginx-process.ts';
import { addSites, culpritsOf, sentenceOf, type RefusedSite } from './nginx-refusals.ts';
import { generationFileOf, instanceOf, siteFileOf, type NginxSettings } from './nginx-settings.ts';
import type { Site } from './nginx-site.ts';
import { certificateFile } from './nginx-tls.ts';

export type { NginxOptions } from './nginx-options.ts';

type Refusal = { readonly instanceId: string; readonly reason: string };
/** What takes the place of an instance's sites when nginx refuses its present address. */
type Undo = { readonly instanceId: string; readonly sites: Sites };

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
  /** The door's own certificates; null until they were set or looked up on disk. */
  #certificates: Door | null = null;
  /** Wanted, but nginx cannot have them just now (a port in use): tried again by every call. */
  #leftOut: ReadonlyMap<string, string> = new Map();
  /** The workers of a generation, as they were when it was first seen. */
  #workers: { readonly generation: string; readonly pids: readonly number[] } | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: NginxOptions) {
    this.#options = options;
    this.#nginx = new NginxProcess(options.layout, options.nginxHost ?? options.nginxBinary ?? 'nginx');
  }

  /** Brings the door up with the instance files as they lie on disk: for the start after a reboot, before the worker. */
  start(signal: AbortSignal = new AbortController().signal): Promise<void> {
    return this.repair(signal);
  }

  apply(routes: readonly FrontDoorRoute[], signal: AbortSignal): Promise<{ readonly refused: readonly Refusal[] }> {
    return this.#enqueue(signal, async (settings) => {
      const sites = new Map<string, Site>();
      const refused = routes.flatMap((route) => addSites(settings, sites, route));
      const culprits = await this.#goLive(settings, sites);
      for (const { siteKey } of culprits) sites.delete(siteKey);
      this.#remember(sites, []);
      return { refused: [...refused, ...culprits].map(({ siteKey, reason }) => ({ instanceId: instanceOf(siteKey), reason })) };
    });
  }

  applyOne(instanceId: string, route: FrontDoorRoute | null, signal: AbortSignal): Promise<void> {
    return this.#enqueue(signal, async (settings) => {
      siteFileOf(settings.layout, instanceId);
      const before = this.#wanted ?? (await readSites(settings.layout));
      const sites = new Map([...before].filter(([key]) => instanceOf(key) !== instanceId));
      const refused = route === null ? [] : addSites(settings, sites, { ...route, instanceId });
      const isOwn = ({ siteKey }: RefusedSite): boolean => siteKey === instanceId;
      const unusable = refused.find(isOwn);
      if (unusable !== undefined) throw new AppError('platform_failed', { reason: unusable.reason });
      const isNew = before.has(instanceId) && !isSame(before.get(instanceId), sites.get(instanceId));
      const undo = isNew ? { instanceId, sites: new Map([...before].filter(([key]) => instanceOf(key) === instanceId)) } : null;
      const culprits = await this.#goLive(settings, sites, undo);
      const own = culprits.filter(isOwn);
      if (own[0] === undefined) return this.#remember(sites, [...refused, ...culprits]);
      // With previous files the first refusal is the new one's; only a second one means that the old is out as well.
      const others = culprits.filter((culprit) => !isOwn(culprit));
      this.#remember(before, before.has(instanceId) ? [...others, ...own.slice(undo === null ? 0 : 1)] : others);
      throw new AppError('platform_failed', { reason: own[0].reason });
    });
  }

  setCertificates({ panel, paths }: DoorCertificates, signal: AbortSignal): Promise<void> {
    return this.#enqueue(signal, async (settings) => {
      const file = (one: DoorCertificates['panel']) => (one === null ? null : certificateFile(settings.layout, one));
      const before = await this.#door(settings);
      this.#certificates = { panel: file(panel), paths: file(paths), lost: [] };
      const sites = this.#wanted ?? (await readSites(settings.layout));
      try {
        this.#remember(sites, await this.#goLive(settings, sites));
      } catch (error) {
        this.#certificates = before;
        throw error;
      }
    });
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
    const master = await this.#nginx.masterPid();
    if (master === null) return { state: 'away', reason: 'nginx does not run.' };
    const voice = await this.#nginx.ask();
    if (voice === null) return { state: 'away', reason: 'nginx runs but does not answer.' };
    const disk = await readTree(settings);
    const door = await this.#door(settings);
    const live = [...(this.#wanted ?? (await readSites(settings.layout)))].filter(([key]) => !this.#leftOut.has(key));
    const expected = treeOf(settings, new Map(live), door);
    const files = [...new Set([...expected.keys(), ...disk.keys()])].filter((file) => file !== generationFileOf(settings.layout));
    const strange = files.find((file) => expected.get(file) !== disk.get(file));
    if (strange !== undefined) return { state: 'drifted', reason: `${strange} is not as it was written.` };
    if (!voice.generation.startsWith(`${hashOf(settings, expected)}-`))
      return { state: 'drifted', reason: 'nginx runs with another configuration than the one that was applied.' };
    if (await this.#hasLostWorker(master, voice.generation))
      return { state: 'drifted', reason: 'A worker of nginx died: connections that it had are still counted.' };
    if (door.lost[0] !== undefined)
      return { state: 'drifted', reason: `The certificate of ${door.lost[0]} was lost from the disk: no https there until it is set again.` };
    const [leftOut] = this.#leftOut;
    return leftOut === undefined ? { state: 'ok' } : { state: 'drifted', reason: complaintOf(...leftOut) };
  }

  #remember(wanted: Sites, leftOut: readonly RefusedSite[]): void {
    this.#wanted = wanted;
    this.#leftOut = new Map(leftOut.map(({ siteKey, reason }) => [siteKey, reason]));
  }

  async #door(settings: NginxSettings): Promise<Door> {
    this.#certificates ??= await readDoor(settings.layout);
    return this.#certificates;
  }

  #enqueue<T>(signal: AbortSignal | null, run: (settings: NginxSettings) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      signal?.throwIfAborted();
      this.#settings ??= settingsOf(this.#options, await this.#nginx.build());
      return run(this.#settings);
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Makes these sites live, leaving out those that nginx will not have, and says which. */
  async #goLive(settings: NginxSettings, wanted: Sites, undo: Undo | null = null): Promise<readonly RefusedSite[]> {
    const door = await this.#door(settings);
    const sites = new Map(wanted);
    const refused: RefusedSite[] = [];
    for (let way = undo; ;) {
      const complaint = await this.#install(settings, sites, door);
      if (complaint === null) return refused;
      const culprits = culpritsOf(settings, sites, complaint);
      if (culprits.length === 0) throw new AppError('platform_failed', { reason: sentenceOf(complaint) });
      for (const { siteKey } of culprits) sites.delete(siteKey);
      refused.push(...culprits);
      if (way === null || !culprits.some(({ siteKey }) => siteKey === way?.instanceId)) continue;
      for (const key of sites.keys()) if (instanceOf(key) === way.instanceId) sites.delete(key);
      for (const [key, site] of way.sites) sites.set(key, site);
      way = null;
    }
  }

  /** One attempt: all files, test, reload or start. Null when live; otherwise the files are as before and nginx says why. */
  async #install(settings: NginxSettings, sites: Sites, door: DoorFiles): Promise<string | null> {
    const tree = treeOf(settings, sites, door);
    const before = await readTree(settings);
    const voice = await this.#nginx.ask();
    const master = await this.#masterThatAnswers(voice !== null);
    const isWritten = hashOf(settings, before) === hashOf(settings, tree);
    const isLive = master !== null && isWritten && voice !== null && voice.generation.startsWith(`${hashOf(settings, tree)}-`);
    if (isLive && !(await this.#hasLostWorker(master, voice.generation))) return null;
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

  /** nginx puts another in a dead one's place, but takes nothing back of what that one had counted. */
  async #hasLostWorker(master: number, generation: string): Promise<boolean> {
    if (this.#workers?.generation === generation) return !(await this.#nginx.doAccept(this.#workers.pids));
    this.#workers = { generation, pids: await this.#nginx.workersOf(master) };
    return false;
  }

  async #masterThatAnswers(hasAnswered: boolean): Promise<number | null> {
    const master = await this.#nginx.masterPid();
    if (master === null || hasAnswered || (await this.#nginx.ask()) !== null) return master;
    await this.#nginx.retire(master);
    return null;
  }
}

const isSame = (one: Site | undefined, other: Site | undefined): boolean => JSON.stringify(one) === JSON.stringify(other);

const complaintOf = (siteKey: string, reason: string): string =>
  siteKey === instanceOf(siteKey)
    ? `Instance ${siteKey} is not reachable: ${reason}`
    : `A former address of instance ${instanceOf(siteKey)} does not lead on: ${reason}`;
