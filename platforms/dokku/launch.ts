// What the launcher in a container is told by its environment (launcher/container.py).

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { InstanceSpec } from '../platform.ts';
import type { EditedRoom } from '../project.ts';

/**
 * The variables of an instance, the owner's own included; all of them may be secret, so they go to `config:import` on
 * stdin and nowhere else. DATABASE_URL and PORT are Dokku's.
 */
export const launchVariables = (spec: InstanceSpec): Readonly<Record<string, string>> => ({
  OTREE_PRODUCTION: '1',
  OTREE_AUTH_LEVEL: 'STUDY',
  ...Object.fromEntries(Object.entries(spec.environment).map(([name, value]) => [name, value.open()])),
  OTREE_REST_KEY: spec.restKey.open(),
  ARBORETUM_LAUNCH: packLaunch({
    adminPassword: spec.adminPassword.open(),
    secretKey: spec.secretKey.open(),
    roomSecret: spec.roomSecret.open(),
    cookieName: spec.cookieName,
    // Left out where there is none: a setting that changes restarts the app.
    ...(spec.pathPrefix === '' ? {} : { pathPrefix: spec.pathPrefix }),
    ...(Object.keys(spec.sessionFields).length === 0 ? {} : { sessionFields: spec.sessionFields }),
  }),
});

/** Base64, so that no quote of ours meets a quote of Dokku's or Docker's on its way into the container. */
export const packLaunch = (launch: Readonly<Record<string, unknown>>): string => Buffer.from(JSON.stringify(launch)).toString('base64');

/** Rooms as one word without blanks or quotes: the value of ARBORETUM_ROOMS, and what the launcher's `rooms` takes. */
export async function packRooms(rooms: readonly EditedRoom[]): Promise<string> {
  const plain = rooms.map(({ name, displayName, labels, usesSecureUrls }) => ({ name, displayName, labels, usesSecureUrls }));
  return (await promisify(gzip)(JSON.stringify({ rooms: plain }))).toString('base64');
}
