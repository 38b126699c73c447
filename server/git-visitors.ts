// Who is connected to the git endpoint: what they may use, who has to go when it is full, and how a connection ends.

import type { Socket } from 'node:net';
import type { Connection, ServerChannel, Session } from 'ssh2';
import type { GitPerson } from './git-access.ts';

/** What one client, or all together, may use. A refusal closes the socket. */
export type GitLimits = {
  /** From the connection to a checked signature; default 15 s. */
  loginGraceMs: number;
  /** Not signed in, from one address (one /64 with IPv6); default 10. One more closes the one that came least far. */
  unknownPerAddress: number;
  /** Not signed in, in all; default 100. */
  unknown: number;
  /** Refused keys on one connection; default 6. */
  tries: number;
  /** Open channels on one connection; default 10. */
  channels: number;
  /** Commands of one person at once; default 8. */
  commandsPerPerson: number;
  /** A connection without a command, or a client that takes nothing of what is sent; default 2 min. */
  idleMs: number;
  /** One run of git, transfer included; default 15 min. */
  gitTimeoutMs: number;
  /** Pause between two questions whether the client is still there; three without an answer end it. Default 15 s. */
  keepaliveMs: number;
};

/** In use where nothing else is given. */
export const defaultLimits: GitLimits = {
  loginGraceMs: 15_000,
  unknownPerAddress: 10,
  unknown: 100,
  tries: 6,
  channels: 10,
  commandsPerPerson: 8,
  idleMs: 120_000,
  gitTimeoutMs: 900_000,
  keepaliveMs: 15_000,
};

/** For the last words of a connection that is ended. */
export const lastWordsMs = 10_000;
/** OpenSSH throws away what it has not shown yet when it is told to disconnect; after its last channel it leaves by itself. */
export const leaveMs = 2_000;

/** How far one came that has not signed in: said nothing, said what it is, talks in cipher. */
export const steps = { silent: 0, named: 1, talks: 2 };
/** Time in which one that has just come is not yet judged by that. */
const settlingMs = 1_000;

/** One connection. */
export type Visitor = {
  readonly socket: Socket;
  readonly address: string;
  readonly since: number;
  readonly left: AbortController;
  readonly sessions: Set<Session>;
  readonly channels: Set<ServerChannel>;
  readonly running: Set<Promise<void>>;
  steps: number;
  connection: Connection | null;
  person: GitPerson | null;
  idle: NodeJS.Timeout | undefined;
};

/** One who has just come. */
export const newVisitor = (socket: Socket): Visitor => ({
  socket,
  address: addressGroup(socket.remoteAddress ?? ''),
  since: performance.now(),
  left: new AbortController(),
  sessions: new Set(),
  channels: new Set(),
  running: new Set(),
  steps: steps.silent,
  connection: null,
  person: null,
  idle: undefined,
});

/** Everybody who is here, and whether anybody is still let in. */
export type Doors = { readonly limits: GitLimits; readonly visitors: Set<Visitor>; isClosing: boolean };

/**
 * Closes one of those who have not signed in, when there are too many: the one that came least far, then of the largest crowd, then the oldest.
 *
 * Refusing the newcomer instead would let ten silent sockets lock out a whole lab behind one address.
 */
export function makeRoom(house: Doors, address: string): void {
  const unknown = [...house.visitors].filter((visitor) => visitor.person === null && !visitor.socket.destroyed);
  const crowds = new Map<string, number>();
  for (const visitor of unknown) crowds.set(visitor.address, (crowds.get(visitor.address) ?? 0) + 1);
  const isCrowded = (crowds.get(address) ?? 0) >= house.limits.unknownPerAddress;
  if (!isCrowded && unknown.length < house.limits.unknown) return;
  const now = performance.now();
  const rank = (visitor: Visitor): number => (now - visitor.since < settlingMs ? steps.talks : visitor.steps) * 1e6 - (crowds.get(visitor.address) ?? 0);
  // A set keeps the order of arrival, and `reduce` the first of equals: the oldest.
  const candidates = isCrowded ? unknown.filter((visitor) => visitor.address === address) : unknown;
  candidates.reduce((worst, visitor) => (rank(visitor) < rank(worst) ? visitor : worst)).socket.destroy();
}

/** Closes a connection that does nothing. */
export function waitForWork(house: Doors, visitor: Visitor): void {
  if (visitor.running.size > 0) return;
  clearTimeout(visitor.idle);
  visitor.idle = setTimeout(() => farewell(visitor), house.isClosing ? leaveMs : house.limits.idleMs);
}

/** Ends a connection as soon as it has been sent what was said. */
export function farewell({ connection, socket }: Visitor): void {
  connection?.end();
  socket.destroySoon();
  setTimeout(() => socket.destroy(), lastWordsMs).unref(); // one that does not read never gets to the end
}

/** Addresses that count as one client: an IPv4 address, or the first 64 bits of an IPv6 one. */
export function addressGroup(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...left, ...Array<string>(Math.max(0, tail === undefined ? 0 : 8 - left.length - right.length)).fill('0'), ...right].slice(0, 4).join(':');
}
