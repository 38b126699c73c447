// A person's own SSH keys.

import { addSshKeySchema, sshKeyListSchema, sshKeySchema } from '../../contracts/people.ts';
import { addSshKey, listSshKeys, removeSshKey } from '../../domain/ssh-keys.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { parseSshPublicKey } from '../ssh-public-key.ts';

export const sshKeyRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/ssh-keys',
    action: 'ssh-keys.manage-own',
    summary: 'Own SSH keys',
    response: sshKeyListSchema,
    run: async ({ ctx, person }) => ({ sshKeys: await listSshKeys(ctx, person) }),
  }),
  endpoint({
    method: 'post',
    path: '/ssh-keys',
    action: 'ssh-keys.manage-own',
    summary: 'Add a public SSH key',
    body: addSshKeySchema,
    response: sshKeySchema,
    status: 201,
    run: ({ ctx, person, body }) => addSshKey(ctx, person, { ...parseSshPublicKey(body.publicKey), name: body.name }),
  }),
  endpoint({
    method: 'delete',
    path: '/ssh-keys/:id',
    action: 'ssh-keys.manage-own',
    summary: 'Remove an own SSH key',
    response: null,
    run: ({ ctx, person, params }) => removeSshKey(ctx, person, params['id'] ?? ''),
  }),
];
