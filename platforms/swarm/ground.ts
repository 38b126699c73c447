// What every part of the Swarm platform stands on: its options, the engine, and who is who there.

import type { BuildGround } from '../confined.ts';
import type { InstanceDatabases, PostgresOptions } from '../postgres.ts';
import type { Engine } from './engine.ts';
import type { RegistryAccount } from './registry-account.ts';

export type SwarmOptions = BuildGround & {
  readonly postgres: PostgresOptions;
  /** The front door connects to instance sockets as a member of this group; null: only the panel's own user. */
  readonly panelGroupId: number | null;
  /** Unix socket of the Docker Engine. */
  readonly engineSocket: string;
  /** Images that releases begin with, each with a Python of its own; the first one serves projects that ask for none. */
  readonly baseImages: readonly [string, ...string[]];
  /** Whether experiments may open connections to the outside. */
  readonly hasOutbound: boolean;
  /** Address at which an engine that is in no Swarm yet is made a manager; null: that is left to people. */
  readonly advertiseAddress: string | null;
  /** `HOST:PORT` of the image registry that all hosts of the Swarm reach; null: instances run on the panel's own machine only. */
  readonly registry: string | null;
  readonly newDatabases: NewDatabases;
  /** As whom the panel and the other hosts use it; null: it lets everybody in. */
  readonly registryAccount: RegistryAccount | null;
  readonly log: (message: string) => void;
};

/** Where databases of new instances are: on the server that all share, or each on a server of its own. */
export type NewDatabases = {
  readonly on: 'shared' | 'own';
  /** Image with PostgreSQL's programs; null: `postgres:N` with the major version of this machine's `pg_dump`. */
  readonly image: string | null;
};

export type Ground = SwarmOptions & {
  readonly engine: Engine;
  readonly databases: InstanceDatabases;
  /** Eight hex digits that tell this panel's things on the engine from another's. */
  readonly panelId: string;
  /** How many builds are under way: what one has just made or found is named in no release yet, so nothing is cleared away meanwhile. */
  readonly builds: { running: number };
};

/** Who runs an instance's code in its containers. */
export const userOf = (ground: Pick<Ground, 'separatesUsers'>, osUserId: number | null): string => {
  if (ground.separatesUsers && osUserId === null) throw new Error('this platform needs a user id for each instance');
  const id = ground.separatesUsers ? osUserId : (process.getuid?.() ?? 0);
  return `${id}:${id}`;
};
