// The environment of an experiment: read without values, changed, one value shown.

import { changeEnvironmentSchema, environmentSchema, variableValueSchema } from '../../contracts/environment.ts';
import { changeEnvironment, readEnvironment, revealVariable } from '../../domain/environment-variables.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';

export const environmentRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: '/instances/:name/environment',
    action: 'instance.read-environment',
    summary: 'Auth level, production switch and the names of the variables',
    response: environmentSchema,
    run: ({ ctx, instance }) => readEnvironment(ctx, instance.id),
  }),
  endpoint({
    method: 'patch',
    path: '/instances/:name/environment',
    action: 'instance.set-environment',
    summary: 'Change it; it takes effect at the next start, or by the job “set-environment”',
    body: changeEnvironmentSchema,
    response: environmentSchema,
    run: async ({ ctx, person, instance, body }) => {
      await changeEnvironment(ctx, person, { instance, change: body });
      return readEnvironment(ctx, instance.id);
    },
  }),
  endpoint({
    method: 'get',
    path: '/instances/:name/environment/:variable',
    action: 'instance.read-environment',
    summary: 'The value of one variable; looking is recorded',
    response: variableValueSchema,
    run: async ({ ctx, person, instance, params }) => {
      const name = params['variable'] ?? '';
      return { name, value: await revealVariable(ctx, person, { instance, name }) };
    },
  }),
];
