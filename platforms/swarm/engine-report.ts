// A look at the Docker Engine for people: whether it answers, what it can limit, what lies and runs on it. Changes nothing.

import { readFile, stat, statfs } from 'node:fs/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { EngineFacts, EngineReport, RegistryFacts, SocketRights } from '../../contracts/engine.ts';
import { loadDocker, sentenceOf, statusOf } from './engine.ts';
import { LABEL, ownedBy } from './names.ts';
import { authOf, isRefusal, type RegistryAccount } from './registry-account.ts';
import { isRecentApi } from './swarm-node.ts';

/** Shorter than whoever asks waits: an engine that is slower is called silent. */
const PATIENCE_MS = 5000;
const MIB = 1024 * 1024;

export type EngineQuestion = {
  /** Unix socket of the engine. */
  readonly socket: string;
  /** Images that releases begin with. */
  readonly baseImages: readonly string[];
  /** Image of the database servers of new instances; null: they get none. */
  readonly postgresImage: string | null;
  readonly panelId: string;
  /** `HOST:PORT`; null: none is set. */
  readonly registry: string | null;
  readonly registryAccount: RegistryAccount | null;
};

/** Never throws: an engine that is not there is an answer, too. */
export async function reportOnEngine(question: EngineQuestion): Promise<EngineReport> {
  const { socket } = question;
  const rights = await rightsOf(socket);
  const isRoot = process.getuid?.() === 0;
  if (rights === null) return { socket, isRoot, answer: 'absent', rights, facts: null };
  try {
    return { socket, isRoot, answer: 'answers', rights, facts: await factsOf(new (loadDocker())({ socketPath: socket, timeout: PATIENCE_MS }), question) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    return { socket, isRoot, answer: code === 'EACCES' || code === 'EPERM' ? 'refused' : 'silent', rights, facts: null };
  }
}

/** What is read of the engine's `GET /info` (API 1.41). */
const infoSchema = z.object({
  Driver: z.string(),
  DockerRootDir: z.string(),
  CgroupVersion: z.string().catch('1'),
  MemoryLimit: z.boolean().catch(false),
  SwapLimit: z.boolean().catch(false),
  PidsLimit: z.boolean().catch(false),
  CpuCfsQuota: z.boolean().catch(false),
  LiveRestoreEnabled: z.boolean().catch(false),
  Swarm: z.object({
    LocalNodeState: z.string(),
    ControlAvailable: z.boolean().catch(false),
    NodeAddr: z.string().catch(''),
    Nodes: z.number().nullish(),
  }),
});
type Info = z.infer<typeof infoSchema>;

async function factsOf(docker: Docker, question: EngineQuestion): Promise<EngineFacts> {
  const { baseImages, postgresImage, panelId } = question;
  const [info, { Version, ApiVersion }, containers, own, imagesBytes, registry] = await Promise.all([
    docker.info().then((answer: unknown) => infoSchema.parse(answer)),
    docker.version(),
    docker.listContainers(),
    docker.listImages({ filters: ownedBy({ panelId }) }),
    // It adds up every layer, which may take an engine with many of them longer than anybody waits.
    docker.df().then(
      ({ LayersSize }: { LayersSize?: number }) => LayersSize ?? null,
      () => null,
    ),
    registryOf(docker, question),
  ]);
  const swarm = swarmStateOf(info);
  return {
    version: Version,
    isRecent: isRecentApi(ApiVersion),
    swarm,
    swarmAddress: info.Swarm.NodeAddr || null,
    hosts: swarm === 'manager' ? (info.Swarm.Nodes ?? null) : null,
    hasLiveRestore: info.LiveRestoreEnabled,
    storageDriver: info.Driver,
    cgroupVersion: info.CgroupVersion,
    limits: { memory: info.MemoryLimit, swap: info.SwapLimit, processes: info.PidsLimit, processor: info.CpuCfsQuota },
    rootDir: info.DockerRootDir,
    disk: await diskOf(info.DockerRootDir),
    baseImages: await Promise.all(baseImages.map((name) => lookAtImage(docker, name))),
    postgresImage: postgresImage === null ? null : await lookAtImage(docker, postgresImage),
    imagesBytes,
    ownImages: own.length,
    running: containers.length,
    serving: containers
      .filter(({ Labels }) => Labels[LABEL.panel] === panelId && Labels[LABEL.part] === 'serve')
      .flatMap(({ Labels }) => Labels[LABEL.instance] ?? []),
    registry,
  };
}

/** The engine itself signs in: it knows the way, and whether a certificate is needed. */
async function registryOf(docker: Docker, question: Pick<EngineQuestion, 'registry' | 'registryAccount'>): Promise<RegistryFacts | null> {
  if (question.registry === null) return null;
  const seen = { address: question.registry, hasAccount: question.registryAccount !== null };
  try {
    await docker.checkAuth(authOf(question));
    return { ...seen, answer: 'takes', reason: null };
  } catch (error) {
    const reason = error instanceof Error ? sentenceOf(error) : String(error);
    return { ...seen, answer: statusOf(error) === 401 || isRefusal(reason) ? 'refuses' : 'away', reason };
  }
}

function swarmStateOf({ Swarm }: Info): EngineFacts['swarm'] {
  if (Swarm.LocalNodeState === 'active') return Swarm.ControlAvailable ? 'manager' : 'worker';
  if (Swarm.LocalNodeState === 'inactive') return 'none';
  return Swarm.LocalNodeState === 'locked' ? 'locked' : 'unwell';
}

type SeenImage = EngineFacts['baseImages'][number];
const lookAtImage = async (docker: Docker, name: string): Promise<SeenImage> => ({ name, sizeBytes: await sizeOf(docker, name) });

/** Null: the image is not there. */
async function sizeOf(docker: Docker, name: string): Promise<number | null> {
  try {
    return (await docker.getImage(name).inspect()).Size;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

const diskOf = async (folder: string): Promise<EngineFacts['disk']> =>
  await statfs(folder).then(
    ({ bavail, blocks, bsize }) => ({ freeMib: (bavail * bsize) / MIB, totalMib: (blocks * bsize) / MIB }),
    () => null,
  );

/** Null: there is no such socket, or nobody may see it. */
async function rightsOf(socket: string): Promise<SocketRights | null> {
  const found = await stat(socket).catch(() => null);
  if (found === null || !found.isSocket()) return null;
  const [user, group] = await Promise.all([lineOf('/etc/passwd', found.uid), lineOf('/etc/group', found.gid)]);
  return {
    owner: user[0] ?? String(found.uid),
    group: group[0] ?? String(found.gid),
    mode: (found.mode & 0o7777).toString(8).padStart(4, '0'),
    members: (group[3] ?? '').split(',').filter((name) => name !== ''),
  };
}

/** Fields of the line with this id in a table of users or groups; none: it has no name. */
async function lineOf(file: string, id: number): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  return lines.find((fields) => fields[2] === String(id)) ?? [];
}
