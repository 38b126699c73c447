// An experiment that somebody runs on a Dokku host without the panel: made with Dokku's own commands, on a real host or the replay host.

import { spawnSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { DokkuConnection } from '../../platforms/dokku/connection.ts';
import {
  appsCreate,
  appsDestroy,
  configImport,
  type DokkuCommand,
  gitFromArchive,
  postgresCreate,
  postgresDestroy,
  postgresExport,
  postgresImport,
  postgresLink,
  psScale,
} from '../../platforms/dokku-commands.ts';
import { DOCKERFILE, tree } from '../dokku/replay-stand.ts';

export type ForeignParts = {
  readonly app: string;
  /** As its image says. */
  readonly otreeVersion: string;
  readonly variables: Readonly<Record<string, string>>;
  /** A service from which its data come; null: it has no database. */
  readonly dataOf: string | null;
  /** What its image begins with; it must have Python. */
  readonly baseImage?: string;
};

/** Makes it, running; it answers every page with 200. */
export async function makeForeignApp(connection: DokkuConnection, parts: ForeignParts): Promise<void> {
  const { app, variables, dataOf } = parts;
  const demand = async (command: DokkuCommand, input?: Buffer): Promise<void> => {
    const { exitCode, stdout, stderr } = await connection.run(command, input === undefined ? {} : { input });
    if (exitCode !== 0) throw new Error(`${command.line}: ${stdout}${stderr}`);
  };
  await demand(appsCreate(app));
  await demand(psScale(app, { web: 1 }));
  await demand(configImport(app, { replace: false }), Buffer.from(JSON.stringify(variables)));
  if (dataOf !== null) {
    await demand(postgresCreate(app));
    await demand(postgresLink(app, app));
    const output = new PassThrough();
    const [dump] = await Promise.all([buffer(output), connection.run(postgresExport(dataOf), { output })]);
    await demand(postgresImport(app), dump);
  }
  await demand(
    gitFromArchive(app),
    await tree({ ...packageOf(parts.otreeVersion), Dockerfile: DOCKERFILE.replace(/^FROM .*/, `FROM ${parts.baseImage ?? 'python:3.11-slim-bookworm'}`) }),
  );
}

/** Whatever there is of it. */
export async function removeForeignApp(connection: DokkuConnection, app: string): Promise<void> {
  await connection.run(appsDestroy(app));
  await connection.run(postgresDestroy(app));
}

/** A bare repository with a folder's files on a branch. */
export function makeRepository(folder: string, { from, branch }: { from: string; branch: string }): void {
  const git = (...args: string[]): void => {
    const { status, stderr } = spawnSync('git', ['-C', folder, '-c', 'user.name=Ada', '-c', 'user.email=ada@lab.example', ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  git('init', '--quiet', '--bare', `--initial-branch=${branch}`);
  git('--work-tree', from, 'add', '--all');
  git('--work-tree', from, 'commit', '--quiet', '--message', 'Before the panel');
}

/** What Python takes for an installed package, in the folder where the app's image starts. */
const packageOf = (version: string): Readonly<Record<string, string>> => ({
  [`otree-${version}.egg-info`]: `Metadata-Version: 1.1\nName: otree\nVersion: ${version}\n`,
});
