// The Dokku host: whether it is reached, whether it is the one that it was, whether it lets the panel in, and what is installed there.

import { describeError } from '../contracts/errors.ts';
import type { HostReport } from '../contracts/system.ts';
import { listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

/** What the worker found when it asked the host, or why it could not be asked. */
export type DokkuFacts = { readonly report: HostReport; readonly trouble: Trouble | null } | { readonly report: null; readonly reason: string };
/** What keeps the panel out; `away`: anything but the two keys. */
type Trouble = 'away' | 'another-key' | 'refused';

export type WithDokku = Surroundings & { readonly dokkuFacts: Promise<DokkuFacts> };

/** Shorter than a check's time, and than ssh's own wait for a host that says nothing at all. */
const askMs = 6000;

/** Asks once for all checks; never throws. On another platform nobody is asked. */
export async function lookAtDokku({ config, askHost }: Surroundings, withinMs = askMs): Promise<DokkuFacts> {
  if (config.PLATFORM !== 'dokku') return { report: null, reason: 'instances run on this machine' };
  if (askHost === null) return { report: null, reason: 'only root and the panel’s own user may ask the worker, which holds the connection' };
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, withinMs, new Error(`the host has not answered within ${withinMs / 1000} seconds`));
  });
  try {
    const report = await Promise.race([askHost(), tooLong]);
    return { report, trouble: troubleOf(report, config.DOKKU_HOST ?? '') };
  } catch (error) {
    return { report: null, reason: error instanceof Error ? error.message.replace(/\.$/, '') : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

function troubleOf({ version, problems }: HostReport, host: string): Trouble | null {
  if (version !== null) return null;
  const isSaid = (code: 'host_key_changed' | 'host_refuses_key'): boolean =>
    problems.some((problem) => problem.startsWith(describeError(code, { host }).sentence));
  return isSaid('host_key_changed') ? 'another-key' : isSaid('host_refuses_key') ? 'refused' : 'away';
}

const notAsked = (reason: string): Finding => ({
  result: 'unknown',
  seen: `The Dokku host could not be asked: ${reason}.`,
  means: 'Nothing can be said about it.',
  fix: 'See “The worker”, and run the check again.',
});

const notReached: Finding = { result: 'unknown', seen: 'The panel is not let in, so this cannot be seen.', means: 'See “The Dokku host” and its keys.' };

const since = (at: string | null): string => (at === null ? '' : ` since ${at.slice(0, 16).replace('T', ' ')} UTC`);

async function checkHost({ config, isPanelRunning, dokkuFacts }: WithDokku): Promise<Finding> {
  const facts = await dokkuFacts;
  const [host, port] = [config.DOKKU_HOST ?? '', config.DOKKU_PORT];
  const request = `Please let our machine reach port ${port}/tcp (SSH) of ${host}.`;
  if (facts.report === null && !isPanelRunning)
    return { result: 'not-here', seen: 'The panel is not running.', means: 'The worker reaches the Dokku host when it runs.', fix: 'Start it: npm start' };
  if (facts.report === null)
    return { ...notAsked(facts.reason), fix: `Look at “The worker”; when that is well, nothing answers at ${host}, port ${port}.`, request };
  const { address, downSince, problems } = facts.report;
  if (facts.trouble === 'away')
    return {
      result: 'bad',
      seen: `${address} is not reached${since(downSince)}. ${listed(problems)}`,
      means: 'No instance can be deployed, started or stopped; those that run go on.',
      fix: 'See that the host runs, and that nothing between here and there keeps SSH out. The panel tries again by itself.',
      request,
    };
  const others = problems.filter((problem) => !isOfVersion(problem) && !isOfPlugins(problem));
  if (facts.trouble === null && others.length > 0)
    return { result: 'bad', seen: `${address} answers, but not everything: ${others.join(' ')}`, means: 'Instances may not be made or changed.' };
  return { result: 'good', seen: `${address} answers.`, means: 'The panel reaches the machine on which instances run.' };
}

async function checkHostKey({ config, dokkuFacts }: WithDokku): Promise<Finding> {
  const facts = await dokkuFacts;
  if (facts.report === null) return notAsked(facts.reason);
  const { hostKey, problems } = facts.report;
  if (facts.trouble === 'another-key')
    return {
      result: 'bad',
      seen: `The host shows another key than ${hostKey ?? 'before'}, so nothing was sent to it.`,
      means: 'It was set up anew, or somebody else answers in its place.',
      fix: listed(problems),
    };
  if (hostKey === null) return { ...notReached, seen: 'The host has shown no key yet.' };
  if (config.DOKKU_HOST_KEY) return { result: 'good', seen: `It shows ${hostKey}, as DOKKU_HOST_KEY says.`, means: 'Nobody can answer in its place.' };
  return {
    result: 'good',
    seen: `It shows ${hostKey}, the first key that the panel saw.`,
    means: 'Another one is refused from now on. Whether the first was the right one, only the host can tell.',
    fix: 'Compare it once, on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
  };
}

async function checkOwnKey({ dokkuFacts }: WithDokku): Promise<Finding> {
  const facts = await dokkuFacts;
  if (facts.report === null) return notAsked(facts.reason);
  if (facts.trouble === 'refused')
    return {
      result: 'bad',
      seen: 'The host does not accept the panel’s key.',
      means: 'Nothing can be done there.',
      fix: `As root on the host: echo '${facts.report.publicKey}' | dokku ssh-keys:add arboretum`,
    };
  if (facts.trouble !== null) return { ...notReached, seen: 'The host is not reached, so nobody knows whether it takes the panel’s key.' };
  return { result: 'good', seen: 'The host accepts the panel’s key.', means: 'The panel may use Dokku’s commands there, and nothing else.' };
}

const isOfVersion = (problem: string): boolean => problem.includes('too old');
const isOfPlugins = (problem: string): boolean => problem.startsWith('The plugin ');

async function checkVersion({ dokkuFacts }: WithDokku): Promise<Finding> {
  const facts = await dokkuFacts;
  if (facts.report === null) return notAsked(facts.reason);
  const { version, problems } = facts.report;
  if (version === null) return notReached;
  const problem = problems.find(isOfVersion);
  if (problem !== undefined) return { result: 'bad', seen: `Dokku ${version} answers.`, means: 'Instances cannot be deployed on it.', fix: problem };
  return { result: 'good', seen: `Dokku ${version} answers.`, means: 'It knows all the commands that the panel uses (0.30 or later).' };
}

async function checkPlugins({ dokkuFacts }: WithDokku): Promise<Finding> {
  const facts = await dokkuFacts;
  if (facts.report === null) return notAsked(facts.reason);
  const { version, plugins, problems, warnings } = facts.report;
  if (version === null) return notReached;
  const seen = plugins.length === 0 ? 'None is installed.' : `Installed: ${listed(plugins.map(({ name, version: number }) => `${name} ${number}`))}.`;
  const problem = problems.find(isOfPlugins);
  if (problem !== undefined) return { result: 'bad', seen, means: 'Instances get no database.', fix: problem };
  if (!plugins.some(({ name }) => name === 'postgres'))
    return { result: 'unknown', seen: 'The plugins could not be seen.', means: 'The plugin postgres is needed.' };
  if (warnings.length > 0)
    return {
      result: 'attention',
      seen,
      means: warnings.join(' '),
      fix: 'The panel does not use acl. Where others have keys on that host, let it refuse their commands (DOKKU_ACL_PER_APP_COMMANDS with git-receive-pack and git-hook), which does hold.',
    };
  return { result: 'good', seen, means: 'The plugin postgres is there: each instance gets a database server of its own.' };
}

async function checkDisk({ dokkuFacts }: WithDokku): Promise<Finding> {
  const facts = await dokkuFacts;
  if (facts.report === null) return notAsked(facts.reason);
  const { freeDiskMib, version, address } = facts.report;
  if (version === null) return notReached;
  if (freeDiskMib === null)
    return {
      result: 'unknown',
      seen: 'How full the host’s disk is could not be seen.',
      means: 'Dokku has no command for it: an experiment that runs there, deployed by this panel’s version, tells it once a minute.',
      fix: 'On the host: df -h',
    };
  const seen = `${describeMib(freeDiskMib)} are free on the host’s disk.`;
  const fix = 'As root on the host: docker system df shows what takes the room, dokku cleanup removes what no app uses. Or enlarge the disk.';
  const request = `Please enlarge the disk of ${address.replace(/^.*@/, '').replace(/:\d+$/, '')}: ${describeMib(freeDiskMib)} are free.`;
  if (freeDiskMib < 1024)
    return { result: 'bad', seen, means: 'Deployments fail soon; a full disk stops the databases, and running experiments with them.', fix, request };
  if (freeDiskMib < 5 * 1024) return { result: 'attention', seen, means: 'A build takes some hundred MiB, and more with large packages.', fix, request };
  return { result: 'good', seen, means: 'There is room for images and data.' };
}

const describeMib = (mib: number): string => (mib < 1024 ? `${mib} MiB` : `${(mib / 1024).toFixed(1)} GiB`);

export const dokkuChecks: readonly Check<WithDokku>[] = [
  { id: 'dokku-host', group: 'services', title: 'The Dokku host', on: 'dokku', run: checkHost },
  { id: 'dokku-host-key', group: 'services', title: 'The Dokku host’s key', on: 'dokku', run: checkHostKey },
  { id: 'dokku-key', group: 'services', title: 'The panel’s key on the Dokku host', on: 'dokku', run: checkOwnKey },
  { id: 'dokku-version', group: 'services', title: 'Version of Dokku', on: 'dokku', run: checkVersion },
  { id: 'dokku-plugins', group: 'services', title: 'Plugins of Dokku', on: 'dokku', run: checkPlugins },
  { id: 'dokku-disk', group: 'services', title: 'Disk of the Dokku host', on: 'dokku', run: checkDisk },
];
