// Rooms that are edited in the panel: save one, remove one; a running oTree has them before the answer.

import { deleteRoomQuery, putRoomSchema, roomParams, savedRoomSchema } from '../../contracts/rooms.ts';
import { doneSchema } from '../../contracts/worker.ts';
import type { Context } from '../../domain/context.ts';
import { removePanelRoom, savePanelRoom } from '../../domain/panel-rooms.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, parseOrRefuse, type AnyEndpoint } from '../endpoint.ts';

export const panelRoomRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'put',
    path: '/instances/:name/rooms/:room',
    action: 'instance.change',
    summary: 'Make a room or change it, without a commit and without a restart; one of settings.py is replaced',
    body: putRoomSchema,
    response: savedRoomSchema,
    run: async ({ ctx, instance, params, person, body }) => {
      const { name } = parseOrRefuse(roomParams, { name: params['room'] });
      await savePanelRoom(ctx, person, { instance, room: name, wish: body });
      return { name, isApplied: await apply(ctx, instance.id) };
    },
  }),
  endpoint({
    method: 'delete',
    path: '/instances/:name/rooms/:room',
    action: 'instance.change',
    summary: 'Remove a room that the panel made; one of settings.py is again as the project has it',
    query: deleteRoomQuery,
    response: null,
    run: async ({ ctx, instance, params, person, query }) => {
      await removePanelRoom(ctx, person, { instance, room: params['room'] ?? '', since: query.since, isConfirmed: query.isConfirmed === 'true' });
      await apply(ctx, instance.id);
    },
  }),
];

/** False: the worker is away, and hands the rooms over when it is back. */
const apply = (ctx: Context, instanceId: string): Promise<boolean> =>
  askWorker(ctx, { kind: 'apply-rooms', instanceId }, doneSchema).then(
    () => true,
    () => false,
  );
