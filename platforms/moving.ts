// Several platforms on one machine: what a platform must offer so that instances can come to it and leave it, and what joins them.

import type { Capabilities, InstanceSpec, Platform } from './platform.ts';

export type MovableKind = 'local' | 'swarm';
type Named = Pick<InstanceSpec, 'instanceId' | 'osUserId'>;

/** A platform that shares databases, names of sockets and user ids with another one of this machine. */
export interface Movable extends Platform {
  readonly kind: MovableKind;

  /** Why no instance can run there just now, what it says when it is asked; null: they can. Never throws, ≤ 10 s. */
  findProblem(): Promise<string | null>;

  /** Why an instance cannot leave it, what it says when it is asked; null: it can. */
  findTie(instanceId: string): Promise<string | null>;

  /** Whether it keeps anything of an instance; known without asking the engine or keeper behind it. */
  holds(instanceId: string): Promise<boolean>;

  /** Ids of all instances of which it keeps anything. */
  held(): Promise<readonly string[]>;

  /**
   * As `destroy`, but database, role, and the folder of the socket with what lies in it stay: they may be in use by another
   * platform, under the same user id, at this very moment. Absent already: returns. @throws platform_failed when something of
   * it may still run, or when the instance cannot leave it
   */
  vacate(instance: Named, signal: AbortSignal): Promise<void>;
}

/** One platform of this machine, as it is now. */
export type Offer = { readonly kind: MovableKind; readonly capabilities: Capabilities; /** @see Movable.findProblem */ readonly problem: string | null };

/** What there is besides the platform of an instance. */
export interface Moving {
  /** Every platform of this machine. Never throws. */
  list(): Promise<readonly Offer[]>;

  /** That platform itself, wherever instances belong. */
  at(kind: MovableKind): Movable;

  /**
   * Clears away what platforms keep of instances that belong to another one: a move that was cut off left it. Only while no
   * job runs. @returns what could not be cleared away, a sentence each; the next start of such an instance tries again
   */
  settle(signal: AbortSignal): Promise<readonly string[]>;

  /** The instance's row names another platform from now on: what was remembered of it is asked anew. To be said by whoever wrote the row. */
  forget(instanceId: string): void;
}
