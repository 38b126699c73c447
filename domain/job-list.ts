// The list of jobs, newest first: a page of it is one query, whatever their number.

import type { JobList } from '../contracts/jobs.ts';
import { Prisma } from '../prisma/client/client.ts';
import type { Person } from './access.ts';
import type { Context } from './context.ts';
import { queryJson } from './database.ts';
import { presentJob, type PresentableJob } from './present-job.ts';

/** 25 jobs with seven steps each are about 35 KB on the wire. */
const pageSize = 25;

type Row = Omit<PresentableJob, 'createdAt' | 'startedAt' | 'endedAt' | 'instance'> & {
  readonly total: number;
  readonly instanceName: string | null;
  readonly deletedAt: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
};

/**
 * Jobs of one instance or of all that one may see, those of deleted instances with them; managers also see those of no instance.
 * @param wish `page` from 1; one past the end is empty
 */
export async function listJobs(ctx: Context, person: Pick<Person, 'id' | 'role'>, wish: { instanceId?: string; page: number }): Promise<JobList> {
  const { page } = wish;
  const wanted = Prisma.sql`${visible(person)} AND ${wish.instanceId === undefined ? Prisma.sql`TRUE` : Prisma.sql`j."instance_id" = ${wish.instanceId}`}`;
  const rows = await queryJson<Row>(
    ctx.db,
    Prisma.sql`SELECT j."id", j."kind", j."instance_id" AS "instanceId", j."deployment_id" AS "deploymentId", j."state", j."steps", j."input",
      j."error_code" AS "errorCode", j."error_details" AS "errorDetails", j."actor_name" AS "actorName", j."cancelled_by_name" AS "cancelledByName",
      j."created_at" AS "createdAt", j."started_at" AS "startedAt", j."ended_at" AS "endedAt", i."name" AS "instanceName",
      i."deleted_at" AS "deletedAt", (SELECT count(*)::int FROM "job" j WHERE ${wanted}) AS "total"
    FROM (SELECT * FROM "job" j WHERE ${wanted} ORDER BY j."created_at" DESC LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}) j
    LEFT JOIN "instance" i ON i."id" = j."instance_id" ORDER BY j."created_at" DESC`,
  );
  return { jobs: rows.map((row) => presentJob(fromRow(row))), page, pages: Math.max(1, Math.ceil((rows[0]?.total ?? 0) / pageSize)) };
}

const visible = ({ id, role }: Pick<Person, 'id' | 'role'>): Prisma.Sql =>
  role === 'manager'
    ? Prisma.sql`TRUE`
    : Prisma.sql`j."instance_id" IN (SELECT "id" FROM "instance" WHERE "owner_id" = ${id}
        UNION ALL SELECT "instance_id" FROM "instance_share" WHERE "user_id" = ${id})`;

const date = (text: string | null): Date | null => (text === null ? null : new Date(text));

function fromRow({ instanceName, deletedAt, createdAt, startedAt, endedAt, ...row }: Row): PresentableJob {
  const instance = instanceName === null ? null : { name: instanceName, deletedAt: date(deletedAt) };
  return { ...row, createdAt: new Date(createdAt), startedAt: date(startedAt), endedAt: date(endedAt), instance };
}
