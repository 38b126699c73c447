// Rooms that people edit in the panel: saved, removed, and who would lose their seat by it.

import { AppError } from '../contracts/errors.ts';
import { readLabels, type PutRoom } from '../contracts/rooms.ts';
import { Prisma, type Instance, type PanelRoom } from '../prisma/client/client.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import { asJson, type Transaction } from './database.ts';
import { announceInstance } from './instances.ts';
import { findRoom, roomsOf, withRooms, type ListedRoom } from './rooms.ts';
import { noteSeatsChanged, readSeats } from './seat-broadcast.ts';

/** More rooms than any lab has; a limit because all of them are read at every click. */
const maxRooms = 50;

type Named = Pick<Instance, 'id' | 'name' | 'project' | 'facts'>;
export type RoomChange = { readonly instance: Named; readonly room: string; readonly wish: PutRoom };
export type RoomRemoval = { readonly instance: Named; readonly room: string; readonly since: string; readonly isConfirmed: boolean };

/**
 * Keeps a room for every release to come; oTree hears of it by the worker. Of two people who edit it at once, the first
 * wins and the other is told.
 * @throws room_changed, people_on_seats
 */
export async function savePanelRoom(ctx: Context, actor: Actor, { instance, room: name, wish }: RoomChange): Promise<void> {
  const labels = wish.labels === null ? null : readLabels(wish.labels).labels;
  const known = roomsOf(await withRooms(ctx, instance)).find((room) => room.name === name);
  if (known && !wish.isConfirmed) await requireNobodyLoses(ctx, instance, { room: known, kept: labels });
  await ctx.db.$transaction(async (tx) => {
    const before = await lockRoom(tx, instance.id, name);
    requireUnchanged(before, wish.since);
    if (!before && (await tx.panelRoom.count({ where: { instanceId: instance.id } })) >= maxRooms)
      throw new AppError('invalid_input', {}, { fields: { name: `An instance takes ${maxRooms} rooms at most.` } });
    const data = {
      displayName: wish.displayName,
      labels: labels === null ? Prisma.DbNull : asJson(labels),
      usesSecureUrls: wish.usesSecureUrls,
      updatedByName: actor.name,
      updatedAt: new Date(),
    };
    await tx.panelRoom.upsert({
      where: { instanceId_name: { instanceId: instance.id, name } },
      create: { instanceId: instance.id, name, ...data },
      update: data,
    });
    await record(tx, actor, {
      action: 'room.save',
      subject: `${instance.name}/${name}`,
      instanceId: instance.id,
      detail: { room: name, labels: labels?.length ?? null, usesSecureUrls: wish.usesSecureUrls },
    });
  });
  await tellPages(ctx, instance, name);
}

/** A room of settings.py that the panel replaced is again as the project has it. @throws room_unknown, room_of_project, room_changed, people_on_seats */
export async function removePanelRoom(ctx: Context, actor: Actor, { instance, room: name, since, isConfirmed }: RoomRemoval): Promise<void> {
  const room = findRoom(await withRooms(ctx, instance), name);
  if (!room.edited) throw new AppError('room_of_project', { room: name });
  const left = roomsOf({ project: instance.project, panelRooms: [] }).find((other) => other.name === name);
  if (!isConfirmed) await requireNobodyLoses(ctx, instance, { room, kept: left ? left.labels : [] });
  await ctx.db.$transaction(async (tx) => {
    requireUnchanged(await lockRoom(tx, instance.id, name), since);
    await tx.panelRoom.delete({ where: { instanceId_name: { instanceId: instance.id, name } } });
    if (!left) await tx.seat.deleteMany({ where: { instanceId: instance.id, room: name } });
    await record(tx, actor, { action: 'room.remove', subject: `${instance.name}/${name}`, instanceId: instance.id, detail: { room: name } });
  });
  await tellPages(ctx, instance, name);
}

/** The row as it is now, while nobody else can change rooms of this instance. */
async function lockRoom(tx: Transaction, instanceId: string, name: string): Promise<PanelRoom | null> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('arboretum rooms'), hashtext(${instanceId}))`;
  return tx.panelRoom.findUnique({ where: { instanceId_name: { instanceId, name } } });
}

function requireUnchanged(room: PanelRoom | null, since: string | null): void {
  if ((room?.updatedAt.toISOString() ?? null) === since) return;
  if (!room) throw new AppError('room_changed', { who: 'Somebody', when: 'by removing it' });
  throw new AppError('room_changed', { who: room.updatedByName, when: `at ${room.updatedAt.toISOString().slice(11, 19)} (UTC)` });
}

/** @throws people_on_seats with how many and the first labels, when people sit on labels that are not among those kept (null: any label) */
async function requireNobodyLoses(ctx: Context, instance: Named, { room, kept }: { room: ListedRoom; kept: readonly string[] | null }): Promise<void> {
  if (kept === null) return;
  const staying = new Set(kept);
  const seats = await readSeats(ctx, instance, room);
  const losing = seats.filter(({ label, state }) => state !== 'away' && state !== 'finished' && !staying.has(label)).map(({ label }) => label);
  if (losing.length === 0) return;
  const more = losing.length > 5 ? ` and ${losing.length - 5} more` : '';
  throw new AppError('people_on_seats', { count: losing.length, labels: losing.slice(0, 5).join(', ') + more });
}

async function tellPages(ctx: Context, instance: Named, room: string): Promise<void> {
  noteSeatsChanged(ctx, instance, room);
  await announceInstance(ctx, instance.id);
}
