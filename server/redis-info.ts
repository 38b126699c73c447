// What Redis says of itself, on a connection of its own: a look must not wait behind the queue's commands.

import { Redis } from 'ioredis';
import type { redisOptions } from '../domain/assemble.ts';

/** The text of `INFO`. @throws Error when Redis does not answer within three seconds */
export async function readRedisInfo(given: ReturnType<typeof redisOptions>): Promise<string> {
  const options = { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null, connectTimeout: 3000, commandTimeout: 3000 };
  const redis = 'url' in given ? new Redis(given.url, options) : new Redis({ ...given, ...options });
  // The connection's error says more than the command that failed because of it.
  let cause: Error | null = null;
  redis.on('error', (error: Error) => (cause ??= error));
  try {
    await redis.connect();
    return await redis.info();
  } catch (error) {
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}
