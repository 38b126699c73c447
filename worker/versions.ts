// What Redis, nginx and Python say of themselves.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Redis } from 'ioredis';
import type { Config } from '../domain/config.ts';
import type { Context } from '../domain/context.ts';
import { noteVersions } from '../domain/versions.ts';

const ask = promisify(execFile);
const timeoutMs = 5000;
const numberIn = (text: string): string | null => /(\d+\.\d+[\w.-]*)/.exec(text)?.[1] ?? null;

/** Leaves the versions where the About page finds them. */
export const noteOwnVersions = async (ctx: Pick<Context, 'db' | 'config'>, redis: Pick<Redis, 'info'>): Promise<void> =>
  noteVersions(ctx, await askVersions(ctx.config, redis));

/** By name; what does not answer within five seconds is left out. */
async function askVersions(config: Pick<Config, 'NGINX' | 'PYTHON'>, redis: Pick<Redis, 'info'>): Promise<Record<string, string>> {
  const program = async (file: string, flag: string): Promise<string | null> => {
    const { stdout, stderr } = await ask(file, [flag], { timeout: timeoutMs });
    return numberIn(stdout + stderr);
  };
  const asked: Readonly<Record<string, () => Promise<string | null>>> = {
    Redis: async () => /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? null,
    nginx: () => program(config.NGINX, '-v'),
    Python: () => program(config.PYTHON, '--version'),
  };
  const answers = await Promise.all(Object.entries(asked).map(async ([name, question]) => [name, await question().catch(() => null)] as const));
  return Object.fromEntries(answers.flatMap(([name, version]) => (version === null ? [] : [[name, version]])));
}
