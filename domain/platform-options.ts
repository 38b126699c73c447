// What can be said of each platform on this machine before one is chosen: what was seen, what it keeps apart, why not. Pure.

import type { EngineFacts, EngineReport } from '../contracts/engine.ts';
import type { PlatformChoice, PlatformName, PlatformOption } from '../contracts/platform-choice.ts';
import { reachesDatabase, type Config } from './config.ts';

type Settings = Pick<Config, 'DOKKU_HOST' | 'DOKKU_DOMAIN' | 'SWARM_OUTBOUND' | 'SWARM_DATABASE' | 'DATABASE_URL' | 'DOCKER_SOCKET'>;

const isolationOfLocal = (isRoot: boolean): string =>
  isRoot
    ? 'Each experiment has a user id of its own: none can read another’s files, settings or data. All share the system and the network of this machine: an experiment can reach what this machine reaches, and sees which programs run here.'
    : 'All experiments share one user id and can read each other’s files and data: for people who trust each other.';

const isolationOfSwarm = ({ SWARM_OUTBOUND: outbound, SWARM_DATABASE: database }: Settings): string =>
  `Each experiment has a container of its own, without rights, with a read-only system, and with limits that the kernel holds. ${
    outbound === 'none'
      ? 'Its network leads nowhere: it reaches its own database and the front door, nothing else.'
      : 'It can open connections to the outside (SWARM_OUTBOUND=internet), and with them reach what this machine offers to its networks.'
  } ${database === 'own' ? 'A new one gets a database server of its own (SWARM_DATABASE=own).' : 'They share the panel’s database server, each with a database that no other can open.'}`;

const isolationOfDokku =
  'Each experiment has a container and a database server of its own, on the other machine; they share the network and the processor of that machine.';

/** All three, in the order in which they are shown. */
export function describeOptions(settings: Settings, engine: EngineReport): readonly [PlatformOption, PlatformOption, PlatformOption] {
  const local: PlatformOption = {
    platform: 'local',
    seen: [
      'Needs nothing but what the panel has brought along.',
      engine.isRoot ? 'The panel runs as root, so experiments get user ids of their own.' : 'The panel does not run as root.',
    ],
    isolation: isolationOfLocal(engine.isRoot),
    whyNot: null,
    fix: null,
    needsSwarm: false,
  };
  return [swarmOption(settings, engine), local, dokkuOption(settings)];
}

/** The one that is set up already, else the one that keeps experiments apart best. */
export function propose(options: readonly PlatformOption[]): Pick<PlatformChoice, 'proposed' | 'whyProposed'> {
  const can = (platform: PlatformName): boolean => options.some((option) => option.platform === platform && option.whyNot === null);
  if (can('dokku'))
    return {
      proposed: 'dokku',
      whyProposed: 'A Dokku host is configured. `local`, this machine without containers, isolates experiments less from each other.',
    };
  if (can('swarm'))
    return {
      proposed: 'swarm',
      whyProposed: 'A Docker Engine answers here. `local`, this machine without containers, isolates experiments less from each other.',
    };
  return {
    proposed: 'local',
    whyProposed: 'It is the one that can be used here as things are. It is made for one trusted lab: containers would isolate experiments more.',
  };
}

function swarmOption(settings: Settings, engine: EngineReport): PlatformOption {
  const { facts } = engine;
  const option = { platform: 'swarm', isolation: isolationOfSwarm(settings), needsSwarm: false } as const;
  if (facts === null) {
    const { seen, ...rest } = absenceOf(engine);
    return { ...option, seen: [seen], ...rest };
  }
  const seen = [`Docker Engine ${facts.version} answers at ${engine.socket}.`, swarmSentences[facts.swarm], ...imageSentences(facts)];
  const refusal = refusalOf(settings, { ...facts, isRoot: engine.isRoot });
  return { ...option, seen, needsSwarm: refusal === null && facts.swarm === 'none', ...(refusal ?? { whyNot: null, fix: null }) };
}

/** Why nobody answers, in the same words wherever it is said. */
export function absenceOf({ socket, answer, rights }: EngineReport): { readonly seen: string; readonly whyNot: string; readonly fix: string } {
  const whyNot = 'No Docker Engine can be used here.';
  if (answer === 'absent')
    return {
      seen: `There is no socket ${socket}.`,
      whyNot,
      fix: 'Install Docker Engine 20.10 or later (Debian: apt install docker.io), or set DOCKER_SOCKET when its socket lies elsewhere. Then look again.',
    };
  if (answer === 'refused')
    return {
      seen: `The panel may not use ${socket}${rights ? ` (${rights.owner}:${rights.group}, ${rights.mode})` : ''}.`,
      whyNot,
      fix: 'Start the panel as root. Whoever may use this socket is root on the machine.',
    };
  return { seen: `Nobody answers at ${socket}.`, whyNot, fix: 'Start the engine (systemctl start docker), then look again.' };
}

const swarmSentences: Readonly<Record<EngineFacts['swarm'], string>> = {
  manager: 'It is the manager of a Swarm.',
  worker: 'It belongs to a Swarm that another machine manages.',
  none: 'It is in no Swarm yet; one click makes it the manager of one.',
  locked: 'It manages a Swarm that is locked since its last start.',
  unwell: 'It belongs to a Swarm that does not work just now.',
};

const imageSentences = ({ baseImages }: EngineFacts): string[] =>
  baseImages.map(({ name, sizeBytes }) => `The base image ${name} ${sizeBytes === null ? 'is not there yet: the first push fetches it' : 'is there'}.`);

type Refusal = Pick<PlatformOption, 'whyNot' | 'fix'>;

function refusalOf(settings: Settings, facts: EngineFacts & Pick<EngineReport, 'isRoot'>): Refusal | null {
  if (!facts.isRoot) return { whyNot: 'The panel does not run as root.', fix: 'Start it as root: it makes folders and user ids for the containers.' };
  if (!facts.isRecent) return { whyNot: 'This engine is too old.', fix: 'Upgrade it to 20.10 or later.' };
  if (facts.swarm === 'worker')
    return { whyNot: 'Another machine manages its Swarm.', fix: 'Let it leave (docker swarm leave), or install the panel on the manager.' };
  if (facts.swarm === 'locked') return { whyNot: 'Its Swarm is locked.', fix: 'Unlock it on the machine: docker swarm unlock' };
  if (facts.swarm === 'unwell')
    return {
      whyNot: 'Its Swarm does not work just now.',
      fix: 'See what docker info says. As a last way, when nothing of it is needed: docker swarm leave --force',
    };
  if (facts.swarm === 'none' && facts.hasLiveRestore)
    return {
      whyNot: 'This engine keeps containers over its own restart (live-restore), which Swarm cannot.',
      fix: 'Set "live-restore": false in /etc/docker/daemon.json, then: systemctl reload docker',
    };
  if (!reachesDatabase(settings))
    return {
      whyNot: 'Containers could not reach the database of DATABASE_URL.',
      fix: 'Start the panel with SWARM_OUTBOUND=internet; or without DATABASE_URL: then it keeps a PostgreSQL of its own.',
    };
  return null;
}

function dokkuOption({ DOKKU_HOST: host, DOKKU_DOMAIN: domain }: Settings): PlatformOption {
  const option = { platform: 'dokku', isolation: isolationOfDokku, needsSwarm: false } as const;
  if (host && domain)
    return {
      ...option,
      seen: [`DOKKU_HOST is ${host}, DOKKU_DOMAIN ${domain}.`, 'Whether it lets the panel in is seen when it is chosen: the System page shows the key for it.'],
      whyNot: null,
      fix: null,
    };
  return {
    ...option,
    seen: [host ? `DOKKU_HOST is ${host}, but DOKKU_DOMAIN is not set.` : 'DOKKU_HOST is not set.'],
    whyNot: 'No Dokku host is configured.',
    fix: 'Start the panel with DOKKU_HOST and DOKKU_DOMAIN; the help page “In front of a Dokku host” has the steps.',
  };
}
