// Ground of its own for tests of the Swarm platform: a real engine in Swarm mode, fresh folders, the given PostgreSQL.

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type Docker from 'dockerode';
import { layoutOf } from '../../platforms/layout.ts';
import type { InstanceSpec } from '../../platforms/platform.ts';
import { Secret } from '../../platforms/secret.ts';
import { ownServerOf } from '../../platforms/swarm/database-server.ts';
import { pathsOf } from '../../platforms/swarm/files.ts';
import { LABEL } from '../../platforms/swarm/names.ts';
import { type SwarmOptions, SwarmPlatform } from '../../platforms/swarm/swarm.ts';
import { BASE_IMAGE, type TestEngine } from '../docker-engine.ts';
import { databasesAt, rolesLeft } from './local-databases.ts';
import { requireEnvironment } from './local-stand.ts';
import type { PlatformStand } from './stand.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Shared by all runs on this machine, so that only the first one downloads. */
const CACHE = path.join(os.tmpdir(), 'arboretum-test-cache');

/** Parts of an instance that are not its experiment. */
const besides: ReadonlySet<string> = new Set(['gate', 'database']);

export type SwarmStand = PlatformStand & {
  readonly platform: SwarmPlatform;
  readonly options: SwarmOptions;
  readonly engine: TestEngine;
  /** Running containers of an instance. */
  readonly containers: (spec: InstanceSpec) => Promise<Docker.ContainerInfo[]>;
  /** What the engine that runs it says of an instance's container. @throws when none runs */
  readonly inspect: (spec: InstanceSpec) => Promise<Docker.ContainerInspectInfo>;
};

/** A Swarm platform on an engine and on fresh folders. @param engine is stopped by whoever started it @param others engines of further hosts */
export async function makeSwarmStand(engine: TestEngine | null, more: Partial<SwarmOptions> = {}, others: readonly Docker[] = []): Promise<SwarmStand> {
  if (engine === null) throw new Error('no Docker Engine runs here');
  const [databaseUrl, tools] = [requireEnvironment('ARBORETUM_TEST_DATABASE_URL'), requireEnvironment('ARBORETUM_TEST_TOOLS')];
  const ground = await mkdtemp(path.join(os.tmpdir(), 'arb-'));
  await chmod(ground, 0o711);
  const layout = { ...layoutOf(path.join(ground, 'data'), path.join(ground, 'run')), cacheDir: CACHE };
  for (const dir of [layout.dataDir, layout.runDir, layout.toolsDir]) await mkdir(dir, { recursive: true, mode: 0o755 });
  const url = new URL(databaseUrl);
  const options: SwarmOptions = {
    layout,
    systemPython: '/usr/bin/python3',
    uvBinary: path.join(tools, 'bin', 'uv'),
    postgres: {
      adminUrl: new Secret(databaseUrl),
      binDir: process.env['ARBORETUM_TEST_POSTGRES_BIN'] ?? null,
      instanceHost: url.searchParams.get('host') ?? `${url.hostname}:${url.port || '5432'}`,
    },
    separatesUsers: true,
    buildUserId: 199_999,
    panelGroupId: null,
    packageIndex: existsSync(CERTIFICATES) ? { caFile: CERTIFICATES } : {},
    engineSocket: engine.socket,
    baseImages: [BASE_IMAGE],
    hasOutbound: false,
    advertiseAddress: '127.0.0.1',
    registry: null,
    newDatabases: { on: 'shared', image: null },
    registryAccount: null,
    log: (message) => process.stderr.write(`${message}\n`),
    ...more,
  };
  const filters = ({ instanceId }: InstanceSpec) => ({ label: [`${LABEL.instance}=${instanceId}`] });
  const serving = async (spec: InstanceSpec) => {
    const found = await Promise.all(
      [engine.docker, ...others].map(async (docker) =>
        (await docker.listContainers({ filters: filters(spec) }))
          .filter(({ Labels }) => !besides.has(Labels[LABEL.part] ?? ''))
          .map((info) => ({ docker, info })),
      ),
    );
    return found.flat();
  };
  const containers = async (spec: InstanceSpec) => (await serving(spec)).map(({ info }) => info);
  return {
    platform: new SwarmPlatform(options),
    options,
    engine,
    containers,
    inspect: async (spec) => {
      const [found] = await serving(spec);
      if (found === undefined) throw new Error('no container runs');
      return await found.docker.getContainer(found.info.Id).inspect();
    },
    traits: { measuresMemory: true, keepsFailedStart: true, startMark: 'started in a container', recoveryMs: 90_000 },
    ...databasesAt(({ instanceId }) => (ownServerOf(options, instanceId)?.adminUrl ?? options.postgres.adminUrl).open()),
    countProcesses: async (spec) => (await containers(spec)).length,
    crash: async (spec) => {
      for (const { docker, info } of await serving(spec)) process.kill((await docker.getContainer(info.Id).inspect()).State.Pid, 'SIGKILL');
    },
    leftovers: async (spec) => {
      const all = { filters: filters(spec) };
      const found = [
        ...(await engine.docker.listServices(all)).map(({ ID }) => `service ${ID}`),
        ...(await engine.docker.listContainers({ all: true, ...all })).map(({ Id }) => `container ${Id}`),
        ...(await engine.docker.listNetworks(all)).map(({ Name }) => `network ${Name}`),
        ...(await engine.docker.listSecrets(all)).map(({ ID }) => `secret ${ID}`),
      ];
      const places = Object.values(pathsOf({ layout }, spec.instanceId)).filter((place) => typeof place === 'string');
      return [...found, ...places.filter((place) => existsSync(place)), ...(await rolesLeft(spec))];
    },
    close: async () => await rm(ground, { recursive: true, force: true }),
  };
}
