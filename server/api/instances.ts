// Instances: list, create, look at, change.

import {
  adminPasswordSchema,
  changeInstanceSchema,
  createdInstanceSchema,
  createInstanceSchema,
  instanceListSchema,
  instanceSchema,
} from '../../contracts/instances.ts';
import { createInstance, listInstances, revealAdminPassword, setDeployBranch, showInstance } from '../../domain/instances.ts';
import { presentJob } from '../../domain/present-job.ts';
import { readProject } from '../../domain/present-instance.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const instanceRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances',
    action: 'instances.list',
    summary: 'Every instance that one may see',
    response: instanceListSchema,
    run: async ({ ctx, person }) => ({ instances: await listInstances(ctx, person) }),
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
    summary: 'Choose the branch that is deployed',
    body: changeInstanceSchema,
    response: instanceSchema,
    run: async ({ ctx, person, instance, body }) => {
      await setDeployBranch(ctx, person, { instance, branch: body.deployBranch });
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
