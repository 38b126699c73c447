// Machine and ports: real files, listeners and a real full disk where the system lets us make one.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Checked } from '../../contracts/system-check.ts';
import { runCheck } from '../../domain/system-check.ts';
import { estimateCapacity } from '../../domain/system-check-capacity.ts';
import { judgeClock, judgeDisk, judgeFiles, judgeMemory, judgeSwap, lookAtMemory, machineChecks } from '../../domain/system-check-machine.ts';
import { openPorts, portChecks } from '../../domain/system-check-ports.ts';
import type { Surroundings } from '../../domain/system-check-surroundings.ts';
import { surroundings } from '../surroundings.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'arb-machine-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function run(id: string, around: Surroundings): Promise<Checked> {
  const check = [...machineChecks, ...portChecks].find((one) => one.id === id);
  if (!check) throw new Error(`there is no check ${id}`);
  return runCheck(check, around);
}

describe('the disk', () => {
  const disk = path.join(home, 'disk');
  mkdirSync(disk);
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m,nr_inodes=500', 'tmpfs', disk]).status === 0;
  afterAll(() => void (isMounted && execFileSync('umount', [disk])));

  // In CI a missing right to mount fails; elsewhere the test is not run.
  it.runIf(isMounted || process.env['CI'])('that is nearly full is bad, and so is one that can hold few more files', async () => {
    expect(isMounted, 'a small disk could be mounted').toBe(true);
    const around = surroundings({ DATA_DIR: disk });
    expect(await run('disk', around)).toMatchObject({ result: 'bad', seen: `20 MiB of 20 MiB are free at ${disk}.`, request: expect.stringContaining(disk) });
    expect(await run('files', around)).toMatchObject({ result: 'bad', seen: expect.stringMatching(/^49\d more files can be made/) });
  });

  it('is looked at where DATA_DIR will be, also before it is made', async () => {
    expect((await run('disk', surroundings({ DATA_DIR: path.join(home, 'later', 'data') }))).seen).toMatch(/ are free at /);
  });

  it.each([
    [200, 'bad'],
    [3000, 'attention'],
    [50_000, 'good'],
  ] as const)('with %i MiB free is %s', (freeMib, result) => {
    expect(judgeDisk('/data', { freeMib, totalMib: 100_000, freeFiles: 1, totalFiles: 1 }).result).toBe(result);
  });

  it('without a fixed number of files has nothing to say about them', () => {
    expect(judgeFiles({ freeMib: 1, totalMib: 1, freeFiles: 0, totalFiles: 0 }).result).toBe('not-here');
    expect(judgeFiles({ freeMib: 1, totalMib: 1, freeFiles: 60_000, totalFiles: 6_000_000 }).result).toBe('attention');
    expect(judgeFiles({ freeMib: 1, totalMib: 1, freeFiles: 5_000_000, totalFiles: 6_000_000 }).result).toBe('good');
  });
});

describe('memory and swap', () => {
  const meminfo = (lines: Readonly<Record<string, number>>): string => {
    const proc = mkdtempSync(path.join(home, 'proc-'));
    const text = Object.entries(lines).map(([name, mib]) => `${name}:       ${mib * 1024} kB\n`);
    writeFileSync(path.join(proc, 'meminfo'), text.join(''));
    return proc;
  };

  it.each([
    [{ MemTotal: 16_000, MemAvailable: 9000 }, 'good'],
    [{ MemTotal: 16_000, MemAvailable: 900 }, 'attention'],
    [{ MemTotal: 1000, MemAvailable: 700 }, 'attention'],
    [{ MemTotal: 16_000, MemAvailable: 100 }, 'bad'],
  ] as const)('%o is %s', async (lines, result) => {
    expect(judgeMemory(await lookAtMemory(meminfo(lines), 0)).result).toBe(result);
  });

  it('counts a container’s own limit', async () => {
    const facts = await lookAtMemory(meminfo({ MemTotal: 16_000, MemAvailable: 9000 }), 2048 * 1024 ** 2);
    expect(facts).toMatchObject({ totalMib: 2048, availableMib: 2048 });
  });

  it('says that swap is missing on a small machine only, and that much of it is in use', async () => {
    const judge = async (lines: Readonly<Record<string, number>>) => judgeSwap(await lookAtMemory(meminfo(lines), 0));
    expect((await judge({ MemTotal: 16_000 })).result).toBe('good');
    expect(await judge({ MemTotal: 2000 })).toMatchObject({ result: 'attention', fix: expect.stringContaining('mkswap') });
    expect((await judge({ MemTotal: 2000, SwapTotal: 2000, SwapFree: 100 })).result).toBe('attention');
    expect((await judge({ MemTotal: 2000, SwapTotal: 2000, SwapFree: 1900 })).result).toBe('good');
  });
});

describe('the clock', () => {
  it.each([
    ['yes', null, 'good'],
    ['yes', 0.2, 'good'],
    ['no', null, 'attention'],
    ['', null, 'unknown'],
    ['yes', -30, 'bad'],
  ] as const)('synchronised “%s”, %s s from the database’s, is %s', (synchronised, offset, result) => {
    expect(judgeClock(synchronised, offset).result).toBe(result);
  });
});

/** A listener that says this to everybody. */
async function listen(host: string, greeting = ''): Promise<{ port: number; close: () => void }> {
  const server = net.createServer((socket) => socket.on('error', () => undefined).write(greeting));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return { port: (server.address() as net.AddressInfo).port, close: () => server.close() };
}

describe('ports', () => {
  it('that answer on every address of the machine are good, on some only they need attention, on none they are bad', async () => {
    const door = await listen('0.0.0.0');
    const around = surroundings({ PORT: String(door.port) }, { ownAddresses: ['127.0.0.2'] });
    expect(await run('port-panel', around)).toMatchObject({ result: 'good', seen: expect.stringContaining('127.0.0.1 and 127.0.0.2') });
    door.close();
    const loopback = await listen('127.0.0.1');
    const narrow = surroundings({ PORT: String(loopback.port) }, { ownAddresses: ['127.0.0.2'] });
    expect(await run('port-panel', narrow)).toMatchObject({ result: 'attention', seen: expect.stringContaining('not on 127.0.0.2') });
    loopback.close();
    expect(await run('port-panel', surroundings({ PORT: '9' }))).toMatchObject({ result: 'bad' });
    expect(await run('port-panel', surroundings({ PORT: '9' }, { isPanelRunning: false }))).toMatchObject({ result: 'unknown' });
  });

  it('of git must be answered by SSH, not by another program', async () => {
    const [git, other] = [await listen('0.0.0.0', 'SSH-2.0-arboretum\r\n'), await listen('0.0.0.0', '220 mail.example\r\n')];
    expect(await run('port-git', surroundings({ GIT_SSH_PORT: String(git.port) }, { ownAddresses: [] }))).toMatchObject({ result: 'good' });
    expect(await run('port-git', surroundings({ GIT_SSH_PORT: String(other.port) }, { ownAddresses: [] }))).toMatchObject({ result: 'bad' });
    git.close();
    other.close();
  });

  it('that are open to the network are told from those of this machine alone', async () => {
    const [open, own] = [await listen('0.0.0.0'), await listen('127.0.0.1')];
    const found = await openPorts('/proc');
    expect(found).toContain(open.port);
    expect(found).not.toContain(own.port);
    open.close();
    own.close();
  });

  it('of a database that listens to the network need attention', async () => {
    const proc = path.join(home, 'proc-net');
    mkdirSync(path.join(proc, 'net'), { recursive: true });
    // 5432 on all addresses; 6379 on 127.0.0.1, on ::1, and on 127.0.0.1 as IPv6 writes it.
    const row = (address: string): string => `   0: ${address} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n`;
    writeFileSync(path.join(proc, 'net', 'tcp'), `head\n${row('00000000:1538')}${row('0100007F:18EB')}`);
    writeFileSync(path.join(proc, 'net', 'tcp6'), `head\n${row('00000000000000000000000001000000:18EB')}${row('0000000000000000FFFF00000100007F:18EB')}`);
    expect(await run('shut', surroundings({}, { procDir: proc }))).toMatchObject({
      result: 'attention',
      seen: expect.stringContaining('port 5432 (PostgreSQL) of'),
      request: 'Please see that port 5432 (PostgreSQL) of our machine cannot be reached from outside.',
    });
    writeFileSync(path.join(proc, 'net', 'tcp'), `head\n${row('0100007F:1538')}`);
    expect(await run('shut', surroundings({}, { procDir: proc }))).toMatchObject({ result: 'good' });
  });

  it('cannot be seen from outside, and the check says who should try what', async () => {
    const outside = await run('outside', surroundings({ PUBLIC_URL: 'https://otree.example.org', GIT_SSH_PORT: '2022' }));
    expect(outside).toMatchObject({ result: 'unknown', fix: expect.stringMatching(/open https:\/\/otree\.example\.org.*ssh -p 2022 git@otree\.example\.org/) });
  });
});

describe('how much the machine takes', () => {
  it('is reckoned from cores and memory, with every step shown', () => {
    const { instances, peopleInOne, peopleInAll, steps } = estimateCapacity({ cores: 4, memoryMib: 8192 });
    expect({ instances, peopleInOne, peopleInAll }).toEqual({ instances: 44, peopleInOne: 300, peopleInAll: 900 });
    expect(steps.join('\n')).toContain('8,192 MiB less 1,000 MiB');
    expect(estimateCapacity({ cores: 1, memoryMib: 900 })).toMatchObject({ instances: 0, peopleInAll: 0 });
  });
});
