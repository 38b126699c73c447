// When participants last did something: seen in the facts that are stored anyway, so that it costs one small query.

import type { WorkerContext } from './context.ts';

/** What each running instance's facts looked like at the last look of this process. */
export type ActivityMarks = Map<string, string>;

/** An instance whose participants, sessions or rows have moved since the last look was active now. */
export async function observeActivity(ctx: WorkerContext, marks: ActivityMarks): Promise<void> {
  const rows = await ctx.db.$queryRaw<{ id: string; mark: string }[]>`
    SELECT "id", md5(concat_ws('/', "facts"->>'rows', "facts"->>'sessions', "facts"->>'participants')) AS "mark"
    FROM "instance" WHERE "deleted_at" IS NULL AND "facts" IS NOT NULL AND "state" IN ('running', 'unhealthy')`;
  const moved = rows.filter(({ id, mark }) => marks.has(id) && marks.get(id) !== mark).map(({ id }) => id);
  marks.clear();
  for (const { id, mark } of rows) marks.set(id, mark);
  if (moved.length > 0) await ctx.db.instance.updateMany({ where: { id: { in: moved } }, data: { lastActivityAt: new Date() } });
}
