// MTurk requester keys: a person's own, and handed to an instance.

import { putRequesterKeySchema, requesterKeySchema, triedKeySchema, tryRequesterKeySchema } from '../../contracts/requester-keys.ts';
import { giveRequesterKey, readRequesterKey, removeRequesterKey, saveRequesterKey, tryRequesterKey } from '../../domain/requester-keys.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const requesterKeyRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/me/requester-key',
    action: 'me.manage-requester-key',
    summary: 'Whether one has MTurk requester keys here; the secret half is never shown',
    response: requesterKeySchema,
    run: ({ ctx, person }) => readRequesterKey(ctx, person.id),
  }),
  endpoint({
    method: 'put',
    path: '/me/requester-key',
    action: 'me.manage-requester-key',
    summary: 'Enter one’s own MTurk requester keys',
    body: putRequesterKeySchema,
    response: requesterKeySchema,
    run: async ({ ctx, person, body }) => {
      await saveRequesterKey(ctx, person, body);
      return readRequesterKey(ctx, person.id);
    },
  }),
  endpoint({
    method: 'delete',
    path: '/me/requester-key',
    action: 'me.manage-requester-key',
    summary: 'Forget one’s own MTurk requester keys; instances keep what they were given',
    response: null,
    run: ({ ctx, person }) => removeRequesterKey(ctx, person),
  }),
  endpoint({
    method: 'post',
    path: '/me/requester-key/try',
    action: 'me.manage-requester-key',
    summary: 'Try one’s own keys against MTurk, by asking for the account’s balance',
    body: tryRequesterKeySchema,
    response: triedKeySchema,
    run: ({ ctx, person, body }) => tryRequesterKey(ctx, { userId: person.id, mode: body.mode }),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/requester-key',
    action: 'instance.set-environment',
    summary: 'Set one’s own MTurk requester keys for the instance; they take effect at its next start',
    response: null,
    run: ({ ctx, person, instance }) => giveRequesterKey(ctx, person, instance),
  }),
];
