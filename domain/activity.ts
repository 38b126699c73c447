// What people did on an instance, in words, with what came of it: the audit joined with the jobs that it started.

import type { ActivityPage, ActivityView } from '../contracts/activity.ts';
import { jobKindNames, jobKinds } from '../contracts/jobs.ts';
import type { JobState } from '../contracts/states.ts';
import type { Audit, Job } from '../prisma/client/client.ts';
import type { Context } from './context.ts';
import { presentJobError } from './present-job.ts';

const pageSize = 25;
/** Audit row and job are written in one transaction; their clocks may differ by a little. */
const togetherMs = 5_000;

type Row = Pick<Audit, 'id' | 'at' | 'actorName' | 'action' | 'detail'> & {
  readonly total: number;
  readonly jobId: string | null;
  readonly jobState: JobState | null;
  readonly errorCode: string | null;
  readonly errorDetails: Job['errorDetails'];
};

/** Newest first. @param page from 1; a page past the end is empty */
export async function listActivity(ctx: Context, instanceId: string, page: number): Promise<ActivityPage> {
  const rows = await ctx.db.$queryRaw<Row[]>`
    SELECT a."id", a."at", a."actor_name" AS "actorName", a."action", a."detail", a."total",
      j."id" AS "jobId", j."state" AS "jobState", j."error_code" AS "errorCode", j."error_details" AS "errorDetails"
    FROM (
      SELECT *, (count(*) OVER ())::int AS "total" FROM "audit" WHERE "instance_id" = ${instanceId}
      ORDER BY "at" DESC, "id" DESC LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}
    ) a
    LEFT JOIN LATERAL (
      SELECT * FROM "job" WHERE "instance_id" = a."instance_id" AND "actor_name" = a."actor_name"
        AND "created_at" BETWEEN a."at" - ${togetherMs} * interval '1 millisecond' AND a."at" + ${togetherMs} * interval '1 millisecond'
        AND "kind" = CASE a."action" WHEN 'instance.push' THEN 'deploy' WHEN 'instance.create' THEN 'create-instance' ELSE substr(a."action", 10) END
      ORDER BY abs(extract(epoch FROM "created_at" - a."at")) LIMIT 1
    ) j ON TRUE
    ORDER BY a."at" DESC, a."id" DESC`;
  return { activity: rows.map(present), page, pages: Math.max(1, Math.ceil((rows[0]?.total ?? 0) / pageSize)) };
}

function present({ id, at, actorName, action, detail: stored, jobId, jobState, ...error }: Row): ActivityView {
  const detail = stored as Detail;
  return {
    id: String(id),
    at: at.toISOString(),
    actorName,
    text: describeAct(action, detail),
    reason: typeof detail['reason'] === 'string' ? detail['reason'] : null,
    job: jobId === null || jobState === null ? null : { id: jobId, state: jobState, sentence: presentJobError(error)?.sentence ?? null },
  };
}

type Detail = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : 'unknown');
const names = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(', ') : '');

const words: Readonly<Record<string, string | ((detail: Detail) => string)>> = {
  'instance.create': 'created this instance',
  'instance.adopt': ({ app }) => `took it over from the app ${text(app)}`,
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
  'instance.restore': 'restored a backup',
  'instance.roll-back': ({ onDrift }) =>
    `rolled it back${onDrift === 'reset' ? ' on an empty database' : onDrift === 'go-on' ? ' although the tables did not fit' : ''}`,
  'job.cancel': ({ kind }) => `cancelled “${titleOf(kind)}”`,
  'room.save': ({ room, labels }) => `saved the room ${text(room)}${typeof labels === 'number' ? ` of ${labels} labels` : ' without labels'}`,
  'room.remove': ({ room }) => `removed the room ${text(room)}`,
  'instance.change': ({ deployBranch, resetsOnDrift }) =>
    typeof resetsOnDrift === 'boolean'
      ? `${resetsOnDrift ? 'lets' : 'no longer lets'} a deployment with other models reset the database`
      : deployBranch === null
        ? 'deploys main or master from now on'
        : `deploys the branch ${text(deployBranch)} from now on`,
  'instance.share': ({ person, level }) => `shared it with ${text(person)} (${text(level)})`,
  'instance.unshare': ({ person }) => `no longer shares it with ${text(person)}`,
  'instance.hand-over': ({ person, keepsOperate }) => `handed it over to ${text(person)}${keepsOperate === true ? ' and goes on operating it' : ''}`,
  'instance.change-environment': describeEnvironment,
  'instance.set-environment': 'applied the environment',
  'instance.reveal-variable': ({ name }) => `looked at the variable ${text(name)}`,
  'instance.scale': ({ processes, memoryMib, diskMib }) =>
    `scaled it: ${text(processes)} web ${processes === 1 ? 'process' : 'processes'}, memory ${limit(memoryMib)}, disk ${limit(diskMib)}`,
  'instance.move': ({ to }) => `moved it to another platform (${text(to)})`,
  'instance.change-address': ({ from, to, keepsOld }) => `moved it from ${text(from)} to ${text(to)}${keepsOld === true ? ', keeping the old address' : ''}`,
  'instance.give-up-address': ({ address }) => `gave up the address ${text(address)}`,
  'instance.put-address-back': ({ from, to }) => `put it back from ${text(from)} to ${text(to)}`,
  'instance.write-notes': 'changed the notes',
  'instance.export-data': ({ what, app }) => `took data home (${what === 'app' ? text(app) : text(what)})`,
  'instance.run-bots': ({ config }) => (typeof config === 'string' ? `let bots play ${config}` : 'let bots play'),
  'preflight.keep': ({ kind, bad }) => `looked whether it is ready (${text(kind)}): ${bad === 0 ? 'nothing stood in the way' : `${text(bad)} in the way`}`,
  'recruiting.save': ({ room, kind }) => `saved recruiting for ${placeOf(room)} (${text(kind)})`,
  'recruiting.change-links': ({ room, kind }) => `changed the completion links of ${placeOf(room)} (${text(kind)})`,
  'recruiting.test-click': ({ label }) => `tried the link of the study as ${text(label)}`,
  'instance.hide-traceback': 'hid the last error',
  'backup.delete': ({ createdAt }) => `deleted the backup of ${text(createdAt).slice(0, 16).replace('T', ' ')} UTC`,
  'session.create': ({ config, participants }) => `created a session of ${text(config)} for ${text(participants)} participants`,
};

const titleOf = (kind: unknown): string => jobKindNames.flatMap((known) => (known === kind ? [jobKinds[known]] : []))[0] ?? text(kind);

/** MTurk's sessions stand outside rooms. */
const placeOf = (room: unknown): string => (room === '' ? 'sessions outside rooms' : `the room ${text(room)}`);

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
