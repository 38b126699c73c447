// From an instance's row to what a platform must know, secrets opened.

import type { InstanceAccess, InstanceSpec } from '../platforms/platform.ts';
import { Secret } from '../platforms/secret.ts';
import type { EnvironmentVariable, Instance } from '../prisma/client/client.ts';
import { cookieNameOf, pathPrefixOf, platformHostName } from './addresses.ts';
import type { Context } from './context.ts';
import { sessionFieldsOfInstance, type RecruitmentRow } from './recruiting-fields.ts';

/** Columns of `instance` that are sealed. */
export type SealedColumn = 'admin_password' | 'secret_key' | 'room_secret' | 'rest_key' | 'database_password';

/** Where a sealed value stands; the seal is bound to it. */
export const sealedPlace = (instanceId: string, column: SealedColumn): string => `instance/${instanceId}/${column}`;

/** Where the value of a variable stands. */
export const variablePlace = (instanceId: string, name: string): string => `environment_variable/${instanceId}/${name}/value`;

/** An instance's row with the variables of its experiment and how people are recruited: what is needed to start one. */
export type StartableInstance = Instance & {
  readonly variables: readonly Pick<EnvironmentVariable, 'name' | 'value'>[];
  readonly recruitments: readonly RecruitmentRow[];
};

/** The row as jobs need it. @throws when it is not there */
export const loadStartable = (ctx: Pick<Context, 'db'>, instanceId: string): Promise<StartableInstance> =>
  ctx.db.instance.findUniqueOrThrow({ where: { id: instanceId }, include: startable });

const startable = {
  variables: { select: { name: true, value: true } },
  recruitments: { select: { room: true, kind: true, settings: true, updatedAt: true } },
} as const;

/**
 * Whole with a row that has its variables, as configuring and starting ask for; with a bare row everything but the
 * environment, which is enough to look at an instance. So nobody can start one without its variables by mistake.
 * @throws Error when the secret key is another one than at sealing
 */
export function specOf(ctx: Pick<Context, 'sealer' | 'config'>, instance: StartableInstance): InstanceSpec;
export function specOf(ctx: Pick<Context, 'sealer' | 'config'>, instance: Instance): InstanceAccess;
export function specOf(ctx: Pick<Context, 'sealer' | 'config'>, instance: Instance | StartableInstance): InstanceAccess | InstanceSpec {
  const open = (column: SealedColumn, value: string): Secret => ctx.sealer.open(value, sealedPlace(instance.id, column));
  const { INSTANCE_MEMORY_MIB, INSTANCE_DISK_MIB, INSTANCE_PROCESSES } = ctx.config;
  const access = {
    instanceId: instance.id,
    osUserId: instance.osUserId,
    hostName: platformHostName(ctx.config, instance),
    pathPrefix: pathPrefixOf(ctx.config, instance),
    cookieName: cookieNameOf(instance.id),
    databasePassword: open('database_password', instance.databasePassword),
    adminPassword: open('admin_password', instance.adminPassword),
    secretKey: open('secret_key', instance.secretKey),
    roomSecret: open('room_secret', instance.roomSecret),
    restKey: open('rest_key', instance.restKey),
    limits: { memoryMib: instance.memoryMib ?? INSTANCE_MEMORY_MIB, diskMib: instance.diskMib ?? INSTANCE_DISK_MIB, processes: INSTANCE_PROCESSES },
  };
  if (!('variables' in instance)) return access;
  const sessionFields = sessionFieldsOfInstance(instance.recruitments);
  return { ...access, environment: environmentOf(ctx, instance, sessionFields), sessionFields };
}

/** Completion links come first: a variable of the owner's takes the place of one. The panel's own come last: nothing can take theirs. */
function environmentOf(ctx: Pick<Context, 'sealer'>, instance: StartableInstance, links: InstanceSpec['sessionFields']): InstanceSpec['environment'] {
  return {
    ...Object.fromEntries(Object.entries(links).map(([field, link]) => [field.toUpperCase(), new Secret(link)])),
    ...Object.fromEntries(instance.variables.map(({ name, value }) => [name, ctx.sealer.open(value, variablePlace(instance.id, name))])),
    OTREE_AUTH_LEVEL: new Secret(instance.authLevel),
    // Empty means "off": left out, the platform would put its own 1 there.
    OTREE_PRODUCTION: new Secret(instance.isProduction ? '1' : ''),
  };
}
