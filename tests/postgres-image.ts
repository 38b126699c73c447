// An image with PostgreSQL for tests: the server of this machine with all it needs and nothing else, so that nothing is fetched.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runOrThrow } from '../scripts/run.ts';
import type { TestEngine } from './docker-engine.ts';

/** Its programs lie where Debian and its images have them. */
export const POSTGRES_IMAGE = 'arboretum-test-postgres:here';

const server = ['postgres', 'initdb', 'pg_isready'];
const commands = ['sh', 'ls', 'sort', 'rm', 'mv', 'cat', 'sleep', 'flock', 'setpriv'];

/** `a/b/c` → `a`, `a/b`. */
const foldersAbove = (place: string): string[] =>
  place
    .split('/')
    .slice(0, -1)
    .map((_, at, names) => names.slice(0, at + 1).join('/'));

/** Makes it on an engine. */
export async function importPostgres({ docker }: TestEngine): Promise<void> {
  const bin = realpathSync(process.env['ARBORETUM_TEST_POSTGRES_BIN'] ?? '/usr/lib/postgresql/15/bin');
  const found = commands.map((name) => ['/bin', '/usr/bin'].map((dir) => path.join(dir, name)).find((file) => existsSync(file)) ?? `/bin/${name}`);
  const programs = [...found, ...server.map((name) => path.join(bin, name))];
  const words = await Promise.all(
    ['pkglibdir', 'sharedir'].map(async (name) => (await runOrThrow({ file: path.join(bin, 'pg_config'), args: [`--${name}`] }, 'pg_config')).trim()),
  );
  const modules = ['dict_snowball.so', 'plpgsql.so'].map((name) => path.join(words[0] ?? '', name));
  const linked = await runOrThrow({ file: 'ldd', args: [...programs, ...modules] }, 'ldd');
  const libraries = new Set([...linked.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'arb-postgres-'));
  try {
    const tar = path.join(folder, 'image.tar');
    for (const place of ['.', 'tmp', 'etc', 'var', 'var/lib', 'run']) {
      mkdirSync(path.join(folder, 'root', place), { recursive: true });
      chmodSync(path.join(folder, 'root', place), 0o755);
    }
    const things = [...programs, ...modules, ...libraries, words[1] ?? '', '/usr/share/zoneinfo/Etc/UTC', '/usr/share/zoneinfo/UTC'];
    const places = [...things, '/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8'].filter((place) => existsSync(place)).map((place) => place.slice(1));
    // Folders by name: what an image does not say of one is up to the engine's umask, and the server is not root.
    const folders = new Set(places.flatMap((place) => foldersAbove(place)));
    const made = ['-C', path.join(folder, 'root'), '.', 'tmp', 'etc', 'var', 'var/lib', 'run'];
    const args = ['-c', '-h', '-f', tar, '--no-recursion', ...made, '-C', '/', ...folders, '--recursion', ...places];
    await runOrThrow({ file: '/bin/tar', args, timeoutMs: 120_000 }, 'packing the image of PostgreSQL');
    const [repo = '', tag = ''] = POSTGRES_IMAGE.split(':');
    // As Docker's own image does, which would leave a volume behind with every container.
    const progress = await docker.importImage(tar, { repo, tag, changes: 'VOLUME /var/lib/postgresql/data' });
    await new Promise<void>((resolve, reject) => docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One that calls itself newer than every pg_dump. */
export const NEWER_IMAGE = 'arboretum-test-postgres:newer';

/** Makes it of the other one. */
export async function importNewerPostgres({ docker }: TestEngine): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'arb-postgres-'));
  const bin = path.join(folder, 'usr/lib/postgresql/99/bin');
  mkdirSync(bin, { recursive: true });
  for (const name of ['postgres', 'initdb']) writeFileSync(path.join(bin, name), '#!/bin/sh\necho "postgres (PostgreSQL) 99.1"\n', { mode: 0o755 });
  const container = await docker.createContainer({ Image: POSTGRES_IMAGE, Cmd: ['/bin/sh'] });
  try {
    const tar = path.join(folder, 'more.tar');
    await runOrThrow({ file: '/bin/tar', args: ['-c', '-f', tar, '-C', folder, 'usr'] }, 'packing the newer PostgreSQL');
    await container.putArchive(tar, { path: '/' });
    const [repo = '', tag = ''] = NEWER_IMAGE.split(':');
    await container.commit({ repo, tag });
  } finally {
    await container.remove({ force: true, v: true });
    rmSync(folder, { recursive: true, force: true });
  }
}
