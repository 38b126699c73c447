// THE interface of the front door: what stands before every instance and before the panel.

import type { Secret } from './secret.ts';

/** What a server shows over https: PEM, the host's own certificate first, then those between it and an authority. */
export type DoorCertificate = { readonly chain: string; readonly privateKey: Secret };

/**
 * One way to an instance: by a host name, by a port of its own, or by a path below the one address that all paths share.
 * Without a certificate it is plain http; a name or port that must be https and has none yet shows a page that says so.
 */
export type RouteAddress =
  | { readonly mode: 'name'; readonly hostName: string; readonly certificate: DoorCertificate | null }
  | { readonly mode: 'port'; readonly port: number; readonly certificate: DoorCertificate | null }
  /** `/otree/NAME`: begins with the door's own path and a slash, no slash at the end. */
  | { readonly mode: 'path'; readonly prefix: string };

export type FrontDoorRoute = {
  readonly instanceId: string;
  readonly address: RouteAddress;
  /** Addresses of before: a request there is sent on (307, path and query kept) to `url`. */
  readonly redirects: readonly RouteAddress[];
  /** The address as people type it, without a slash at the end. */
  readonly url: string;
  /** Unix socket of the running oTree, or null: the "one moment" or "no experiment here yet" page is shown. */
  readonly upstreamSocket: string | null;
  /** Which page stands in when nothing answers: `waiting` before the first push, `stopped` by intent, `moment` otherwise. */
  readonly fallback: 'waiting' | 'stopped' | 'moment';
  /** Name of this instance's oTree session cookie; cookies of other instances and of the panel are not forwarded. */
  readonly cookieName: string;
  readonly maxBodyMib: number;
};

/** What the door itself shows over https: for the panel's name, and for the address that all paths share. */
export type DoorCertificates = { readonly panel: DoorCertificate | null; readonly paths: DoorCertificate | null };

export type FrontDoorHealth =
  | { readonly state: 'ok' }
  | { readonly state: 'away'; readonly reason: string }
  | { readonly state: 'drifted'; readonly reason: string };

/**
 * Render, test, apply, compare, repair. All methods are idempotent and serialised by the adapter;
 * `apply` with the same routes does nothing. Adding, changing or removing one route closes nobody else's connection.
 */
export interface FrontDoor {
  /**
   * Makes exactly these routes live. A route that the door refuses (its own test fails) is left out and named
   * in `refused`; the others go live all the same.
   */
  apply(
    routes: readonly FrontDoorRoute[],
    signal: AbortSignal,
  ): Promise<{ readonly refused: readonly { readonly instanceId: string; readonly reason: string }[] }>;
  /** Adds, changes or removes (route = null) one route, the others untouched. */
  applyOne(instanceId: string, route: FrontDoorRoute | null, signal: AbortSignal): Promise<void>;
  /** Changes the door's own certificates; kept on disk, so that a start after a reboot has them before the worker runs. */
  setCertificates(certificates: DoorCertificates, signal: AbortSignal): Promise<void>;
  /** Compares what runs with what was last applied: process alive, files as written. */
  check(): Promise<FrontDoorHealth>;
  /** Starts the door again or writes lost files anew, from the last applied routes. */
  repair(signal: AbortSignal): Promise<void>;
}
