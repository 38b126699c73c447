// Single runs of the launcher with an instance's image and settings, in a container that is gone afterwards.

import { rm } from 'node:fs/promises';
import type Docker from 'dockerode';
import { launcherDir } from '../confined.ts';
import { launchConfig } from '../launch-config.ts';
import { replaceFile } from '../owned-files.ts';
import type { InstanceSpec } from '../platform.ts';
import { Secret } from '../secret.ts';
import { type RunCommand, runSpec } from './container-spec.ts';
import { pathsOf } from './files.ts';
import { type Ground, userOf } from './ground.ts';
import { GATE, INSIDE } from './names.ts';
import { type ContainerResult, type ContainerRun, runToEnd, withContainer } from './runs.ts';

export type LauncherRun = ContainerRun & {
  readonly image: string;
  readonly command: RunCommand;
  /** What stands behind the command. */
  readonly words?: readonly string[];
  /** Name of the database that it gets; the live one when left out; null: none at all. */
  readonly database?: string | null;
  /** Folder with the packages that bots need beside the release's own. */
  readonly botPackages?: string | null;
  /** Gets the container that ended well, before it is removed. */
  readonly onSuccess?: (container: Docker.Container) => Promise<void>;
};

/** What env.json says to a container of this instance. */
export const configInside = (ground: Ground, spec: InstanceSpec, database?: string | null): string =>
  JSON.stringify({
    ...launchConfig(spec, {
      databaseUrl: database === null ? new Secret('none') : ground.databases.urlOf(spec.instanceId, spec.databasePassword, database),
      socket: INSIDE.socket,
      projectDir: INSIDE.project,
      roomsFile: INSIDE.rooms,
    }),
    isInContainer: true,
  });

/** What it says to the instance's service: on any host the database and the front door are behind the gate. */
export const serviceConfig = (ground: Ground, spec: InstanceSpec): string => {
  const config = JSON.parse(configInside(ground, spec)) as { environment: Record<string, string> };
  if (ground.registry === null) return JSON.stringify(config);
  const url =
    ground.databases.socketDirOf(spec.instanceId) === null
      ? null
      : ground.databases.urlBehind(spec.instanceId, spec.databasePassword, `${GATE.name}:${GATE.databasePort}`);
  const environment = { ...config.environment, ...(url === null ? {} : { DATABASE_URL: url.open() }) };
  return JSON.stringify({ ...config, environment, port: GATE.otreePort, gate: `${GATE.name}:${GATE.linePort}` });
};

/** Runs one command to its end. @throws platform_failed; the signal's reason */
export async function runLauncher(ground: Ground, spec: InstanceSpec, run: LauncherRun): Promise<ContainerResult> {
  const paths = pathsOf(ground, spec.instanceId);
  const env = paths.runEnv(run.command);
  await replaceFile(env, configInside(ground, spec, run.database), { mode: 0o400, userId: ground.separatesUsers ? spec.osUserId : null });
  const plan = {
    panelId: ground.panelId,
    instanceId: spec.instanceId,
    image: run.image,
    user: userOf(ground, spec.osUserId),
    limits: spec.limits,
    command: run.command,
    words: run.words ?? [],
    hasOutbound: ground.hasOutbound,
    folders: {
      env,
      rooms: paths.roomsDir,
      launcher: launcherDir(ground),
      database: run.database === null ? null : ground.databases.socketDirOf(spec.instanceId),
      botPackages: run.botPackages ?? null,
    },
  };
  try {
    return await withContainer(ground, runSpec(plan), async (container) => {
      const result = await runToEnd(container, run);
      if (result.exitCode === 0) await run.onSuccess?.(container);
      return result;
    });
  } finally {
    await rm(env, { force: true });
  }
}
