// Run as a program by nginx-plain.test.ts, under a user id that is not root: one walk with the door, told as JSON.

import { readFile } from 'node:fs/promises';
import { makeStand, never, openSocket, seenBy } from './nginx-stand.ts';
import { freePort } from '../free-ports.ts';

async function walk(): Promise<void> {
  const stand = await makeStand();
  const told: Record<string, unknown> = { uid: process.getuid?.() };
  try {
    await stand.upstream('one');
    await stand.door.start();
    const low = stand.route('low', { address: { mode: 'port', port: 1, certificate: null } });
    const free = await freePort();
    const own = stand.route('two', { address: { mode: 'port', port: free, certificate: null }, upstreamSocket: null });
    const { refused } = await stand.door.apply([stand.route('one'), low, own], never);
    told['refused'] = refused.map(({ instanceId }) => instanceId);
    told['answer'] = seenBy(await stand.ask('one.lab.test')).name;
    told['fallback'] = (await stand.ask('two', { port: free })).status;
    const socket = await openSocket(stand.port, 'one.lab.test');
    await stand.door.applyOne('two', null, never);
    process.kill(Number(await readFile(stand.layout.nginxPid, 'utf8')), 'SIGKILL');
    await stand.door.repair(never);
    told['health'] = await stand.door.check();
    told['isSocketOpen'] = !socket.state.isClosed;
    told['post'] = seenBy(await stand.ask('one.lab.test', { method: 'POST', body: 'x'.repeat(500_000) })).body.length;
    socket.close();
    const secure = stand.newDoor({ https: { port: 1, origin: 'https://lab.test:1' } });
    told['lowHttps'] = await secure.start().then(
      () => 'open',
      (error: Error) => error.message,
    );
    told['afterwards'] = seenBy(await stand.ask('one.lab.test')).name;
  } finally {
    await stand.clear();
  }
  process.stdout.write(JSON.stringify(told));
}

void walk();
