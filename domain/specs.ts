// From an instance's row to what a platform must know, secrets opened.

import type { InstanceSpec } from '../platforms/platform.ts';
import { Secret } from '../platforms/secret.ts';
import type { Instance } from '../prisma/client/client.ts';
import { cookieNameOf } from './addresses.ts';
import type { Context } from './context.ts';

/** Columns of `instance` that are sealed. */
export type SealedColumn = 'admin_password' | 'secret_key' | 'room_secret' | 'rest_key' | 'database_password';

/** Where a sealed value stands; the seal is bound to it. */
export const sealedPlace = (instanceId: string, column: SealedColumn): string => `instance/${instanceId}/${column}`;

/** @throws Error when the secret key is another one than at sealing */
export function specOf(ctx: Pick<Context, 'sealer' | 'config'>, instance: Instance): InstanceSpec {
  const open = (column: SealedColumn, value: string): Secret => ctx.sealer.open(value, sealedPlace(instance.id, column));
  return {
    instanceId: instance.id,
    osUserId: instance.osUserId,
    cookieName: cookieNameOf(instance.id),
    databasePassword: open('database_password', instance.databasePassword),
    adminPassword: open('admin_password', instance.adminPassword),
    secretKey: open('secret_key', instance.secretKey),
    roomSecret: open('room_secret', instance.roomSecret),
    restKey: open('rest_key', instance.restKey),
    environment: {
      OTREE_AUTH_LEVEL: new Secret(instance.authLevel),
      ...(instance.isProduction ? { OTREE_PRODUCTION: new Secret('1') } : {}),
    },
    limits: { memoryMib: ctx.config.INSTANCE_MEMORY_MIB, diskMib: ctx.config.INSTANCE_DISK_MIB, processes: ctx.config.INSTANCE_PROCESSES },
  };
}
