// The Dokku platform for tests: on the replay host, or on a real one.

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DokkuConnection, type DokkuHost } from '../../platforms/dokku/connection.ts';
import { DokkuPlatform, type DokkuOptions } from '../../platforms/dokku/dokku.ts';
import type { TreeSettings } from '../../platforms/dokku/dockerfile.ts';
import { liveApp, newMemory } from '../../platforms/dokku/host.ts';
import { layoutOf } from '../../platforms/layout.ts';
import { Secret } from '../../platforms/secret.ts';
import { ReplayHost } from '../dokku/replay-host.ts';
import { newSshKey } from '../../platforms/ssh-key.ts';
import { dokkuQuestions } from './dokku-questions.ts';
import { requireEnvironment } from './local-stand.ts';
import type { PlatformStand } from './stand.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Shared by all runs on this machine, so that only the first one downloads. */
const CACHE = path.join(os.tmpdir(), 'arboretum-test-cache');

/** A host that the suite may use: how it is reached, what its images begin with, how one kills what runs there. */
export type DokkuSite = {
  readonly ssh: DokkuHost;
  readonly http: { readonly host: string; readonly port: number; readonly httpsPort: number };
  readonly baseImage: string;
  /** Version of the Python in the base image. */
  readonly python: string;
  /** Where builds on the host find packages. */
  readonly packageIndex: NonNullable<TreeSettings['packageIndex']>;
  readonly recoveryMs: number;
  readonly crash: (app: string, connection: DokkuConnection) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type DokkuStand = PlatformStand & {
  readonly platform: DokkuPlatform;
  readonly connection: DokkuConnection;
  readonly anotherPlatform: () => DokkuPlatform;
};

const certificates = (): { caFile?: string } => (existsSync(CERTIFICATES) ? { caFile: CERTIFICATES } : {});

/** The adapter on a host, and the contract's questions over a connection of their own. */
export async function standOn(site: DokkuSite, { letsencryptEmail = null }: { letsencryptEmail?: string | null } = {}): Promise<DokkuStand> {
  const ground = await mkdtemp(path.join(os.tmpdir(), 'arb-'));
  await chmod(ground, 0o711);
  const layout = { ...layoutOf(path.join(ground, 'data'), path.join(ground, 'run')), cacheDir: CACHE };
  const dataDir = path.join(layout.dataDir, 'dokku');
  for (const dir of [layout.dataDir, dataDir, layout.toolsDir]) await mkdir(dir, { recursive: true, mode: 0o755 });
  const workshop: DokkuOptions['workshop'] = {
    ground: {
      layout,
      systemPython: '/usr/bin/python3',
      uvBinary: path.join(requireEnvironment('ARBORETUM_TEST_TOOLS'), 'bin', 'uv'),
      separatesUsers: process.getuid?.() === 0,
      buildUserId: 199_999,
      packageIndex: certificates(),
    },
    tree: { baseImage: site.baseImage, packageIndex: site.packageIndex },
    python: site.python,
  };
  const place = {
    dataDir,
    http: site.http,
    letsencryptEmail,
    maxBodyMib: 50,
    entrance: { address: `${site.ssh.user}@${site.ssh.host}:${site.ssh.port}`, publicKey: '' },
  };
  const [connection, watching] = [new DokkuConnection(site.ssh), new DokkuConnection(site.ssh)];
  const anotherPlatform = (): DokkuPlatform => new DokkuPlatform({ connection, ...place, workshop });
  const host = { connection: watching, ...place, ...newMemory() };
  return {
    platform: anotherPlatform(),
    anotherPlatform,
    connection,
    traits: { measuresMemory: true, keepsFailedStart: false, startMark: 'started in a container', recoveryMs: site.recoveryMs },
    ...dokkuQuestions(host),
    crash: async ({ instanceId }) => await site.crash(liveApp(instanceId), watching),
    close: async () => {
      await connection.close();
      await watching.close();
      await site.close();
      await rm(ground, { recursive: true, force: true });
    },
  };
}

/** The replay host as a site; `replay` lets a test cut and slow it. */
export async function replaySite(): Promise<DokkuSite & { readonly replay: ReplayHost }> {
  const keys = newSshKey();
  const replay = await ReplayHost.start({ publicKey: keys.public, databaseUrl: requireEnvironment('ARBORETUM_TEST_DATABASE_URL'), checkPauseMs: 300 });
  return {
    replay,
    ssh: { host: '127.0.0.1', port: replay.port, user: 'dokku', privateKey: new Secret(keys.private), hostKey: replay.fingerprint() },
    http: { host: '127.0.0.1', port: replay.httpPort, httpsPort: replay.httpsPort },
    baseImage: 'python:3.11-slim-bookworm',
    python: '3.11',
    packageIndex: certificates(),
    recoveryMs: 30_000,
    crash: async (app) => {
      process.kill(replay.state.app(app).container?.pid ?? 0, 'SIGKILL');
    },
    close: async () => await replay.close(),
  };
}
