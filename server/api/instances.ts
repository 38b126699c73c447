// Instances: list, create, look at, change.

import {
  adminPasswordSchema,
  changeInstanceSchema,
  createdInstanceSchema,
  createInstanceSchema,
  instanceListQuery,
  instanceListSchema,
  instanceSchema,
} from '../../contracts/instances.ts';
import { tellOwner } from '../../domain/mail-owner.ts';
import { listInstances } from '../../domain/instance-list.ts';
import { createInstance, revealAdminPassword, setDeployBranch, showInstance } from '../../domain/instances.ts';
import { presentJob } from '../../domain/present-job.ts';
import { readProject } from '../../domain/present-instance.ts';
import { setResetsOnDrift } from '../../domain/schema-drift.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const instanceRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances',
    action: 'instances.list',
    summary: 'Instances that one may see, a page at a time',
    query: instanceListQuery,
    response: instanceListSchema,
    run: ({ ctx, person, query }) => listInstances(ctx, person, query),
  }),
  endpoint({
    method: 'post',
    path: '/instances',
    action: 'instances.create',
    summary: 'Create an instance',
    body: createInstanceSchema,
    response: createdInstanceSchema,
    status: 202,
    run: async ({ ctx, person, body }) => {
      const { name, job } = await createInstance(ctx, person, { name: body.name, ownerId: body.ownerId ?? person.id });
      if (body.ownerId !== undefined && body.ownerId !== person.id) void tellOwner(ctx, job.instanceId ?? '');
      return { name, job: presentJob({ ...job, instance: { name } }) };
    },
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name',
    action: 'instance.read',
    summary: 'Everything about one instance',
    response: instanceSchema,
    run: ({ ctx, person, instance }) => showInstance(ctx, person, instance),
  }),
  endpoint({
    method: 'patch',
    path: '/instances/:name',
    action: 'instance.change',
    summary: 'Choose the branch that is deployed, and whether deployments in test reset the database when models differ',
    body: changeInstanceSchema,
    response: instanceSchema,
    run: async ({ ctx, person, instance, body }) => {
      if (body.deployBranch !== undefined) await setDeployBranch(ctx, person, { instance, branch: body.deployBranch });
      if (body.resetsOnDrift !== undefined) await setResetsOnDrift(ctx, person, { instance, resetsOnDrift: body.resetsOnDrift });
      return showInstance(ctx, person, instance);
    },
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/admin-password',
    action: 'instance.reveal-password',
    summary: 'Sign-in of oTree’s admin; looking is recorded',
    response: adminPasswordSchema,
    run: async ({ ctx, person, instance }) => ({
      username: readProject(instance)?.adminUsername ?? null,
      password: await revealAdminPassword(ctx, person, instance),
    }),
  }),
];
