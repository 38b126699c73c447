// What one visitor may take of the front door: bytes, time and connections, with the reasons for each figure.

import type { NginxSettings } from './nginx-settings.ts';
import { checkedNumber } from './nginx-words.ts';

/** Two, not one per core: 18 µs a request, and each reload leaves as many old workers while websockets last. */
export const WORKERS = 2;

/**
 * A lab of 300 seats behind one address: a browser opens six connections for files at once (or six requests within one of
 * HTTP/2, each of which counts), and an experiment's page holds up to three websockets (waiting, live, chat): 300 × 9 = 2,700.
 */
const LAB_OF_300 = 4000;

/** Connections of one worker process; each request of a visitor needs two, one of them to oTree. */
export const workerConnectionsOf = (openFiles: number): number => Math.max(64, Math.floor(openFiles / 2));

/** What one address may have: a large lab, but never more than half of what this machine lets nginx carry. */
export const connectionsPerAddressOf = (openFiles: number): number => Math.min(LAB_OF_300, Math.floor((workerConnectionsOf(openFiles) * WORKERS) / 4));

/**
 * For every server.
 *
 * Slow clients cost a connection and some kilobytes each, never an oTree thread: nginx reads header and body whole before it
 * asks the instance. A header must be there within 20 s in all; of a body something must come every 30 s, so that one
 * that drips may last, as uploads over bad lines must, and counts against its address meanwhile. Connections without a complete
 * header cannot be counted by nginx (`limit_conn` begins after it); the 20 s bound those, and idle ones are closed first when
 * connections run out.
 */
export const renderLimits = ({ canKeepResting }: Pick<NginxSettings, 'canKeepResting'>): readonly string[] => [
  'client_header_timeout 20s;',
  'client_body_timeout 30s;',
  'send_timeout 30s;',
  'reset_timedout_connection on;',
  'keepalive_timeout 60s;',
  // A reload would close connections that rest, also one on which a program has just begun to send. Ten seconds, because
  // workers of before stay as long, and many changes in a row would gather them.
  ...(canKeepResting ? ['keepalive_min_timeout 10s;'] : []),
  'keepalive_requests 1000;',
  'client_header_buffer_size 4k;',
  // One line of the header has 32 KiB at most, all of them 128: cookies of experiments may be long.
  'large_client_header_buffers 4 32k;',
  'client_body_buffer_size 128k;',
  'limit_conn_status 429;',
  'limit_conn_log_level info;',
];

/**
 * Counts the connections of each address, websockets too; the key is the visitor's address, also behind a proxy that was named.
 *
 * The counts belong to one generation: a worker that was killed never takes its own back, so they must be able to begin anew.
 * What a reload leaves open in workers of before is not counted any more. 2 MiB hold 16,000 addresses.
 * @param generation checked already
 */
export const renderCounts = ({ connectionsPerAddress }: NginxSettings, generation: string): readonly string[] => [
  `limit_conn_zone $arboretum_client zone=arboretum-${generation}:2m;`,
  `limit_conn arboretum-${generation} ${checkedNumber('limit of connections', connectionsPerAddress, 1_000_000)};`,
];
