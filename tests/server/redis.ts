// The Redis that `npm test` started.

import { Redis } from 'ioredis';

/** @throws when the tests are not run by `npm test` */
export function testRedis(): Redis {
  const given = process.env['ARBORETUM_TEST_REDIS'];
  if (!given) throw new Error('ARBORETUM_TEST_REDIS is not set: run the tests with npm test.');
  const [path = '', password] = given.split('#');
  return given.startsWith('redis') ? new Redis(given) : new Redis({ path, ...(password ? { password } : {}) });
}
