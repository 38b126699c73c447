// The runtime log of an instance: what its containers have written, those that crashed included, and what was kept before.

import type { Line, TimedLog } from '../timed-log.ts';
import { pathsOf } from './files.ts';
import type { Ground } from './ground.ts';
import { ifThere } from './engine.ts';
import { containersOf } from './services.ts';

/** The log of an instance on the engine. */
export const logOf = (ground: Ground, instanceId: string): TimedLog => ({
  file: pathsOf(ground, instanceId).log,
  readLive: async (count) => {
    const containers = await containersOf(ground, instanceId, 'serve');
    const lines: Line[] = [];
    for (const { Id } of containers) lines.push(...(await linesOf(ground, Id, count)));
    return lines.slice(-count);
  },
});

/** The last lines of one container; none when it is gone. @throws platform_failed */
export async function linesOf(ground: Ground, containerId: string, count: number): Promise<Line[]> {
  const answer = await ifThere(
    ground.engine.quick.getContainer(containerId).logs({ stdout: true, stderr: true, timestamps: true, tail: count, follow: false }),
  );
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
