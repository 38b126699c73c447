// What lies and runs on the Docker Engine: storage, base images, disk, containers; and swap beside their limits.

import type { EngineFacts } from '../contracts/engine.ts';
import { judgeDisk, size, type MemoryFacts } from './system-check-machine.ts';
import { listed, type Finding, type Surroundings } from './system-check-surroundings.ts';

const mib = 1024 ** 2;

/** Services have no limit of their own for swap: with one for memory they may use as much again beside it. */
export function judgeEngineSwap({ limits }: Pick<EngineFacts, 'limits'>, { swapMib }: Pick<MemoryFacts, 'swapMib'>): Finding {
  if (swapMib < 1)
    return { result: 'good', seen: 'There is no swap space.', means: 'An experiment that uses more memory than it may ends at once, and says so.' };
  return {
    result: 'attention',
    seen: `${size(swapMib)} swap space are on${limits.swap ? '' : ', which the kernel does not count for containers'}.`,
    means: 'An experiment that uses more memory than it may swaps first and becomes slow, and its neighbours with it.',
    fix: 'On a machine for experiments only, turn it off: swapoff -a, and take its line out of /etc/fstab.',
  };
}

/** `vfs` copies whole images for each container; the others share layers. */
export function judgeStorage({ storageDriver: driver, rootDir }: Pick<EngineFacts, 'storageDriver' | 'rootDir'>): Finding {
  const seen = `Images and containers lie in ${rootDir}, with the storage driver ${driver}.`;
  if (driver === 'vfs')
    return {
      result: 'attention',
      seen,
      means: 'It copies a whole image for every container: starts take long, and the disk fills.',
      fix: 'Put the folder on ext4 or xfs; the engine then takes overlay2 by itself.',
    };
  if (driver === 'devicemapper' || driver === 'aufs')
    return {
      result: 'attention',
      seen,
      means: 'Engines of today no longer have this driver: after an upgrade images are not found.',
      fix: 'Move to overlay2 before you upgrade; experiments are built again by a push.',
    };
  return { result: 'good', seen, means: 'Experiments share what they have in common.' };
}

/** Whether the first push has to fetch something, and from where. */
export function judgeBaseImages({ baseImages }: Pick<EngineFacts, 'baseImages'>): Finding {
  const missing = baseImages.filter(({ sizeBytes }) => sizeBytes === null).map(({ name }) => name);
  const there = baseImages.flatMap(({ name, sizeBytes }) => (sizeBytes === null ? [] : [`${name} (${size(sizeBytes / mib)})`]));
  if (missing.length === 0) return { result: 'good', seen: `${listed(there)} ${there.length === 1 ? 'is' : 'are'} there.`, means: 'Builds can begin at once.' };
  return {
    result: 'attention',
    seen: `${listed(missing)} ${missing.length === 1 ? 'is' : 'are'} not there${there.length > 0 ? `; ${listed(there)} ${there.length === 1 ? 'is' : 'are'}` : ''}.`,
    means: 'The next push that needs one fetches it, which takes a minute and needs the registry.',
    fix: `Fetch it now: ${missing.map((name) => `docker pull ${name}`).join(' && ')}. Without a way to a registry: docker save on another machine, docker load here, or another image in SWARM_BASE_IMAGES.`,
    request: `Please let our machine fetch the container image ${listed(missing)} (https, 443/tcp outwards to its registry), or name a registry of the university that has it.`,
  };
}

/** Of use only where new instances get a database server of their own. */
export function judgePostgresImage({ postgresImage: image }: Pick<EngineFacts, 'postgresImage'>, setting: 'shared' | 'own'): Finding {
  if (setting === 'shared') return { result: 'good', seen: 'New instances share the panel’s database server.', means: 'No image is needed for that.' };
  if (image === null)
    return {
      result: 'bad',
      seen: 'There is no pg_dump here that says which version is needed.',
      means: 'No instance can be made.',
      fix: 'See “Program for backups”.',
    };
  if (image.sizeBytes !== null)
    return { result: 'good', seen: `${image.name} (${size(image.sizeBytes / mib)}) is there.`, means: 'New instances get a database server at once.' };
  return {
    result: 'attention',
    seen: `${image.name} is not there.`,
    means: 'The next new instance fetches it, which takes a minute and needs the registry.',
    fix: `Fetch it now: docker pull ${image.name}. Without a way to a registry: docker save on another machine, docker load here, or another image in SWARM_POSTGRES_IMAGE.`,
    request: `Please let our machine fetch the container image ${image.name} (https, 443/tcp outwards to its registry), or name a registry of the university that has it.`,
  };
}

/** Whether every host can fetch what it is to run. */
export function judgeRegistry({ registry }: Pick<EngineFacts, 'registry'>): Finding {
  if (registry === null) return { result: 'good', seen: 'None is set.', means: 'None is needed: experiments run on the panel’s machine only.' };
  const { address, hasAccount, answer, reason } = registry;
  const means = 'Experiments that run go on. No new version can be deployed, and a host that lacks an image cannot run it, also when another host is lost.';
  if (answer === 'takes')
    return {
      result: 'good',
      seen: `${address} answers${hasAccount ? ' and takes the panel’s user name and password' : ', and asks for no password'}.`,
      means: hasAccount
        ? 'All hosts get the images from there.'
        : 'All hosts get the images from there. So does whoever else reaches it: keep it inside the hosts’ network.',
    };
  if (answer === 'away')
    return {
      result: 'bad',
      seen: `${address} cannot be used: ${reason ?? ''}`,
      means,
      fix: 'Start it, and see that this machine reaches it. See Help, “Instances in containers”, Several hosts.',
    };
  return {
    result: 'bad',
    seen: hasAccount ? `${address} does not take the panel’s user name and password.` : `${address} asks for a user name and a password, and none are set.`,
    means,
    fix: 'Set SWARM_REGISTRY_USER and SWARM_REGISTRY_PASSWORD as the registry knows them, and restart the panel.',
  };
}

/** The folder of the engine, which may be another disk than the panel's. */
export function judgeEngineDisk({ rootDir, disk, imagesBytes, ownImages }: EngineFacts): Finding {
  const images =
    imagesBytes === null
      ? 'How much its images take was not said in time.'
      : `Its images take ${size(imagesBytes / mib)}, ${ownImages === 1 ? '1 is' : `${ownImages} are`} of this panel.`;
  if (disk === null)
    return {
      result: 'unknown',
      seen: `The worker does not see ${rootDir}. ${images}`,
      means: 'How much is free there is not known.',
      fix: `On the engine’s machine: df -h ${rootDir}`,
    };
  const { seen, ...found } = judgeDisk(rootDir, disk);
  if (found.result === 'good') return { ...found, seen: `${seen} ${images}`, means: 'There is room for images and builds.' };
  return {
    ...found,
    seen: `${seen} ${images}`,
    means: 'Builds fail soon; images that no version needs are removed by the panel, others are not.',
    fix: 'Remove what nobody needs of other programs (docker system df says what), or enlarge the disk.',
  };
}

/** Compared with what is meant to run; an experiment that ran twice would write twice. */
export async function checkContainers({ running, serving }: EngineFacts, { query }: Surroundings): Promise<Finding> {
  const rows = (await query?.<{ id: string; name: string; state: string }>('SELECT id, name, state FROM instance WHERE deleted_at IS NULL')) ?? [];
  const nameOf = (id: string): string => rows.find((row) => row.id === id)?.name ?? id;
  const own = new Set(serving);
  const seen = `${running === 1 ? '1 container runs' : `${running} containers run`}, ${serving.length} of them ${serving.length === 1 ? 'is an experiment' : 'are experiments'} of this panel.`;
  const doubled = [...own].filter((id) => serving.indexOf(id) !== serving.lastIndexOf(id)).map(nameOf);
  if (doubled.length > 0)
    return {
      result: 'bad',
      seen: `${seen} ${listed(doubled)} ${doubled.length === 1 ? 'runs' : 'run'} twice.`,
      means: 'Two servers write into one database: participants see pages of either.',
      fix: 'Restart the experiment in the panel: it ends what runs and starts one.',
    };
  const away = rows.filter(({ id, state }) => state === 'running' && !own.has(id)).map(({ name }) => name);
  if (away.length > 0)
    return {
      result: 'attention',
      seen: `${seen} ${listed(away)} ${away.length === 1 ? 'has' : 'have'} no container just now.`,
      means: 'It is being started anew, or has just been stopped.',
      fix: 'Look again in half a minute; then at the instance’s log.',
    };
  const strange = [...own].filter((id) => query !== null && !rows.some((row) => row.id === id));
  if (strange.length > 0)
    return {
      result: 'attention',
      seen: `${seen} ${strange.length === 1 ? '1 belongs' : `${strange.length} belong`} to no instance.`,
      means: 'It is left from a deletion that did not end, and takes memory.',
      fix: `As root: docker service rm ${strange.map((id) => `i-${id}`).join(' ')}`,
    };
  return { result: 'good', seen, means: 'Each experiment that is meant to run has exactly one.' };
}
