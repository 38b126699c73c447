// People, for managers.

import {
  changePersonSchema,
  createdPersonSchema,
  createPersonSchema,
  linkSchema,
  makeLinkSchema,
  personListSchema,
  personSchema,
} from '../../contracts/people.ts';
import { changePerson, deletePerson } from '../../domain/change-people.ts';
import { makeLink } from '../../domain/one-time-links.ts';
import { createPerson, listPeople, showPerson } from '../../domain/people.ts';
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
    method: 'get',
    path: '/users/:id',
    action: 'people.list',
    summary: 'One person',
    response: personSchema,
    run: ({ ctx, params }) => showPerson(ctx, params['id'] ?? ''),
  }),
  endpoint({
    method: 'post',
    path: '/users',
    action: 'people.create',
    summary: 'Make an account; without a password the person is invited by a one-time link',
    body: createPersonSchema,
    response: createdPersonSchema,
    status: 201,
    run: async ({ ctx, person, body }) => {
      const { id } = await createPerson(ctx, person, body);
      const invitation = body.password === undefined ? await makeLink(ctx, person, { personId: id, isMailed: true }) : null;
      return { ...(await showPerson(ctx, id)), invitation };
    },
  }),
  endpoint({
    method: 'patch',
    path: '/users/:id',
    action: 'people.change',
    summary: 'Change an account: name, user name, e-mail address, role, disabled or not',
    body: changePersonSchema,
    response: personSchema,
    run: async ({ ctx, person, params, body }) => showPerson(ctx, (await changePerson(ctx, person, { personId: params['id'] ?? '', change: body })).id),
  }),
  endpoint({
    method: 'delete',
    path: '/users/:id',
    action: 'people.delete',
    summary: 'Delete an account that owns no instance',
    response: null,
    run: ({ ctx, person, params }) => deletePerson(ctx, person, { personId: params['id'] ?? '', heirId: person.id }),
  }),
  endpoint({
    method: 'post',
    path: '/users/:id/links',
    action: 'people.make-link',
    summary: 'A new one-time link to choose a password; older links of the person die',
    body: makeLinkSchema,
    response: linkSchema,
    status: 201,
    run: ({ ctx, person, params, body }) => makeLink(ctx, person, { personId: params['id'] ?? '', isMailed: body.isMailed }),
  }),
];
