// A release: what it is built from, what was built, and what was learnt while it ran privately.

import type { Readable } from 'node:stream';
import type { ProjectDescription } from './project.ts';

export type BuildRequest = {
  /** Number of the deployment, from 1; names the release's folder or tag. */
  readonly releaseNumber: number;
  /** Opens the project as a tar stream (as `git archive` writes it); may be called again on a second attempt. */
  readonly openArchive: () => Readable;
  /** What an earlier build with the same requirements resolved to, or null to resolve anew. */
  readonly lockFor: (requirementsHash: string) => Promise<string | null>;
  readonly signal: AbortSignal;
  /** Receives the build's output as it comes (UTF-8 text, any chunking). */
  readonly onOutput: (text: string) => void;
};

export type BuiltRelease = {
  readonly releaseNumber: number;
  /** SHA-256 of the requirements as they were given together with the Python version. */
  readonly requirementsHash: string;
  /** Exact versions, one `name==version` a line; give it back by `lockFor` for an equal environment. */
  readonly lock: string;
  /** Whether `lock` came from an earlier build. */
  readonly isLockReused: boolean;
  /** Whole sentences for people about what deploys but is worth a look; empty when there is nothing. */
  readonly warnings: readonly string[];
  readonly project: ProjectDescription;
};

/**
 * One thing that the tables of the live database have otherwise than the new version needs, so that oTree would answer 500:
 * a column that is not there, one of another type, or one that must be filled although the new version does not know it.
 */
export type SchemaGap = {
  readonly kind: 'missing' | 'changed' | 'required';
  readonly table: string;
  readonly column: string;
  /** Type as PostgreSQL writes it: what the new version needs (null for `required`) and what is there (null for `missing`). */
  readonly wanted: string | null;
  readonly found: string | null;
};

/** What was learnt while a release ran privately. */
export type Trial = { readonly gaps: readonly SchemaGap[] };
