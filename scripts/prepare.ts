// Everything that must be there before a process can be started: users, folders, packages, tools, key.

import type { Config } from '../domain/config.ts';
import { ensureAccounts, type Accounts } from './accounts.ts';
import type { Programs } from './binaries.ts';
import { checkParents, prepareDirectories } from './directories.ts';
import { dataMajor } from './ground-postgres.ts';
import { StartProblem } from './problem.ts';
import type { Progress } from './progress.ts';
import { ensureSecretKey } from './secret-key.ts';
import { ensurePrograms } from './system-packages.ts';
import { ensureTools } from './tools.ts';

/** What the ground and the panel stand on. */
export type Prepared = {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly programs: { readonly [Name in keyof Programs]: string };
  readonly key: Buffer;
};

/** May be repeated; a second time it takes a second. @throws StartProblem */
export async function prepare(config: Config, progress: Progress): Promise<Prepared> {
  const { layout } = config;
  const programs = await findAll(config, progress);
  const accounts = await ensureAccounts();
  if (accounts !== null) for (const place of [layout.dataDir, layout.runDir]) checkParents(place);
  prepareDirectories(layout, accounts);
  const key = ensureSecretKey(layout, config.ARBORETUM_SECRET_KEY, accounts?.panel ?? null);
  // pip reads PIP_INDEX_URL, PIP_CERT and the like from the environment, which it inherits.
  await progress.step('uv and supervisor', () => ensureTools(layout.toolsDir, programs.python, progress.log));
  if (accounts === null) progress.say('  Not started as root: for trusted users only, because all experiments share one user id.');
  return { config, accounts, programs, key };
}

async function findAll(config: Config, progress: Progress): Promise<Prepared['programs']> {
  const wanted = { postgresMajor: dataMajor(config.layout), ownPostgres: !config.DATABASE_URL, ownRedis: !config.REDIS_URL };
  const { postgresBin, redisServer, nginx, git, python } = await ensurePrograms(wanted, progress);
  if (postgresBin === null || nginx === null || git === null || python === null)
    throw new StartProblem('The system packages are not complete.', 'See the log for what apt said.');
  return { postgresBin, redisServer: redisServer ?? '', nginx, git, python };
}
