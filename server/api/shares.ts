// Who works on an instance: sharing it, and handing it over.

import { addShareSchema, changeShareSchema, handOverSchema, instancePeopleSchema } from '../../contracts/shares.ts';
import { addShare, changeShare, handOver, listPeopleOf, removeShare } from '../../domain/shares.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const shareRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/people',
    action: 'instance.read',
    summary: 'The owner, and whom it is shared with',
    response: instancePeopleSchema,
    run: ({ ctx, instance }) => listPeopleOf(ctx, instance),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/shares',
    action: 'instance.share',
    summary: 'Share it with whoever signs in by this user name or e-mail address',
    body: addShareSchema,
    response: instancePeopleSchema,
    status: 201,
    run: async ({ ctx, person, instance, body }) => {
      await addShare(ctx, person, { instance, ...body });
      return listPeopleOf(ctx, instance);
    },
  }),
  endpoint({
    method: 'put',
    path: '/instances/:name/shares/:userId',
    action: 'instance.share',
    summary: 'Change what a colleague may do',
    body: changeShareSchema,
    response: instancePeopleSchema,
    run: async ({ ctx, person, instance, params, body }) => {
      await changeShare(ctx, person, { instance, personId: params['userId'] ?? '', level: body.level });
      return listPeopleOf(ctx, instance);
    },
  }),
  endpoint({
    method: 'delete',
    path: '/instances/:name/shares/:userId',
    action: 'instance.share',
    summary: 'Stop sharing it with a colleague, at once',
    response: null,
    run: ({ ctx, person, instance, params }) => removeShare(ctx, person, { instance, personId: params['userId'] ?? '' }),
  }),
  endpoint({
    method: 'post',
    path: '/instances/:name/owner',
    action: 'instance.hand-over',
    summary: 'Hand it over to another owner',
    body: handOverSchema,
    response: null,
    run: ({ ctx, person, instance, body }) => handOver(ctx, person, { instance, ...body }),
  }),
];
