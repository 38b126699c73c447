// The panel's database client.

import { PrismaPg } from '@prisma/adapter-pg';
import { Prisma, PrismaClient } from '../prisma/client/client.ts';

export type Database = PrismaClient;
/** The client inside `$transaction`. */
export type Transaction = Prisma.TransactionClient;

/**
 * Opens a pool of at most `connections` connections.
 * @param url PostgreSQL connection string; a Unix socket is given as `?host=/dir`
 */
export const openDatabase = (url: string, connections = 10): Database =>
  new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: connections }) });

/** Whether a write failed because a unique column already has this value. @see Prisma error reference P2002 */
export const isUniqueViolation = (error: unknown): boolean => error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';

/**
 * A query's rows as PostgreSQL writes them in JSON, times as text: one value comes over instead of one for each column of each
 * row, which Prisma 7.10 takes apart at half the speed.
 */
export async function queryJson<Row>(db: Pick<Transaction, '$queryRaw'>, query: Prisma.Sql): Promise<Row[]> {
  const [answer] = await db.$queryRaw<{ rows: string }[]>`SELECT coalesce(json_agg(found), '[]')::text AS "rows" FROM (${query}) found`;
  return JSON.parse(answer?.rows ?? '[]') as Row[];
}

/** A value for a Json column; what is stored has been checked by its own type already. */
export const asJson = (value: unknown): Prisma.InputJsonValue => JSON.parse(JSON.stringify(value)) as Prisma.InputJsonValue;
