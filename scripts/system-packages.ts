// What must be on the machine, and getting it: by apt where we may, else one message that names the packages.

import { findRights, installByApt } from './apt.ts';
import { findPostgres, findProgram, findPython, type Programs } from './binaries.ts';
import { StartProblem } from './problem.ts';
import type { Progress } from './progress.ts';

/** A program that is needed, under its package names. */
type Need = {
  readonly what: string;
  readonly debian: readonly string[];
  readonly fedora: readonly string[];
  readonly macos: readonly string[];
  readonly find: () => string | null | Promise<string | null>;
};

/** What a start or a test run asks for. */
export type Wanted = {
  /** Major version of the existing data, null for the newest. */
  readonly postgresMajor: number | null;
  /** False: somebody else's server is used, only its tools are needed. */
  readonly ownPostgres: boolean;
  readonly ownRedis: boolean;
  /** Also what only the tests use: a browser, the clients of git's users, a look at processes. */
  readonly forTests?: boolean;
};

export const serverTools = ['initdb', 'pg_ctl', 'postgres', 'psql', 'pg_dump', 'pg_restore'];
const clientTools = ['pg_dump', 'pg_restore', 'psql'];

type Names = keyof Programs | 'chromium' | 'ssh' | 'pgrep' | 'pip';

function needsOf(wanted: Wanted): Readonly<Partial<Record<Names, Need>>> {
  const postgres: Need = wanted.ownPostgres
    ? {
        what: 'PostgreSQL',
        debian: ['postgresql'],
        fedora: ['postgresql-server', 'postgresql'],
        macos: ['postgresql'],
        find: () => findPostgres(wanted.postgresMajor, serverTools),
      }
    : { what: 'pg_dump', debian: ['postgresql-client'], fedora: ['postgresql'], macos: ['libpq'], find: () => findPostgres(null, clientTools) };
  const redis: Need = { what: 'Redis', debian: ['redis-server'], fedora: ['valkey-compat-redis'], macos: ['redis'], find: () => findProgram('redis-server') };
  return {
    postgresBin: postgres,
    ...(wanted.ownRedis ? { redisServer: redis } : {}),
    nginx: { what: 'nginx', debian: ['nginx'], fedora: ['nginx'], macos: ['nginx'], find: () => findProgram('nginx') },
    git: { what: 'git', debian: ['git'], fedora: ['git'], macos: ['git'], find: () => findProgram('git') },
    python: { what: 'Python with venv', debian: ['python3', 'python3-venv'], fedora: ['python3'], macos: ['python'], find: findPython },
    ...(wanted.forTests ? testNeeds : {}),
  };
}

const testNeeds: Readonly<Record<'chromium' | 'ssh' | 'pgrep' | 'pip', Need>> = {
  chromium: { what: 'Chromium', debian: ['chromium'], fedora: ['chromium'], macos: ['chromium'], find: () => findProgram('chromium') },
  ssh: { what: 'the OpenSSH client', debian: ['openssh-client'], fedora: ['openssh-clients'], macos: ['openssh'], find: () => findProgram('ssh-keygen') },
  pgrep: { what: 'pgrep', debian: ['procps'], fedora: ['procps-ng'], macos: ['proctools'], find: () => findProgram('pgrep') },
  pip: { what: 'pip', debian: ['python3-pip'], fedora: ['python3-pip'], macos: ['python'], find: () => findProgram('pip3') },
};

/**
 * Finds all programs, installing what is missing where we may.
 * @throws StartProblem naming the packages for Debian, Fedora and macOS
 */
export async function ensurePrograms(wanted: Wanted, progress: Progress): Promise<Programs & { readonly chromium: string | null }> {
  const needs = needsOf(wanted);
  let found = await look(needs);
  const missing = missingOf(needs, found);
  if (missing.length > 0) {
    const rights = await findRights();
    if (rights === null) throw missingProblem(missing);
    const packages = missing.flatMap((need) => need.debian);
    await progress.step(`system packages: ${packages.join(', ')}`, (note) => installByApt(rights, packages, { log: progress.log, note }));
    found = await look(needs);
    const still = missingOf(needs, found);
    if (still.length > 0) throw missingProblem(still);
  }
  return { postgresBin: null, redisServer: null, nginx: null, git: null, python: null, chromium: null, ...found };
}

type Found = Partial<Record<Names, string | null>>;

async function look(needs: ReturnType<typeof needsOf>): Promise<Found> {
  const entries = await Promise.all(Object.entries(needs).map(async ([name, need]) => [name, await need.find()] as const));
  return Object.fromEntries(entries);
}

const missingOf = (needs: ReturnType<typeof needsOf>, found: Found): readonly Need[] =>
  Object.entries(needs).flatMap(([name, need]) => (found[name as Names] ? [] : [need]));

function missingProblem(missing: readonly Need[]): StartProblem {
  const names = (system: 'debian' | 'fedora' | 'macos'): string => missing.flatMap((need) => need[system]).join(' ');
  const lines = [
    'Install the packages, then start again:',
    `    Debian, Ubuntu:  sudo apt install --no-install-recommends ${names('debian')}`,
    `    Fedora:          sudo dnf install ${names('fedora')}`,
    `    macOS:           brew install ${names('macos')}`,
  ];
  return new StartProblem(`Missing on this machine: ${missing.map((need) => need.what).join(', ')}.`, lines.join('\n'));
}
