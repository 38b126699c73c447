// What people did on an instance, in words, with what came of it: the audit joined with the jobs that it started.

import type { ActivityPage, ActivityView } from '../contracts/activity.ts';
import type { JobState } from '../contracts/states.ts';
import type { Audit, Job } from '../prisma/client/client.ts';
import type { Context } from './context.ts';
import { presentJob } from './present-job.ts';

const pageSize = 25;
/** Audit row and job are written in one transaction; their clocks may differ by a little. */
const togetherMs = 5_000;

/** Newest first. @param page from 1; a page past the end is empty */
export async function listActivity(ctx: Context, instanceId: string, page: number): Promise<ActivityPage> {
  const where = { instanceId };
  const [count, rows] = await Promise.all([
    ctx.db.audit.count({ where }),
    ctx.db.audit.findMany({ where, orderBy: [{ at: 'desc' }, { id: 'desc' }], skip: (page - 1) * pageSize, take: pageSize }),
  ]);
  const jobs = await jobsAround(ctx, instanceId, rows);
  return { activity: rows.map((row) => present(row, jobs)), page, pages: Math.max(1, Math.ceil(count / pageSize)) };
}

async function jobsAround(ctx: Context, instanceId: string, rows: readonly Audit[]): Promise<Job[]> {
  const [newest, oldest] = [rows[0], rows.at(-1)];
  if (!newest || !oldest) return [];
  const [from, until] = [new Date(oldest.at.getTime() - togetherMs), new Date(newest.at.getTime() + togetherMs)];
  return ctx.db.job.findMany({ where: { instanceId, createdAt: { gte: from, lte: until } }, orderBy: { createdAt: 'asc' }, take: 4 * pageSize });
}

/** What a job of this kind is called in the audit. */
const actionOf = (kind: string): string => `instance.${({ deploy: 'push', 'create-instance': 'create' } as Record<string, string>)[kind] ?? kind}`;

function present(row: Audit, jobs: readonly Job[]): ActivityView {
  const distance = (job: Job): number => Math.abs(job.createdAt.getTime() - row.at.getTime());
  const [job] = jobs
    .filter((one) => actionOf(one.kind) === row.action && one.actorName === row.actorName && distance(one) < togetherMs)
    .toSorted((one, other) => distance(one) - distance(other));
  const detail = row.detail as Detail;
  return {
    id: String(row.id),
    at: row.at.toISOString(),
    actorName: row.actorName,
    text: describeAct(row.action, detail),
    reason: typeof detail['reason'] === 'string' ? detail['reason'] : null,
    job: job ? { id: job.id, state: job.state as JobState, sentence: presentJob({ ...job, instance: null }).error?.sentence ?? null } : null,
  };
}

type Detail = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : 'unknown');
const names = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(', ') : '');

const words: Readonly<Record<string, string | ((detail: Detail) => string)>> = {
  'instance.create': 'created this instance',
  'instance.push': ({ commit, branch }) => `deployed ${text(commit).slice(0, 7)} of ${text(branch)}`,
  'instance.start': 'started it',
  'instance.stop': 'stopped it',
  'instance.restart': 'restarted it',
  'instance.set-admin-password': 'set a new admin password',
  'instance.reset-database': 'reset the database',
  'instance.back-up': 'took a backup',
  'instance.delete': 'deleted it',
  'instance.deploy-sample': 'deployed the sample experiment',
  'instance.reveal-password': 'looked at the admin password',
  'instance.change': ({ deployBranch }) =>
    deployBranch === null ? 'deploys main or master from now on' : `deploys the branch ${text(deployBranch)} from now on`,
  'instance.share': ({ person, level }) => `shared it with ${text(person)} (${text(level)})`,
  'instance.unshare': ({ person }) => `no longer shares it with ${text(person)}`,
  'instance.hand-over': ({ person, keepsOperate }) => `handed it over to ${text(person)}${keepsOperate === true ? ' and goes on operating it' : ''}`,
  'instance.change-environment': describeEnvironment,
  'instance.set-environment': 'applied the environment',
  'instance.reveal-variable': ({ name }) => `looked at the variable ${text(name)}`,
  'instance.scale': ({ processes, memoryMib, diskMib }) =>
    `scaled it: ${text(processes)} web ${processes === 1 ? 'process' : 'processes'}, memory ${limit(memoryMib)}, disk ${limit(diskMib)}`,
  'instance.write-notes': 'changed the notes',
  'instance.hide-traceback': 'hid the last error',
  'session.create': ({ config, participants }) => `created a session of ${text(config)} for ${text(participants)} participants`,
};

const limit = (mib: unknown): string => (typeof mib === 'number' ? `${mib} MiB` : 'as the panel sets it');

function describeEnvironment({ authLevel, isProduction, set, removed }: Detail): string {
  const parts = [
    typeof authLevel === 'string' ? `auth level ${authLevel === '' ? 'none' : authLevel}` : '',
    typeof isProduction === 'boolean' ? `production ${isProduction ? 'on' : 'off'}` : '',
    names(set) === '' ? '' : `set ${names(set)}`,
    names(removed) === '' ? '' : `removed ${names(removed)}`,
  ].filter((part) => part !== '');
  return `changed the environment${parts.length === 0 ? '' : `: ${parts.join('; ')}`}`;
}

/** An act as the end of a sentence that begins with a name; one that we have no words for is named as it is stored. */
export function describeAct(action: string, detail: Detail): string {
  const known = Object.hasOwn(words, action) ? words[action] : undefined;
  if (known === undefined) return action.replace(/^[a-z]+\./, '').replaceAll('-', ' ');
  return typeof known === 'string' ? known : known(detail);
}
