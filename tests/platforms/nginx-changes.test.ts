// The front door with a real nginx, seen by the panel: changes, refusals, faults, repair.

import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { identify } from '../../scripts/process-identity.ts';
import { NginxProcess } from '../../platforms/nginx-process.ts';
import { generationFileOf, controlSocketOf, siteFileOf } from '../../platforms/nginx-settings.ts';
import { freePort, freePorts } from '../free-ports.ts';
import { ask, makeStand, never, openSocket, seenBy, until } from './nginx-stand.ts';
import type { Stand } from './nginx-stand.ts';

// nginx tries 2.5 s to get a port that is in use.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let stand: Stand;
beforeEach(async () => {
  stand = await makeStand();
  await stand.upstream('one');
});
afterEach(() => stand.clear());

const generation = (): Promise<string> => readFile(generationFileOf(stand.layout), 'utf8');
const master = async (): Promise<number> => Number(await readFile(stand.layout.nginxPid, 'utf8'));
/** Not as a zombie that nobody has collected yet. */
const isAlive = (pid: number): boolean => identify(pid) !== null;
/** A worker's pid, as it tells on the control socket; 0 when nobody answers. */
const workerPid = async (): Promise<number> => (await new NginxProcess(stand.layout, 'nginx').ask())?.pid ?? 0;
/** A program that has a port before us. */
async function occupy(port: number): Promise<net.Server> {
  const server = net.createServer().listen(port, '0.0.0.0');
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}
const nameAt = async (host: string): Promise<string> => seenBy(await stand.ask(host)).name;

describe('changes', () => {
  test('the same routes again do nothing, in this process and the next', async () => {
    await stand.door.apply([stand.route('one')], never);
    const before = [await generation(), await workerPid()];
    await stand.door.apply([stand.route('one')], never);
    await stand.door.applyOne('one', stand.route('one'), never);
    await stand.newDoor().start();
    await stand.newDoor().apply([stand.route('one')], never);
    expect(await generation()).toBe(before[0]);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
  });

  test('live means live: the first request after each of 10 changes sees it', async () => {
    await stand.upstream('two');
    for (let round = 0; round < 10; round += 1) {
      const name = round % 2 === 0 ? 'one' : 'two';
      await stand.door.applyOne('x', { ...stand.route('x'), upstreamSocket: stand.layout.instanceSocket(name) }, never);
      const names = await Promise.all(Array.from({ length: 100 }, () => nameAt('x.lab.test')));
      expect(new Set(names)).toEqual(new Set([name]));
    }
    await stand.door.applyOne('x', null, never);
    expect((await stand.ask('x.lab.test')).status).toBe(404);
  });

  test('ten at once are done one after the other, and none is lost', async () => {
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        stand.door.applyOne(`n${index}`, { ...stand.route(`n${index}`), upstreamSocket: stand.layout.instanceSocket('one') }, never),
      ),
    );
    for (let index = 0; index < 10; index += 1) expect(await nameAt(`n${index}.lab.test`)).toBe('one');
  });

  test('a port that was given back can be had again at once', async () => {
    const address = { mode: 'port', port: await freePort(), certificate: null } as const;
    for (let round = 0; round < 5; round += 1) {
      await stand.door.applyOne('one', stand.route('one', { address }), never);
      await stand.door.applyOne('one', null, never);
    }
    await stand.door.applyOne('other', { ...stand.route('one', { address }), instanceId: 'other' }, never);
    expect(seenBy(await ask({ port: address.port, host: 'x' })).name).toBe('one');
  });

  test('an aborted call that waits in the queue changes nothing', async () => {
    await stand.door.apply([stand.route('one')], never);
    await expect(stand.door.applyOne('one', null, AbortSignal.abort())).rejects.toThrow('aborted');
    expect(await nameAt('one.lab.test')).toBe('one');
  });

  test('a websocket lives through 20 reloads and the coming and going of others, and no message is missing', async () => {
    await stand.door.apply([stand.route('one')], never);
    const socket = await openSocket(stand.port, 'one.lab.test');
    for (let round = 0; round < 10; round += 1) {
      const before = await generation();
      await stand.door.applyOne('two', stand.route('two', { upstreamSocket: null }), never);
      await stand.door.applyOne('two', null, never);
      expect(await generation()).not.toBe(before);
    }
    const count = socket.ticks().length;
    socket.say('still here');
    await until('the upstream hears and goes on', () => socket.state.text.includes('heard still here') && socket.ticks().length > count + 20);
    expect(socket.state.isClosed).toBe(false);
    expect(socket.ticks()).toEqual(socket.ticks().map((_, index) => index + 1));
    socket.close();
  });

  test('new visitors all along 10 reloads: every one is answered', async () => {
    await stand.door.apply([stand.route('one')], never);
    const answers: string[] = [];
    const closing = new AbortController();
    const visitors = Array.from({ length: 8 }, async () => {
      while (!closing.signal.aborted) answers.push(await nameAt('one.lab.test').catch(String));
    });
    for (let round = 0; round < 10; round += 1) await stand.door.applyOne('two', round % 2 === 0 ? stand.route('two', { upstreamSocket: null }) : null, never);
    closing.abort();
    await Promise.all(visitors);
    expect(answers.length).toBeGreaterThan(100);
    expect(new Set(answers)).toEqual(new Set(['one']));
  });

  test('data in a folder with spaces and umlauts', async () => {
    const odd = await makeStand({ dataName: 'Förster & Söhne (1)' });
    await odd.door.apply([odd.route('two', { upstreamSocket: null, fallback: 'waiting' })], never);
    expect((await odd.ask('two.lab.test')).body).toContain('No experiment here yet');
    await odd.clear();
  });
});

describe('refusals', () => {
  test('a port in use: that one is named, the others are live', async () => {
    const port = await freePort();
    const other = await occupy(port);
    const { refused } = await stand.door.apply([stand.route('busy', { address: { mode: 'port', port, certificate: null } }), stand.route('one')], never);
    expect(refused).toEqual([{ instanceId: 'busy', reason: `port ${port} is in use by another program.` }]);
    expect(await nameAt('one.lab.test')).toBe('one');
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    other.close();
    expect(await stand.door.apply([stand.route('busy', { address: { mode: 'port', port, certificate: null } }), stand.route('one')], never)).toEqual({
      refused: [],
    });
  });

  test('while nginx runs too: applyOne throws, its old address and the others stay, nobody is cut off', async () => {
    const [port = 0, first = 0] = await freePorts(2);
    await stand.door.apply(
      [
        stand.route('one'),
        stand.route('busy', { address: { mode: 'port', port: first, certificate: null }, upstreamSocket: stand.layout.instanceSocket('one') }),
      ],
      never,
    );
    const socket = await openSocket(stand.port, 'one.lab.test');
    const other = await occupy(port);
    const before = await generation();
    await expect(stand.door.applyOne('busy', stand.route('busy', { address: { mode: 'port', port, certificate: null } }), never)).rejects.toMatchObject({
      code: 'platform_failed',
      details: { reason: `port ${port} is in use by another program.` },
    });
    expect(await generation()).toBe(before);
    expect(seenBy(await ask({ port: first, host: 'x' })).name).toBe('one');
    expect(socket.state.isClosed).toBe(false);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    socket.close();
    other.close();
  });

  test('after a reboot somebody has an instance’s port: all others come up, check names it, repair heals it later', async () => {
    const port = await freePort();
    await stand.door.apply(
      [stand.route('one'), stand.route('busy', { address: { mode: 'port', port, certificate: null }, upstreamSocket: stand.layout.instanceSocket('one') })],
      never,
    );
    await stand.door.stop(never);
    const other = await occupy(port);
    await stand.door.start();
    expect(await nameAt('one.lab.test')).toBe('one');
    expect(await stand.door.check()).toEqual({ state: 'drifted', reason: `Instance busy is not reachable: port ${port} is in use by another program.` });
    await new Promise((resolve) => other.close(resolve));
    await stand.door.repair(never);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    expect(seenBy(await ask({ port, host: 'x' })).name).toBe('one');
  });

  test('two with one address: the second is named; nobody gets the panel’s', async () => {
    const { refused } = await stand.door.apply(
      [
        stand.route('one'),
        { ...stand.route('one'), instanceId: 'two' },
        stand.route('three', { address: { mode: 'name', hostName: 'lab.test', certificate: null } }),
        stand.route('four', { address: { mode: 'port', port: stand.port, certificate: null } }),
      ],
      never,
    );
    expect(refused.map(({ instanceId }) => instanceId)).toEqual(['two', 'three', 'four']);
    await expect(stand.newDoor().applyOne('two', { ...stand.route('one'), instanceId: 'two' }, never)).rejects.toMatchObject({ code: 'platform_failed' });
  });

  test('a value that nginx could take for a directive never reaches a file', async () => {
    const evil = { ...stand.route('evil'), address: { mode: 'name', hostName: 'x; include /etc/passwd', certificate: null } } as const;
    expect((await stand.door.apply([evil, stand.route('one')], never)).refused).toHaveLength(1);
    await expect(stand.door.applyOne('../x', stand.route('one'), never)).rejects.toMatchObject({ code: 'platform_failed' });
    await expect(stand.door.applyOne('evil', evil, never)).rejects.toMatchObject({ code: 'platform_failed' });
    expect(await nameAt('one.lab.test')).toBe('one');
  });

  test('the panel’s own port in use, or no nginx: one sentence', async () => {
    const other = await occupy(stand.port);
    await expect(stand.door.start()).rejects.toThrow(`0.0.0.0:${stand.port} failed (98`);
    other.close();
    await expect(stand.newDoor({ nginxBinary: 'no-such-nginx' }).start()).rejects.toThrow('there is no no-such-nginx; install the package nginx.');
    expect(await stand.newDoor({ nginxBinary: 'no-such-nginx' }).check()).toMatchObject({ state: 'away' });
  });

  test('a file that nginx’s own test refuses is rolled back', async () => {
    // A stricter nginx than ours: its test refuses what an unlucky name makes it refuse.
    const strict = path.join(stand.base, 'strict-nginx');
    await writeFile(
      strict,
      `#!/bin/sh\ncase " $* " in *" -t "*) f=$(grep -l poison "${stand.layout.nginxSites}"/*.conf) && { echo "nginx: [emerg] poison in $f:3" >&2; exit 1; };; esac\nexec nginx "$@"\n`,
    );
    await chmod(strict, 0o755);
    const door = stand.newDoor({ nginxBinary: strict });
    await door.apply([stand.route('one')], never);
    const before = await generation();
    await expect(
      door.applyOne('one', stand.route('one', { address: { mode: 'name', hostName: 'poison.lab.test', certificate: null } }), never),
    ).rejects.toThrow('nginx refuses its file: poison');
    expect(await generation()).toBe(before);
    expect(await nameAt('one.lab.test')).toBe('one');
    expect(
      (await door.apply([stand.route('one'), stand.route('two', { upstreamSocket: null }), stand.route('poison')], never)).refused.map(
        ({ instanceId }) => instanceId,
      ),
    ).toEqual(['poison']);
    expect((await stand.ask('two.lab.test')).status).toBe(503);
  });

  test('a broken file on disk does not keep the door from starting', async () => {
    await mkdir(stand.layout.nginxSites, { recursive: true });
    await writeFile(siteFileOf(stand.layout, 'broken'), 'server { listen nonsense');
    await stand.door.start();
    expect((await stand.ask('lab.test')).status).toBe(503);
    expect(await stand.door.check()).toMatchObject({ state: 'drifted', reason: expect.stringContaining('Instance broken is not reachable') });
  });
});

describe('faults', () => {
  const routes = () => [stand.route('one'), stand.route('two', { upstreamSocket: null })];
  beforeEach(async () => {
    await stand.door.apply(routes(), never);
  });
  const healed = async (): Promise<void> => {
    await stand.door.repair(never);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    expect(await nameAt('one.lab.test')).toBe('one');
  };

  test('kill -9 of master and workers: sockets close, and open again when it is back', async () => {
    const [first, worker] = [await master(), await workerPid()];
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(stand.port, 'one.lab.test')));
    process.kill(first, 'SIGKILL');
    for (let pid = worker; pid > 0; pid = await workerPid()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    expect(await stand.door.check()).toEqual({ state: 'away', reason: 'nginx does not run.' });
    await expect(stand.ask('one.lab.test')).rejects.toMatchObject({ code: expect.stringMatching(/^ECONN/) });
    await until('every browser knows', () => sockets.every(({ state }) => state.isClosed));
    await healed();
    for (const socket of await Promise.all(sockets.map(() => openSocket(stand.port, 'one.lab.test')))) socket.close();
    expect(await master()).not.toBe(first);
  });

  test('kill -9 of the master alone: its orphans go home, an open websocket stays', async () => {
    const socket = await openSocket(stand.port, 'one.lab.test');
    process.kill(await master(), 'SIGKILL');
    await until('the master is gone', async () => !isAlive(await master()) || (await stand.door.check()).state === 'away');
    await healed();
    const count = socket.ticks().length;
    await until('the websocket goes on', () => socket.ticks().length > count + 20);
    expect(socket.state.isClosed).toBe(false);
    socket.close();
  });

  test.each(['lost', 'changed', 'added'])('a file that was %s', async (how) => {
    const file = siteFileOf(stand.layout, how === 'added' ? 'strange' : 'one');
    if (how === 'lost') await rm(file);
    else await writeFile(file, '# not ours\n');
    expect(await stand.door.check()).toEqual({ state: 'drifted', reason: `${file} is not as it was written.` });
    await healed();
  });

  test('a run directory that somebody cleaned: pid file and control socket lost, websockets stay', async () => {
    const socket = await openSocket(stand.port, 'one.lab.test');
    await rm(stand.layout.nginxPid);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    await rm(controlSocketOf(stand.layout));
    expect(await stand.door.check()).toEqual({ state: 'away', reason: 'nginx runs but does not answer.' });
    await healed();
    expect(await master()).toBeGreaterThan(1);
    expect(socket.state.isClosed).toBe(false);
    socket.close();
  });

  test('a pid file that names somebody else’s process', async () => {
    const [own, pid] = [String(process.pid), await master()];
    await writeFile(stand.layout.nginxPid, own);
    expect(await stand.door.check()).toEqual({ state: 'ok' });
    await writeFile(stand.layout.nginxPid, String(pid));
  });

  test('stop ends every process, and a new start finds the routes on disk', async () => {
    const [first, worker] = [await master(), await workerPid()];
    await stand.door.stop(never);
    expect([isAlive(first), isAlive(worker)]).toEqual([false, false]);
    await stand.newDoor().start();
    expect(await nameAt('one.lab.test')).toBe('one');
  });

  test('nginx keeps no variable of ours in its environment', async () => {
    const environment = await readFile(`/proc/${await master()}/environ`, 'utf8');
    expect(environment).not.toContain('HOME=');
  });
});
