// Git over SSH with the real git and the real ssh, and with clients that do not keep to the rules.
/* oxlint-disable max-lines -- all of it needs the same small lab (server, keys, repositories), which starts once */

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { Log } from '../../domain/context.ts';
import type { GitAccess, GitPerson, Push, PushOutcome, PushVerdict } from '../../server/git-access.ts';
import { loadHostKey } from '../../server/git-host-key.ts';
import { startGitSsh, type GitSshOptions } from '../../server/git-ssh.ts';
import { parseSshPublicKey } from '../../server/ssh-public-key.ts';

type Ended = { code: number | null; stdout: string; stderr: string };
type Server = Awaited<ReturnType<typeof startGitSsh>>;

/** The panel's side, in memory: who has which key, which repositories there are, and what a test wants to happen. */
class Panel implements GitAccess {
  readonly people = new Map<string, GitPerson>();
  readonly repositories = new Map<string, { directory: string; maxPushMib: number }>();
  readonly opened: { person: string; name: string; command: string }[] = [];
  readonly pushes: { person: string; push: Push }[] = [];
  readonly followers: AbortSignal[] = [];
  beforeOpening: () => Promise<void> = async () => undefined;
  verdict: (push: Push) => Promise<PushVerdict> = async () => ({ allowed: true });
  deployment: (say: (text: string) => void, signal: AbortSignal) => Promise<PushOutcome> = async () => ({ succeeded: true, lines: ['It runs.'] });

  async findPerson(fingerprint: string): Promise<GitPerson | null> {
    return this.people.get(fingerprint) ?? null;
  }
  async openRepository(person: GitPerson, name: string, command: 'git-receive-pack' | 'git-upload-pack') {
    this.opened.push({ person: person.personId, name, command });
    await this.beforeOpening();
    const repository = this.repositories.get(name);
    const isKnown = [...this.people.values()].some(({ keyId }) => keyId === person.keyId);
    if (!repository || !isKnown) throw new AppError('not_found');
    return { instanceId: `id-${name}`, name, ...repository };
  }
  judgePush(_person: GitPerson, _repository: unknown, push: Push): Promise<PushVerdict> {
    return this.verdict(push);
  }
  async afterPush(person: GitPerson, _repository: unknown, push: Push): Promise<{ jobId: string }> {
    this.pushes.push({ person: person.personId, push });
    return { jobId: `job-${this.pushes.length}` };
  }
  followJob(_jobId: string, onText: (text: string) => void, signal: AbortSignal): Promise<PushOutcome> {
    this.followers.push(signal);
    return this.deployment(onText, signal);
  }
}

const lab = mkdtempSync(path.join(os.tmpdir(), 'arboretum-git-'));
const inLab = (...parts: string[]): string => path.join(lab, ...parts);
const panel = new Panel();
const log = { info: vi.fn<Log['info']>(), warn: vi.fn<Log['warn']>(), error: vi.fn<Log['error']>() };
const clientEnvironment = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: lab,
  LANG: 'C.UTF-8',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@x',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@x',
};
const started: Server[] = [];
const clients: Client[] = [];
const children: ChildProcess[] = [];
let hostKey = '';
let server: Server;
let count = 0;

async function startServer(options: Partial<GitSshOptions> = {}): Promise<Server> {
  count += 1;
  const fresh = await startGitSsh({
    access: panel,
    hostKey,
    host: '127.0.0.1',
    port: 0,
    hookSocketPath: inLab(`hook-${count}.sock`),
    hooksDir: inLab('hooks'),
    gitBinary: '/usr/bin/git',
    log,
    ...options,
  });
  started.push(fresh);
  return fresh;
}

/** Makes a key pair with ssh-keygen; with a name of a person, the panel knows it. */
function makeKey(name: string, options: { type?: string; known?: boolean } = {}): string {
  const file = inLab(`key-${name}`);
  execFileSync('ssh-keygen', ['-q', '-t', ...(options.type ?? 'ed25519').split(' '), '-N', '', '-f', file]);
  if (options.known ?? true)
    panel.people.set(parseSshPublicKey(readFileSync(`${file}.pub`, 'utf8')).fingerprint, { personId: name, keyId: `key-${name}`, name });
  return file;
}

function makeRepository(name: string, maxPushMib = 50): string {
  const directory = inLab('repositories', `${name}.git`);
  execFileSync('git', ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', directory]);
  panel.repositories.set(name, { directory, maxPushMib });
  return directory;
}

const sshOptions = (key: string, more: readonly string[] = []): string[] => [
  '-F',
  '/dev/null',
  '-i',
  key,
  '-o',
  'IdentitiesOnly=yes',
  '-o',
  'IdentityAgent=none',
  '-o',
  'BatchMode=yes',
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'LogLevel=ERROR',
  ...more,
];
const addressOf = (name: string, at = server): string => `ssh://git@127.0.0.1:${at.port}/${name}.git`;

/** Starts git as a person would, in a folder. */
function startGit(cwd: string, args: readonly string[], ssh = sshOptions(inLab('key-ada'))): ChildProcess & { ended: Promise<Ended>; seen: () => string } {
  const child = spawn('git', [...args], {
    cwd,
    env: { ...clientEnvironment, GIT_SSH_COMMAND: ['ssh', ...ssh].join(' ') },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.push(child);
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => (texts.stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (texts.stderr += bytes.toString()));
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...texts })));
  return Object.assign(child, { ended, seen: () => texts.stderr });
}
const git = (cwd: string, args: readonly string[], ssh?: string[]): Promise<Ended> => startGit(cwd, args, ssh).ended;

/** Ends git and the ssh that it started. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended in between.
  }
}

/** A new project of one commit in a folder of its own. */
function makeProject(content: string | Buffer = randomBytes(8).toString('hex')): { folder: string; commit: string } {
  count += 1;
  const folder = inLab(`project-${count}`);
  mkdirSync(folder);
  const plain = (...args: string[]): string => execFileSync('git', args, { cwd: folder, env: clientEnvironment, encoding: 'utf8' });
  plain('init', '--quiet', '--initial-branch=main');
  writeFileSync(path.join(folder, 'settings.py'), content);
  plain('add', '.');
  plain('commit', '--quiet', '-m', 'a project');
  return { folder, commit: plain('rev-parse', 'HEAD').trim() };
}

function addCommit(folder: string): string {
  for (const args of [['commit', '--quiet', '--allow-empty', '-m', randomBytes(4).toString('hex')]])
    execFileSync('git', args, { cwd: folder, env: clientEnvironment });
  return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: folder, env: clientEnvironment, encoding: 'utf8' }).trim();
}

const refsOf = (directory: string): string =>
  execFileSync('git', ['--git-dir', directory, 'for-each-ref', '--format=%(refname) %(objectname)'], { encoding: 'utf8' }).trim();
const leftovers = (directory: string): string[] => readdirSync(path.join(directory, 'objects')).filter((name) => /incoming|tmp/.test(name));
const fsck = (directory: string): string =>
  execFileSync('git', ['--git-dir', directory, 'fsck', '--full', '--strict', '--no-dangling'], { encoding: 'utf8' }).trim();

/** Waits for something to become true; the test's own limit is longer. */
async function until(isSo: () => unknown, what: string, timeoutMs = 50_000): Promise<void> {
  const check = (): void => {
    if (!isSo()) throw new Error(`not within ${timeoutMs} ms: ${what}`);
  };
  await vi.waitFor(check, { timeout: timeoutMs, interval: 20 });
}

async function connectClient(key: string, at = server, more: object = {}): Promise<Client> {
  const client = new ssh2.Client();
  clients.push(client);
  await new Promise<void>((resolve, reject) => {
    client
      .on('error', reject)
      .on('ready', resolve)
      .connect({ host: '127.0.0.1', port: at.port, username: 'git', privateKey: readFileSync(key), ...more });
  });
  client.removeAllListeners('error').on('error', () => undefined);
  return client;
}
const exec = (client: Client, line: string, options: object = {}): Promise<ClientChannel> =>
  new Promise((resolve, reject) => client.exec(line, options, (error, channel) => (error ? reject(error) : resolve(channel))));
async function execToEnd(client: Client, line: string, options: object = {}): Promise<Ended> {
  const channel = await exec(client, line, options);
  const texts = { stdout: '', stderr: '' };
  channel.on('data', (bytes: Buffer) => (texts.stdout += bytes.toString('latin1')));
  channel.stderr.on('data', (bytes: Buffer) => (texts.stderr += bytes.toString()));
  channel.end();
  return new Promise((resolve) => channel.on('close', (code: number | null) => resolve({ code, ...texts })));
}

const pktLine = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text;
const noCommit = '0'.repeat(40);

/** A promise that the test itself opens. */
function gate<Value = void>(): { passed: Promise<Value>; open: (value: Value) => void } {
  let open: (value: Value) => void = () => undefined;
  const passed = new Promise<Value>((resolve) => (open = resolve));
  return { passed, open };
}
const closing = (of: Client): Promise<void> => new Promise((resolve) => of.on('close', () => resolve()));

beforeAll(async () => {
  hostKey = await loadHostKey(inLab('host-key'));
  mkdirSync(inLab('repositories'));
  for (const name of ['ada', 'ben', 'stranger']) makeKey(name, { known: name !== 'stranger' });
  server = await startServer();
});
afterEach(async () => {
  panel.beforeOpening = async () => undefined;
  panel.verdict = async () => ({ allowed: true });
  panel.deployment = async () => ({ succeeded: true, lines: ['It runs.'] });
  for (const client of clients.splice(0)) client.destroy();
  for (const child of children.splice(0)) killGroup(child);
  await Promise.all(started.splice(started[0] === server ? 1 : 0).map((one) => one.close(0)));
});
afterAll(async () => {
  await server.close(0);
  rmSync(lab, { recursive: true, force: true });
});

describe('a person with a key', () => {
  test('pushes, reads the deployment in the terminal, clones and fetches', async () => {
    const directory = makeRepository('walk');
    const { folder, commit } = makeProject();
    panel.deployment = async (say) => {
      say('building\n');
      return { succeeded: true, lines: ['walk is running: http://walk.lab/', 'Deployed in 4 s.'] };
    };
    const pushed = await git(folder, ['push', addressOf('walk'), 'main']);
    expect(pushed).toMatchObject({ code: 0 });
    expect(pushed.stderr).not.toContain('remote: error');
    expect(pushed.stderr).toContain('building\n\n  walk is running: http://walk.lab/\n  Deployed in 4 s.\n\n');
    expect(refsOf(directory)).toBe(`refs/heads/main ${commit}`);
    expect(panel.pushes.at(-1)).toEqual({
      person: 'ada',
      push: { updates: [{ ref: 'refs/heads/main', oldCommit: noCommit, newCommit: commit }], options: [] },
    });
    expect(await git(lab, ['clone', addressOf('walk'), 'walk-copy'])).toMatchObject({ code: 0 });
    const next = addCommit(folder);
    expect(await git(folder, ['push', addressOf('walk'), 'main'])).toMatchObject({ code: 0 });
    expect(await git(inLab('walk-copy'), ['fetch', 'origin'])).toMatchObject({ code: 0 });
    expect(execFileSync('git', ['rev-parse', 'origin/main'], { cwd: inLab('walk-copy'), encoding: 'utf8' }).trim()).toBe(next);
  });

  test('sees the text while the deployment runs, not at its end', async () => {
    makeRepository('live');
    const { passed: mayEnd, open: end } = gate();
    panel.deployment = async (say) => {
      say('installing numpy\n');
      await mayEnd;
      return { succeeded: true, lines: ['done'] };
    };
    const pushing = startGit(makeProject().folder, ['push', addressOf('live'), 'main']);
    await until(() => pushing.seen().includes('installing numpy'), 'the text is there before the end');
    expect(pushing.exitCode).toBeNull();
    end();
    expect(await pushing.ended).toMatchObject({ code: 0 });
  });

  test('gets a failing exit status and the reason when the deployment fails; the commit is kept', async () => {
    const directory = makeRepository('fails');
    const { folder, commit } = makeProject();
    panel.deployment = async () => ({ succeeded: false, lines: ['The project has no requirements.txt.', 'Add one.'] });
    const pushed = await git(folder, ['push', addressOf('fails'), 'main']);
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('\n  The project has no requirements.txt.\n  Add one.\n');
    expect(refsOf(directory)).toContain(commit);
    // “Everything up-to-date” still reaches the panel, which may build again.
    panel.deployment = async () => ({ succeeded: true, lines: ['now it runs'] });
    const again = await git(folder, ['push', addressOf('fails'), 'main']);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toMatch(/now it runs[^]*Everything up-to-date/);
    expect(panel.pushes.at(-1)?.push).toEqual({ updates: [], options: [] });
  });

  test('may amend and push by force, and hand over options', async () => {
    const directory = makeRepository('amend');
    const { folder } = makeProject();
    await git(folder, ['push', addressOf('amend'), 'main']);
    execFileSync('git', ['commit', '--quiet', '--amend', '-m', 'better'], { cwd: folder, env: clientEnvironment });
    expect(await git(folder, ['push', '--force', '-o', 'reason=pilot is over', addressOf('amend'), 'main'])).toMatchObject({ code: 0 });
    expect(panel.pushes.at(-1)?.push.options).toEqual(['reason=pilot is over']);
    expect(refsOf(directory).split('\n')).toHaveLength(1);
  });

  test.each(['rsa -b 2048', 'ecdsa -b 256', 'ecdsa -b 384', 'ecdsa -b 521'])('may use a key of type %s', async (type) => {
    makeRepository(`key-${type.replaceAll(/\W+/g, '-')}`);
    const key = makeKey(type.replaceAll(/\W/g, ''), { type });
    expect(await git(lab, ['ls-remote', addressOf(`key-${type.replaceAll(/\W+/g, '-')}`)], sshOptions(key))).toMatchObject({ code: 0 });
  });

  test('reads only colours of what a build prints', async () => {
    makeRepository('escapes');
    panel.deployment = async (say) => {
      for (const piece of [
        '\u001b]0;own',
        'ed\u0007A\u001b[3',
        '1mred\u001b[0m\u001b[2J\u001b[1;1H\r50%\r100%\r',
        '\n\u001b]8;;http://evil\u001b\\link\u202e\u0000\n',
      ])
        say(piece);
      return { succeeded: true, lines: ['last\u001b[2J'] };
    };
    const { stderr } = await git(makeProject().folder, ['push', addressOf('escapes'), 'main']);
    expect(stderr).toContain('A\u001b[31mred\u001b[0m\n50%\n100%\nlink\n\u001b[0m\n  last\n');
  });
});

describe('who is not let in', () => {
  test('a stranger’s key, another user name and a password open nothing', async () => {
    makeRepository('closed');
    const stranger = await git(lab, ['ls-remote', addressOf('closed')], sshOptions(inLab('key-stranger')));
    expect(stranger).toMatchObject({ code: 128, stderr: expect.stringContaining('Permission denied (publickey)') });
    const root = await git(lab, ['ls-remote', addressOf('closed').replace('git@', 'root@')]);
    expect(root.stderr).toContain('Permission denied (publickey)');
    await expect(connectClient(inLab('key-ada'), server, { privateKey: undefined, password: 'secret' })).rejects.toThrow(/authentication methods failed/);
    await expect(connectClient(inLab('key-ada'), server, { algorithms: { kex: ['diffie-hellman-group14-sha1'] } })).rejects.toThrow(/no matching key exchange/);
    expect(panel.opened.filter(({ name }) => name === 'closed')).toEqual([]);
  });

  /**
   * How this went wrong elsewhere: Ada's public key is public. Mallory's client offers it without a signature, the server
   * says “yes, that one would do” and remembers Ada. Then Mallory signs in with a key of his own, and the server goes on
   * with the name that it remembered. Here the name is the signing key's.
   */
  test('a client that offers Ada’s key and signs with Ben’s is Ben', async () => {
    makeRepository('story');
    const ada = softKey();
    const ben = softKey();
    panel.people.set(ada.fingerprint, { personId: 'ada', keyId: 'soft-ada', name: 'Ada' });
    panel.people.set(ben.fingerprint, { personId: 'ben', keyId: 'soft-ben', name: 'Ben' });
    const offered = await withAgent([{ ...ada, sign: () => null }, ben], (options) => git(lab, ['ls-remote', addressOf('story')], options));
    expect(offered).toMatchObject({ code: 0 });
    expect(panel.opened.at(-1)).toEqual({ person: 'ben', name: 'story', command: 'git-upload-pack' });
    // And one that claims Ada's key under Ben's signature is nobody.
    const before = panel.opened.length;
    const forged = await withAgent([{ ...ada, sign: ben.sign }], (options) => git(lab, ['ls-remote', addressOf('story')], options));
    expect(forged.stderr).toContain('Permission denied (publickey)');
    expect(panel.opened).toHaveLength(before);
  });

  test('a security key signs in when it was touched, not when it was not', async () => {
    makeRepository('token');
    for (const [isTouched, code] of [
      [true, 0],
      [false, 128],
    ] as const) {
      const key = softKey({ isTouched });
      panel.people.set(key.fingerprint, { personId: 'ada', keyId: key.fingerprint, name: 'Ada' });
      expect(await withAgent([key], (options) => git(lab, ['ls-remote', addressOf('token')], options))).toMatchObject({ code });
    }
  });

  test('six wrong keys end the connection', async () => {
    const strangers = Array.from({ length: 8 }, () => softKey());
    const { stderr } = await withAgent(strangers, (options) => git(lab, ['ls-remote', addressOf('any')], [...options, '-o', 'LogLevel=VERBOSE']));
    expect(stderr).not.toContain('Permission denied');
    expect(stderr).toMatch(/disconnect|closed/i);
  });

  test('a removed key fails at the next command of an open connection', async () => {
    makeRepository('leaver');
    const key = makeKey('leaver');
    const client = await connectClient(key);
    expect(await execToEnd(client, "git-upload-pack 'leaver.git'")).toMatchObject({ stdout: '0000' });
    for (const [fingerprint, { personId }] of panel.people) if (personId === 'leaver') panel.people.delete(fingerprint);
    expect(await execToEnd(client, "git-upload-pack 'leaver.git'")).toMatchObject({
      code: 128,
      stdout: '',
      stderr: expect.stringContaining('not yours to see'),
    });
  });

  test('one never hears whether an instance of somebody else exists', async () => {
    const { stderr, code } = await git(lab, ['ls-remote', addressOf('no-such-instance')]);
    expect([code, stderr.includes('There is nothing at this address, or it is not yours to see.')]).toEqual([128, true]);
  });
});

describe('what is not git', () => {
  test('a shell is answered in a friendly way; terminals, files and tunnels are refused', async () => {
    const hello = await new Promise<Ended>((resolve) => {
      execFile('ssh', [...sshOptions(inLab('key-ada')), '-p', String(server.port), 'git@127.0.0.1'], (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
    expect(hello).toMatchObject({ code: 1, stderr: expect.stringContaining('Hello ada. This is the git endpoint of Arboretum; there is no shell here.') });
    const client = await connectClient(inLab('key-ada'));
    const refused = (start: (done: (error?: Error) => void) => void): Promise<string> =>
      new Promise((resolve) => start((error) => resolve(error ? 'refused' : 'granted')));
    expect(await refused((done) => client.sftp(done))).toBe('refused');
    expect(await refused((done) => client.subsys('x', done))).toBe('refused');
    expect(await refused((done) => client.forwardOut('127.0.0.1', 1, '127.0.0.1', 22, done))).toBe('refused');
    expect(await refused((done) => client.forwardIn('127.0.0.1', 0, done))).toBe('refused');
    expect(await refused((done) => client.exec('git-upload-pack x', { x11: true }, done))).toBe('refused');
  });

  test.each([
    'git-upload-pack --upload-pack=/bin/sh',
    "git-upload-pack '--upload-pack=touch /tmp/x'",
    "git-receive-pack '-h'",
    "git-upload-pack '../ada.git'",
    "git-upload-pack 'a.git'; id",
    'scp -t /',
    'id',
    '',
    "git-upload-archive 'walk.git'",
  ])('the command %j is refused before anything is looked up', async (line) => {
    const before = panel.opened.length;
    expect(await execToEnd(await connectClient(inLab('key-ada')), line)).toMatchObject({ code: 128, stdout: '' });
    expect(panel.opened).toHaveLength(before);
  });

  test('git inherits nothing from the client but a plain protocol version', async () => {
    makeRepository('clean');
    const wrapper = inLab('git-env');
    writeFileSync(wrapper, `#!/bin/sh\nenv > ${inLab('env')}\nexec /usr/bin/git "$@"\n`, { mode: 0o755 });
    const at = await startServer({ gitBinary: wrapper });
    const hostile = {
      GIT_DIR: '/x',
      GIT_SSH_COMMAND: 'id',
      LD_PRELOAD: '/x.so',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.hooksPath',
      GIT_CONFIG_VALUE_0: '/tmp',
      BASH_ENV: '/x',
      PATH: '/tmp',
    };
    const names = async (env: Record<string, string>): Promise<string[]> => {
      await execToEnd(await connectClient(inLab('key-ada'), at), "git-upload-pack 'clean.git'", { env });
      return readFileSync(inLab('env'), 'utf8')
        .split('\n')
        .map((line) => line.split('=')[0] ?? '')
        .filter((name) => name !== '' && name !== 'PWD')
        .toSorted();
    };
    const expected = ['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM', 'GIT_TERMINAL_PROMPT', 'HOME', 'LANG', 'PATH'];
    expect(await names({ ...hostile, GIT_PROTOCOL: 'version=2:$(id)' })).toEqual(expected);
    expect(readFileSync(inLab('env'), 'utf8')).toContain(`PATH=${lab}:/usr/local/bin:/usr/bin:/bin`);
    expect(await names({ ...hostile, GIT_PROTOCOL: 'version=2' })).toEqual([...expected, 'GIT_PROTOCOL'].toSorted());
  });
});

describe('a push that is not taken', () => {
  test('is refused by the rule with its reason and hint, and nothing moves', async () => {
    const directory = makeRepository('branch');
    panel.verdict = async ({ updates }) => ({ allowed: false, reason: `Not ${updates[0]?.ref}.`, hint: 'git push X topic:main' });
    const before = panel.pushes.length;
    const pushed = await git(makeProject().folder, ['push', addressOf('branch'), 'main:topic']);
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toMatch(/remote: +Refused: Not refs\/heads\/topic\.\s+remote: +git push X topic:main/);
    expect([refsOf(directory), leftovers(directory), panel.pushes.length]).toEqual(['', [], before]);
  });

  test('is refused when the hook gets no answer', async () => {
    const directory = makeRepository('silent');
    const at = await startServer({ hookSocketPath: inLab('gone.sock') });
    expect(statSync(inLab('gone.sock')).mode & 0o777).toBe(0o600);
    rmSync(inLab('gone.sock'));
    const pushed = await git(makeProject().folder, ['push', addressOf('silent', at), 'main']);
    expect([pushed.code === 0, refsOf(directory)]).toEqual([false, '']);
    expect(pushed.stderr).toContain('Refused: The panel did not answer, so nothing was changed.');
  });

  test('is refused in a sentence when it is too large, and leaves nothing behind', async () => {
    const directory = makeRepository('large', 1);
    const pushed = await git(makeProject(randomBytes(12 * 1024 * 1024)).folder, ['push', addressOf('large'), 'main']);
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('The project is larger than 1 MiB.');
    expect([refsOf(directory), leftovers(directory), fsck(directory)]).toEqual(['', [], '']);
    expect(await git(makeProject().folder, ['push', addressOf('large'), 'main'])).toMatchObject({ code: 0 });
  });

  test('is refused when its pack is broken', async () => {
    const directory = makeRepository('broken');
    const { folder, commit } = makeProject(randomBytes(4000));
    const pack = execFileSync('git', ['pack-objects', '--stdout', '--all', '--quiet'], { cwd: folder, input: '' });
    const middle = pack.length >> 1;
    pack[middle] = (pack[middle] ?? 0) ^ 1;
    for (const bytes of [pack, pack.subarray(0, middle), Buffer.from('PACK'), randomBytes(5000)]) {
      const channel = await exec(await connectClient(inLab('key-ada')), "git receive-pack '/broken.git'");
      channel.resume().stderr.resume();
      channel.write(`${pktLine(`${noCommit} ${commit} refs/heads/main\0report-status`)}0000`);
      channel.end(bytes);
      const code = await new Promise((resolve) => channel.on('close', resolve));
      expect(code).not.toBe(0);
    }
    expect([refsOf(directory), leftovers(directory), fsck(directory)]).toEqual(['', [], '']);
  });

  test('is refused when a tree would write into .git', async () => {
    const directory = makeRepository('dotgit');
    const { folder } = makeProject();
    const run = (args: string[], input = ''): string => execFileSync('git', args, { cwd: folder, env: clientEnvironment, input, encoding: 'utf8' }).trim();
    const blob = run(['hash-object', '-w', '--stdin'], 'evil');
    const tree = run(['mktree'], `040000 tree ${run(['mktree'], `100644 blob ${blob}\tconfig\n`)}\t.GIT\n`);
    const pushed = await git(folder, ['push', addressOf('dotgit'), `${run(['commit-tree', tree, '-m', 'x'])}:refs/heads/main`]);
    expect([pushed.code === 0, refsOf(directory), pushed.stderr.includes('hasDotgit')]).toEqual([false, '', true]);
  });

  test('cannot delete the branch, whatever the rule says, and starts no deployment', async () => {
    const directory = makeRepository('delete');
    const { folder, commit } = makeProject();
    await git(folder, ['push', addressOf('delete'), 'main']);
    const before = panel.pushes.length;
    expect((await git(folder, ['push', addressOf('delete'), ':main'])).code).not.toBe(0);
    expect([refsOf(directory), panel.pushes.length]).toEqual([`refs/heads/main ${commit}`, before]);
  });

  test('loses against another one at the same moment, and only the winner is deployed', async () => {
    const directory = makeRepository('race');
    const projects = [makeProject(), makeProject()];
    const { passed: both, open: go } = gate();
    let asked = 0;
    panel.verdict = async () => {
      asked += 1;
      if (asked === 2) go();
      await both;
      return { allowed: true };
    };
    const before = panel.pushes.length;
    const ends = await Promise.all(projects.map(({ folder }) => git(folder, ['push', addressOf('race'), 'main'])));
    expect(ends.filter(({ code }) => code === 0)).toHaveLength(1);
    const winner = projects[ends.findIndex(({ code }) => code === 0)];
    expect(refsOf(directory)).toBe(`refs/heads/main ${winner?.commit}`);
    expect(panel.pushes.slice(before).map(({ push }) => push.updates[0]?.newCommit)).toEqual([winner?.commit]);
    expect(fsck(directory)).toBe('');
  });
});

describe('a client that leaves', () => {
  test('half-way: git ends, the quarantine is gone, the next push works', async () => {
    const directory = makeRepository('half');
    const { folder, commit } = makeProject(randomBytes(2 * 1024 * 1024));
    const pack = execFileSync('git', ['pack-objects', '--stdout', '--all', '--quiet'], { cwd: folder, input: '', maxBuffer: 1e8 });
    const client = await connectClient(inLab('key-ada'));
    const channel = await exec(client, "git-receive-pack 'half.git'");
    channel.resume();
    channel.write(`${pktLine(`${noCommit} ${commit} refs/heads/main\0report-status`)}0000`);
    channel.write(pack.subarray(0, pack.length >> 1));
    await until(() => leftovers(directory).length > 0, 'git has begun to receive');
    client.destroy();
    await until(() => leftovers(directory).length === 0, 'the quarantine is gone');
    expect(refsOf(directory)).toBe('');
    expect(await git(folder, ['push', addressOf('half'), 'main'])).toMatchObject({ code: 0 });
  });

  test('while the rule is asked: the push ends, and is deployed if it was taken', async () => {
    const directory = makeRepository('asked');
    const { folder, commit } = makeProject();
    const { passed: answer, open: resolve } = gate<PushVerdict>();
    let isAsked = false;
    panel.verdict = () => {
      isAsked = true;
      return answer;
    };
    const pushing = startGit(folder, ['push', addressOf('asked'), 'main']);
    await until(() => isAsked, 'the hook has asked');
    const before = panel.pushes.length;
    killGroup(pushing);
    await pushing.ended;
    resolve({ allowed: true });
    await until(() => panel.pushes.length > before, 'the deployment has begun');
    // Git may notice first that nobody listens any more: then the ref stays and nothing is deployed. Never one without the other.
    const isTaken = refsOf(directory) !== '';
    expect(refsOf(directory)).toBe(isTaken ? `refs/heads/main ${commit}` : '');
    expect(panel.pushes.at(-1)?.push.updates.map(({ newCommit }) => newCommit)).toEqual(isTaken ? [commit] : []);
  });

  test('during the deployment: only the reading stops', async () => {
    makeRepository('leaves');
    panel.deployment = (_say, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ succeeded: false, lines: ['goes on'] })));
    const before = panel.followers.length;
    const client = await connectClient(inLab('key-ada'));
    const channel = await exec(client, "git-receive-pack 'leaves.git'");
    channel.resume();
    channel.write('0000');
    await until(() => panel.followers.length > before, 'the deployment is followed');
    client.destroy();
    await until(() => panel.followers.at(-1)?.aborted, 'the reading has stopped');
    expect(panel.pushes.at(-1)?.push).toEqual({ updates: [], options: [] });
  });
});

describe('limits', () => {
  test('three hundred silent sockets keep nobody out and are gone after the time for signing in', async () => {
    makeRepository('flood');
    const caps = { unknownPerAddress: 5, unknown: 20 };
    // Nobody's time for signing in ends before the caps were seen.
    const at = await startServer({ limits: { loginGraceMs: 600_000, ...caps } });
    const impatient = await startServer({ limits: { loginGraceMs: 1_000, ...caps } });
    const open = new Set<Socket>();
    let connected = 0;
    const flood = (total: number, from: (index: number) => string, { words = '', to = at } = {}): void => {
      for (let index = 0; index < total; index += 1) {
        const socket = connect({ port: to.port, host: '127.0.0.1', localAddress: from(index) });
        socket.on('connect', () => {
          connected += 1;
          if (words) socket.write(words);
        });
        socket.on('error', () => undefined).on('close', () => open.delete(socket));
        socket.resume();
        open.add(socket);
      }
    };
    flood(150, () => '127.0.0.1');
    flood(150, (index) => `127.0.1.${index + 1}`, { words: 'SSH-2.0-silent\r\n' });
    await until(() => connected === 300, 'the flood stands');
    expect(await git(makeProject().folder, ['push', addressOf('flood', at), 'main'])).toMatchObject({ code: 0 });
    await until(() => open.size <= 20, 'the caps are kept');
    expect(open.size, 'those within the caps have their time').toBeGreaterThan(0);
    for (const socket of open) socket.destroy();
    await until(() => open.size === 0, 'they have left');
    flood(5, () => '127.0.0.1', { to: impatient });
    await until(() => connected === 305, 'the others have come');
    await until(() => open.size === 0, 'all of them are gone');
  });

  test('channels of a connection and commands of a person are counted', async () => {
    makeRepository('many');
    const at = await startServer({ limits: { channels: 3, commandsPerPerson: 2 } });
    const client = await connectClient(inLab('key-ada'), at);
    const open = [await exec(client, "git-receive-pack 'many.git'"), await exec(client, "git-receive-pack 'many.git'")];
    expect(await execToEnd(client, "git-receive-pack 'many.git'")).toMatchObject({ code: 1, stderr: expect.stringContaining('still under way') });
    const third = await connectClient(inLab('key-ben'), at);
    const held = await Promise.all([1, 2].map(() => exec(third, "git-receive-pack 'many.git'")));
    expect(held).toHaveLength(2);
    for (const channel of open) channel.resume().end();
    await Promise.all(open.map((channel) => new Promise((resolve) => channel.on('close', resolve))));
    expect(await execToEnd(client, "git-upload-pack 'many.git'")).toMatchObject({ stdout: '0000' });
  });

  test('an idle connection is closed', async () => {
    const at = await startServer({ limits: { idleMs: 2_000 } });
    await expect(closing(await connectClient(inLab('key-ada'), at))).resolves.toBeUndefined();
  });

  test('git that takes too long is ended with a sentence', async () => {
    makeRepository('slow');
    const at = await startServer({ limits: { gitTimeoutMs: 300 } });
    const channel = await exec(await connectClient(inLab('key-ada'), at), "git-receive-pack 'slow.git'");
    let text = '';
    channel.resume().stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
    await new Promise((resolve) => channel.on('close', resolve));
    expect(text).toContain('This push took too long');
  });
});

describe('a client that does not read', () => {
  /** The most memory above what it was. Bytes lie outside the heap; text lies in it, with what is not yet swept. */
  const watchMemory = (count: (usage: NodeJS.MemoryUsage) => number): { peakMib: () => number; stop: () => void } => {
    const before = count(process.memoryUsage());
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, count(process.memoryUsage()) - before)), 5);
    return { peakMib: () => peak / 1024 / 1024, stop: () => clearInterval(timer) };
  };
  type Inside = { _sock: Socket; _protocol: { channelWindowAdjust(id: number, bytes: number): void; channelData(id: number, bytes: Buffer): void } };
  const isWindowFull = (channel: ClientChannel): boolean => (channel as unknown as { incoming: { window: number } }).incoming.window === 0;
  const outgoingId = (channel: ClientChannel): number => (channel as unknown as { outgoing: { id: number } }).outgoing.id;

  test('gets no more than its share of memory while git has 60 MiB for it, and is dropped', async () => {
    makeRepository('torrent');
    const fake = inLab('git-torrent');
    writeFileSync(fake, `#!/bin/sh\necho $$ > ${fake}.pid\nexec head -c 62914560 /dev/zero\n`, { mode: 0o755 });
    const at = await startServer({ gitBinary: fake, limits: { idleMs: 1_500 } });
    const client = await connectClient(inLab('key-ada'), at);
    const inside = client as unknown as Inside;
    const { passed: mayStart, open: start } = gate();
    panel.beforeOpening = () => mayStart;
    const channel = await exec(client, "git-upload-pack 'torrent.git'");
    inside._protocol.channelWindowAdjust(outgoingId(channel), 2 ** 31);
    inside._sock.pause();
    const memory = watchMemory(({ arrayBuffers }) => arrayBuffers);
    start();
    const pidOf = (): string => (existsSync(`${fake}.pid`) ? readFileSync(`${fake}.pid`, 'utf8').trim() : '');
    await until(pidOf, 'git runs');
    const pid = pidOf();
    await until(() => !existsSync(`/proc/${pid}`), 'git was ended');
    memory.stop();
    expect(memory.peakMib()).toBeLessThan(32);
  });

  test('and that ignores its own window is dropped', async () => {
    makeRepository('pusher');
    panel.beforeOpening = () => new Promise(() => undefined);
    const at = await startServer();
    const client = await connectClient(inLab('key-ada'), at);
    const inside = client as unknown as Inside;
    const channel = await exec(client, "git-receive-pack 'pusher.git'");
    const isGone = closing(client);
    for (let sent = 0; sent < 600; sent += 1) inside._protocol.channelData(outgoingId(channel), Buffer.alloc(32_000));
    await expect(isGone).resolves.toBeUndefined();
    panel.beforeOpening = async () => undefined;
  });

  test('does not make a deployment’s log pile up', async () => {
    makeRepository('chatty');
    const at = await startServer({ limits: { idleMs: 2_000 } });
    panel.deployment = async (say) => {
      for (let index = 0; index < 4_000; index += 1) {
        say(`${randomBytes(32 * 1024).toString('hex')}\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return { succeeded: true, lines: ['done'] };
    };
    const client = await connectClient(inLab('key-ada'), at);
    const channel = await exec(client, "git-receive-pack 'chatty.git'");
    channel.pause();
    const memory = watchMemory(({ arrayBuffers, heapUsed }) => arrayBuffers + heapUsed);
    channel.write('0000');
    await closing(client);
    memory.stop();
    expect(memory.peakMib()).toBeLessThan(100); // of 250 MiB
  });

  /** ssh2 1.17 sends a piece of standard output twice when standard error has to wait later; see `TerminalOutput`. */
  test('for a while only, then gets every byte once and in order', async () => {
    makeRepository('patient');
    const fake = inLab('git-two-streams');
    writeFileSync(fake, '#!/bin/sh\nhead -c 5000000 /dev/zero | tr "\\0" o\nhead -c 5000000 /dev/zero | tr "\\0" e >&2\nexit 3\n', { mode: 0o755 });
    const at = await startServer({ gitBinary: fake });
    const channel = await exec(await connectClient(inLab('key-ada'), at), "git-upload-pack 'patient.git'");
    const sizes = { stdout: 0, stderr: 0 };
    channel.pause();
    await until(() => isWindowFull(channel), 'standard output waits');
    channel.on('data', (bytes: Buffer) => (sizes.stdout += bytes.length)).resume();
    await until(() => sizes.stdout === 5_000_000 && isWindowFull(channel), 'standard error waits');
    channel.stderr.on('data', (bytes: Buffer) => (sizes.stderr += bytes.length));
    expect(await new Promise((resolve) => channel.on('close', resolve))).toBe(3);
    expect(sizes).toEqual({ stdout: 5_000_000, stderr: 5_000_000 });
  });
});

describe('stopping', () => {
  test('waits for a running push, and takes no new one', async () => {
    makeRepository('ending');
    const at = await startServer();
    const { passed: mayEnd, open: end } = gate();
    panel.deployment = async () => {
      await mayEnd;
      return { succeeded: true, lines: ['ran to its end'] };
    };
    const followed = panel.followers.length;
    const pushing = startGit(makeProject().folder, ['push', addressOf('ending', at), 'main']);
    await until(() => panel.followers.length > followed, 'the deployment runs');
    const closing = at.close(20_000);
    expect((await git(lab, ['ls-remote', addressOf('ending', at)])).code).toBe(128);
    end();
    expect(await pushing.ended).toMatchObject({ code: 0, stderr: expect.stringContaining('ran to its end') });
    await closing;
  });

  test('tells those who are not done to push again, in the transfer and in the deployment', async () => {
    const directory = makeRepository('ending-2');
    const at = await startServer();
    panel.deployment = (_say, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ succeeded: false, lines: [] })));
    const followed = panel.followers.length;
    const pushing = startGit(makeProject().folder, ['push', addressOf('ending-2', at), 'main']);
    await until(() => panel.followers.length > followed, 'the deployment runs');
    const half = await exec(await connectClient(inLab('key-ada'), at), "git-receive-pack 'ending-2.git'");
    let text = '';
    half.resume().stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
    const halfClosed = new Promise((resolve) => half.on('close', resolve));
    half.write(`${pktLine(`${noCommit} ${'1'.repeat(40)} refs/heads/main\0report-status`)}0000PACK\0\0\0\u0002\0\0\0\u0001`);
    await until(() => leftovers(directory).length > 0, 'git has begun to receive');
    await at.close(100);
    expect(await pushing.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Push again in a minute') });
    await halfClosed;
    expect([text.includes('this push was not taken'), leftovers(directory)]).toEqual([true, []]);
    expect(existsSync(inLab('hooks', 'pre-receive'))).toBe(true);
  });
});

describe('the host key', () => {
  test('is made once, kept private and read again', async () => {
    const file = inLab('fresh-host-key');
    const key = await loadHostKey(file);
    expect([await loadHostKey(file), statSync(file).mode & 0o777]).toEqual([key, 0o600]);
    writeFileSync(file, 'cut off');
    await expect(loadHostKey(file)).rejects.toThrow(/is not an SSH host key/);
  });

  test('is made once more when ssh2 cannot read what it made', async () => {
    const making = vi.spyOn(ssh2.utils, 'generateKeyPairSync').mockReturnValueOnce({ private: 'unreadable', public: '' });
    try {
      expect(ssh2.utils.parseKey(await loadHostKey(inLab('second-try')))).not.toBeInstanceOf(Error);
      // The second one may happen to be such a key, too.
      expect(making.mock.calls.length).toBeGreaterThan(1);
    } finally {
      making.mockRestore();
    }
  });
});

type SoftKey = { blob: Buffer; fingerprint: string; sign: (data: Buffer) => Buffer | null };
const wire = (...fields: (Buffer | string)[]): Buffer =>
  Buffer.concat(
    fields
      .flatMap((field) => [Buffer.from([0, 0, 0, 0]).fill(0), Buffer.from(field as string)])
      .map((part, index, parts) => (index % 2 === 0 ? uint32((parts[index + 1] as Buffer).length) : part)),
  );
function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An Ed25519 key in this process; with `isTouched`, one that behaves like a security key (OpenSSH `PROTOCOL.u2f`). */
function softKey(token?: { isTouched: boolean }): SoftKey {
  const pair = generateKeyPairSync('ed25519');
  const point = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const type = token ? 'sk-ssh-ed25519@openssh.com' : 'ssh-ed25519';
  const blob = token ? wire(type, point, 'ssh:') : wire(type, point);
  return {
    blob,
    fingerprint: parseSshPublicKey(`${type} ${blob.toString('base64')}`).fingerprint,
    sign: (data) => (token ? signAsToken(pair.privateKey, data, token.isTouched) : wire(type, sign(null, data, pair.privateKey))),
  };
}

function signAsToken(key: KeyObject, data: Buffer, isTouched: boolean): Buffer {
  const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  const tail = Buffer.concat([Buffer.from([isTouched ? 1 : 0]), uint32(7)]);
  return Buffer.concat([wire('sk-ssh-ed25519@openssh.com', sign(null, Buffer.concat([sha256(Buffer.from('ssh:')), tail, sha256(data)]), key)), tail]);
}

/** Runs something with an ssh-agent of our own, which may refuse to sign or sign with the wrong key. */
async function withAgent<Result>(keys: readonly SoftKey[], run: (ssh: string[]) => Promise<Result>): Promise<Result> {
  count += 1;
  const file = inLab(`agent-${count}.sock`);
  const answer = (request: Buffer): Buffer => {
    if (request[0] === 11) return Buffer.concat([Buffer.from([12]), uint32(keys.length), ...keys.map(({ blob }) => wire(blob, 'soft'))]);
    const blobEnd = request[0] === 13 ? 5 + request.readUInt32BE(1) : 0;
    const data = request[0] === 13 ? request.subarray(blobEnd + 4, blobEnd + 4 + request.readUInt32BE(blobEnd)) : Buffer.alloc(0);
    const signature = keys.find(({ blob }) => blob.equals(request.subarray(5, blobEnd)))?.sign(data) ?? null;
    return signature === null ? Buffer.from([5]) : Buffer.concat([Buffer.from([14]), wire(signature)]);
  };
  const agent = createServer((socket) => {
    let held = Buffer.alloc(0);
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        held = Buffer.concat([held, bytes]);
        while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
          socket.write(wire(answer(held.subarray(4, 4 + held.readUInt32BE(0)))));
          held = held.subarray(4 + held.readUInt32BE(0));
        }
      });
  });
  await new Promise<void>((resolve) => agent.listen(file, resolve));
  try {
    return await run([
      '-F',
      '/dev/null',
      '-o',
      `IdentityAgent=${file}`,
      '-o',
      'IdentityFile=none',
      '-o',
      'BatchMode=yes',
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'UserKnownHostsFile=/dev/null',
      '-o',
      'LogLevel=ERROR',
    ]);
  } finally {
    agent.close();
  }
}
