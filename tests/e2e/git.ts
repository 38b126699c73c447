// Git as an experimenter uses it: the real client over the real ssh.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type Key = { readonly file: string; readonly publicKey: string };

/** A new key pair. */
export function makeKey(home: string, name: string): Key {
  const file = path.join(home, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
  chmodSync(file, 0o600);
  return { file, publicKey: readFileSync(`${file}.pub`, 'utf8').trim() };
}

const env = (key: Key): NodeJS.ProcessEnv => ({
  ...process.env,
  GIT_SSH_COMMAND: `ssh -i ${key.file} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`,
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@lab.example',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@lab.example',
  GIT_CONFIG_GLOBAL: '/dev/null',
});

/** Copies a project into a fresh repository with one commit. */
export function makeProject(source: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(source, folder, { recursive: true, filter: (file) => !file.includes('__pycache__') });
  execFileSync('git', ['init', '-q', '-b', 'main', folder]);
  commit(folder, 'Add the experiment');
}

export function commit(folder: string, message: string, files: Readonly<Record<string, string>> = {}): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@lab.example'];
  execFileSync('git', ['-C', folder, 'add', '-A']);
  execFileSync('git', ['-C', folder, ...identity, 'commit', '-q', '--allow-empty', '-m', message]);
}

/** `git push`; the output is what a person sees in the terminal. */
export async function push(
  folder: string,
  options: { key: Key; remote: string; refspec?: string; more?: readonly string[] },
): Promise<{ code: number | null; output: string; seconds: number }> {
  const begin = performance.now();
  const child = spawn('git', ['-C', folder, 'push', ...(options.more ?? []), options.remote, options.refspec ?? 'main'], {
    env: env(options.key),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output, seconds: (performance.now() - begin) / 1000 };
}
