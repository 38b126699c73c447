import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { canTryAsRoot, confine, freeUid, isRoot, processesWith, stop, temporaryFolder, until } from './instance.ts';
import { systemPython } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(options: string[], command: string[], env: Record<string, string> = {}): Run {
  const argv = ['-I', confine, ...options, '--', ...command];
  const done = spawnSync(systemPython, argv, { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env }, timeout: 50_000 });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

const python = (program: string) => [systemPython, '-c', program];

/** Run with a log and read it without our own first and last line. */
function logged(options: string[], command: string[]): { code: number | null; lines: string[]; log: string } {
  const log = join(temporaryFolder(), 'log');
  const { code } = run(['--log', log, ...options], command);
  return { code, lines: readFileSync(log, 'utf8').split('\n').slice(1, -2), log };
}

test('a confined command has another user, no groups, no way to more privileges, and a private umask', () => {
  if (!canTryAsRoot()) return;
  const uid = freeUid();
  const { stdout } = run(['--uid', `${uid}`, '--gid', `${uid + 1}`], ['sh', '-c', 'umask; cat /proc/self/status']);
  expect(stdout).toMatch(/^0007$/m);
  expect(stdout).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
  expect(stdout).toMatch(new RegExp(`^Gid:\t${uid + 1}\t${uid + 1}\t${uid + 1}\t${uid + 1}$`, 'm'));
  expect(stdout).toMatch(/^Groups:\s*$/m);
  expect(stdout).toMatch(/^CapEff:\t0+$/m);
  expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
});

test("an instance cannot read another's env.json", () => {
  if (!canTryAsRoot()) return;
  const [mine, theirs] = [freeUid(), freeUid()];
  const file = join(temporaryFolder(), 'env.json');
  writeFileSync(file, 'secret', { mode: 0o400 });
  spawnSync('chown', [`${theirs}`, file]);
  expect(run(['--uid', `${theirs}`], ['cat', file]).stdout).toBe('secret');
  expect(run(['--uid', `${mine}`], ['cat', file])).toMatchObject({ code: 1, stdout: '' });
});

test('nothing of the environment arrives but what is named', () => {
  const { stdout } = run(['--home', '/srv/home', '--env', 'WANTED', '--env', 'ABSENT'], ['/usr/bin/env'], {
    WANTED: 'yes',
    SECRET: 'no',
    LD_PRELOAD: '',
    PYTHONPATH: '/evil',
  });
  expect(stdout.trim().split('\n').toSorted()).toEqual([
    'HOME=/srv/home',
    'LANG=C.UTF-8',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'PYTHONUNBUFFERED=1',
    'USER=home',
    'WANTED=yes',
  ]);
});

test('the input stays open while it runs: supervisord would spin on a pipe that nobody reads', async () => {
  const log = join(temporaryFolder(), 'log');
  const command = python('import time; print("here", flush=True); time.sleep(60)');
  const keeper = spawn(systemPython, ['-I', confine, '--log', log, '--', ...command], { stdio: ['pipe', 'ignore', 'ignore'] });
  onTestFinished(async () => void (await stop(keeper)));
  await until('it runs', () => existsSync(log) && readFileSync(log, 'utf8').includes('here'));
  const refused = await new Promise((resolve) => {
    keeper.stdin.on('error', () => undefined);
    keeper.stdin.write('x', resolve);
  });
  expect(refused ?? null).toBeNull();
});

test('exit codes pass through, signals become 128 + n, and what cannot run says why', () => {
  expect(run([], ['sh', '-c', 'exit 7']).code).toBe(7);
  expect(logged([], ['sh', '-c', 'exit 7']).code).toBe(7);
  expect(logged([], ['sh', '-c', 'kill -USR1 $$']).code).toBe(128 + 10);
  expect(run([], ['/no/such/command'])).toMatchObject({ code: 127, stderr: expect.stringContaining('No such file') as unknown });
  expect(run(['--cwd', '/no/such/folder'], ['true']).code).toBe(71);
  expect(run([], []).code).toBe(64);
  expect(run(['--uid', '0'], ['true']).code).toBe(64);
});

test('file size, open files and core dumps are limited', () => {
  const { stdout } = run(['--open-files', '64', '--file-mib', '1', '--cpu-seconds', '9'], ['sh', '-c', 'ulimit -n; ulimit -c; ulimit -t']);
  expect(stdout).toBe('64\n0\n9\n');
  const program = "open('big', 'wb').write(b'x' * 3_000_000)";
  const folder = temporaryFolder();
  expect(run(['--file-mib', '1', '--cwd', folder], python(program)).code).not.toBe(0);
  expect(statSync(join(folder, 'big')).size).toBe(1024 * 1024);
});

test('who takes too much memory ends, its neighbour and its keeper do not', () => {
  const folder = temporaryFolder();
  const neighbour = spawn(systemPython, ['-I', confine, '--cgroup', 'arboretum/test-b', '--memory-mib', '64', '--', 'sleep', '60']);
  onTestFinished(() => void neighbour.kill('SIGKILL'));
  const greedy = "x = []\nwhile True: x.append(bytearray(b'x' * 1_000_000))";
  const options = ['--cgroup', 'arboretum/test-a', '--memory-mib', '64', '--log', join(folder, 'log')];
  const { code, stderr } = run(options, python(greedy));
  const log = readFileSync(join(folder, 'log'), 'utf8');
  const hasGroup = stderr.includes('limits by cgroup'); // where cgroups are not allowed, the address space is limited
  expect(code).toBe(hasGroup ? 128 + 9 : 1);
  expect(log).toContain(hasGroup ? 'out of memory: the limit of 64 MiB was reached' : 'MemoryError');
  expect(neighbour.exitCode ?? neighbour.signalCode).toBeNull();
});

test('without a control group the address space is limited instead, and stderr says so in one line', () => {
  const { code, stderr } = run(['--memory-mib', '64'], python('bytearray(4_000_000_000)'));
  expect(code).toBe(1);
  expect(stderr.split('\n')[0]).toBe('confine: limits by rlimit (no cgroup was named)');
  expect(stderr).toContain('MemoryError');
});

test('a fork bomb stops at its limit', () => {
  if (!canTryAsRoot()) return;
  const program = 'import os\ntry:\n  for n in range(100):\n    if os.fork() == 0: os.read(0, 1); os._exit(0)\nexcept OSError: print(n)';
  const { lines } = logged(['--uid', `${freeUid()}`, '--processes', '10'], python(program));
  expect(Number(lines[0])).toBeLessThanOrEqual(10);
});

test('the log is rotated by size and keeps as many files as asked', () => {
  const { log } = logged(['--log-mib', '0.1', '--log-files', '3'], python("for n in range(6000): print('%06d' % n, 'x' * 90)"));
  const sizes = [log, `${log}.1`, `${log}.2`].map((file) => statSync(file).size);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(0.1 * 1024 * 1024);
  expect(existsSync(`${log}.3`)).toBe(false);
  expect(readFileSync(log, 'utf8')).toContain('005999');
  expect(statSync(log).mode & 0o777).toBe(0o640);
});

test('a flood is cut off and counted', () => {
  const program = "import os\nline = b'x' * 99 + b'\\n'\nfor n in range(2000): os.write(1, line * 1000)";
  // A slow machine gives it more seconds, and so more bytes: one file must hold them all.
  const { code, lines, log } = logged(['--log-mib', '100'], python(program));
  const dropped = lines.map((line) => /^\[arboretum\] (\d+) lines dropped: the log was flooded$/.exec(line)?.[1]).filter(Boolean);
  const kept = lines.filter((line) => line.startsWith('xxx')).length;
  expect(code).toBe(0);
  expect(dropped.length).toBeGreaterThan(0);
  expect(dropped.reduce((sum, count) => sum + Number(count), 0) + kept).toBe(2_000_000);
  expect(statSync(log).size).toBeLessThan(20 * 1024 * 1024);
});

test('a line of any length is cut at 16 KiB', () => {
  const { lines } = logged([], python("print('a' * 1_000_000); print('short'); print('b' * 16_384); print('end', end='')"));
  expect(lines).toEqual(['a'.repeat(16_384) + ' [cut]', 'short', 'b'.repeat(16_384), 'end']);
});

test('a log that cannot be written costs lines, not the command', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  expect(run(['--log', join(folder, 'file/log')], ['sh', '-c', 'yes | head -100000; exit 4']).code).toBe(4);
  spawnSync('ln', ['-s', '/dev/full', join(folder, 'link')]);
  expect(run(['--log', join(folder, 'link')], ['sh', '-c', 'echo hello; exit 4']).code).toBe(4);
});

test('a log that is a link to another file is not followed', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'target'), 'precious');
  spawnSync('ln', ['-s', join(folder, 'target'), join(folder, 'log')]);
  run(['--log', join(folder, 'log')], ['echo', 'overwritten']);
  expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('precious');
});

test('a stop reaches the command, waits for its end, and passes its exit code on', async () => {
  const log = join(temporaryFolder(), 'log');
  const program = 'import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\nprint("ready")\nwhile True: signal.pause()';
  const keeper = spawn(systemPython, ['-I', confine, '--log', log, '--', ...python(program)]);
  await until('the command is ready', () => existsSync(log) && readFileSync(log, 'utf8').includes('ready'));
  expect(await stop(keeper)).toBe(5);
});

test('a command that ignores the stop is killed after the grace period', async () => {
  const log = join(temporaryFolder(), 'log');
  const program = 'import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint("ready")\nwhile True: signal.pause()';
  const keeper = spawn(systemPython, ['-I', confine, '--grace', '0.5', '--log', log, '--', ...python(program)]);
  await until('the command is ready', () => existsSync(log) && readFileSync(log, 'utf8').includes('ready'));
  expect(await stop(keeper)).toBe(128 + 9);
});

test('children are gone after the end, also those with a session of their own', () => {
  const mark = `${freeUid()}.5`;
  const { code } = logged([], ['sh', '-c', `sleep ${mark} & setsid sleep ${mark} & exit 0`]);
  expect(code).toBe(0);
  expect(processesWith('sleep', mark)).toEqual([]);
});

test('the command dies with a keeper that is killed', async () => {
  const log = join(temporaryFolder(), 'log');
  const mark = `${freeUid()}.25`;
  const keeper = spawn(systemPython, ['-I', confine, '--log', log, '--', 'sleep', mark]);
  const others = () => processesWith('sleep', mark).filter((pid) => pid !== keeper.pid);
  await until('the command runs', () => others().length > 0);
  keeper.kill('SIGKILL');
  await until('the command is gone', () => others().length === 0);
  expect(others()).toEqual([]);
});

test('what an earlier run left is ended before the next begins', async () => {
  const mark = `${freeUid()}.75`;
  const folder = temporaryFolder();
  const uid = freeUid();
  const identity = isRoot ? ['--uid', `${uid}`] : ['--pid-file', join(folder, 'pid')];
  const earlier = spawn(systemPython, ['-I', confine, ...identity, '--', 'sh', '-c', `sleep ${mark} & sleep ${mark}`]);
  await until('the earlier run is there', () => processesWith('sleep', mark).length >= 2);
  expect(run([...identity, '--kill-others'], ['true']).code).toBe(0);
  expect(processesWith('sleep', mark)).toEqual([]);
  await until('the earlier run has ended', () => earlier.exitCode !== null || earlier.signalCode !== null);
});

test('a recorded process number that belongs to a stranger now is left alone', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'pid');
  const stranger = spawn('sleep', ['60'], { detached: true });
  onTestFinished(() => void stranger.kill('SIGKILL'));
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  writeFileSync(file, `${stranger.pid} 1 ${boot}\n`);
  expect(run(['--pid-file', file, '--kill-others'], ['true']).code).toBe(0);
  expect(stranger.signalCode).toBeNull();
  expect(processesWith('sleep 60').includes(stranger.pid ?? 0)).toBe(true);
});

test('the recorded process group of an earlier run is ended when it is still that one', async () => {
  const file = join(temporaryFolder(), 'pid');
  const mark = `${freeUid()}.125`;
  spawn(systemPython, ['-I', confine, '--pid-file', file, '--', 'sh', '-c', `sleep ${mark} & exec sleep ${mark}`]);
  await until('the earlier run is there', () => processesWith('sleep', mark).length === 2);
  expect(run(['--pid-file', file, '--kill-others'], ['true']).code).toBe(0);
  await until('the earlier run is gone', () => processesWith('sleep', mark).length === 0);
});

test('the log belongs to the panel, not to the instance', () => {
  if (!canTryAsRoot()) return;
  const [panel, instance] = [freeUid(), freeUid()];
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'log'));
  spawnSync('chown', [`${panel}:${panel}`, join(folder, 'log')]);
  chmodSync(join(folder, 'log'), 0o750);
  const file = join(folder, 'log/otree.log');
  const { code } = run(['--uid', `${instance}`, '--log', file], ['sh', '-c', `echo hello; echo forged >> ${file}`]);
  expect(code).not.toBe(0);
  expect(statSync(file)).toMatchObject({ uid: panel, gid: panel });
  expect(readFileSync(file, 'utf8')).not.toContain('forged\n[');
});
