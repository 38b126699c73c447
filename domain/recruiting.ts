// Recruitment of an instance: what was chosen for each room, what follows from it, and saving it.

import { isDeepStrictEqual as isSame } from 'node:util';
import { AppError } from '../contracts/errors.ts';
import { entryLink, noRoom, sessionFieldsOf, type PutRecruitment } from '../contracts/recruiting.ts';
import type { RecruitingView, RoomRecruitment } from '../contracts/recruiting-view.ts';
import { canOnInstance } from '../contracts/roles.ts';
import type { Instance, Recruitment as Row } from '../prisma/client/client.ts';
import { standingOf, type OwnedInstance, type Person } from './access.ts';
import { instanceUrl } from './addresses.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import { asJson, type Transaction } from './database.ts';
import { findPendingChange, linksChanged } from './environment-variables.ts';
import { readFacts } from './facts.ts';
import { lookAtHit } from './mturk-look.ts';
import { announceInstance } from './instances.ts';
import { readProject } from './present-instance.ts';
import { instanceFields, readRecruitment } from './recruiting-fields.ts';
import { lookAtSource } from './recruiting-source.ts';
import { findRoom, roomsOf, withRooms, type ListedRoom } from './rooms.ts';

/** Everything that the tab shows. The code of the project only for those who may fetch it. */
export async function readRecruiting(ctx: Context, person: Person, found: OwnedInstance): Promise<RecruitingView> {
  const instance = await withRooms(ctx, found);
  const rows = await ctx.db.recruitment.findMany({ where: { instanceId: instance.id } });
  const rowOf = (room: string): Row | null => rows.find((row) => row.room === room) ?? null;
  const present = (room: ListedRoom | null, row: Row | null): RoomRecruitment => presentRoom(ctx, { instance, room, row });
  const pending = await findPendingChange(ctx, instance, [linksChanged]);
  const commit = canOnInstance(standingOf(person, found), 'instance.fetch') ? await currentCommit(ctx, instance) : null;
  const outside = rowOf(noRoom);
  const published = outside && readRecruitment(outside);
  return {
    rooms: roomsOf(instance).map((room) => present(room, rowOf(room.name))),
    outside: present(null, outside),
    otreeVersion: readProject(instance)?.otreeVersion ?? null,
    adminFields: instanceFields(rows).map((field) => ({ ...field })),
    pendingSince: pending?.toISOString() ?? null,
    source: commit === null ? null : await lookAtSource(ctx.config.layout, { instanceId: instance.id, commit }),
    mturk: published?.kind === 'mturk' ? await lookAtHit(ctx.config.layout, { instance, recruitment: published, commit }) : null,
  };
}

type Presented = { readonly instance: Instance; readonly room: ListedRoom | null; readonly row: Row | null };

function presentRoom(ctx: Context, { instance, room, row }: Presented): RoomRecruitment {
  const recruitment = row && readRecruitment(row);
  const name = room?.name ?? noRoom;
  return {
    room: name,
    displayName: room?.displayName ?? 'Outside rooms',
    recruitment,
    updatedByName: row?.updatedByName ?? null,
    updatedAt: row?.updatedAt.toISOString() ?? null,
    labelCount: room?.labels?.length ?? null,
    usesSecureUrls: room?.usesSecureUrls ?? false,
    hasWelcomePage: room?.hasWelcomePage ?? false,
    editedAt: room?.edited?.at.toISOString() ?? null,
    sessionCode: readFacts(instance).roomSessions[name] ?? null,
    entryLink: recruitment && entryLink(recruitment, instanceUrl(ctx.config, instance), name),
    sessionFields: recruitment ? sessionFieldsOf(recruitment) : {},
  };
}

async function currentCommit(ctx: Context, instance: Pick<Instance, 'currentDeploymentId'>): Promise<string | null> {
  if (instance.currentDeploymentId === null) return null;
  const deployment = await ctx.db.deployment.findUnique({ where: { id: instance.currentDeploymentId }, select: { commit: true } });
  return deployment?.commit ?? null;
}

export type RecruitmentChange = { readonly instance: OwnedInstance; readonly wish: PutRecruitment };

/**
 * Keeps what was chosen for a room. Of two people who edit it at once, the first wins and the other is told. Sessions
 * that the panel creates have new links at once; the experiment's own admin has them from its next start on.
 * @throws room_unknown, recruiting_changed
 */
export async function saveRecruitment(ctx: Context, actor: Actor, { instance, wish }: RecruitmentChange): Promise<void> {
  const { room, recruitment } = wish;
  if (room !== noRoom) findRoom(await withRooms(ctx, instance), room);
  await ctx.db.$transaction(async (tx) => {
    const before = await lockRow(tx, instance.id, room);
    refuseOlder(before, wish.since);
    const data = { kind: recruitment.kind, settings: asJson(recruitment.settings), updatedByName: actor.name, updatedAt: new Date() };
    await tx.recruitment.upsert({
      where: { instanceId_room: { instanceId: instance.id, room } },
      create: { instanceId: instance.id, room, ...data },
      update: data,
    });
    const earlier = before && readRecruitment(before);
    const areLinksSame = isSame(earlier ? sessionFieldsOf(earlier) : {}, sessionFieldsOf(recruitment));
    await record(tx, actor, {
      action: areLinksSame ? 'recruiting.save' : linksChanged,
      subject: room === noRoom ? instance.name : `${instance.name}/${room}`,
      instanceId: instance.id,
      detail: { room, kind: recruitment.kind },
    });
  });
  await announceInstance(ctx, instance.id);
}

/** The row as it is now, while nobody else can change recruitment of this instance. */
async function lockRow(tx: Transaction, instanceId: string, room: string): Promise<Row | null> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum recruiting'), hashtext(${instanceId}))`;
  return tx.recruitment.findUnique({ where: { instanceId_room: { instanceId, room } } });
}

function refuseOlder(row: Row | null, since: string | null): void {
  if ((row?.updatedAt.toISOString() ?? null) === since) return;
  throw new AppError('recruiting_changed', {
    who: row?.updatedByName ?? 'Somebody',
    when: row ? `at ${row.updatedAt.toISOString().slice(11, 19)} (UTC)` : 'by removing it',
  });
}
