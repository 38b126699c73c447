// Who may push and fetch, which push is taken, and what a push sets going. The SSH endpoint asks here.

import { AppError } from '../contracts/errors.ts';
import type { DriftChoice } from '../contracts/jobs.ts';
import type { InstanceState } from '../contracts/states.ts';
import type { Instance } from '../prisma/client/client.ts';
import { findInstance, type Person } from './access.ts';
import { gitRemoteUrl, instanceUrl } from './addresses.ts';
import type { Context } from './context.ts';
import { deployHead } from './deployments.ts';
import { followJob } from './follow-job.ts';
import { peopleInSession } from './guard.ts';
import { driftChoiceOf } from './schema-drift.ts';

type GitPerson = { readonly personId: string; readonly keyId: string; readonly name: string };
type GitRepository = { readonly instanceId: string; readonly name: string; readonly directory: string; readonly maxPushMib: number };
type RefUpdate = { readonly ref: string; readonly oldCommit: string; readonly newCommit: string };
/** `options` are those of `git push -o`. */
type Push = { readonly updates: readonly RefUpdate[]; readonly options: readonly string[] };
type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string; readonly hint: string };

const refuse = (reason: string, hint: string): Verdict => ({ allowed: false, reason, hint });
const noCommit = /^0+$/;

/** The rules of git, for `server/git-ssh.ts`. */
export function makeGitAccess(ctx: Context) {
  return {
    async findPerson(fingerprint: string): Promise<GitPerson | null> {
      const key = await ctx.db.sshKey.findUnique({ where: { fingerprint }, include: { user: true } });
      return key && !key.user.disabledAt ? { personId: key.userId, keyId: key.id, name: key.user.name } : null;
    },

    async openRepository(person: GitPerson, name: string, command: 'git-receive-pack' | 'git-upload-pack'): Promise<GitRepository> {
      const actor = await activePerson(ctx, person);
      const instance = await findInstance(ctx, actor, { name, action: command === 'git-receive-pack' ? 'instance.push' : 'instance.fetch' });
      const refusal = refusalByState(instance);
      if (refusal) throw new AppError('push_refused', refusal);
      await ctx.db.sshKey.updateMany({ where: { id: person.keyId }, data: { lastUsedAt: new Date() } });
      return { instanceId: instance.id, name, directory: ctx.config.layout.repositoryDir(instance.id), maxPushMib: ctx.config.MAX_PUSH_MIB };
    },

    async judgePush(person: GitPerson, repository: GitRepository, { updates, options }: Push): Promise<Verdict> {
      // Asked again: the upload may have taken minutes.
      const actor = await activePerson(ctx, person).catch(() => null);
      if (!actor) return refuse('This key was removed while you pushed.', 'Push with another key.');
      const instance = await ctx.db.instance.findUnique({ where: { id: repository.instanceId } });
      if (!instance || instance.deletedAt) return refuse('This instance is gone.', 'Ask a lab manager.');
      const mayPush = await findInstance(ctx, actor, { name: instance.name, action: 'instance.push' }).catch(() => null);
      if (!mayPush) return refuse('This instance was handed over while you pushed.', 'Its new owner pushes from now on.');
      return judgeBranches(ctx, instance, updates) ?? judgeGuard(instance, wishesOf(options).reason) ?? { allowed: true };
    },

    async afterPush(person: GitPerson, repository: GitRepository, { options }: Push): Promise<{ jobId: string } | null> {
      const instance = await ctx.db.instance.findUnique({ where: { id: repository.instanceId } });
      if (!instance || instance.deletedAt) return null;
      const job = await deployHead(ctx, { id: person.personId, name: person.name }, { instance, ...wishesOf(options) });
      return job && { jobId: job.id };
    },

    async followJob(jobId: string, onText: (text: string) => void, signal: AbortSignal): Promise<{ succeeded: boolean; lines: readonly string[] }> {
      const end = await followJob(ctx, jobId, { onText, signal });
      const row = await ctx.db.job.findUnique({ where: { id: jobId }, include: { instance: true } });
      if (end.state !== 'succeeded' || !row?.instance)
        return { succeeded: false, lines: end.error ? [end.error.sentence, end.error.hint] : ['The deployment goes on; its page shows the end.'] };
      const seconds = ((row.endedAt ?? new Date()).getTime() - row.createdAt.getTime()) / 1000;
      const page = new URL(`/instances/${row.instance.name}`, ctx.config.publicUrl).href;
      return {
        succeeded: true,
        lines: [
          `${row.instance.name} is running: ${instanceUrl(ctx.config, row.instance)}`,
          `Deployed in ${seconds.toFixed(1)} s. Sign-in, rooms and Lobby: ${page}`,
        ],
      };
    },
  };
}

/** The key is asked for again at every command: a removed one fails at once. */
async function activePerson(ctx: Context, person: GitPerson): Promise<Person> {
  const key = await ctx.db.sshKey.findUnique({ where: { id: person.keyId }, include: { user: true } });
  if (!key || key.userId !== person.personId || key.user.disabledAt) throw new AppError('not_found');
  return key.user;
}

/** `git push -o reason="…"`, one line of at most 300 characters. */
const reasonOf = (options: readonly string[]): string | undefined =>
  options
    .find((option) => option.startsWith('reason='))
    ?.slice('reason='.length)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 300) || undefined;

/** What `git push -o` says. @throws push_refused for a choice that does not exist */
function wishesOf(options: readonly string[]): { reason?: string; onDrift?: DriftChoice } {
  const [reason, onDrift] = [reasonOf(options), driftChoiceOf(options)];
  return { ...(reason ? { reason } : {}), ...(onDrift ? { onDrift } : {}) };
}

/** Why an instance takes no code just now, for every way in; null when it does. */
export function refusalByState(instance: Pick<Instance, 'state'>): { reason: string; hint: string } | null {
  const state = instance.state as InstanceState;
  if (state === 'creating') return { reason: 'This instance is still being created.', hint: 'Try again in a few seconds.' };
  if (state === 'failed') return { reason: 'This instance was not fully created.', hint: 'Ask a lab manager to delete it and to create it again.' };
  if (state === 'deleting') return { reason: 'This instance is being deleted.', hint: 'Ask a lab manager for another one.' };
  return null;
}

function judgeBranches(ctx: Context, instance: Instance, updates: readonly RefUpdate[]): Verdict | null {
  const wanted = instance.deployBranch ? [instance.deployBranch] : ['main', 'master'];
  const remote = gitRemoteUrl(ctx.config, instance.name);
  for (const { ref, newCommit } of updates) {
    if (ref.startsWith('refs/tags/')) continue;
    const branch = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null;
    if (branch === null) return refuse(`${ref} is not a branch.`, `Push a branch: git push ${remote} ${wanted[0]}`);
    if (!wanted.includes(branch)) {
      return refuse(`This instance deploys ${wanted.map((name) => `“${name}”`).join(' or ')}, not “${branch}”.`, `git push ${remote} ${branch}:${wanted[0]}`);
    }
    if (noCommit.test(newCommit))
      return refuse(`The branch “${branch}” is what this instance runs, so it cannot be deleted.`, 'To remove the instance, ask a lab manager.');
  }
  return null;
}

function judgeGuard(instance: Instance, reason: string | undefined): Verdict | null {
  const count = peopleInSession(instance);
  if (count === 0 || reason) return null;
  return refuse(
    `${count} ${count === 1 ? 'person is' : 'people are'} in a session of this instance; a deployment restarts it.`,
    'Wait until they have finished, or say why it cannot wait: git push -o reason="…" (it is recorded).',
  );
}
