// Where server and worker run from: the checkout, or a copy of it where their users may not read the checkout (a home folder).

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, runOrThrow, type Account } from './run.ts';

export type ServiceCode = { readonly root: string; readonly node: string };

/** What belongs to the running program; packages are copied only when the lock file changed. */
const parts = ['dist', 'package.json'];

/**
 * The folder and the Node that the services' user can use.
 * @param root the checkout
 * @param dataDir the copy goes to its folder `app`
 */
export async function codeForServices(root: string, dataDir: string, account: Account | null): Promise<ServiceCode> {
  if (account === null || (await canUse(account, { root, node: process.execPath }))) return { root, node: process.execPath };
  const app = path.join(dataDir, 'app');
  await runOrThrow({ file: 'mkdir', args: ['-p', '-m', '755', app] }, 'making the folder of the program’s copy');
  const node = (await run({ file: process.execPath, args: ['-e', ''], account })).exitCode === 0 ? process.execPath : await copyNode(app);
  await copyPackages(root, app);
  await copyTree(
    root,
    app,
    parts.filter((part) => existsSync(path.join(root, part))),
  );
  return { root: app, node };
}

/** Asks a process with that user's rights. */
async function canUse(account: Account, { root, node }: ServiceCode): Promise<boolean> {
  const files = ['package.json', 'dist/app/server/main.ts.js', 'node_modules/express/package.json', 'dist/web/index.html'].map((file) => path.join(root, file));
  const { exitCode } = await run({
    file: node,
    args: ['-e', 'for (const file of process.argv.slice(1)) require("node:fs").accessSync(file)', '--', ...files],
    account,
  });
  return exitCode === 0;
}

async function copyNode(app: string): Promise<string> {
  const node = path.join(app, 'node');
  await runOrThrow({ file: 'install', args: ['-m', '755', process.execPath, `${node}.new`] }, 'copying Node');
  renameSync(`${node}.new`, node);
  return node;
}

async function copyPackages(root: string, app: string): Promise<void> {
  const note = path.join(app, '.packages');
  const wanted = readFileSync(path.join(root, 'node_modules', '.arboretum-lock'), 'utf8');
  if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return;
  rmSync(note, { force: true });
  await copyTree(root, app, ['node_modules']);
  writeFileSync(note, wanted);
}

/** Beside the place and then renamed, so that a running server never reads half a file; readable for everybody. */
async function copyTree(root: string, app: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const [place, draft, old] = [path.join(app, name), path.join(app, `${name}.new`), path.join(app, `${name}.old`)];
    rmSync(draft, { recursive: true, force: true });
    await runOrThrow({ file: 'cp', args: ['-R', '-P', path.join(root, name), draft], timeoutMs: 10 * 60_000 }, `copying ${name}`);
    await runOrThrow({ file: 'chmod', args: ['-R', 'a+rX,go-w', draft] }, `opening ${name}`);
    if (existsSync(place)) renameSync(place, old);
    renameSync(draft, place);
    rmSync(old, { recursive: true, force: true });
  }
}
