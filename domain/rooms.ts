// The rooms of an instance, from settings.py and from the panel, and the address at which oTree expects a participant.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import type { Room } from '../platforms/project.ts';
import type { Instance, PanelRoom } from '../prisma/client/client.ts';
import { instanceUrl, type Addressed } from './addresses.ts';
import type { Context } from './context.ts';
import { sealedPlace } from './specs.ts';

/** What the Lobby reads of an instance on every click: no facts, which may be large. */
export type LobbyInstance = Addressed & Pick<Instance, 'ownerId' | 'state' | 'project' | 'roomSecret'> & RoomSource;

/** Where rooms come from; `withRooms` brings the second half along. */
export type RoomSource = Pick<Instance, 'project'> & { readonly panelRooms: readonly PanelRoom[] };

/** A room and who edited it in the panel (null: it stands in settings.py only). */
export type ListedRoom = Room & { readonly edited: { readonly byName: string; readonly at: Date; readonly isReplacing: boolean } | null };

const storedProject = z.object({ rooms: z.array(z.unknown()) });
const storedRoom = z.object({
  name: z.string().min(1),
  displayName: z.string().nullish(),
  labels: z.array(z.string()).nullish(),
  usesSecureUrls: z.boolean().nullish(),
  hasWelcomePage: z.boolean().nullish(),
  problem: z.string().nullish(),
});

/**
 * Rooms as oTree knows them: those of the running release in their order, each replaced by the panel's of the same name,
 * then the panel's others. What another version stored and we cannot read is left out.
 */
export function roomsOf(instance: RoomSource): readonly ListedRoom[] {
  const known = readBefore.get(instance) ?? readRooms(instance);
  readBefore.set(instance, known);
  return known;
}

/** Checking a thousand labels takes longer than a click: once for each reading of the row. */
const readBefore = new WeakMap<RoomSource, readonly ListedRoom[]>();

function readRooms(instance: RoomSource): readonly ListedRoom[] {
  const ofProject = projectRooms(instance);
  const edited = new Map(instance.panelRooms.map((room) => [room.name, room]));
  const names = new Set(ofProject.map(({ name }) => name));
  return [
    ...ofProject.map((room) => {
      const row = edited.get(room.name);
      return row ? editedRoom(row, room) : { ...room, edited: null };
    }),
    ...instance.panelRooms
      .filter(({ name }) => !names.has(name))
      .toSorted((one, other) => one.name.localeCompare(other.name, 'en'))
      .map((row) => editedRoom(row, null)),
  ];
}

/** A welcome page of the project's own room stays when the panel replaces the room (launcher/rooms.py). */
const editedRoom = (row: PanelRoom, replaced: Room | null): ListedRoom => ({
  name: row.name,
  displayName: row.displayName,
  labels: labelsOf(row),
  usesSecureUrls: row.usesSecureUrls,
  hasWelcomePage: replaced?.hasWelcomePage ?? false,
  problem: null,
  edited: { byName: row.updatedByName, at: row.updatedAt, isReplacing: replaced !== null },
});

/** Null: the room takes any label. */
export const labelsOf = ({ labels }: Pick<PanelRoom, 'labels'>): readonly string[] | null => z.array(z.string()).nullable().catch([]).parse(labels);

/** The instance with its panel rooms, for those who found it without. */
export async function withRooms<I extends Pick<Instance, 'id' | 'project'>>(ctx: Pick<Context, 'db'>, instance: I): Promise<I & RoomSource> {
  return { ...instance, panelRooms: await ctx.db.panelRoom.findMany({ where: { instanceId: instance.id } }) };
}

function projectRooms(instance: Pick<Instance, 'project'>): readonly Room[] {
  const project = storedProject.safeParse(instance.project);
  if (!project.success) return [];
  return project.data.rooms.flatMap((entry) => {
    const room = storedRoom.safeParse(entry);
    if (!room.success) return [];
    const { name, displayName, labels, usesSecureUrls, hasWelcomePage, problem } = room.data;
    return [
      {
        name,
        displayName: displayName ?? name,
        labels: labels ?? null,
        usesSecureUrls: usesSecureUrls ?? false,
        hasWelcomePage: hasWelcomePage ?? false,
        problem: problem ?? null,
      },
    ];
  });
}

/** @throws room_unknown */
export function findRoom(instance: RoomSource, roomName: string): ListedRoom {
  const room = roomsOf(instance).find(({ name }) => name === roomName);
  if (!room) throw new AppError('room_unknown', { room: roomName });
  return room;
}

type LookUp = { readonly reading: Promise<LobbyInstance | null>; askers: number };
const lookUps = new WeakMap<Context['db'], Map<string, LookUp>>();
/** More who ask while one reading is under way are a crowd: then each reading serves those of the next moment, too. */
const crowd = 10;
const crowdMs = 200;

/**
 * Anybody may ask, so this is the one look-up without a person. Those who ask in the same instant, a whole lab at its
 * first click, share one reading; a crowd's is up to 200 ms old. @throws not_found
 */
export async function findLobbyInstance(ctx: Pick<Context, 'db'>, name: string): Promise<LobbyInstance> {
  // What cannot be a name is not asked for: PostgreSQL refuses a text with a NUL byte.
  if (!/^[a-z][a-z0-9-]{0,60}$/.test(name)) throw new AppError('not_found');
  const underWay = lookUps.get(ctx.db) ?? new Map<string, LookUp>();
  lookUps.set(ctx.db, underWay);
  const lookUp = underWay.get(name) ?? beginLookUp(ctx, underWay, name);
  lookUp.askers += 1;
  const instance = await lookUp.reading;
  if (!instance) throw new AppError('not_found');
  return instance;
}

function beginLookUp(ctx: Pick<Context, 'db'>, underWay: Map<string, LookUp>, name: string): LookUp {
  const forget = (): void => void underWay.delete(name);
  const reading = readLobbyInstance(ctx, name);
  const lookUp: LookUp = { reading, askers: 0 };
  underWay.set(name, lookUp);
  reading.then(() => (lookUp.askers > crowd ? setTimeout(forget, crowdMs).unref() : forget()), forget);
  return lookUp;
}

const readLobbyInstance = (ctx: Pick<Context, 'db'>, name: string): Promise<LobbyInstance | null> =>
  ctx.db.instance.findFirst({
    where: { name, deletedAt: null },
    select: {
      id: true,
      name: true,
      ownerId: true,
      addressMode: true,
      port: true,
      hostName: true,
      frontCertificateUntil: true,
      state: true,
      project: true,
      roomSecret: true,
      panelRooms: true,
    },
  });

/**
 * oTree's room for one label. `welcome_page_ok=1` spares the second click on oTree 6's own welcome page
 * (oTree 5 ignores it), but a welcome page of the project's own, a consent form say, is respected.
 * @see oTree 6.0 views/participant.py AssignVisitorToRoom
 */
export function otreeRoomUrl(ctx: Pick<Context, 'config' | 'sealer'>, instance: LobbyInstance, seat: { room: Room; label: string }): string {
  const query = new URLSearchParams({ participant_label: seat.label });
  if (seat.room.usesSecureUrls) query.set('hash', labelHash(seat.label, ctx.sealer.open(instance.roomSecret, sealedPlace(instance.id, 'room_secret')).open()));
  if (!seat.room.hasWelcomePage) query.set('welcome_page_ok', '1');
  return `${instanceUrl(ctx.config, instance)}/room/${encodeURIComponent(seat.room.name)}?${query.toString()}`;
}

/** Hash of a secure room link, as `room_hasher` in launcher/overrides.py makes it. */
export const labelHash = (label: string, roomSecret: string): string =>
  createHash('sha224')
    .update(label + roomSecret)
    .digest('hex')
    .slice(0, 8);
