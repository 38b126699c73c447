// The runtime log of an app: what Dokku has of the running container, and what the panel kept of those before it.

import { logs } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { readLogLines } from '../dokku-reports.ts';
import type { Line, TimedLog } from '../timed-log.ts';
import { failure, tryToAsk } from './asking.ts';
import { type Host, liveApp, pathsOf } from './host.ts';

/** The log of an instance on the Dokku host. */
export const logOf = (host: Host, instanceId: string): TimedLog => ({
  file: pathsOf(host, instanceId).log,
  readLive: async (count) => await readLive(host, instanceId, count),
});

/** The last lines of the web process; none when it never ran. @throws platform_failed */
async function readLive(host: Host, instanceId: string, count: number): Promise<Line[]> {
  const command = logs(liveApp(instanceId), { lines: count });
  const result = await tryToAsk(host, command);
  if (result.exitCode !== 0) {
    if (['not_deployed', 'app_missing'].includes(explainFailure(command, result).kind)) return [];
    throw failure(command, result);
  }
  let at = '';
  return readLogLines(result.stdout).map((line) => {
    at = line.at ?? at;
    return { at, text: line.text };
  });
}
