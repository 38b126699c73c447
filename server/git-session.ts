// One command of a git client: runs the real git between the SSH channel and the repository, then shows the deployment.

import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';

import type { ServerChannel } from 'ssh2';

import { AppError, describeError } from '../contracts/errors.ts';
import type { Log } from '../domain/context.ts';
import { gitEnvironment, gitSettings, type HookSocket } from './git-hook-socket.ts';
import type { GitAccess, GitPerson, GitRepository, GitService, Push, RefUpdate } from './git-access.ts';

/** What every command needs. */
export type GitWorks = { access: GitAccess; hookSocket: HookSocket; hooksDir: string; gitBinary: string; gitTimeoutMs: number; stallMs: number; log: Log };
/** One command on the repository called `name`: `gone` fires when the client is away, `hurry` when the server must end. `protocol` is a checked `GIT_PROTOCOL`. */
export type GitCommand = {
  channel: ServerChannel;
  socket: Socket;
  person: GitPerson;
  service: GitService;
  name: string;
  protocol: string | null;
  gone: AbortSignal;
  hurry: AbortSignal;
};

type Run = { repository: GitRepository; environment: Readonly<Record<string, string>>; output: TerminalOutput };
type GitEnd = { exitCode: number; receivedBytes: number; isFlushOnly: boolean; ended: 'by itself' | 'too late' | 'server stops' };

const exits = { failed: 1, refused: 128 }; // 128: what git itself says for “fatal”
const backlogBytes = 1024 * 1024;
const patienceMs = { endOfInput: 2_000, sigterm: 5_000, finishAlone: 30_000 };

/** Serves one command to its end. Never throws: what goes wrong is said in the terminal. @returns the exit status */
export async function serveGitCommand(works: GitWorks, command: GitCommand): Promise<number> {
  const output = new TerminalOutput(command, works.stallMs);
  try {
    const repository = await works.access.openRepository(command.person, command.name, command.service);
    const run: Run = { repository, environment: {}, output };
    return command.service === 'git-upload-pack' ? await fetch(works, command, run) : await push(works, command, run);
  } catch (error) {
    if (!(error instanceof AppError)) works.log.error('a git command failed', { error: String(error) });
    const { sentence } = describeError('internal');
    await output.say(error instanceof AppError ? [error.message, error.hint] : [sentence, 'Try again; if it stays so, tell a lab manager.']);
    return exits.refused;
  } finally {
    await output.say([]); // all of it has left
  }
}

async function fetch(works: GitWorks, command: GitCommand, run: Run): Promise<number> {
  const environment: Record<string, string> = command.protocol === null ? {} : { GIT_PROTOCOL: command.protocol };
  const end = await runGit(works, command, { ...run, environment });
  if (end.ended === 'server stops') await run.output.say(['The panel is being restarted.', 'Try again in a minute.']);
  return end.exitCode;
}

async function push(works: GitWorks, command: GitCommand, run: Run): Promise<number> {
  const { repository, output } = run;
  let approved: Push = { updates: [], options: [] };
  await works.hookSocket.assertReady();
  const hook = works.hookSocket.expect(async (push) => {
    const verdict = await works.access.judgePush(command.person, repository, push);
    if (verdict.allowed) approved = push;
    return verdict;
  });
  const end = await runGit(works, command, { ...run, environment: hook.environment }).finally(hook.forget);
  const refs = approved.updates.length === 0 ? new Map<string, string>() : await readRefs(works, repository);
  const valueOf = ({ ref, newCommit }: RefUpdate): string => refs.get(ref) ?? '0'.repeat(newCommit.length);
  const moved = approved.updates.filter((update) => valueOf(update) === update.newCommit);
  if (moved.length > 0) return deploy(works, command, { output, repository, moved: { ...approved, updates: moved } });
  if (end.isFlushOnly && end.exitCode === 0 && !command.gone.aborted)
    return deploy(works, command, { output, repository, moved: { updates: [], options: [] } });
  const isOvertaken = approved.updates.some((update) => valueOf(update) !== update.oldCommit);
  await output.say(reasonsOf(end, { isOvertaken, maxPushMib: repository.maxPushMib }));
  // git ends with 0 when it could tell the client why a ref did not move.
  return end.exitCode || (end.isFlushOnly ? 0 : exits.failed);
}

/** What git's own words leave open. */
function reasonsOf(end: GitEnd, about: { isOvertaken: boolean; maxPushMib: number }): string[] {
  if (end.ended === 'server stops') return ['The panel is being restarted, so this push was not taken.', 'Push again in a minute.'];
  if (end.ended === 'too late') return ['This push took too long, so it was not taken.', 'Check the connection, then push again.'];
  if (about.isOvertaken) return ['Another push moved this branch at the same moment.', 'Fetch, look at what is there, then push again.'];
  if (end.receivedBytes <= about.maxPushMib * 1024 * 1024) return [];
  const { sentence, hint } = describeError('project_too_large', { limitMib: about.maxPushMib });
  return [sentence, hint];
}

type Deployment = { output: TerminalOutput; repository: GitRepository; moved: Push };

/** The refs have moved: whoever is still there to see it, the deployment begins. */
async function deploy(works: GitWorks, command: GitCommand, { output, repository, moved }: Deployment): Promise<number> {
  try {
    const job = await works.access.afterPush(command.person, repository, moved);
    if (job === null) return 0;
    const outcome = await works.access.followJob(job.jobId, (text) => output.tell(text), AbortSignal.any([command.gone, command.hurry]));
    const isCutShort = command.hurry.aborted && !outcome.succeeded;
    await output.say(
      isCutShort
        ? ['The panel is being restarted; your push is stored and its deployment goes on.', 'Push again in a minute to see how it ends.']
        : outcome.lines,
    );
    return outcome.succeeded ? 0 : exits.failed;
  } catch (error) {
    if (!(error instanceof AppError)) works.log.error('a push could not be deployed', { instanceId: repository.instanceId, error: String(error) });
    await output.say(
      error instanceof AppError
        ? [error.message, error.hint]
        : ['Your commits are stored, but the panel could not show their deployment.', 'Look at the page of the instance, or push again.'],
    );
    return exits.failed;
  }
}

async function readRefs(works: GitWorks, repository: GitRepository): Promise<Map<string, string>> {
  const args = [...gitSettings(works.hooksDir, repository), '--git-dir', repository.directory, 'for-each-ref', '--format=%(objectname) %(refname)'];
  const { stdout } = await promisify(execFile)(works.gitBinary, args, { env: gitEnvironment(works.gitBinary), cwd: '/', maxBuffer: 64 * 1024 * 1024 });
  return new Map(stdout.split('\n').map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))] as const));
}

async function runGit(works: GitWorks, command: GitCommand, run: Run): Promise<GitEnd> {
  const isPush = command.service === 'git-receive-pack';
  const service = isPush ? ['receive-pack'] : ['upload-pack', '--strict'];
  const child = spawn(works.gitBinary, [...gitSettings(works.hooksDir, run.repository), ...service, run.repository.directory], {
    env: { ...gitEnvironment(works.gitBinary), ...run.environment },
    cwd: '/',
    detached: true, // a group of its own: it can be ended whole, and Ctrl-C at the server does not reach it
  });
  const input = feed(command.channel, child);
  const ending = endInTime(works, command, { child, isPush });
  child.stderr.setEncoding('utf8');
  const [exitCode] = await Promise.all([
    new Promise<number>((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? exits.refused))),
    pump(child.stdout, (bytes) => run.output.write('stdout', bytes)),
    pump(child.stderr, (text) => run.output.write('stderr', run.output.clean(text))),
  ]).finally(ending.forget);
  command.channel.unpipe(child.stdin);
  command.channel.resume(); // what the client still sends is thrown away, so that it can read what is said to it
  return { exitCode, ...input, ended: ending.ended };
}

/** Passes the client's bytes to git with back-pressure, and watches whether the client sends a lone flush: “nothing to push”. */
function feed(channel: ServerChannel, child: ChildProcessWithoutNullStreams): { receivedBytes: number; isFlushOnly: boolean } {
  const input = { receivedBytes: 0, isFlushOnly: false };
  let head = '';
  channel.on('data', (bytes: Buffer) => {
    input.receivedBytes += bytes.length;
    if (head.length < 5) head += bytes.subarray(0, 5).toString('latin1');
    input.isFlushOnly = head === '0000';
  });
  child.stdin.on('error', () => channel.resume()); // git has ended; its exit says why
  channel.pipe(child.stdin);
  return input;
}

async function pump<Piece>(source: AsyncIterable<Piece>, write: (piece: Piece) => Promise<void>): Promise<void> {
  for await (const piece of source) await write(piece);
}

/** Ends git when its time is over, when the server stops, or when nobody waits for it. */
function endInTime(works: GitWorks, command: GitCommand, git: { child: ChildProcessWithoutNullStreams; isPush: boolean }) {
  const timers: NodeJS.Timeout[] = [];
  const later = (delayMs: number, run: () => void): void => void timers.push(setTimeout(run, delayMs));
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (git.child.pid !== undefined) process.kill(-git.child.pid, signal);
    } catch {
      // the group has ended
    }
  };
  const state = { ended: 'by itself' as GitEnd['ended'], forget };
  const end = (why: GitEnd['ended']): void => {
    if (state.ended === 'by itself') state.ended = why;
    // End of input first: git then fails in order and removes its quarantine. A fetch has nothing to remove.
    git.child.stdin.destroy();
    later(git.isPush ? patienceMs.endOfInput : 0, () => kill('SIGTERM'));
    later(patienceMs.sigterm, () => kill('SIGKILL'));
  };
  // A client that left has closed git's input; what it had sent in full may be finished.
  const onGone = (): void => later(git.isPush ? patienceMs.finishAlone : 0, () => end('by itself'));
  const onHurry = (): void => end('server stops');
  function forget(): void {
    for (const timer of timers) clearTimeout(timer);
    command.gone.removeEventListener('abort', onGone);
    command.hurry.removeEventListener('abort', onHurry);
  }
  later(works.gitTimeoutMs, () => end('too late'));
  command.gone.addEventListener('abort', onGone);
  command.hurry.addEventListener('abort', onHurry);
  if (command.gone.aborted) onGone();
  if (command.hurry.aborted) onHurry();
  return state;
}

// SGR (colour) is kept; other escape sequences, control characters and direction marks go. A sequence may end in a later piece.
const escapes =
  /(\u001b\[[0-9;:]{0,40}m)|\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\|(?=[\u001b\n]|$))|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const unfinished = /(?:\r|\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b\n]*\u001b?|[ -/]*))$/;

/** Makes text that others wrote harmless for a terminal, piece by piece: colours stay, `\r` becomes a new line. */
export function createTerminalFilter(): (text: string) => string {
  let held = '';
  return (text) => {
    const whole = held + text;
    const tail = unfinished.exec(whole)?.[0] ?? '';
    held = tail.length > 4096 ? tail.slice(0, 2) : tail;
    return whole
      .slice(0, whole.length - tail.length)
      .replace(/\r\n?/g, '\n')
      .replace(escapes, (_all, colour: string | undefined) => colour ?? '');
  };
}

/** Writes to one channel, piece after piece, and never holds more than the client takes. */
class TerminalOutput {
  readonly clean = createTerminalFilter();
  readonly #command: Pick<GitCommand, 'channel' | 'socket' | 'gone'>;
  readonly #stallMs: number;
  #queue: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #lastText = '\n';
  #reset = '';
  #hasGap = false;

  constructor(command: Pick<GitCommand, 'channel' | 'socket' | 'gone'>, stallMs: number) {
    this.#command = command;
    this.#stallMs = stallMs;
  }

  /** Resolves when the client has made room for it, or is gone. */
  write(stream: 'stdout' | 'stderr', piece: Buffer | string): Promise<void> {
    if (typeof piece === 'string' && piece !== '') this.#lastText = piece;
    if (typeof piece === 'string' && piece.includes('\u001b')) this.#reset = '\u001b[0m';
    this.#queue = this.#queue.then(() => this.#send(stream, piece));
    return this.#queue;
  }

  /** Shows text of a log without waiting; what a client does not take in time is left out (the page has all of it). */
  tell(text: string): void {
    const clean = `${this.#hasGap ? '\n[…]\n' : ''}${this.clean(text)}`;
    this.#hasGap = this.#waitingBytes > backlogBytes;
    if (this.#hasGap || clean === '') return;
    this.#waitingBytes += clean.length;
    void this.write('stderr', clean).then(() => (this.#waitingBytes -= clean.length));
  }

  /** Last words, as a block of their own. */
  say(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return this.#queue;
    const clean = createTerminalFilter();
    const block = lines.map((line) => `  ${clean(line).replaceAll('\n', '\n  ')}\n`).join('');
    return this.write('stderr', `${this.#lastText.endsWith('\n') ? '' : '\n'}${this.#reset}\n${block}\n`);
  }

  async #send(stream: 'stdout' | 'stderr', piece: Buffer | string): Promise<void> {
    const { channel, socket, gone } = this.#command;
    if (gone.aborted || piece.length === 0) return;
    const stalled = setTimeout(() => socket.destroy(), this.#stallMs);
    await settle(gone, (done) => (stream === 'stdout' ? channel : channel.stderr).write(piece, done));
    // The window may be endless: ssh2 then hands all of it to the socket, which holds it in memory.
    if (socket.writableLength > backlogBytes) await settle(gone, (done) => socket.once('drain', done));
    clearTimeout(stalled);
    // ssh2 1.17 (Channel.js) keeps a piece that once waited for window, and sends it again when the other stream waits.
    Object.assign(channel, { _chunk: undefined, _chunkcb: undefined, _chunkErr: undefined, _chunkcbErr: undefined });
  }
}

/** Waits for a callback, or until the client is gone (ssh2 never calls back on a closed channel). */
function settle(gone: AbortSignal, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      gone.removeEventListener('abort', done);
      resolve();
    };
    gone.addEventListener('abort', done, { once: true });
    start(done);
  });
}
