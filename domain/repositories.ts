// The bare git repositories that receive projects.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { AppError } from '../contracts/errors.ts';
import type { Layout } from '../platforms/layout.ts';

const run = promisify(execFile);
const nobody = {
  GIT_AUTHOR_NAME: 'Arboretum',
  GIT_AUTHOR_EMAIL: 'arboretum@localhost',
  GIT_COMMITTER_NAME: 'Arboretum',
  GIT_COMMITTER_EMAIL: 'arboretum@localhost',
};

type Identity = { readonly uid?: number; readonly gid?: number };

/** As root, git runs under the id that owns the repositories: what lies in them is foreign. */
async function identity(layout: Layout): Promise<Identity> {
  if (os.userInfo().uid !== 0) return {};
  const { uid, gid } = await stat(layout.repositoriesDir);
  return { uid, gid };
}

const cleanEnvironment = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  LANG: 'C.UTF-8',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  ...more,
});

async function git(layout: Layout, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const options = { ...(await identity(layout)), env: cleanEnvironment(env), cwd: layout.repositoriesDir, maxBuffer: 4 * 1024 * 1024 };
  return (await run('git', [...args], options)).stdout;
}

/** Makes the empty bare repository; an existing one is left as it is. */
export async function createRepository(layout: Layout, instanceId: string): Promise<void> {
  await git(layout, ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', layout.repositoryDir(instanceId)]);
}

/** Packs what pushes left behind, when git thinks it worth while. */
export async function tidyRepository(layout: Layout, instanceId: string): Promise<void> {
  await git(layout, ['-C', layout.repositoryDir(instanceId), 'gc', '--auto', '--quiet']);
}

export type CommitInfo = { readonly commit: string; readonly message: string; readonly author: string };

/** What a branch or commit points at, null when it does not exist. @param ref full ref name or commit id */
export async function describeCommit(layout: Layout, instanceId: string, ref: string): Promise<CommitInfo | null> {
  try {
    const out = await git(layout, ['-C', layout.repositoryDir(instanceId), 'log', '-1', '--format=%H%x00%s%x00%an', '--end-of-options', ref, '--']);
    const [commit, message, author] = out.trimEnd().split('\0');
    return commit ? { commit, message: message?.slice(0, 300) ?? '', author: author?.slice(0, 100) ?? '' } : null;
  } catch {
    return null;
  }
}

/** The branch that is deployed: the one set, otherwise `main` or `master`, whichever has a commit. */
export async function findDeployHead(layout: Layout, instance: { id: string; deployBranch: string | null }): Promise<(CommitInfo & { branch: string }) | null> {
  for (const branch of instance.deployBranch ? [instance.deployBranch] : ['main', 'master']) {
    const head = await describeCommit(layout, instance.id, `refs/heads/${branch}`);
    if (head) return { ...head, branch };
  }
  return null;
}

/** Makes a function that opens the commit's files as a tar stream; an error of git destroys the stream. */
export async function archiveOpener(layout: Layout, instanceId: string, commit: string): Promise<() => Readable> {
  const options = { ...(await identity(layout)), env: cleanEnvironment(), cwd: layout.repositoriesDir };
  return () => {
    const child = spawn('git', ['-C', layout.repositoryDir(instanceId), 'archive', '--format=tar', commit], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (bytes: Buffer) => (complaint = (complaint + bytes.toString()).slice(-500)));
    child.on('error', (error) => child.stdout.destroy(error));
    child.on('exit', (code) => code !== 0 && child.stdout.destroy(new Error(`git archive: ${complaint.trim()}`)));
    return child.stdout;
  };
}

export type FoundLine = { readonly file: string; readonly line: number; readonly text: string };

/** More lines of one search nobody reads. */
const maxFound = 40;
const searchTimeoutMs = 10_000;

/**
 * Lines of a commit's text files in which a pattern occurs: only read, nothing of it runs. Empty when the commit is not there.
 * @param search `pattern` extended regular expression of ours, never a person's; `paths` git pathspecs such as `*.py`
 */
export async function searchCommit(
  layout: Layout,
  at: { readonly instanceId: string; readonly commit: string },
  search: { readonly pattern: string; readonly paths: readonly string[] },
): Promise<FoundLine[]> {
  const options = { ...(await identity(layout)), env: cleanEnvironment(), cwd: layout.repositoriesDir, maxBuffer: 4 * 1024 * 1024, timeout: searchTimeoutMs };
  const args = ['-C', layout.repositoryDir(at.instanceId), 'grep', '-I', '-n', '-z', '-E', '--no-color', '--threads=1', '--max-depth=6', '-e', search.pattern];
  try {
    const { stdout } = await run('git', [...args, at.commit, '--', ...search.paths], options);
    return readFound(stdout, at.commit);
  } catch {
    // Exit code 1: nothing found. Anything else, a commit that is gone for one, is no more than that to whoever asks.
    return [];
  }
}

/** `COMMIT:FILE NUL LINE NUL TEXT` a line. */
const readFound = (out: string, commit: string): FoundLine[] =>
  out
    .split('\n')
    .slice(0, maxFound)
    .flatMap((row) => {
      const [place, line, text] = row.split('\0');
      if (place === undefined || line === undefined || text === undefined) return [];
      return [{ file: place.slice(commit.length + 1), line: Number(line), text: text.trim().slice(0, 200) }];
    });

/** All text files of a commit that fit, name → text, a megabyte each at most; empty when the commit is not there. @param paths git pathspecs */
export async function readTexts(
  layout: Layout,
  at: { readonly instanceId: string; readonly commit: string },
  paths: readonly string[],
): Promise<Map<string, string>> {
  const options = { ...(await identity(layout)), env: cleanEnvironment(), cwd: layout.repositoriesDir, maxBuffer: 16 * 1024 * 1024, timeout: searchTimeoutMs };
  const args = ['-C', layout.repositoryDir(at.instanceId), 'grep', '-I', '-z', '--no-color', '--threads=1', '--max-depth=6', '-e', ''];
  const texts = new Map<string, string[]>();
  // Exit code 1: no file has a line. A project that is too large has no texts, either.
  const { stdout } = await run('git', [...args, at.commit, '--', ...paths], options).catch(() => ({ stdout: '' }));
  for (const row of stdout.split('\n')) {
    const end = row.indexOf('\0');
    if (end < 0) continue;
    const file = row.slice(at.commit.length + 1, end);
    const lines = texts.get(file) ?? [];
    lines.push(row.slice(end + 1));
    texts.set(file, lines);
  }
  return new Map([...texts].map(([file, lines]) => [file, lines.join('\n').slice(0, 1_000_000)]));
}

export type FolderCommit = {
  readonly folder: string;
  readonly message: string;
  /** `main` when left out. */
  readonly branch?: string;
  /** The commit that the branch points at now, null (or left out) when it does not exist yet. */
  readonly parent?: string | null;
  readonly author?: { readonly name: string; readonly email: string };
};

/**
 * Commits a folder on a branch, as a person's push would. The same files as in the parent make no commit.
 * @returns the new commit, or the parent
 * @throws push_refused when somebody else moved the branch in the meantime
 */
export async function commitFolder(layout: Layout, instanceId: string, source: FolderCommit): Promise<string> {
  const { branch = 'main', parent = null, author } = source;
  const scratch = await mkdtemp(path.join(layout.repositoriesDir, '.index-'));
  try {
    const { uid, gid } = await identity(layout);
    if (uid !== undefined && gid !== undefined) await run('chown', [`${uid}:${gid}`, scratch]);
    const env = { ...nobody, ...authorOf(author), GIT_INDEX_FILE: path.join(scratch, 'index') };
    const place = ['--git-dir', layout.repositoryDir(instanceId), '--work-tree', source.folder];
    await git(layout, [...place, '-c', 'core.bare=false', '-c', 'core.autocrlf=false', 'add', '--all', '--force', '--', '.'], env);
    const tree = (await git(layout, [...place, 'write-tree'], env)).trim();
    if (parent !== null && (await git(layout, [...place, 'rev-parse', `${parent}^{tree}`])).trim() === tree) return parent;
    const parents = parent === null ? [] : ['-p', parent];
    const commit = (await git(layout, [...place, 'commit-tree', tree, ...parents, '-m', source.message], env)).trim();
    // The last argument makes it fail when somebody pushed in between.
    await git(layout, [...place, 'update-ref', `refs/heads/${branch}`, commit, parent ?? '0'.repeat(40)], env).catch((error: unknown) => {
      const details = { reason: 'Somebody pushed to this instance at the same moment.', hint: 'Look at what is there now, then try again.' };
      throw new AppError('push_refused', details, { cause: error });
    });
    return commit;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Git takes no angle brackets, line ends or empty names. */
function authorOf(author: FolderCommit['author']): Record<string, string> {
  if (!author) return {};
  const clean = (text: string): string => text.replaceAll(/[<>\p{C}]/gu, '').trim() || 'unknown';
  return { GIT_AUTHOR_NAME: clean(author.name), GIT_AUTHOR_EMAIL: clean(author.email) };
}
