// What the running oTree says about itself, for the preflight; asked by the worker.

import { z } from 'zod';
import { exportListSchema } from '../contracts/exports.ts';
import { otreeLookSchema, type OtreeLook } from '../contracts/preflight.ts';
import type { WorkerContext } from './context.ts';
import { readFacts } from './facts.ts';
import { labelHash, roomsOf, withRooms } from './rooms.ts';
import { specOf } from './specs.ts';

const timeoutMs = 8_000;
const welcomeSchema = z.object({ status: z.string().optional(), errors: z.unknown().optional() });

type Asked = { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown };
type Ask = (asked: Asked) => Promise<{ readonly status: number; readonly body: string } | null>;

/** Never throws for an oTree that is away or older than this question: what it does not say is null. */
export async function lookForPreflight(ctx: WorkerContext, { instanceId, room }: { instanceId: string; room: string }): Promise<OtreeLook> {
  const found = await ctx.db.instance.findFirst({ where: { id: instanceId, deletedAt: null } });
  if (!found) return { tables: null, sessions: null, link: null };
  const instance = await withRooms(ctx, found);
  const spec = specOf(ctx, found);
  const ask: Ask = (asked) => ctx.platform.askOtree(spec, { ...asked, timeoutMs }).catch(() => null);
  const listed = roomsOf(instance).find(({ name }) => name === room);
  const label = listed?.usesSecureUrls ? listed.labels?.[0] : undefined;
  const [tables, sessions] = await Promise.all([read(ask, '/api/arboretum_tables', tablesSchema), read(ask, '/api/arboretum_exports', exportListSchema)]);
  const hasSession = readFacts(found).roomSessions[room] !== undefined;
  const link = label === undefined ? null : await tryLink(ask, { room, label, hash: labelHash(label, spec.roomSecret.open()), hasSession });
  return { tables, sessions: sessions?.sessions ?? null, link };
}

const tablesSchema = otreeLookSchema.shape.tables.unwrap();

async function read<S extends z.ZodType>(ask: Ask, path: string, schema: S): Promise<z.output<S> | null> {
  const answer = await ask({ method: 'GET', path });
  if (answer?.status !== 200) return null;
  const parsed = schema.safeParse(JSON.parse(answer.body));
  return parsed.success ? parsed.data : null;
}

type Link = { readonly room: string; readonly label: string; readonly hash: string; readonly hasSession: boolean };

async function tryLink(ask: Ask, link: Link): Promise<OtreeLook['link']> {
  const opens = await doesOpen(ask, link);
  const wrongOpens = await doesOpen(ask, { ...link, hash: link.hash.replace(/.$/, (last) => (last === '0' ? '1' : '0')) });
  return opens === null || wrongOpens === null ? null : { opens, wrongOpens };
}

/**
 * Nobody enters by this. oTree 6 checks a label before it shows the room (views/room.py, POST); 5 knows no such question,
 * so the room's page is looked at, but not while a session is open, in which it would take the place: who may not enter
 * gets a page that asks for a label.
 */
async function doesOpen(ask: Ask, { room, label, hash, hasSession }: Link): Promise<boolean | null> {
  const path = `/room/${encodeURIComponent(room)}`;
  const posted = await ask({ method: 'POST', path, body: { participant_label: label, hash } });
  if (posted?.status === 200 && posted.body.startsWith('{')) return welcomeSchema.parse(JSON.parse(posted.body)).status === 'ok';
  if (hasSession) return null;
  const got = await ask({ method: 'GET', path: `${path}?participant_label=${encodeURIComponent(label)}&hash=${hash}` });
  if (!got) return null;
  return got.status === 200 && got.body.includes('wait_for_session_in_room');
}
