// What the SSH endpoint for git asks the panel: who somebody is, what may be opened, what a push may do.

export type GitService = 'git-receive-pack' | 'git-upload-pack';
export type GitPerson = { readonly personId: string; readonly keyId: string; readonly name: string };
export type GitRepository = { readonly instanceId: string; readonly name: string; readonly directory: string; readonly maxPushMib: number };
export type RefUpdate = { readonly ref: string; readonly oldCommit: string; readonly newCommit: string };
/** What was pushed; `options` are those of `git push -o`. */
export type Push = { readonly updates: readonly RefUpdate[]; readonly options: readonly string[] };
export type PushVerdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string; readonly hint: string };
/** How the deployment of a push ended; `lines` are the last words for the terminal. */
export type PushOutcome = { readonly succeeded: boolean; readonly lines: readonly string[] };

/** What the endpoint asks the panel. */
export interface GitAccess {
  /** @returns null when the key is unknown or removed, or its person disabled */
  findPerson(fingerprint: string): Promise<GitPerson | null>;
  /** Asked again for every command. @throws `not_found`, `not_allowed` */
  openRepository(person: GitPerson, name: string, command: GitService): Promise<GitRepository>;
  /** Asked by the hook, before any ref moves. */
  judgePush(person: GitPerson, repository: GitRepository, push: Push): Promise<PushVerdict>;
  /** After the refs moved; empty when the client had nothing to push. @returns null when there is nothing to deploy */
  afterPush(person: GitPerson, repository: GitRepository, push: Push): Promise<{ jobId: string } | null>;
  /** Passes on the job's log until the job ends. Aborting stops the reading, not the job. */
  followJob(jobId: string, onText: (text: string) => void, signal: AbortSignal): Promise<PushOutcome>;
}
