// Chooses the adapters: the only place that knows which platform and which front door there are.

import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { EngineReport } from '../contracts/engine.ts';
import { AppError } from '../contracts/errors.ts';
import { readAccountKey } from '../domain/acme-account.ts';
import type { Config } from '../domain/config.ts';
import type { Context } from '../domain/context.ts';
import { frontDoorOptionsOf } from '../domain/front-door-options.ts';
import type { CertificateAuthority } from '../platforms/certificate-authority.ts';
import type { BuildGround } from '../platforms/confined.ts';
import type { FrontDoor } from '../platforms/front-door.ts';
import { PlatformsByInstance } from '../platforms/by-instance.ts';
import type { KindsOf } from '../platforms/known-kinds.ts';
import { LocalPlatform } from '../platforms/local/local.ts';
import type { Movable } from '../platforms/moving.ts';
import { NginxFrontDoor } from '../platforms/nginx.ts';
import { nginxKept } from '../platforms/nginx-kept.ts';
import type { Platform } from '../platforms/platform.ts';
import { Secret } from '../platforms/secret.ts';
import { reportOnEngine } from '../platforms/swarm/engine-report.ts';
import { panelIdOf } from '../platforms/swarm/names.ts';
import { imageForNew } from '../platforms/swarm/postgres-image.ts';
import type { RegistryAccount } from '../platforms/swarm/registry-account.ts';
import { SwarmPlatform } from '../platforms/swarm/swarm.ts';

export { makeManager } from '../platforms/swarm/swarm-node.ts';

/** Owns the package cache and the environments; an id without an account, below those of the instances. */
const buildUserId = 199_999;

/** Where an instance finds its database: the socket's directory of the panel's own server, else host and port. */
function instanceHost(databaseUrl: Secret): string {
  const url = new URL(databaseUrl.open());
  return url.searchParams.get('host') ?? `${url.hostname}:${url.port || '5432'}`;
}

/** The platform of the settings; where that is this machine, with the other one that instances may be on. @throws when a setting is missing */
export async function openPlatform(ctx: Context): Promise<Platform> {
  if (ctx.config.PLATFORM === 'dokku') return await openDokku(ctx);
  const [local, swarm] = [await openLocal(ctx), await openSwarm(ctx)];
  const [home, other] = ctx.config.PLATFORM === 'swarm' ? [swarm, local] : [local, swarm];
  return new PlatformsByInstance({ home, others: [other], kindsOf: kindsOf(ctx) });
}

const kindsOf =
  ({ db }: Pick<Context, 'db'>): KindsOf =>
  async (instanceIds) => {
    const rows = await db.instance.findMany({ where: { id: { in: [...instanceIds] } }, select: { id: true, platform: true } });
    return new Map(rows.map(({ id, platform }) => [id, platform]));
  };

const packageIndexOf = ({ PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_CERT }: Config) => ({
  ...(PIP_INDEX_URL ? { indexUrl: new Secret(PIP_INDEX_URL) } : {}),
  ...(PIP_EXTRA_INDEX_URL ? { extraIndexUrl: new Secret(PIP_EXTRA_INDEX_URL) } : {}),
  ...(PIP_CERT ? { caFile: PIP_CERT } : {}),
});

const groundOf = (config: Config): BuildGround => ({
  layout: config.layout,
  systemPython: config.PYTHON,
  uvBinary: path.join(config.layout.toolsDir, 'bin', 'uv'),
  separatesUsers: config.isRoot,
  buildUserId,
  packageIndex: packageIndexOf(config),
});

/** A host that does not answer, or does not know the key yet, is no reason not to start: the page says so, and it is asked again. */
async function openDokku({ config, log }: Context): Promise<Platform> {
  const { DOKKU_HOST: host, DOKKU_PORT: port, DOKKU_USER: user, DOKKU_DOMAIN: domain } = config;
  if (!host || !domain) throw new Error('PLATFORM=dokku needs DOKKU_HOST and DOKKU_DOMAIN.');
  // What only a Dokku host needs (ssh2) stays out of the memory of workers without one.
  const [{ DokkuConnection }, { DokkuPlatform }, { ensureKey, readHostKey, rememberingHostKey }] = await Promise.all([
    import('../platforms/dokku/connection.ts'),
    import('../platforms/dokku/dokku.ts'),
    import('../platforms/dokku/keys.ts'),
  ]);
  const dataDir = path.join(config.layout.dataDir, 'dokku');
  const hostKeyFile = path.join(dataDir, 'host_key');
  const { privateKey, publicKey } = await ensureKey(config.DOKKU_KEY_FILE ?? path.join(dataDir, 'id_ed25519'));
  const hostKey = config.DOKKU_HOST_KEY ?? (await readHostKey(hostKeyFile));
  const connection = rememberingHostKey(new DokkuConnection({ host, port, user, privateKey, hostKey }), hostKeyFile);
  const platform = new DokkuPlatform({
    connection,
    dataDir,
    http: { host, port: config.DOKKU_HTTP_PORT, httpsPort: config.DOKKU_HTTPS_PORT },
    letsencryptEmail: config.DOKKU_LETSENCRYPT_EMAIL ?? null,
    maxBodyMib: config.MAX_UPLOAD_MIB,
    entrance: { address: `${user}@${host}:${port}`, publicKey },
    workshop: {
      ground: groundOf(config),
      tree: { baseImage: config.DOKKU_BASE_IMAGE, packageIndex: packageIndexOf(config) },
      python: config.DOKKU_PYTHON,
    },
  });
  const { version, problems } = await platform.lookAtHost();
  if (version !== null) log.info('the Dokku host answers', { host, version });
  for (const problem of problems) log.error('the Dokku host cannot be used yet', { host, problem, publicKey });
  return platform;
}

/** What instances need that run on this machine. @throws when the database's address is not set */
function housingOf({ config, log }: Context) {
  const { layout, DATABASE_URL: adminUrl } = config;
  if (!adminUrl) throw new Error('DATABASE_URL is not set: start the panel with npm start.');
  return {
    ...groundOf(config),
    postgres: { adminUrl, binDir: config.POSTGRES_BIN ?? null, instanceHost: instanceHost(adminUrl) },
    panelGroupId: config.isRoot ? statSync(layout.repositoriesDir).gid : null,
    log: (message: string) => log.info(message),
  };
}

async function openLocal(ctx: Context): Promise<Movable> {
  const platform = new LocalPlatform(housingOf(ctx));
  await platform.prepare();
  return platform;
}

const registryAccountOf = ({ SWARM_REGISTRY_USER: user, SWARM_REGISTRY_PASSWORD: password }: Config): RegistryAccount | null =>
  user === undefined || password === undefined ? null : { user, password };

/** An engine that does not answer, or manages no Swarm yet, is no reason not to start: every use asks it again. */
async function openSwarm(ctx: Context): Promise<Movable> {
  const { DOCKER_SOCKET: engineSocket, SWARM_BASE_IMAGES: baseImages, SWARM_OUTBOUND, SWARM_ADVERTISE_ADDRESS, SWARM_REGISTRY } = ctx.config;
  const { SWARM_DATABASE, SWARM_POSTGRES_IMAGE } = ctx.config;
  const platform = new SwarmPlatform({
    ...housingOf(ctx),
    engineSocket,
    baseImages,
    hasOutbound: SWARM_OUTBOUND === 'internet',
    advertiseAddress: SWARM_ADVERTISE_ADDRESS ?? null,
    registry: SWARM_REGISTRY ?? null,
    newDatabases: { on: SWARM_DATABASE, image: SWARM_POSTGRES_IMAGE ?? null },
    registryAccount: registryAccountOf(ctx.config),
  });
  // Many machines have no engine at all, and need none.
  if (ctx.config.PLATFORM !== 'swarm' && (await platform.held()).length === 0) return platform;
  try {
    ctx.log.info('the Docker Engine answers', { version: await platform.requireManager() });
  } catch (error) {
    ctx.log.error('the Docker Engine cannot be used yet', { socket: engineSocket, problem: error instanceof Error ? error.message : String(error) });
  }
  return platform;
}

/** The Docker Engine of the settings, whichever platform is in use. Never throws. */
export const lookAtEngine = async ({ config }: Pick<Context, 'config'>): Promise<EngineReport> =>
  await reportOnEngine({
    socket: config.DOCKER_SOCKET,
    baseImages: config.SWARM_BASE_IMAGES,
    postgresImage: await postgresImageOf(config),
    panelId: panelIdOf(config.layout.dataDir),
    registry: config.SWARM_REGISTRY ?? null,
    registryAccount: registryAccountOf(config),
  });

/** Where there is no pg_dump to name a version, another check says so. */
const postgresImageOf = async ({ SWARM_DATABASE, SWARM_POSTGRES_IMAGE, POSTGRES_BIN }: Config): Promise<string | null> =>
  SWARM_DATABASE === 'own' ? await imageForNew(SWARM_POSTGRES_IMAGE ?? null, POSTGRES_BIN ?? null).catch(() => null) : null;

export function openFrontDoor({ config }: Context): FrontDoor {
  const kept = config.NGINX_KEPT === 'apart' ? { nginxHost: nginxKept(config.layout.nginxKeeper) } : {};
  return new NginxFrontDoor({ ...frontDoorOptionsOf(config), nginxBinary: config.NGINX, ...kept });
}

/** The authority of the settings, with the panel's own account. @throws acme_not_set, acme_untrusted when ACME_CA_FILE cannot be read */
export async function openAuthority(ctx: Context): Promise<CertificateAuthority> {
  const { ACME_EMAIL: email, ACME_DIRECTORY_URL: directoryUrl, ACME_CA_FILE: caFile, layout } = ctx.config;
  if (email === undefined) throw new AppError('acme_not_set');
  const ca = caFile === undefined ? null : await readFile(caFile, 'utf8').catch((error: unknown) => refuseFile(directoryUrl, error));
  // Loaded with the first certificate: what `acme-client` brings takes ten MiB.
  const { acmeAuthority } = await import('../platforms/acme.ts');
  return acmeAuthority({ directoryUrl, email, ca, accountKey: await readAccountKey(ctx), challengesDir: layout.acmeChallenges });
}

function refuseFile(directoryUrl: string, error: unknown): never {
  throw new AppError('acme_untrusted', {
    authority: new URL(directoryUrl).host,
    detail: `ACME_CA_FILE cannot be read (${(error as NodeJS.ErrnoException).code}).`,
  });
}
