// The list of instances: searched, filtered, sorted and paged by PostgreSQL, one question whatever their number.

import { instanceStates } from '../contracts/states.ts';
import type { InstanceList, InstanceListQuery, InstanceSort } from '../contracts/instances.ts';
import { Prisma, type Intent, type Job } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import type { Context } from './context.ts';
import { queryJson } from './database.ts';
import { passing, presentSummaryRow, staleMs, type SummaryRow } from './present-instance.ts';

/** 50 summaries are about 30 KB on the wire. */
const pageSize = 50;
/** A choice of more names than this is no choice. */
const shownOwners = 200;

/** One page of what a person may see; one past the end is the last one. */
export async function listInstances(ctx: Context, person: Pick<Person, 'id' | 'role'>, query: InstanceListQuery): Promise<InstanceList> {
  const [answer] = await queryJson<Answer>(ctx.db, asking(person, query));
  const { states, owners } = readCounts(answer?.counts ?? []);
  const total = states.filter(({ state }) => query.state === undefined || state === query.state).reduce((sum, { fitting }) => sum + fitting, 0);
  const pages = Math.max(1, Math.ceil(total / pageSize));
  return {
    instances: (answer?.rows ?? []).map((row) => presentSummaryRow(ctx, fromRow(row))),
    page: Math.min(query.page, pages),
    pages,
    total,
    visible: states.reduce((sum, { all }) => sum + all, 0),
    states: states.filter(({ fitting }) => fitting > 0).map(({ state, fitting }) => ({ state, count: fitting })),
    owners,
  };
}

/** Counts and rows in one question: every way to PostgreSQL and back costs as much as fifty rows. */
function asking(person: Pick<Person, 'id' | 'role'>, query: InstanceListQuery): Prisma.Sql {
  const ofState = query.state === undefined ? Prisma.sql`state IS NOT NULL` : Prisma.sql`state = ${query.state}`;
  const lastPage = Prisma.sql`greatest(0, (SELECT coalesce(sum("fitting"), 0) FROM counted WHERE ${ofState})::int - 1) / ${pageSize}::int`;
  const offset = Prisma.sql`${pageSize}::int * least(${query.page - 1}::int, ${lastPage})`;
  return Prisma.sql`WITH counted AS MATERIALIZED (${counting(person, query)})
    SELECT (SELECT json_agg(c) FROM (SELECT counted.*, o."name" FROM counted LEFT JOIN "user" o ON o."id" = counted.id) c) AS "counts",
      (SELECT json_agg(r) FROM (${reading(person, query, offset)}) r) AS "rows"`;
}

/** First which rows; only for those what has to be worked out or looked up. */
function reading(person: Pick<Person, 'id' | 'role'>, query: InstanceListQuery, offset: Prisma.Sql): Prisma.Sql {
  const ofState = query.state === undefined ? Prisma.sql`TRUE` : Prisma.sql`${shown} = ${query.state}`;
  return Prisma.sql`SELECT ${columns}, to_json(j) AS job, coalesce(i."project"->>'otreeVersion', d."otree_version") AS "otreeVersion", d."ended_at" AS "endedAt"
    FROM (
      SELECT i."id" FROM ${withOwner}
      WHERE ${visible(person)} AND ${wanted(person, query)} AND ${ofState} ORDER BY ${sorting(query)} LIMIT ${pageSize} OFFSET ${offset}
    ) chosen
    JOIN "instance" i ON i."id" = chosen."id" JOIN "user" o ON o."id" = i."owner_id"
    LEFT JOIN LATERAL (${jobUnderWay}) j ON TRUE
    LEFT JOIN LATERAL (
      SELECT "otree_version", "ended_at" FROM "deployment" WHERE "instance_id" = i."id" AND "state" = 'succeeded' ORDER BY "number" DESC LIMIT 1
    ) d ON TRUE
    ORDER BY ${sorting(query)}`;
}

/** Every instance has an owner: as an outer join PostgreSQL leaves it out where no word and no order asks for the owner's name. */
const withOwner = Prisma.sql`"instance" i LEFT JOIN "user" o ON o."id" = i."owner_id"`;

const columns = Prisma.sql`i."id", i."name", i."intent"::text AS "intent", i."state", left(i."state_detail", 300) AS "stateDetail", i."state_since" AS "stateSince",
  i."observed_at" AS "observedAt", i."address_mode" AS "addressMode", i."port", i."host_name" AS "hostName", i."memory_bytes" AS "memoryBytes", i."created_at" AS "createdAt", i."last_activity_at" AS "lastActivityAt",
  (i."facts"->>'databaseBytes')::float8 AS "databaseBytes", (i."facts"->>'diskBytes')::float8 AS "diskBytes",
  i."facts"->>'lastParticipantAt' AS "lastParticipantAt", o."id" AS "ownerId", o."name" AS "ownerName"`;

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
  // Names are ASCII: compared by bytes, which is ten times faster than by a language's rules.
  name: { by: Prisma.sql`rtrim(i."name", '0123456789') COLLATE "C"`, first: 'asc' },
  activity: { by: Prisma.sql`coalesce(i."last_activity_at", i."created_at")`, first: 'desc' },
  created: { by: Prisma.sql`i."created_at"`, first: 'desc' },
  state: { by: shown, first: 'asc' },
  owner: { by: Prisma.sql`lower(o."name")`, first: 'asc' },
  memory: { by: Prisma.sql`i."memory_bytes"`, first: 'desc' },
};

/** Times and sizes begin with the newest and largest, words with the first letter, unless asked otherwise; `study-9` comes before `study-10`. */
function sorting({ sort, order }: InstanceListQuery): Prisma.Sql {
  const { by, first } = keys[sort];
  return (order ?? first) === 'asc'
    ? Prisma.sql`${by} ASC NULLS LAST, length(i."name") ASC, i."name" COLLATE "C" ASC`
    : Prisma.sql`${by} DESC NULLS LAST, length(i."name") DESC, i."name" COLLATE "C" DESC`;
}

type StateCount = { readonly state: (typeof instanceStates)[number]; readonly all: number; readonly fitting: number };
type CountRow = Omit<StateCount, 'state'> & { readonly state: StateCount['state'] | null; readonly id: string | null; readonly name: string | null };

/** How many there are by state and by owner, in one pass. */
const counting = (person: Pick<Person, 'id' | 'role'>, query: InstanceListQuery): Prisma.Sql => Prisma.sql`
  SELECT state, id, count(*)::int AS "all", (count(*) FILTER (WHERE fits))::int AS "fitting"
  FROM (SELECT ${shown} AS state, i."owner_id" AS id, ${wanted(person, query)} AS fits FROM ${withOwner} WHERE ${visible(person)}) seen
  GROUP BY GROUPING SETS ((state), (id))`;

function readCounts(counts: readonly CountRow[]): { states: readonly StateCount[]; owners: InstanceList['owners'] } {
  const states = counts.flatMap(({ state, all, fitting }) => (state === null ? [] : [{ state, all, fitting }]));
  const owners = counts.flatMap(({ id, name, all }) => (id === null || name === null ? [] : [{ id, name, count: all }]));
  return {
    states: states.toSorted((one, other) => instanceStates.indexOf(one.state) - instanceStates.indexOf(other.state)),
    owners: owners.toSorted((one, other) => byName.compare(one.name, other.name)).slice(0, shownOwners),
  };
}

/** Made once: `localeCompare` with a language makes one for each pair. */
const byName = new Intl.Collator('en');

/** Null where there is nothing to gather. */
type Answer = { readonly counts: readonly CountRow[] | null; readonly rows: readonly Row[] | null };
type JobColumns = Pick<Job, 'id' | 'kind' | 'instanceId' | 'deploymentId' | 'state' | 'steps' | 'actorName' | 'errorCode'> & {
  readonly createdAt: string;
  readonly startedAt: string | null;
};
type Times = 'stateSince' | 'createdAt' | 'observedAt' | 'lastActivityAt';
type Row = Omit<SummaryRow, 'owner' | 'jobs' | 'deployments' | 'memoryBytes' | Times> & {
  readonly stateSince: string;
  readonly createdAt: string;
  readonly observedAt: string | null;
  readonly lastActivityAt: string | null;
  readonly memoryBytes: number | null;
  readonly intent: Intent;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly endedAt: string | null;
  readonly job: JobColumns | null;
};

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

function fromRow({ ownerId, ownerName, endedAt, job, ...row }: Row): SummaryRow {
  return {
    ...row,
    stateSince: new Date(row.stateSince),
    createdAt: new Date(row.createdAt),
    observedAt: date(row.observedAt),
    lastActivityAt: date(row.lastActivityAt),
    memoryBytes: row.memoryBytes === null ? null : BigInt(row.memoryBytes),
    owner: { id: ownerId, name: ownerName },
    jobs: job ? [fromJob(job)] : [],
    deployments: [{ endedAt: date(endedAt) }],
  };
}

const fromJob = (job: JobColumns): Job => ({
  ...job,
  createdAt: new Date(job.createdAt),
  startedAt: date(job.startedAt),
  input: {},
  errorDetails: null,
  attempt: 0,
  cancelledAt: null,
  cancelledByName: null,
  actorId: null,
  endedAt: null,
});
