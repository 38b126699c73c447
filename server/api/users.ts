// People, for managers.

import { changePersonSchema, createPersonSchema, personListSchema, personSchema } from '../../contracts/people.ts';
import { createPerson, listPeople, presentPerson, setDisabled } from '../../domain/people.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const userRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/users',
    action: 'people.list',
    summary: 'Everybody with an account',
    response: personListSchema,
    run: async ({ ctx }) => ({ people: await listPeople(ctx) }),
  }),
  endpoint({
    method: 'post',
    path: '/users',
    action: 'people.create',
    summary: 'Make an account',
    body: createPersonSchema,
    response: personSchema,
    status: 201,
    run: async ({ ctx, person, body }) => ({ ...presentPerson(await createPerson(ctx, person, body)), instances: 0 }),
  }),
  endpoint({
    method: 'patch',
    path: '/users/:id',
    action: 'people.change',
    summary: 'Disable or enable an account',
    body: changePersonSchema,
    response: null,
    run: ({ ctx, person, params, body }) => setDisabled(ctx, person, { personId: params['id'] ?? '', isDisabled: body.isDisabled }),
  }),
];
