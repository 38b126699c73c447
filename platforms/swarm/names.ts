// What things of the panel are called on the engine, and the labels that tell whose they are. Pure.

import { createHash } from 'node:crypto';

/** `serve`: the service's containers; `gate`: those of its gate; `run`: one run of the launcher; `build`: the making of an image; `database`: a database server of its own. */
export type Part = 'serve' | 'gate' | 'run' | 'build' | 'database';

export const LABEL = { panel: 'arboretum.panel', instance: 'arboretum.instance', part: 'arboretum.part', spec: 'arboretum.spec' } as const;

/** Eight hex digits that tell the panel of this DATA_DIR from others on the same engine. */
export const panelIdOf = (dataDir: string): string => createHash('sha256').update(dataDir).digest('hex').slice(0, 8);

const checked = (instanceId: string): string => {
  if (!/^[a-z0-9]{1,40}$/.test(instanceId)) throw new Error(`not an instance id: ${instanceId}`);
  return instanceId;
};

/** Name of an instance's service, and of its network. */
export const serviceName = (instanceId: string): string => `i-${checked(instanceId)}`;
/** Name of the service that stands between the front door and an instance on any host. */
export const gateName = (instanceId: string): string => `g-${checked(instanceId)}`;
/** Name of the service of an instance's own database server. */
export const databaseServiceName = (instanceId: string): string => `d-${checked(instanceId)}`;
/** Name of the secret that holds an env.json: another content, another name. */
export const secretName = (instanceId: string, hash: string): string => `${serviceName(instanceId)}-${hash.slice(0, 16)}`;
/** Image with a Python environment; `instanceId` where others' source packages were built for it, which no other instance shall get. */
export const packagesImage = (hash: string, instanceId: string | null): string =>
  `arboretum/packages:${hash.slice(0, 32)}${instanceId === null ? '' : `-${checked(instanceId)}`}`;
/** Image with project and environment. */
export const releaseImage = (hash: string): string => `arboretum/release:${hash.slice(0, 32)}`;
/** A release with the launcher in it, as other hosts need it. */
export const serveImage = (hash: string): string => `arboretum/serve:${hash.slice(0, 32)}`;

export type Owner = { readonly panelId: string; readonly instanceId: string; readonly part: Part };

/** All of them on everything: a container would else take over those of the image it begins with. */
export const labelsOf = ({ panelId, instanceId, part }: Owner): Record<string, string> => ({
  [LABEL.panel]: panelId,
  [LABEL.instance]: checked(instanceId),
  [LABEL.part]: part,
});

/** Filter for the engine's lists. */
export const ownedBy = (owner: { readonly panelId: string; readonly instanceId?: string; readonly part?: Part }): { label: string[] } => ({
  label: [
    `${LABEL.panel}=${owner.panelId}`,
    ...(owner.instanceId === undefined ? [] : [`${LABEL.instance}=${checked(owner.instanceId)}`]),
    ...(owner.part === undefined ? [] : [`${LABEL.part}=${owner.part}`]),
  ],
});

/** Where things lie in a container of an instance. */
export const INSIDE = {
  top: '/app',
  project: '/app/project',
  python: '/app/venv/bin/python',
  launcher: '/app/launcher',
  /** Where the server makes its socket: a folder of the host. */
  socketDir: '/run/arboretum/socket',
  socket: '/run/arboretum/socket/otree.sock',
  /** The panel's rooms: a folder of the host, because a file that is replaced would stay the old one in here. */
  roomsDir: '/run/arboretum/rooms',
  rooms: '/run/arboretum/rooms/rooms.json',
  /** env.json of the service (a secret), and of single runs (a file of the host). */
  secret: '/run/secrets/env.json',
  env: '/run/arboretum/env.json',
  /** What bots need and a release lacks. */
  botPackages: '/app/bot-packages',
} as const;

/** How an instance and its gate find each other in the network that is theirs alone (launcher/gate.py). */
export const GATE = {
  name: 'gate',
  otreePort: 8000,
  databasePort: 5432,
  linePort: 7001,
  /** Beside the socket: what the instance says it uses. Gates that run keep the name that they were started with. */
  useFile: 'memory',
} as const;

/** Where things lie in the container of an instance's own database server; its socket's folder lies where it lies outside. */
export const DATABASE = { dir: '/var/lib/arboretum-database', accounts: '/etc/passwd', admin: 'arboretum' } as const;

/** A host with this label gets no instances; its engine may do other work, such as the panel's own. */
export const HOST_LABEL = { name: 'arboretum.instances', none: 'none' } as const;
