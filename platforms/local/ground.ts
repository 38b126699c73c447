// What every part of the local platform stands on: its options.

import type { BuildGround } from '../confined.ts';
import type { InstanceDatabases, PostgresOptions } from '../postgres.ts';

/** With `separatesUsers`, each instance runs under a user id of its own. */
export type LocalOptions = BuildGround & {
  readonly postgres: PostgresOptions;
  /** The front door connects to instance sockets as a member of this group; null: only the panel's own user. */
  readonly panelGroupId: number | null;
  readonly log: (message: string) => void;
};

export type Ground = LocalOptions & { readonly databases: InstanceDatabases };
