// Surroundings of a system check for tests: nothing answers unless the test says so.

import { loadConfig } from '../domain/config.ts';
import { askDns, type Surroundings } from '../domain/system-check-surroundings.ts';

/** @param env settings; `more` takes the place of what is away */
export function surroundings(env: Readonly<Record<string, string>> = {}, more: Partial<Surroundings> = {}): Surroundings {
  return {
    config: loadConfig({ DATA_DIR: '/tmp/arboretum-no-such-folder', RUN_DIR: '/tmp/arboretum-no-such-run', ...env }),
    names: askDns(['127.0.0.1:9']),
    ownAddresses: ['192.0.2.10'],
    query: null,
    redisInfo: null,
    askGround: () => Promise.reject(new Error('the worker does not answer')),
    askHost: () => Promise.reject(new Error('the worker does not answer')),
    askEngine: () => Promise.reject(new Error('the worker does not answer')),
    isPanelRunning: true,
    procDir: '/proc',
    ...more,
  };
}
