// THE interface of the front door: what stands before every instance and before the panel.

/** How one instance is reached from outside. */
export type RouteListen = { readonly mode: 'subdomain'; readonly hostName: string } | { readonly mode: 'port'; readonly port: number };

export type FrontDoorRoute = {
  readonly instanceId: string;
  readonly listen: RouteListen;
  /** Unix socket of the running oTree, or null: the "one moment" or "no experiment here yet" page is shown. */
  readonly upstreamSocket: string | null;
  /** Which page stands in when nothing answers: `waiting` before the first push, `stopped` by intent, `moment` otherwise. */
  readonly fallback: 'waiting' | 'stopped' | 'moment';
  /** Name of this instance's oTree session cookie; cookies of other instances and of the panel are not forwarded. */
  readonly cookieName: string;
  readonly maxBodyMib: number;
};

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
  /** Compares what runs with what was last applied: process alive, files as written. */
  check(): Promise<FrontDoorHealth>;
  /** Starts the door again or writes lost files anew, from the last applied routes. */
  repair(signal: AbortSignal): Promise<void>;
}
