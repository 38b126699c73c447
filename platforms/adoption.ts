// Taking over an experiment that runs on the platform already, without the panel: what can be seen of it, and what can be had of it.

import type { Dump, ParticipantRow } from './platform.ts';
import type { Secret } from './secret.ts';

/** An app of the platform that is no instance of the panel. */
export type ForeignApp = {
  readonly name: string;
  /** Names under which people reach it. */
  readonly hostNames: readonly string[];
  readonly isRunning: boolean;
  /** It has variables that only oTree knows. */
  readonly isOtree: boolean;
  /** Why it cannot be taken over, and what to do about it, whole sentences; null: nothing that can be seen from outside. */
  readonly refusal: string | null;
};

/** What is known of one after a closer look. */
export type ForeignDetail = ForeignApp & {
  /** As its own image tells; null when that cannot be asked. */
  readonly otreeVersion: string | null;
  /** Everything that is set for it, the platform's own variables included. */
  readonly environment: Readonly<Record<string, Secret>>;
  readonly participants: readonly ParticipantRow[];
};

/** How git reaches the code of an app, while the work that was given goes on. */
export type CodeSource = { readonly url: string; readonly env: Readonly<Record<string, string>> };

/** Nothing of it is changed, except that it may be stopped. */
export interface Adoption {
  /** Apps that are no instances of this panel, by name. @throws platform_failed, host_unreachable */
  list(): Promise<readonly ForeignApp[]>;
  /** One of them (limit 60 s). @throws adoption_refused when it is not there, or an instance of the panel */
  look(app: string): Promise<ForeignDetail>;
  stop(app: string, signal: AbortSignal): Promise<void>;
  start(app: string, signal: AbortSignal): Promise<void>;
  /** Writes a dump of its database to `file` (mode 0600). Only on a stopped app. @throws backup_failed */
  dump(app: string, file: string, signal: AbortSignal): Promise<Dump>;
  /** Lets git read its repository as long as the work goes on. */
  withCode<T>(app: string, work: (source: CodeSource) => Promise<T>, signal: AbortSignal): Promise<T>;
}
