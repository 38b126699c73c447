// Server, worker and the commands as plain JavaScript in dist/app: tsx and its compiler, 50 MiB in each process, stay out of their memory.

import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Esbuild from 'esbuild';
import { StartProblem } from './problem.ts';
import { filesIn, hashOf } from './web-build.ts';

/** Translated file by file into the same tree, so that what a file finds beside itself or above is where it was. */
const translated = ['contracts', 'domain', 'platforms', 'server', 'worker', 'scripts', 'prisma/client'];
const pages = [
  'guide-experimenter',
  'guide-manager',
  'guide-participant',
  'prolific',
  'glossary',
  'rights',
  'running',
  'swarm',
  'compose',
  'dokku',
  'system-check',
  'addresses',
  'behind-a-proxy',
  'certificates',
  'configuration',
];
const copied = ['launcher', 'samples', 'package.json', ...pages.map((name) => `docs/${name}.md`)];
const recipe = ['package-lock.json'];

/** The file that a service is started with; keeps `server/main.ts` in its name, so that a process list says what it is. */
export const serviceFile = (root: string, name: 'server' | 'worker'): string => path.join(root, 'dist', 'app', name, 'main.ts.js');

/**
 * Builds dist/app unless it was built from exactly these sources. Returns whether it was built.
 * @param root the project's folder, with packages and Prisma client
 * @throws StartProblem with the compiler's message
 */
export async function buildServices(root: string): Promise<boolean> {
  const place = path.join(root, 'dist', 'app');
  const wanted = hashOf(root, [...translated, ...copied, ...recipe]);
  if (isBuilt(place, wanted)) return false;
  mkdirSync(path.dirname(place), { recursive: true });
  const draft = mkdtempSync(`${place}.new-`);
  try {
    await translate(root, draft);
    for (const file of [...translated, ...copied].flatMap((name) => filesIn(root, name)).filter((name) => !name.endsWith('.ts'))) {
      cpSync(path.join(root, file), path.join(draft, file), { dereference: true });
    }
    mkdirSync(path.join(draft, 'dist'));
    symlinkSync('../../web', path.join(draft, 'dist', 'web'));
    writeFileSync(path.join(draft, '.hash'), wanted);
    chmodSync(draft, 0o755);
    exchange(draft, place);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return true;
}

const isBuilt = (place: string, wanted: string): boolean => existsSync(path.join(place, '.hash')) && readFileSync(path.join(place, '.hash'), 'utf8') === wanted;

async function translate(root: string, outdir: string): Promise<void> {
  // Loaded only when there is something to build; vite brings it.
  const esbuild = createRequire(createRequire(import.meta.url).resolve('vite'))('esbuild') as typeof Esbuild;
  const entryPoints = translated.flatMap((name) => filesIn(root, name)).filter((name) => name.endsWith('.ts'));
  try {
    await esbuild.build({
      absWorkingDir: root,
      entryPoints,
      outbase: root,
      outdir,
      outExtension: { '.js': '.ts.js' },
      bundle: true,
      plugins: [onlyNames],
      format: 'esm',
      platform: 'node',
      target: `node${process.versions.node}`,
      treeShaking: false,
      logLevel: 'silent',
    });
  } catch (error) {
    throw new StartProblem(
      `Server and worker could not be built: ${error instanceof Error ? error.message : String(error)}`,
      'Is this a clean checkout? Compare with “git status”.',
    );
  } finally {
    await esbuild.stop();
  }
}

/** Nothing is drawn into a file; only the names of our own files get the ending that Node runs. */
const onlyNames: Esbuild.Plugin = {
  name: 'only-names',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ kind, path: name }) =>
      kind === 'entry-point' ? undefined : { path: /^\.\.?\/.*\.ts$/.test(name) ? `${name}.js` : name, external: true },
    );
  },
};

/** Two starts may build at once: then one of the two equal trees stays. */
function exchange(draft: string, place: string): void {
  const old = `${draft}-old`;
  try {
    if (existsSync(place)) renameSync(place, old);
    renameSync(draft, place);
  } catch (error) {
    if (!existsSync(place)) throw error;
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}
