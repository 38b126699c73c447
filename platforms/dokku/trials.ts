// Trying a release privately on a scratch database, and comparing the tables it makes with the live ones.

import { judgeTrial } from '../container-trial.ts';
import type { InstanceSpec } from '../platform.ts';
import type { Trial } from '../release.ts';
import { COLUMNS, type Column, findGaps } from '../postgres-schema.ts';
import { liveService } from './databases.ts';
import { type Host, trialDatabase, trialPrefix } from './host.ts';
import type { RunIo } from './running.ts';
import { addressOf, runLauncher } from './runs.ts';
import { createDatabase, dropDatabases, rows } from './sql.ts';

/** oTree may take 60 s; making the container comes on top. */
const LIMIT_MS = 150_000;

/** @see Platform.tryRelease */
export async function tryRelease(host: Host, spec: InstanceSpec, { release, signal, onOutput }: RunIo & { release: number }): Promise<Trial> {
  const service = await liveService(host, spec.instanceId);
  let database = '';
  onOutput('-----> Trying this version on an empty database\n');
  try {
    const began = Date.now();
    const result = await runLauncher(host, spec, {
      release,
      command: 'try',
      openDatabase: async () => {
        await dropDatabases(host, service, trialPrefix(spec.instanceId));
        database = trialDatabase(spec.instanceId);
        await createDatabase(host, service, database);
        return await addressOf(host, spec.instanceId, database);
      },
      timeoutMs: LIMIT_MS,
      signal,
      onBuild: () => {},
    });
    judgeTrial(result, { began, onOutput });
    const wanted = await rows<Column>(host, { service, database, text: COLUMNS });
    return { gaps: findGaps(wanted, await rows<Column>(host, { service, text: COLUMNS })) };
  } finally {
    await dropDatabases(host, service, trialPrefix(spec.instanceId));
  }
}
