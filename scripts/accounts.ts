// The unprivileged users that the services run as.

import { StartProblem } from './problem.ts';
import { run, runOrThrow, type Account } from './run.ts';

/** Null means: no separation, everything belongs to the caller. */
export type Accounts = { readonly panel: Account; readonly postgres: Account } | null;

/**
 * As root: the users `arboretum` (made when missing) and `postgres` (from its package, else made). Otherwise null.
 * @throws StartProblem when a user cannot be made
 */
export async function ensureAccounts(): Promise<Accounts> {
  if (process.getuid?.() !== 0) return null;
  return { panel: await ensureAccount('arboretum'), postgres: await ensureAccount('postgres') };
}

/** A user of the system by name, or null. */
export async function findAccount(name: string): Promise<Account | null> {
  const [uid, gid] = await Promise.all([run({ file: 'id', args: ['-u', name] }), run({ file: 'id', args: ['-g', name] })]);
  return uid.exitCode === 0 && gid.exitCode === 0 ? { name, uid: Number(uid.output), gid: Number(gid.output) } : null;
}

async function ensureAccount(name: string): Promise<Account> {
  const found = await findAccount(name);
  if (found !== null) return found;
  // A user of the same name as its own group; no home and no login, so nobody can become it from outside.
  await runOrThrow(
    { file: 'useradd', args: ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin', name] },
    `making the user ${name}`,
  ).catch(async (error: unknown) => {
    // Another start may have made it meanwhile.
    if ((await findAccount(name)) === null) throw error;
  });
  const made = await findAccount(name);
  if (made === null) throw new StartProblem(`The user ${name} could not be made.`, `Make it by hand: useradd --system --user-group --no-create-home ${name}`);
  return made;
}
