// Who is in an oTree session, how far they are and what they earned: from oTree's REST interface and its tables.

import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { isTestLabel, type Returned } from '../contracts/recruiting-view.ts';
import { sessionMoneySchema, type SessionMoney } from '../contracts/reconciliation.ts';
import type { ParticipantRow } from '../platforms/platform.ts';
import type { Instance } from '../prisma/client/client.ts';
import type { WorkerContext } from './context.ts';
import { specOf } from './specs.ts';

const timeoutMs = 20_000;
/** More instances of one owner are not looked through: each is a question to a database. */
const maxOthers = 30;
/** Ids of Prolific: the same person everywhere. `A01` in two labs is not. */
const isWorldWide = (label: string): boolean => /^[a-f0-9]{24}$/.test(label);

type Running = { readonly instance: Instance; readonly rows: readonly ParticipantRow[] };

async function find(ctx: WorkerContext, instanceId: string): Promise<Running> {
  const instance = await ctx.db.instance.findFirst({ where: { id: instanceId, deletedAt: null } });
  if (!instance) throw new AppError('not_found');
  return { instance, rows: await ctx.platform.participants(specOf(ctx, instance)) };
}

/**
 * Everybody with a label in one session. Money as oTree itself converts it (points by real_world_currency_per_point):
 * `get_session` of oTree 5.10 and later, `GET sessions/CODE` before.
 * @throws not_running, session_unknown, otree_request_failed
 */
export async function readSessionPeople(ctx: WorkerContext, asked: { instanceId: string; sessionCode: string }): Promise<SessionMoney> {
  const { instance, rows } = await find(ctx, asked.instanceId);
  if (instance.state !== 'running') throw new AppError('not_running');
  const inSession = rows.filter(({ sessionCode, label }) => sessionCode === asked.sessionCode && label !== null);
  const answer = await askSession(ctx, instance, asked.sessionCode);
  const payoffs = new Map(answer.participants.flatMap(({ label, payoff_in_real_world_currency: payoff }) => (label ? [[label, payoff] as const] : [])));
  return sessionMoneySchema.parse({
    sessionCode: asked.sessionCode,
    currency: answer.REAL_WORLD_CURRENCY_CODE,
    participationFee: String(answer.config.participation_fee),
    people: inSession.map(({ label, isFinished, pageIndex, maxPageIndex, hasStarted }) => ({
      label,
      isFinished,
      hasStarted,
      pageIndex,
      maxPageIndex,
      payoff: String(payoffs.get(label ?? '') ?? 0),
    })),
  });
}

/** A number of JSON, or a decimal that oTree wrote as text; nothing: 0. */
const amount = z.union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/)]).catch(0);
const answerSchema = z.object({
  REAL_WORLD_CURRENCY_CODE: z.string().catch(''),
  config: z.object({ participation_fee: amount, completionlink: z.string().nullish().catch(null) }).catch({ participation_fee: 0, completionlink: null }),
  participants: z.array(z.object({ label: z.string().nullish(), payoff_in_real_world_currency: amount })),
});
type SessionAnswer = z.infer<typeof answerSchema>;

/** What oTree says about one session. @throws session_unknown, otree_request_failed @see oTree 6.0 and 5.11 views/rest.py RESTGetSessionInfo */
export async function askSession(ctx: WorkerContext, instance: Instance, code: string): Promise<SessionAnswer> {
  if (!/^[a-z0-9]{1,50}$/.test(code)) throw new AppError('session_unknown', { code: code.slice(0, 20) });
  const ask = (method: 'GET' | 'POST', path: string) =>
    ctx.platform.askOtree(specOf(ctx, instance), { method, path, ...(method === 'POST' ? { body: {} } : {}), timeoutMs });
  const asked = await ask('POST', `/api/get_session/${code}`);
  // Before 5.10 there is no such address, and 404 is also what an unknown session is answered with.
  const { status, body } = asked.status === 404 || asked.status === 405 ? await ask('GET', `/api/sessions/${code}`) : asked;
  if (status === 404) throw new AppError('session_unknown', { code });
  if (status !== 200) throw new AppError('otree_request_failed', { reason: `${status} ${body.slice(0, 200)}` });
  return answerSchema.parse(JSON.parse(body));
}

/** Labels of a room's session that took part in another session before: here, or in other instances of the same owner. */
export async function findReturned(ctx: WorkerContext, asked: { instanceId: string; room: string }): Promise<Returned> {
  const { instance, rows } = await find(ctx, asked.instanceId);
  const here = rows.filter(({ room }) => room === asked.room);
  const sessionCode = here[0]?.sessionCode ?? null;
  const labels = new Set(here.flatMap(({ label }) => (label && !isTestLabel(label) ? [label] : [])));
  const places = new Map<string, Returned['people'][number]['where']>();
  const note = (name: string, row: ParticipantRow): void => {
    if (!row.label || !row.hasStarted || !labels.has(row.label)) return;
    places.set(row.label, [...(places.get(row.label) ?? []), { instance: name, sessionCode: row.sessionCode, isFinished: row.isFinished }]);
  };
  for (const row of rows) if (row.sessionCode !== sessionCode) note(instance.name, row);
  if ([...labels].some((label) => isWorldWide(label))) {
    for (const other of await othersOf(ctx, instance)) for (const row of other.rows) if (row.label && isWorldWide(row.label)) note(other.instance.name, row);
  }
  return { sessionCode, people: [...places].map(([label, where]) => ({ label, where })) };
}

/** Other instances of the owner, as far as their databases can be asked. */
async function othersOf(ctx: WorkerContext, { id, ownerId }: Instance): Promise<Running[]> {
  const others = await ctx.db.instance.findMany({
    where: { ownerId, id: { not: id }, deletedAt: null, currentDeploymentId: { not: null } },
    take: maxOthers,
  });
  return Promise.all(
    others.map(async (instance) => ({ instance, rows: await ctx.platform.participants(specOf(ctx, instance)).catch((): readonly ParticipantRow[] => []) })),
  );
}
