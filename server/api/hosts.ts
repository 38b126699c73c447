// The hosts of the Swarm, for managers: seeing them, the command by which one joins, and emptying one.

import type { z } from 'zod';
import { doneSchema } from '../../contracts/worker.ts';
import { AppError } from '../../contracts/errors.ts';
import { drainHostSchema, hostListSchema, hostsSchema, joinCommandSchema } from '../../contracts/hosts.ts';
import type { Actor, Context } from '../../domain/context.ts';
import { presentHosts, recordHostChange, recordHostRemoval, recordJoinCommand } from '../../domain/hosts.ts';
import { askWorker } from '../ask-worker.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

/** @throws not_found where the platform knows of one machine only */
async function askHosts(ctx: Context): Promise<NonNullable<z.output<typeof hostListSchema>>> {
  const list = await askWorker(ctx, { kind: 'list-hosts' }, hostListSchema);
  if (list === null) throw new AppError('not_found');
  return list;
}

async function setTaking(ctx: Context, actor: Actor, change: { id: string; takesInstances: boolean; reason: string | undefined }): Promise<void> {
  await recordHostChange(ctx, actor, { list: await askHosts(ctx), change });
  await askWorker(ctx, { kind: 'set-host', hostId: change.id, takesInstances: change.takesInstances }, doneSchema);
}

async function removeHost(ctx: Context, actor: Actor, id: string): Promise<void> {
  await recordHostRemoval(ctx, actor, { list: await askHosts(ctx), id });
  await askWorker(ctx, { kind: 'remove-host', hostId: id }, doneSchema);
}

export const hostRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/system/hosts',
    action: 'hosts.manage',
    summary: 'The hosts of the Swarm, how they are, and which instances run on each',
    response: hostsSchema,
    run: async ({ ctx }) => presentHosts(ctx, await askHosts(ctx)),
  }),
  endpoint({
    method: 'post',
    path: '/system/hosts/join-command',
    action: 'hosts.manage',
    summary: 'The command that makes another machine a host; it holds a secret, and that it was shown is recorded',
    response: joinCommandSchema,
    run: async ({ ctx, person }) => {
      await recordJoinCommand(ctx, person);
      return askWorker(ctx, { kind: 'tell-join-command' }, joinCommandSchema);
    },
  }),
  endpoint({
    method: 'post',
    path: '/system/hosts/:id/drain',
    action: 'hosts.manage',
    summary: 'Take all instances off a host; they start anew on others',
    body: drainHostSchema,
    response: null,
    run: ({ ctx, person, params, body }) => setTaking(ctx, person, { id: params['id'] ?? '', takesInstances: false, reason: body.reason }),
  }),
  endpoint({
    method: 'post',
    path: '/system/hosts/:id/activate',
    action: 'hosts.manage',
    summary: 'Let a host take instances again',
    response: null,
    run: ({ ctx, person, params }) => setTaking(ctx, person, { id: params['id'] ?? '', takesInstances: true, reason: undefined }),
  }),
  endpoint({
    method: 'delete',
    path: '/system/hosts/:id',
    action: 'hosts.manage',
    summary: 'Take a host that is down from the list; to be one again it must join anew',
    response: null,
    run: ({ ctx, person, params }) => removeHost(ctx, person, params['id'] ?? ''),
  }),
];
