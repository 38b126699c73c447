// The Docker Engine: whether it answers, manages a Swarm, holds limits, who may use it, what lies and runs on it.

import type { EngineFacts, EngineReport, SocketRights } from '../contracts/engine.ts';
import { absenceOf } from './platform-options.ts';
import {
  checkContainers,
  judgeBaseImages,
  judgeEngineDisk,
  judgeEngineSwap,
  judgePostgresImage,
  judgeRegistry,
  judgeStorage,
} from './system-check-engine-content.ts';
import { lookAtMemory } from './system-check-machine.ts';
import { listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

/** What the worker found when it asked the engine, or why it could not be asked. */
export type EngineAnswer = { readonly report: EngineReport } | { readonly report: null; readonly reason: string };
export type WithEngine = Surroundings & { readonly engine: Promise<EngineAnswer> };

/** Shorter than a check's time. */
const askMs = 7000;

/** Asks once for all checks; never throws. On another platform nobody is asked. */
export async function askForEngine({ config, askEngine }: Surroundings, withinMs = askMs): Promise<EngineAnswer> {
  if (config.PLATFORM !== 'swarm') return { report: null, reason: 'instances do not run on it' };
  if (askEngine === null) return { report: null, reason: 'only root and the panel’s own user may ask the worker, which alone uses its socket' };
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, withinMs, new Error(`it has not answered within ${withinMs / 1000} seconds`));
  });
  try {
    return { report: await Promise.race([askEngine(), tooLong]) };
  } catch (error) {
    return { report: null, reason: error instanceof Error ? error.message.replace(/\.$/, '') : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

const notReached: Finding = { result: 'unknown', seen: 'The engine does not answer, so this cannot be seen.', means: 'See “The Docker Engine”.' };

/** A check of what an engine says that answers. */
const ofFacts =
  (judge: (facts: EngineFacts, surroundings: Surroundings) => Finding | Promise<Finding>) =>
  async (surroundings: WithEngine): Promise<Finding> => {
    const { report } = await surroundings.engine;
    return report?.facts ? judge(report.facts, surroundings) : notReached;
  };

async function checkEngine({ engine, isPanelRunning }: WithEngine): Promise<Finding> {
  const answer = await engine;
  if (answer.report === null && !isPanelRunning)
    return { result: 'not-here', seen: 'The panel is not running.', means: 'The worker asks the engine when it runs.', fix: 'Start it: npm start' };
  if (answer.report === null)
    return { result: 'unknown', seen: `The engine could not be asked: ${answer.reason}.`, means: 'Nothing can be said about it.', fix: 'See “The worker”.' };
  const { facts, socket } = answer.report;
  if (facts === null) {
    const { seen, fix } = absenceOf(answer.report);
    return {
      result: 'bad',
      seen,
      means: 'Nothing can be deployed, started or stopped. Experiments that run may go on; the engine keeps them, not the panel.',
      fix,
    };
  }
  const seen = `Docker Engine ${facts.version} answers at ${socket}.`;
  if (!facts.isRecent)
    return { result: 'bad', seen, means: 'It lacks limits that the panel relies on, so nothing can be started.', fix: 'Upgrade it to 20.10 or later.' };
  return { result: 'good', seen, means: 'It knows all that the panel uses (20.10 or later).' };
}

/** Whoever may use the socket can start a container that holds the whole machine. */
export function judgeSocket(rights: SocketRights | null, socket: string): Finding {
  if (rights === null) return { result: 'unknown', seen: `There is no socket ${socket}.`, means: 'See “The Docker Engine”.' };
  const seen = `${socket} belongs to ${rights.owner}:${rights.group} with mode ${rights.mode}.`;
  if (Number.parseInt(rights.mode, 8) & 0o002)
    return {
      result: 'bad',
      seen,
      means: 'Every program on this machine may use it, and with it become root.',
      fix: `chmod 660 ${socket}; and see what opened it, usually a setting of docker.socket.`,
    };
  const people = rights.members.filter((name) => name !== 'root');
  if (people.length > 0)
    return {
      result: 'attention',
      seen: `${seen} The group ${rights.group} has ${listed(people)} in it.`,
      means: 'They can read every experiment’s passwords and data, as root can.',
      fix: `Who need not: gpasswd --delete NAME ${rights.group}`,
    };
  return { result: 'good', seen, means: 'Only root may use it; of the panel only the worker does.' };
}

async function checkSocket({ engine, config }: WithEngine): Promise<Finding> {
  const { report } = await engine;
  return report === null ? notReached : judgeSocket(report.rights, config.DOCKER_SOCKET);
}

/** Experiments are services of a Swarm, so the engine has to manage one. */
export function judgeSwarm({ swarm, swarmAddress, hosts, hasLiveRestore }: EngineFacts): Finding {
  const means = 'No experiment can be started.';
  if (swarm === 'manager')
    return {
      result: 'good',
      seen: `It manages a Swarm of ${hosts === 1 || hosts === null ? 'one host' : `${hosts} hosts`}${swarmAddress ? `, at ${swarmAddress}` : ''}.`,
      means: 'Experiments can be started on it.',
    };
  if (swarm === 'none')
    return {
      result: 'bad',
      seen: 'It is in no Swarm.',
      means,
      fix: hasLiveRestore
        ? 'Set "live-restore": false in /etc/docker/daemon.json (Swarm cannot have it), then systemctl reload docker, then System › Make it a Swarm manager.'
        : 'System › Make it a Swarm manager…, or: docker swarm init --advertise-addr 127.0.0.1',
    };
  if (swarm === 'worker')
    return {
      result: 'bad',
      seen: 'It belongs to a Swarm that another machine manages.',
      means,
      fix: 'Install the panel on the manager, or: docker swarm leave',
    };
  if (swarm === 'locked') return { result: 'bad', seen: 'Its Swarm is locked since its last start.', means, fix: 'docker swarm unlock' };
  return { result: 'bad', seen: 'It belongs to a Swarm that does not work just now.', means, fix: 'docker info says why.' };
}

/** What each of the limits stands for, in the order in which a missing one hurts. */
const limitWords = { memory: 'memory', processes: 'number of processes', processor: 'processor time' } as const;

/** Whether the kernel holds what an experiment is given. */
export function judgeLimits({ limits, cgroupVersion }: EngineFacts): Finding {
  const missing = (Object.keys(limitWords) as (keyof typeof limitWords)[]).filter((name) => !limits[name]).map((name) => limitWords[name]);
  if (missing.length > 0)
    return {
      result: 'bad',
      seen: `The kernel cannot limit ${listed(missing)} (cgroup version ${cgroupVersion}).`,
      means: 'One experiment can take what the others need.',
      fix: 'Usually a controller is switched off at boot: add cgroup_enable=memory to GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub, and reboot.',
      request: `Please let the kernel of our machine limit ${listed(missing)} of containers (control groups).`,
    };
  return {
    result: 'good',
    seen: `Memory, processes and processor time can be limited (cgroup version ${cgroupVersion}).`,
    means: 'No experiment takes what others need.',
  };
}

export const engineChecks: readonly Check<WithEngine>[] = [
  { id: 'engine', group: 'services', title: 'The Docker Engine', on: 'swarm', run: checkEngine },
  { id: 'engine-socket', group: 'services', title: 'Who may use the Docker Engine', on: 'swarm', run: checkSocket },
  { id: 'engine-swarm', group: 'services', title: 'Swarm', on: 'swarm', run: ofFacts(judgeSwarm) },
  { id: 'engine-limits', group: 'services', title: 'Limits of containers', on: 'swarm', run: ofFacts(judgeLimits) },
  {
    id: 'engine-swap',
    group: 'services',
    title: 'Swap space and containers',
    on: 'swarm',
    run: ofFacts(async (facts, { procDir }) => judgeEngineSwap(facts, await lookAtMemory(procDir))),
  },
  { id: 'engine-storage', group: 'services', title: 'Storage of containers', on: 'swarm', run: ofFacts(judgeStorage) },
  { id: 'engine-images', group: 'services', title: 'Base images', on: 'swarm', run: ofFacts(judgeBaseImages) },
  {
    id: 'engine-postgres',
    group: 'services',
    title: 'Image of database servers',
    on: 'swarm',
    run: ofFacts((facts, { config }) => judgePostgresImage(facts, config.SWARM_DATABASE)),
  },
  { id: 'engine-registry', group: 'services', title: 'Image registry', on: 'swarm', run: ofFacts(judgeRegistry) },
  { id: 'engine-disk', group: 'services', title: 'Disk of the Docker Engine', on: 'swarm', run: ofFacts(judgeEngineDisk) },
  { id: 'engine-containers', group: 'services', title: 'Containers', on: 'swarm', run: ofFacts(checkContainers) },
];
