// Ports: which this panel uses, whether they answer on this machine's own addresses, and what listens that should not.

import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { hostOf, isOnlyHere, listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

const connectMs = 2000;
const askedAtMost = 50;

/** Connects, and reads the greeting where one is expected; null: nobody there, or another greeting. */
export function knock(address: string, port: number, greeting = ''): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = net.connect({ host: address, port, timeout: connectMs });
    const end = (isWell: boolean): void => {
      socket.destroy();
      resolve(isWell);
    };
    socket.on('connect', () => greeting === '' && end(true));
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      if (heard.length >= greeting.length) end(heard.startsWith(greeting));
    });
    for (const event of ['timeout', 'error', 'end'] as const) socket.on(event, () => end(false));
  });
}

type Service = { readonly port: number; readonly what: string; readonly setting: string; readonly greeting?: string };

/** On the loopback and on every address of this machine. */
async function checkService({ ownAddresses, isPanelRunning }: Surroundings, { port, what, setting, greeting }: Service): Promise<Finding> {
  const asked = await Promise.all(['127.0.0.1', ...ownAddresses].map(async (address) => ({ address, isWell: await knock(address, port, greeting) })));
  const silent = asked.filter(({ isWell }) => !isWell).map(({ address }) => address);
  if (silent.length === 0)
    return {
      result: 'good',
      seen: `${what} answers on port ${port} of ${listed(asked.map(({ address }) => address))}.`,
      means: 'Nothing on this machine itself stands in the way.',
    };
  if (silent.length < asked.length)
    return {
      result: 'attention',
      seen: `${what} answers on port ${port}, but not on ${listed(silent)}.`,
      means: 'A packet filter on this machine itself (nftables, ufw) or another program holds that address.',
      fix: `Allow port ${port} there, or ignore it when nobody uses that address.`,
    };
  if (!isPanelRunning)
    return {
      result: 'unknown',
      seen: `Nothing answers on port ${port}; the panel is not running.`,
      means: `${what} would answer there.`,
      fix: 'Start the panel and check again.',
    };
  return {
    result: 'bad',
    seen: `Nothing of ours answers on port ${port}.`,
    means: `${what} is away, or another program has taken the port.`,
    fix: `Look at the logs in DATA_DIR/logs; a port is changed by ${setting}.`,
  };
}

function checkHttpsPort(surroundings: Surroundings): Promise<Finding> | Finding {
  const { HTTPS_PORT: port } = surroundings.config;
  if (port === undefined)
    return { result: 'not-here', seen: 'HTTPS_PORT is not set.', means: 'Encryption is left to a proxy in front, or there is none: see “Certificate”.' };
  return checkService(surroundings, { port, what: 'The front door (nginx)', setting: 'HTTPS_PORT' });
}

function checkPathPort(surroundings: Surroundings): Promise<Finding> | Finding {
  const { PATH_PORT: port } = surroundings.config;
  if (port === undefined) return { result: 'not-here', seen: 'PATH_PORT is not set.', means: 'Paths, if there are any, use the same ports as the panel.' };
  return checkService(surroundings, { port, what: 'The front door (nginx)', setting: 'PATH_PORT' });
}

async function checkInstancePorts(surroundings: Surroundings): Promise<Finding> {
  const [first, last] = surroundings.config.INSTANCE_PORTS;
  const count = last - first + 1;
  if (!surroundings.query)
    return { result: 'unknown', seen: 'The panel’s database cannot be read from here.', means: 'Which instances have a port is not known.' };
  const rows = await surroundings.query<{ name: string; port: number }>(
    `SELECT name, port FROM instance WHERE deleted_at IS NULL AND port IS NOT NULL
     UNION ALL SELECT instance.name, former_address.port FROM former_address JOIN instance ON instance.id = instance_id WHERE former_address.port IS NOT NULL
     ORDER BY port`,
  );
  if (rows.length === 0)
    return { result: 'not-here', seen: `No instance has a port of its own (${first}–${last} are set aside).`, means: 'All instances have names or paths.' };
  const asked = rows.slice(0, askedAtMost);
  const answers = await Promise.all(asked.map(async ({ port }) => knock('127.0.0.1', port)));
  const silent = asked.filter((_, index) => !answers[index]).map(({ name, port }) => `${port} (${name})`);
  const used = `${rows.length} of ${count} ports are in use`;
  if (silent.length > 0)
    return {
      result: 'bad',
      seen: `${used}; nothing answers on ${listed(silent.slice(0, 5))}.`,
      means: 'These experiments cannot be opened. Perhaps another program has the port.',
      fix: 'See “The front door” below, and who listens there: ss -ltnp',
    };
  if (count - rows.length < 5)
    return {
      result: 'attention',
      seen: `${used}.`,
      means: 'Soon no instance can be created any more.',
      fix: 'Widen INSTANCE_PORTS, and have the new ones opened in the firewall.',
    };
  return { result: 'good', seen: `${used}; all answer.`, means: 'The front door holds a port for every such instance.' };
}

/** Never anything but unknown: who stands inside cannot see the firewall from outside. */
function checkOutside({ config }: Surroundings): Finding {
  const host = hostOf(config);
  if (isOnlyHere(host))
    return { result: 'not-here', seen: `PUBLIC_URL is ${host}.`, means: 'The panel is used on this machine only; nobody comes from outside.' };
  return {
    result: 'unknown',
    seen: 'Firewalls between here and other networks cannot be seen from inside.',
    means: 'Only a look from outside tells whether participants and experimenters get through.',
    fix: `Ask somebody outside (a telephone without the university’s WLAN will do) to open ${config.publicUrl.origin}, and an experimenter to try: ssh -p ${config.GIT_SSH_PORT} git@${host}`,
  };
}

/** What other software listens on by default, and must not be reached from outside. */
const privatePorts: ReadonlyMap<number, string> = new Map([
  [2375, 'Docker without a password'],
  [3306, 'MySQL'],
  [5432, 'PostgreSQL'],
  [6379, 'Redis'],
  [9001, 'supervisord'],
  [27017, 'MongoDB'],
]);

/** Listening ports that are not only for this machine itself (Linux: /proc/net/tcp, state 0A). */
export async function openPorts(procDir: string): Promise<number[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(path.join(procDir, 'net', name), 'utf8').catch(() => '')));
  if (tables.every((text) => text === '')) throw new Error('this system has no /proc/net/tcp');
  const rows = tables.flatMap((text) => text.split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  const local = rows.filter((fields) => fields[3] === '0A').map((fields) => String(fields[1]).split(':'));
  return [...new Set(local.filter(([address = '']) => !isLoopback(address)).map(([, port = '']) => Number.parseInt(port, 16)))].toSorted((a, b) => a - b);
}

/** As the kernel prints it: groups of four bytes in the machine's own (little-endian) order. */
const isLoopback = (hex: string): boolean =>
  hex.length === 8 ? hex.endsWith('7F') : hex === '00000000000000000000000001000000' || /^0{16}FFFF0000.{6}7F$/.test(hex);

async function checkShut(surroundings: Surroundings): Promise<Finding> {
  const open = await openPorts(surroundings.procDir);
  const strange = open.filter((port) => privatePorts.has(port)).map((port) => `${port} (${privatePorts.get(port)})`);
  if (strange.length === 0)
    return {
      result: 'good',
      seen: 'No database, Redis or Docker of this machine listens to the network.',
      means: 'The panel’s own ones are reached over files (Unix sockets), not over ports.',
    };
  return {
    result: 'attention',
    seen: `The network can reach port ${listed(strange)} of this machine, unless a firewall keeps it shut.`,
    means: 'These are not the panel’s, which uses no ports for its database and its Redis; left open they are the usual way in for strangers.',
    fix: 'Let that program listen on 127.0.0.1 only, or keep the port shut in the firewall.',
    request: `Please see that port ${listed(strange)} of our machine cannot be reached from outside.`,
  };
}

export const portChecks: readonly Check[] = [
  {
    id: 'port-panel',
    group: 'ports',
    title: 'Port of the panel',
    run: (surroundings) => checkService(surroundings, { port: surroundings.config.PORT, what: 'The front door (nginx)', setting: 'PORT' }),
  },
  {
    id: 'port-git',
    group: 'ports',
    title: 'Port of git push',
    run: (surroundings) =>
      checkService(surroundings, { port: surroundings.config.GIT_SSH_PORT, what: 'Git over SSH', setting: 'GIT_SSH_PORT', greeting: 'SSH-2.0-' }),
  },
  { id: 'port-https', group: 'ports', title: 'Port of https', run: checkHttpsPort },
  { id: 'port-paths', group: 'ports', title: 'Port of the paths', on: 'here', run: checkPathPort },
  { id: 'port-instances', group: 'ports', title: 'Ports of instances', on: 'here', run: checkInstancePorts },
  { id: 'shut', group: 'ports', title: 'Ports that should be shut', run: checkShut },
  { id: 'outside', group: 'ports', title: 'The way from outside', run: checkOutside },
];
