// The list of instances: searched, filtered, sorted and paged by PostgreSQL, three queries whatever their number.

import { instanceStates } from '../contracts/states.ts';
import type { InstanceList, InstanceListQuery, InstanceSort } from '../contracts/instances.ts';
import { Prisma, type Intent, type Job } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import type { Context } from './context.ts';
import { passing, presentSummaryRow, staleMs, type SummaryRow } from './present-instance.ts';

/** 50 summaries are about 30 KB on the wire. */
const pageSize = 50;

/** One page of what a person may see. */
export async function listInstances(ctx: Context, person: Pick<Person, 'id' | 'role'>, query: InstanceListQuery): Promise<InstanceList> {
  const fits = Prisma.sql`${visible(person)} AND ${wanted(person, query)}`;
  const [states, owners] = await Promise.all([countStates(ctx, person, query), countOwners(ctx, person)]);
  const total = states.filter(({ state }) => query.state === undefined || state === query.state).reduce((sum, { fitting }) => sum + fitting, 0);
  const pages = Math.max(1, Math.ceil(total / pageSize));
  const page = Math.min(query.page, pages);
  const ofState = query.state === undefined ? Prisma.sql`TRUE` : Prisma.sql`${shown} = ${query.state}`;
  const rows = await ctx.db.$queryRaw<Row[]>`
    SELECT i.*, to_jsonb(j) AS job, d."otree_version" AS "otreeVersion", d."ended_at" AS "endedAt"
    FROM (
      SELECT ${columns}, row_number() OVER (ORDER BY ${sorting(query)}) AS place
      FROM "instance" i JOIN "user" o ON o."id" = i."owner_id"
      WHERE ${fits} AND ${ofState} ORDER BY place LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}
    ) i
    LEFT JOIN LATERAL (${jobUnderWay}) j ON TRUE
    LEFT JOIN LATERAL (
      SELECT "otree_version", "ended_at" FROM "deployment" WHERE "instance_id" = i."id" AND "state" = 'succeeded' ORDER BY "number" DESC LIMIT 1
    ) d ON TRUE
    ORDER BY i.place`;
  return {
    instances: rows.map((row) => presentSummaryRow(ctx, fromRow(row))),
    page,
    pages,
    total,
    visible: states.reduce((sum, { all }) => sum + all, 0),
    states: states.filter(({ fitting }) => fitting > 0).map(({ state, fitting }) => ({ state, count: fitting })),
    owners,
  };
}

const columns = Prisma.sql`i."id", i."name", i."intent"::text AS "intent", i."state", left(i."state_detail", 300) AS "stateDetail", i."state_since" AS "stateSince",
  i."observed_at" AS "observedAt", i."port", i."memory_bytes" AS "memoryBytes", i."created_at" AS "createdAt", i."last_activity_at" AS "lastActivityAt",
  (i."facts"->>'databaseBytes')::float8 AS "databaseBytes", o."id" AS "ownerId", o."name" AS "ownerName"`;

const jobUnderWay = Prisma.sql`
  SELECT "id", "kind", "instance_id" AS "instanceId", "deployment_id" AS "deploymentId", "state", "steps", "actor_name" AS "actorName",
    "created_at" AS "createdAt", "started_at" AS "startedAt", "error_code" AS "errorCode"
  FROM "job" WHERE "instance_id" = i."id" AND "state" IN ('queued', 'running') ORDER BY "created_at" LIMIT 1`;

/** What nobody has looked at for two minutes is unknown, here as on its own page. */
const shown = Prisma.sql`CASE WHEN i."observed_at" < now() - ${staleMs} * interval '1 millisecond' AND i."state" NOT IN (${Prisma.join([...passing])})
  THEN 'unknown' ELSE i."state" END`;

const sharedWith = (person: Pick<Person, 'id'>): Prisma.Sql =>
  Prisma.sql`EXISTS (SELECT 1 FROM "instance_share" s WHERE s."instance_id" = i."id" AND s."user_id" = ${person.id})`;

const visible = (person: Pick<Person, 'id' | 'role'>): Prisma.Sql =>
  person.role === 'manager'
    ? Prisma.sql`i."deleted_at" IS NULL`
    : Prisma.sql`i."deleted_at" IS NULL AND (i."owner_id" = ${person.id} OR ${sharedWith(person)})`;

/** Words, whose and owner; not the state, which is counted beside. */
function wanted(person: Pick<Person, 'id'>, query: InstanceListQuery): Prisma.Sql {
  const words = query.search.split(/\s+/).filter(Boolean).slice(0, 10);
  const text = Prisma.sql`(i."name" || ' ' || o."name" || ' ' || coalesce(i."project"->>'otreeVersion', ''))`;
  const conditions = words.map((word) => Prisma.sql`${text} ILIKE ${`%${word.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`}`);
  if (query.filter === 'mine') conditions.push(Prisma.sql`i."owner_id" = ${person.id}`);
  if (query.filter === 'shared') conditions.push(sharedWith(person));
  if (query.owner !== undefined) conditions.push(Prisma.sql`i."owner_id" = ${query.owner}`);
  return conditions.length === 0 ? Prisma.sql`TRUE` : Prisma.join(conditions, ' AND ');
}

const keys: Readonly<Record<InstanceSort, { by: Prisma.Sql; first: 'asc' | 'desc' }>> = {
  name: { by: Prisma.sql`regexp_replace(i."name", '[0-9]+$', '')`, first: 'asc' },
  activity: { by: Prisma.sql`coalesce(i."last_activity_at", i."created_at")`, first: 'desc' },
  created: { by: Prisma.sql`i."created_at"`, first: 'desc' },
  state: { by: shown, first: 'asc' },
  owner: { by: Prisma.sql`lower(o."name")`, first: 'asc' },
  memory: { by: Prisma.sql`i."memory_bytes"`, first: 'desc' },
};

/** Times and sizes begin with the newest and largest, words with the first letter, unless asked otherwise; numbers in names count as numbers. */
function sorting({ sort, order }: InstanceListQuery): Prisma.Sql {
  const { by, first } = keys[sort];
  const number = Prisma.sql`substring(i."name" from '[0-9]+$')::numeric`;
  return (order ?? first) === 'asc'
    ? Prisma.sql`${by} ASC NULLS LAST, ${sort === 'name' ? number : keys.name.by} ASC NULLS FIRST, i."name"`
    : Prisma.sql`${by} DESC NULLS LAST, ${sort === 'name' ? number : keys.name.by} DESC NULLS LAST, i."name" DESC`;
}

type StateCount = { readonly state: (typeof instanceStates)[number]; readonly all: number; readonly fitting: number };

async function countStates(ctx: Context, person: Pick<Person, 'id' | 'role'>, query: InstanceListQuery): Promise<StateCount[]> {
  const rows = await ctx.db.$queryRaw<StateCount[]>`
    SELECT state, count(*)::int AS "all", (count(*) FILTER (WHERE fits))::int AS "fitting"
    FROM (SELECT ${shown} AS state, ${wanted(person, query)} AS fits FROM "instance" i JOIN "user" o ON o."id" = i."owner_id" WHERE ${visible(person)}) seen
    GROUP BY state`;
  return rows.toSorted((one, other) => instanceStates.indexOf(one.state) - instanceStates.indexOf(other.state));
}

const countOwners = (ctx: Context, person: Pick<Person, 'id' | 'role'>): Promise<InstanceList['owners']> =>
  ctx.db.$queryRaw`
    SELECT o."id", o."name", count(*)::int AS "count" FROM "instance" i JOIN "user" o ON o."id" = i."owner_id"
    WHERE ${visible(person)} GROUP BY o."id" ORDER BY lower(o."name") LIMIT 500`;

type JobColumns = Pick<Job, 'id' | 'kind' | 'instanceId' | 'deploymentId' | 'state' | 'steps' | 'actorName' | 'errorCode'> & {
  readonly createdAt: string;
  readonly startedAt: string | null;
};
type Row = Omit<SummaryRow, 'owner' | 'jobs' | 'deployments'> & {
  readonly intent: Intent;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly otreeVersion: string | null;
  readonly endedAt: Date | null;
  readonly job: JobColumns | null;
};

function fromRow({ ownerId, ownerName, otreeVersion, endedAt, job, ...row }: Row): SummaryRow {
  return { ...row, owner: { id: ownerId, name: ownerName }, jobs: job ? [fromJob(job)] : [], deployments: [{ otreeVersion, endedAt }] };
}

const fromJob = (job: JobColumns): Job => ({
  ...job,
  createdAt: new Date(job.createdAt),
  startedAt: job.startedAt === null ? null : new Date(job.startedAt),
  input: {},
  errorDetails: null,
  attempt: 0,
  cancelledAt: null,
  cancelledByName: null,
  actorId: null,
  endedAt: null,
});
