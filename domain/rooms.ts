// The rooms of an instance's project, and the address at which oTree expects a participant.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import type { Room } from '../platforms/platform.ts';
import type { Instance } from '../prisma/client/client.ts';
import { instanceUrl } from './addresses.ts';
import type { Context } from './context.ts';
import { sealedPlace } from './specs.ts';

/** What the Lobby reads of an instance on every click: no facts, which may be large. */
export type LobbyInstance = Pick<Instance, 'id' | 'name' | 'ownerId' | 'port' | 'state' | 'project' | 'roomSecret'>;

const storedProject = z.object({ rooms: z.array(z.unknown()) });
const storedRoom = z.object({
  name: z.string().min(1),
  displayName: z.string().nullish(),
  labels: z.array(z.string()).nullish(),
  usesSecureUrls: z.boolean().nullish(),
  hasWelcomePage: z.boolean().nullish(),
  problem: z.string().nullish(),
});

/** Rooms of the running release; none before the first deployment. What another version stored and we cannot read is left out. */
export function roomsOf(instance: Pick<Instance, 'project'>): readonly Room[] {
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
export function findRoom(instance: Pick<Instance, 'project'>, roomName: string): Room {
  const room = roomsOf(instance).find(({ name }) => name === roomName);
  if (!room) throw new AppError('room_unknown', { room: roomName });
  return room;
}

/** Anybody may ask, so this is the one look-up without a person. @throws not_found */
export async function findLobbyInstance(ctx: Pick<Context, 'db'>, name: string): Promise<LobbyInstance> {
  // What cannot be a name is not asked for: PostgreSQL refuses a text with a NUL byte.
  const instance = /^[a-z][a-z0-9-]{0,60}$/.test(name)
    ? await ctx.db.instance.findFirst({
        where: { name, deletedAt: null },
        select: { id: true, name: true, ownerId: true, port: true, state: true, project: true, roomSecret: true },
      })
    : null;
  if (!instance) throw new AppError('not_found');
  return instance;
}

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
