// What the launcher is told: the content of env.json and rooms.json (launcher/start.py, launcher/rooms.py). Pure.

import type { InstanceSpec } from './platform.ts';
import type { EditedRoom } from './project.ts';
import type { Secret } from './secret.ts';

/** Where things lie as the experiment sees them. */
export type LaunchPlaces = { readonly databaseUrl: Secret; readonly socket: string; readonly projectDir: string; readonly roomsFile: string };

/** An instance's secrets in the open: for a file that its user alone reads. */
export const launchConfig = (spec: InstanceSpec, places: LaunchPlaces) => ({
  environment: {
    OTREE_PRODUCTION: '1',
    OTREE_AUTH_LEVEL: 'STUDY',
    ...Object.fromEntries(Object.entries(spec.environment).map(([name, value]) => [name, value.open()])),
    DATABASE_URL: places.databaseUrl.open(),
    OTREE_REST_KEY: spec.restKey.open(),
  },
  adminPassword: spec.adminPassword.open(),
  secretKey: spec.secretKey.open(),
  roomSecret: spec.roomSecret.open(),
  cookieName: spec.cookieName,
  pathPrefix: spec.pathPrefix,
  sessionFields: spec.sessionFields,
  socket: places.socket,
  projectDir: places.projectDir,
  roomsFile: places.roomsFile,
});

/** Rooms for the running oTree; labels may name people. */
export const roomsFile = (rooms: readonly EditedRoom[]): string =>
  JSON.stringify({ rooms: rooms.map(({ name, displayName, labels, usesSecureUrls }) => ({ name, displayName, labels, usesSecureUrls })) });
