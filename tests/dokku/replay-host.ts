// A Dokku 0.38.27 host for tests: an ssh server that answers the panel's commands, on the loopback.
//
// What Dokku itself prints is taken from recordings of a real one (stdout, stderr, exit codes; only names, ids, passwords,
// addresses and dates are put in), and what runs inside its containers and services is real. A line that no recording
// covers is noted and refused: a test ends with `unrecorded()` empty, or it has relied on something that nobody saw.

import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import ssh2, { type Connection, type Server as SshServer, type ServerChannel, type Session } from 'ssh2';
import { mkdtemp, rm, chmod } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { newSshKey } from '../../platforms/ssh-key.ts';
import { appCommands, settingCommands } from './replay-apps.ts';
import { type Call, Refused, Unrecorded } from './replay-call.ts';
import { buildCommands } from './replay-builds.ts';
import { certificateCommands } from './replay-certificates.ts';
import { configCommands } from './replay-config.ts';
import { endStragglers } from './replay-container.ts';
import { gitCommands } from './replay-git.ts';
import { openProxy } from './replay-proxy.ts';
import { psCommands, runCommands } from './replay-ps.ts';
import { closeServer, dropService, openPostgresDoor, type PostgresDoor, postgresCommands } from './replay-postgres.ts';
import { State } from './replay-state.ts';
import { recorded, substitute } from './replay-recordings.ts';
import { takeApart } from './replay-words.ts';

/** sshd's MaxSessions. */
const MAX_SESSIONS = 10;

export type SeenCommand = {
  readonly line: string;
  readonly startedAt: number;
  /** null while it runs, and when the connection was cut before it began. */
  endedAt: number | null;
  exitCode: number | null;
};

export type CutMoment = 'before' | 'during' | 'after';
type Cut = { readonly matches: (line: string) => boolean; readonly moment: CutMoment };

export type ReplayOptions = {
  /** The one key that may come in, as a line of authorized_keys. */
  readonly publicKey: string;
  readonly databaseUrl: string;
  /** Global domain of the host. */
  readonly domain?: string;
  /** Time that each command takes before it does anything. */
  readonly latencyMs?: number;
  /** Pause between two attempts of a start-up check; left out: what app.json says. */
  readonly checkPauseMs?: number;
};

type Ground = { readonly folder: string; readonly door: PostgresDoor; readonly state: State; readonly proxy: Awaited<ReturnType<typeof openProxy>> };

/** A running host. `close` ends everything that it started. */
export class ReplayHost {
  readonly state: State;
  readonly domain: string;
  #options: ReplayOptions;
  #hostKey = makeHostKey();
  #ssh: SshServer;
  #listener: NetServer | null = null;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  readonly #seen: SeenCommand[] = [];
  readonly #unrecorded: string[] = [];
  readonly #cuts: Cut[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #ground: Ground;
  readonly #commands: Record<string, (call: Call) => Promise<number>>;

  private constructor(options: ReplayOptions, ground: Ground) {
    const { state, door, folder } = ground;
    [this.#options, this.#ground, this.state] = [options, ground, state];
    this.domain = options.domain ?? 'lab.test';
    this.#ssh = this.#makeServer();
    const deploys = { folder, checkPauseMs: options.checkPauseMs ?? null };
    this.#commands = {
      ...appCommands(state, this.domain),
      ...settingCommands(state, this.domain),
      ...certificateCommands(state),
      ...gitCommands(state),
      ...configCommands(state),
      ...postgresCommands(state, door),
      ...psCommands(state, deploys),
      ...runCommands(state, deploys),
      ...buildCommands(state, deploys),
    };
  }

  /** Starts a host on a free port. */
  static async start(options: ReplayOptions): Promise<ReplayHost> {
    const state = new State();
    const folder = await mkdtemp(path.join(os.tmpdir(), 'arb-dokku-'));
    await chmod(folder, 0o711);
    const host = new ReplayHost(options, { state, folder, door: await openPostgresDoor(options.databaseUrl), proxy: await openProxy(state) });
    await host.revive();
    return host;
  }

  get port(): number {
    return this.#port;
  }

  /** Where its nginx listens. */
  get httpPort(): number {
    return this.#ground.proxy.port;
  }

  /** Where it listens for apps with a certificate. */
  get httpsPort(): number {
    return this.#ground.proxy.httpsPort;
  }

  /** SHA256 fingerprint of the host key, as ssh writes it. */
  fingerprint(): string {
    return this.#hostKey.fingerprint;
  }

  /** Every line that came in, oldest first. */
  commands(): readonly SeenCommand[] {
    return this.#seen;
  }

  /** What was asked and is in no recording. */
  unrecorded(): readonly string[] {
    return [...this.#unrecorded, ...this.#ground.proxy.unrecorded];
  }

  /** How many connections are open. */
  connections(): number {
    return this.#sockets.size;
  }

  /** Drops every connection at once; what runs on the host goes on, as on a real one. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Drops the connections once, at the next line that matches: before it begins, while it runs, or after its end but before its exit code. */
  cutAt(matches: (line: string) => boolean, moment: CutMoment): void {
    this.#cuts.push({ matches, moment });
  }

  /** Nothing answers on the ssh port any more; apps and databases go on. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    this.cut();
    if (listener !== null) await closeServer(listener);
  }

  /** Answers again, on the same port. */
  async revive(): Promise<void> {
    // As sshd does.
    const listener = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      this.#ssh.injectSocket(socket);
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#listener = listener;
    this.#port = (listener.address() as AddressInfo).port;
  }

  /** From the next connection on the host has another key, as after a new installation or somebody in between. */
  changeHostKey(): void {
    this.#hostKey = makeHostKey();
    this.#ssh = this.#makeServer();
  }

  setLatency(latencyMs: number): void {
    this.#options = { ...this.#options, latencyMs };
  }

  /** Ends processes, connections, databases and folders. */
  async close(): Promise<void> {
    const { folder, door, proxy, state } = this.#ground;
    await this.stop();
    for (const app of state.apps.values()) app.cancel?.();
    endStragglers(folder);
    await Promise.allSettled(this.#running);
    for (const app of state.apps.values()) for (const container of [app.container, ...app.retired]) await container?.remove();
    await proxy.close();
    for (const service of state.services.values()) await dropService(door, service);
    await door.close();
    await rm(folder, { recursive: true, force: true });
  }

  #makeServer(): SshServer {
    const allowed = ssh2.utils.parseKey(this.#options.publicKey);
    if (allowed instanceof Error) throw allowed;
    const server = new ssh2.Server({ hostKeys: [this.#hostKey.privateKey] }, (client) => {
      client.on('error', () => {});
      client.on('authentication', (context) => {
        if (context.method !== 'publickey' || context.username !== 'dokku') return context.reject(['publickey']);
        const isKnown = context.key.algo === allowed.type && context.key.data.equals(allowed.getPublicSSH());
        // Without a signature the client only asks whether the key would do.
        const isSigned: unknown =
          context.blob === undefined || context.signature === undefined || allowed.verify(context.blob, context.signature, context.hashAlgo);
        return isKnown && isSigned === true ? context.accept() : context.reject(['publickey']);
      });
      this.#takeSessions(client);
    });
    return server;
  }

  #takeSessions(client: Connection): void {
    let open = 0;
    client.on('session', (accept, reject) => {
      if (open >= MAX_SESSIONS) return reject();
      open += 1;
      const session: Session = accept();
      session.on('close', () => {
        open -= 1;
      });
      session.on('pty', (_accept, refuse) => {
        this.#unrecorded.push('a terminal was asked for');
        refuse?.();
      });
      session.on('exec', (acceptCommand, _refuse, { command }) => {
        const channel = acceptCommand();
        const work = this.#answer(channel, command);
        this.#running.add(work);
        void work.finally(() => this.#running.delete(work));
      });
    });
  }

  async #answer(channel: ServerChannel, line: string): Promise<void> {
    const seen: SeenCommand = { line, startedAt: Date.now(), endedAt: null, exitCode: null };
    this.#seen.push(seen);
    channel.on('error', () => {});
    channel.stderr.on('error', () => {});
    const cut = this.#cuts.findIndex(({ matches }) => matches(line));
    const moment = cut === -1 ? null : (this.#cuts.splice(cut, 1)[0]?.moment ?? null);
    if (moment === 'before') return this.cut();
    const stdin = new PassThrough();
    channel.pipe(stdin);
    // A connection that is lost is the end of the input, as for a program under sshd.
    const gone = new AbortController();
    channel.on('close', () => {
      gone.abort();
      stdin.end();
    });
    if (moment === 'during') channel.on('end', () => setImmediate(() => this.cut()));
    if (this.#options.latencyMs !== undefined) await pause(this.#options.latencyMs);
    const work = this.#perform({ stdin, stdout: channel, stderr: channel.stderr, gone: gone.signal }, line);
    seen.exitCode = await work;
    seen.endedAt = Date.now();
    if (gone.signal.aborted) return;
    if (moment !== null) return this.cut();
    channel.exit(seen.exitCode);
    channel.end();
  }

  async #perform(io: Pick<Call, 'stdin' | 'stdout' | 'stderr' | 'gone'>, line: string): Promise<number> {
    const taken = takeApart(line);
    if (taken.complaint !== '') io.stderr.write(taken.complaint);
    const call: Call = { ...taken, ...io };
    try {
      if (taken.unknown !== null) throw new Unrecorded(`the word ${taken.unknown}`);
      if (taken.namedApp !== null) {
        this.state.app(taken.namedApp);
        throw new Unrecorded('--app with an app that exists');
      }
      const perform = this.#commands[taken.command];
      if (perform === undefined) throw new Unrecorded('the command');
      return await perform(call);
    } catch (error) {
      return this.#refuse(call, line, error);
    }
  }

  #refuse(call: Call, line: string, error: unknown): number {
    if (error instanceof Refused) {
      const { stdout, stderr, exitCode } = recorded(error.record);
      call.stdout.write(substitute(stdout, error.names));
      (error.isMerged ? call.stdout : call.stderr).write(substitute(stderr, error.names));
      return exitCode;
    }
    const reason = error instanceof Unrecorded ? `no recording: ${error.message}` : `the replay host failed: ${String(error)}`;
    this.#unrecorded.push(`${line} (${reason})`);
    call.stderr.write(`replay host: ${line}: ${reason}\n`);
    return 1;
  }
}

function makeHostKey(): { privateKey: string; fingerprint: string } {
  const { private: privateKey } = newSshKey();
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  const digest = createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '');
  return { privateKey, fingerprint: `SHA256:${digest}` };
}
