// The runtime log of an instance: what its containers have written, those that crashed included, and what was kept before.

import type Docker from 'dockerode';
import type { Line, TimedLog } from '../timed-log.ts';
import { pathsOf } from './files.ts';
import type { Ground } from './ground.ts';
import { ifThere } from './engine.ts';
import { isLost, type Run } from './elsewhere.ts';
import { type Listed, servingOf } from './services.ts';

/** Missing in the types of dockerode 5.0 (`lib/task.js`). */
type TaskLogs = { readonly logs: (wanted: Docker.ContainerLogsOptions & { readonly follow: false }) => Promise<Buffer> };

/** The log of an instance on the engine. */
export const logOf = (ground: Ground, instanceId: string): TimedLog => ({
  file: pathsOf(ground, instanceId).log,
  readLive: async (count) => {
    const lines: Line[] = [];
    for (const run of await servingOf(ground, instanceId)) lines.push(...(await linesOf(ground, run, count)));
    return lines.slice(-count);
  },
});

/** The last lines of one container; none when it is gone, or its host is lost. @throws platform_failed */
export async function linesOf(ground: Ground, run: Listed | Run, count: number): Promise<Line[]> {
  const wanted = { stdout: true, stderr: true, timestamps: true, tail: count, follow: false } as const;
  const { quick } = ground.engine;
  if ('task' in run && (isLost(run.host) || (run.task.Status.ContainerStatus?.ContainerID ?? '') === '')) return [];
  const answer = await ifThere('task' in run ? (quick.getTask(run.Id) as unknown as TaskLogs).logs(wanted) : quick.getContainer(run.Id).logs(wanted));
  return answer === null ? [] : readLines(answer);
}

/** Lines of both streams in the order of their times: frames with a header of 8 bytes, the payload's length in the last four (Docker API `attach`). Pure. */
export function readLines(frames: Buffer): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at + 8 <= frames.length;) {
    const end = at + 8 + frames.readUInt32BE(at + 4);
    const text = frames.toString('utf8', at + 8, end).replace(/\r?\n$/, '');
    const blank = text.indexOf(' ');
    if (blank > 0) lines.push({ at: text.slice(0, blank), text: text.slice(blank + 1) });
    at = end;
  }
  return lines.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
