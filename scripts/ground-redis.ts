// The panel's own Redis: reached only over a Unix socket with a password; may be wiped at any time.

import { chownSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Layout } from '../platforms/layout.ts';
import { withRedis } from '../server/redis-info.ts';
import type { Account } from './run.ts';
import { StartProblem } from './problem.ts';
import { deriveSecret } from './service-secrets.ts';

export type RedisAccess = { readonly socket: string; readonly password: string };

/** How the panel's own Redis is reached; the password comes from the panel's key. */
export const redisAccess = (layout: Layout, key: Buffer): RedisAccess => ({ socket: layout.redisSocket, password: deriveSecret(key, 'redis') });

/** Writes its settings (the password stands there and not in argv); returns the file to start it with. */
export function writeRedisConfig(layout: Layout, key: Buffer, account: Account | null): string {
  const { socket, password } = redisAccess(layout, key);
  const file = path.join(layout.redisDir, 'redis.conf');
  const lines = [
    '# Written by Arboretum at every start.',
    'port 0',
    `unixsocket "${socket}"`,
    'unixsocketperm 700',
    `requirepass ${password}`,
    `dir "${layout.redisDir}"`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // The queue would lose entries silently under any other policy.
    'maxmemory-policy noeviction',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  if (account !== null) chownSync(file, account.uid, account.gid);
  return file;
}

/** A file that Redis cannot read any more is put aside: what matters is in PostgreSQL and is queued again. */
export function putRedisDataAside(layout: Layout): void {
  const data = path.join(layout.redisDir, 'appendonlydir');
  if (existsSync(data)) renameSync(data, `${data}.unreadable-${Date.now()}`);
}

/** Whether it answers with this password. */
export async function doesRedisAnswer(access: RedisAccess): Promise<boolean> {
  return await withRedis({ path: access.socket, password: access.password }, async (redis) => (await redis.ping()) === 'PONG').catch(() => false);
}

/**
 * Looks at a Redis that was set from outside.
 * @throws StartProblem when it does not answer or may throw entries away
 */
export async function checkForeignRedis(url: string): Promise<void> {
  const info = await withRedis({ url }, (redis) => redis.info('memory')).catch((error: unknown) => {
    throw new StartProblem(
      `The Redis of REDIS_URL does not answer: ${error instanceof Error ? error.message : String(error)}`,
      'Check the address and whether it runs.',
    );
  });
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== 'noeviction')
    throw new StartProblem(
      `The Redis of REDIS_URL throws entries away when its memory is full (maxmemory-policy ${policy ?? 'unknown'}).`,
      'Set it there: maxmemory-policy noeviction',
    );
}
