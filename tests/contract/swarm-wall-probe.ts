// The probe that tries every way out of an experiment's container: what it is told to try, and what came of it, as a table.

import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import { serviceName } from '../../platforms/swarm/names.ts';
import { requireEnvironment, until } from './local-stand.ts';
import { never } from './stand.ts';
import type { SwarmBench } from './swarm-rogue.ts';

const PROBE_MS = 150_000;

/** Starts `bench.rogue` as the probe beside `bench.quiet`, prints each try and its end. @param further places to try by TCP: name, then host and port @returns what it reached */
export async function tryTheWalls(bench: SwarmBench, further: Readonly<Record<string, readonly [string, number]>> = {}): Promise<readonly string[]> {
  const { stand, quiet, rogue } = bench;
  const host = net.createServer().listen(0, '0.0.0.0');
  await once(host, 'listening');
  const hostPort = (host.address() as net.AddressInfo).port;
  const address = Object.values(os.networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal && !one.address.startsWith('172.'))?.address;
  const neighbour = await addressOf(bench);
  const panel = new URL(requireEnvironment('ARBORETUM_TEST_DATABASE_URL'));
  const wanted = {
    neighbour,
    neighbourPort: 9999,
    neighbourName: serviceName(quiet.instanceId),
    neighbourSocket: stand.platform.upstreamSocket(quiet.instanceId),
    neighbourDatabase: `i_${quiet.instanceId}`,
    panelDatabase: panel.pathname.slice(1),
    ownDatabase: `i_${rogue.instanceId}`,
    hostAddress: address ?? '172.17.0.1',
    hostPort,
    redis: process.env['ARBORETUM_TEST_REDIS_SOCKET'],
    docker: stand.engine.socket,
    dataDir: stand.options.layout.dataDir,
    further: Object.entries(further).map(([name, [place, port]]) => [name, place, port === 0 ? hostPort : port]),
  };
  try {
    // Each name that nobody knows would else take 20 seconds.
    await bench.begin(rogue, 'probe', { PROBE: JSON.stringify(wanted), RES_OPTIONS: 'timeout:2 attempts:1' });
    await until('the probe has tried everything', async () => (await bench.log(rogue)).includes('PROBE {'), PROBE_MS);
    const line = (await bench.log(rogue)).split('\n').findLast((text) => text.startsWith('PROBE {')) ?? '';
    const found = Object.entries(JSON.parse(line.slice('PROBE '.length)) as Record<string, string>);
    process.stderr.write(`\n${found.map(([name, came]) => `${name.padEnd(42)} ${came}`).join('\n')}\n`);
    if (found.length < 26 + Object.keys(further).length) throw new Error('the probe has not tried everything');
    await stand.platform.stop(rogue, never);
    return found.flatMap(([name, came]) => (came.startsWith('REACHED') ? [name] : []));
  } finally {
    host.close();
  }
}

/** Of the neighbour in its own network, where it listens. */
async function addressOf({ quiet, inspect }: SwarmBench): Promise<string> {
  const [network] = Object.values((await inspect(quiet)).NetworkSettings.Networks);
  if (network === undefined || !network.IPAddress.startsWith('10.')) throw new Error('the neighbour has no address to try');
  return network.IPAddress;
}
