// The SSH endpoint for git: listens, limits what is not signed in, and knows a person only by a signature it has checked.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import process from 'node:process';

import ssh2, { type Connection, type PublicKeyAuthContext, type ServerChannel, type ServerConfig, type Session } from 'ssh2';

import type { Log } from '../domain/context.ts';
import type { GitAccess, GitPerson, GitService } from './git-access.ts';
import { startHookSocket } from './git-hook-socket.ts';
import { serveGitCommand, type GitWorks } from './git-session.ts';
import {
  defaultLimits,
  type Doors,
  farewell,
  type GitLimits,
  lastWordsMs,
  leaveMs,
  makeRoom,
  newVisitor,
  steps,
  type Visitor,
  waitForWork,
} from './git-visitors.ts';
import { fingerprintOf, isSignedBy, isUsableKey } from './ssh-public-key.ts';

export type GitSshOptions = {
  access: GitAccess;
  hostKey: string;
  host: string;
  port: number;
  hookSocketPath: string;
  hooksDir: string;
  gitBinary?: string;
  nodeBinary?: string;
  limits?: Partial<GitLimits>;
  log: Log;
};

const commandLine = /^git[ -](receive-pack|upload-pack) '\/?([a-z][a-z0-9-]{1,38}[a-z0-9])(?:\.git)?'$/;

// ssh2's own lists also hold SHA-1 and compression.
const algorithms: NonNullable<ServerConfig['algorithms']> = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
};
// An honest client keeps to 2 MiB of window a channel and reads what it is sent; ssh2 1.17 checks neither.
const mostUnreadBytes = 4 * 1024 * 1024;
const mostUnsentBytes = 8 * 1024 * 1024;

/** The only two commands there are, with one quoted name; null for everything else. The name is looked up, never used as a path. */
export function parseGitCommand(line: string): { service: GitService; name: string } | null {
  const [, service, name] = commandLine.exec(line) ?? [];
  return service === undefined || name === undefined ? null : { service: `git-${service as 'receive-pack' | 'upload-pack'}`, name };
}

/** Starts listening. `close` lets running commands end within `graceMs`, then tells them to push again. */
export async function startGitSsh(options: GitSshOptions): Promise<{ port: number; close(graceMs: number): Promise<void> }> {
  const { access, hooksDir, log, gitBinary = 'git', nodeBinary = process.execPath } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const parsedKey = ssh2.utils.parseKey(options.hostKey);
  if (parsedKey instanceof Error) throw new Error('The SSH host key cannot be read.', { cause: parsedKey });
  const hookSocket = await startHookSocket({ socketPath: options.hookSocketPath, hooksDir, nodeBinary, log });
  const works: GitWorks = { access, hookSocket, hooksDir, gitBinary, gitTimeoutMs: limits.gitTimeoutMs, stallMs: limits.idleMs, log };
  const house: House = { works, limits, visitors: new Set(), commands: new Map(), stopping: new AbortController(), isClosing: false };
  const config: ServerConfig = { hostKeys: [{ key: parsedKey }], algorithms, ident: 'Arboretum', keepaliveInterval: limits.keepaliveMs, keepaliveCountMax: 3 };
  const server = createServer({ noDelay: true }, (socket) => welcome(house, config, socket));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, options.host, resolve)).catch(async (error: unknown) => {
    await hookSocket.close();
    throw error;
  });
  server.on('error', (error) => log.error('the git endpoint cannot take connections', { error: String(error) }));
  return {
    port: (server.address() as AddressInfo).port,
    async close(graceMs) {
      house.isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const visitor of house.visitors) if (visitor.running.size === 0) farewell(visitor);
      const allDone = async (): Promise<unknown> => Promise.allSettled([...house.visitors].flatMap((visitor) => [...visitor.running]));
      await withinTime(allDone(), graceMs);
      house.stopping.abort();
      await withinTime(allDone(), lastWordsMs);
      await withinTime(closed, 1.5 * leaveMs);
      for (const visitor of house.visitors) visitor.socket.destroy();
      await Promise.all([closed, hookSocket.close()]);
    },
  };
}

type House = Doors & { works: GitWorks; commands: Map<string, number>; stopping: AbortController };

/** ssh2 reports a connection only after its first line, so the doorkeeping is done on our own sockets. */
function welcome(house: House, config: ServerConfig, socket: Socket): void {
  const visitor = newVisitor(socket);
  makeRoom(house, visitor.address);
  house.visitors.add(visitor);
  const grace = setTimeout(() => visitor.person === null && socket.destroy(), house.limits.loginGraceMs);
  socket
    .on('error', () => socket.destroy())
    .on('close', () => {
      clearTimeout(grace);
      clearTimeout(visitor.idle);
      house.visitors.delete(visitor);
      visitor.left.abort();
    });
  // One ssh2 server a socket (it never listens): the only way to know which socket a connection came by.
  new ssh2.Server(config, (connection) => meet(house, visitor, connection)).injectSocket(socket);
  socket.on('data', () => {
    let unreadBytes = 0;
    for (const channel of visitor.channels) unreadBytes = Math.max(unreadBytes, channel.readableLength);
    if (unreadBytes > mostUnreadBytes || socket.writableLength > mostUnsentBytes) socket.destroy();
  });
}

function meet(house: House, visitor: Visitor, connection: Connection): void {
  visitor.connection = connection;
  visitor.steps = steps.named;
  connection.on('error', () => visitor.socket.destroy());
  connection.on('handshake', () => (visitor.steps = steps.talks));
  connection.on('ready', () => waitForWork(house, visitor));
  let refusals = 0;
  let requests = 0;
  connection.on('authentication', (context) => {
    requests += 1;
    const isQuestion = context.method === 'none' && requests === 1; // “what may I try?”, as every client begins
    recognise(house, context.method === 'publickey' && context.username === 'git' ? context : null).then(
      (person) => {
        if (person === null && !isQuestion) refusals += 1;
        if (visitor.socket.destroyed) return;
        if (refusals >= house.limits.tries || requests > 3 * house.limits.tries) return farewell(visitor);
        if (person === null) return context.reject(['publickey']);
        // The identity is that of the very request that carried the signature; an earlier offer of another key means nothing.
        if (context.method === 'publickey' && context.signature !== undefined) visitor.person = person;
        context.accept();
      },
      (error: unknown) => {
        house.works.log.error('a key could not be looked up', { error: String(error) });
        visitor.socket.destroy();
      },
    );
  });
  connection.on('session', (accept, reject) => {
    if (house.isClosing || visitor.person === null || visitor.sessions.size >= house.limits.channels) return reject();
    openSession(house, visitor, accept());
  });
}

/** Whose key this is; with a signature, only if that key made it. Null for everything that is not to be let in. */
async function recognise(house: House, context: PublicKeyAuthContext | null): Promise<GitPerson | null> {
  if (context === null) return null;
  const { key, signature, blob, hashAlgo } = context;
  const isSha1 = key.algo === 'ssh-rsa' && hashAlgo === undefined;
  if (isSha1 || !isUsableKey(key.algo, key.data)) return null;
  if (signature !== undefined && (blob === undefined || !isSignedBy(key.data, { blob, signature, hashAlgo }))) return null;
  return house.works.access.findPerson(fingerprintOf(key.data));
}

/** Only `exec` and `shell` have a listener: ssh2 refuses terminals, forwarding, agents, X11 and subsystems by itself. */
function openSession(house: House, visitor: Visitor, session: Session): void {
  const gone = new AbortController();
  let protocol: string | null = null;
  const leave = (): void => {
    visitor.sessions.delete(session);
    visitor.left.signal.removeEventListener('abort', leave);
    gone.abort();
  };
  visitor.sessions.add(session);
  visitor.left.signal.addEventListener('abort', leave);
  session.on('close', leave);
  session.on('env', (accept, reject, { key, val }) => {
    const isProtocol = key === 'GIT_PROTOCOL' && /^version=[12]$/.test(val);
    if (isProtocol) protocol = val;
    // Undefined when the client wants no answer (OpenSSH does not), whatever the types say.
    (isProtocol ? accept : reject)?.();
  });
  session.on('shell', (accept) => run(house, visitor, { channel: accept(), line: null, protocol, gone: gone.signal }));
  session.on('exec', (accept, _reject, { command }) => run(house, visitor, { channel: accept(), line: command, protocol, gone: gone.signal }));
}

type Request = { channel: ServerChannel; line: string | null; protocol: string | null; gone: AbortSignal };

function run(house: House, visitor: Visitor, request: Request): void {
  const { channel } = request;
  channel.on('error', () => undefined); // it has gone away; `gone` says so
  visitor.channels.add(channel);
  clearTimeout(visitor.idle);
  const work = serve(house, visitor, request)
    .catch((error: unknown) => house.works.log.error('a git channel broke', { error: String(error) }))
    .then((status) => {
      channel.pause(); // else ssh2 makes room for more input on a channel that is closed
      channel.exit(status ?? 1);
      channel.end();
      request.gone.addEventListener('abort', () => visitor.channels.delete(channel));
      if (request.gone.aborted) visitor.channels.delete(channel);
      visitor.running.delete(work);
      waitForWork(house, visitor);
    });
  visitor.running.add(work);
}

async function serve(house: House, visitor: Visitor, { channel, line, protocol, gone }: Request): Promise<number> {
  const { person } = visitor;
  const say = (text: string, status: number): number => {
    channel.stderr.write(`${text}\n`);
    return status;
  };
  if (person === null) return 1;
  if (line === null)
    return say(
      `Hello ${person.name.replaceAll(/\p{C}/gu, '')}. This is the git endpoint of Arboretum; there is no shell here.\nPush a project with: git push ssh://git@HOST:PORT/NAME.git`,
      1,
    );
  const command = parseGitCommand(line);
  if (command === null) return say('Only git push, git fetch and git clone work here, with an address that ends in /NAME.git.', 128);
  if (house.isClosing) return say('The panel is being restarted. Try again in a minute.', 1);
  const present = house.commands.get(person.personId) ?? 0;
  if (present >= house.limits.commandsPerPerson)
    return say(`${present} of your git commands are still under way. Wait until one has ended, then try again.`, 1);
  house.commands.set(person.personId, present + 1);
  try {
    return await serveGitCommand(house.works, { ...command, channel, socket: visitor.socket, person, protocol, gone, hurry: house.stopping.signal });
  } finally {
    const left = (house.commands.get(person.personId) ?? 1) - 1;
    if (left === 0) house.commands.delete(person.personId);
    else house.commands.set(person.personId, left);
  }
}

async function withinTime(work: Promise<unknown>, timeMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, timeMs)))]);
  clearTimeout(timer);
}
