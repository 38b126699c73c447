// Making an oTree session in a room, through oTree's own REST interface.

import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { instanceUrl } from './addresses.ts';
import { record } from './audit.ts';
import type { Actor, WorkerContext } from './context.ts';
import { lookInto } from './observe-facts.ts';
import { sessionFieldsOf } from '../contracts/recruiting.ts';
import { readProject } from './present-instance.ts';
import { readRecruitment } from './recruiting-fields.ts';
import { findRoom, withRooms } from './rooms.ts';
import { specOf } from './specs.ts';

export type SessionWish = {
  readonly instanceId: string;
  readonly room: string;
  readonly sessionConfigName: string;
  readonly numParticipants: number;
  readonly actor: Actor;
};

/**
 * The room's and the config's names are checked first: an unknown room leaves a half-made session behind in oTree
 * that breaks all exports (measured, oTree 6.0.15).
 * @throws not_running, room_unknown, session_size, otree_request_failed
 */
export async function createOtreeSession(ctx: WorkerContext, wish: SessionWish): Promise<{ code: string; adminUrl: string }> {
  const instance = await ctx.db.instance.findFirst({ where: { id: wish.instanceId, deletedAt: null } });
  if (!instance || instance.state !== 'running') throw new AppError('not_running');
  findRoom(await withRooms(ctx, instance), wish.room);
  if (!readProject(instance)?.sessionConfigs.some(({ name }) => name === wish.sessionConfigName)) {
    throw new AppError('invalid_input', {}, { fields: { sessionConfigName: 'This project has no such session config.' } });
  }
  const fields = await fieldsOfRoom(ctx, wish);
  const { status, body } = await ctx.platform.askOtree(specOf(ctx, instance), {
    method: 'POST',
    path: '/api/sessions',
    body: {
      session_config_name: wish.sessionConfigName,
      num_participants: wish.numParticipants,
      room_name: wish.room,
      ...(Object.keys(fields).length === 0 ? {} : { modified_session_config_fields: fields }),
    },
    timeoutMs: 25_000,
  });
  if (status === 400) throw new AppError('session_size', { reason: body.slice(0, 300) });
  if (status !== 200) throw new AppError('otree_request_failed', { reason: `${status} ${body.slice(0, 300)}` });
  const { code } = z.object({ code: z.string() }).parse(JSON.parse(body));
  await record(ctx.db, wish.actor, {
    action: 'session.create',
    subject: `${instance.name}/${wish.room}/${code}`,
    instanceId: instance.id,
    detail: { config: wish.sessionConfigName, participants: wish.numParticipants },
  });
  await lookInto(ctx, instance);
  return { code, adminUrl: `${instanceUrl(ctx.config, instance)}/SessionMonitor/${code}` };
}

/** The room's completion links: at hand for this session whether or not the experiment was restarted since they were entered. */
async function fieldsOfRoom(ctx: WorkerContext, { instanceId, room }: SessionWish): Promise<Record<string, string>> {
  const row = await ctx.db.recruitment.findUnique({ where: { instanceId_room: { instanceId, room } } });
  const recruitment = row && readRecruitment(row);
  return recruitment ? sessionFieldsOf(recruitment) : {};
}
