// Rooms: the seat map of a Lobby, and making the oTree session in a room.

import { createdSessionSchema, createSessionSchema } from '../../contracts/instances.ts';
import { seatMapSchema } from '../../contracts/seats.ts';
import { clearSeats, seatMap } from '../../domain/seats.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { askWorker } from '../ask-worker.ts';
import { watchFacts } from '../fresh-facts.ts';

export const roomRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/rooms/:room/seats',
    action: 'instance.read',
    summary: 'Who has opened, who is ready, who is in',
    response: seatMapSchema,
    run: ({ ctx, instance, params }) => {
      watchFacts(ctx, instance);
      return seatMap(ctx, instance, params['room'] ?? '');
    },
  }),
  endpoint({
    method: 'delete',
    path: '/instances/:name/rooms/:room/seats',
    action: 'instance.operate',
    summary: 'Clear the Lobby for the next session: nobody is ready any more',
    response: null,
    run: ({ ctx, instance, params }) => clearSeats(ctx, instance, params['room'] ?? ''),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/rooms/:room/sessions',
    action: 'instance.operate',
    summary: 'Make an oTree session in the room',
    body: createSessionSchema,
    response: createdSessionSchema,
    status: 201,
    run: ({ ctx, instance, params, person, body }) =>
      askWorker(
        ctx,
        { kind: 'create-session', instanceId: instance.id, room: params['room'] ?? '', actor: { id: person.id, name: person.name }, ...body },
        createdSessionSchema,
      ),
  }),
];
