// Asking Redis on a connection of its own: a look must not wait behind the queue's commands.

import { Redis } from 'ioredis';
import type { redisOptions } from '../domain/assemble.ts';

type Address = ReturnType<typeof redisOptions>;

/** The text of `INFO`. @throws Error when Redis does not answer within three seconds */
export const readRedisInfo = (address: Address): Promise<string> => withRedis(address, (redis) => redis.info());

/** @throws Error when Redis does not answer within three seconds */
export async function withRedis<T>(address: Address, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const options = { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null, connectTimeout: 3000, commandTimeout: 3000 };
  const redis = 'url' in address ? new Redis(address.url, options) : new Redis({ ...address, ...options });
  // The connection's error says more than the command that failed because of it.
  let cause: Error | null = null;
  redis.on('error', (error: Error) => (cause ??= error));
  try {
    await redis.connect();
    return await ask(redis);
  } catch (error) {
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}
