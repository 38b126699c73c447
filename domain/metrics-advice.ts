// What the last hours of an instance mean for its participants, and what helps, in words. Pure.

import type { MetricFinding, MetricSampleView } from '../contracts/metrics.ts';
import { busyCore, onlyAFasterCore } from './load-advice.ts';

/** From this share of its limit on memory is called short. */
const fullMemory = 0.85;
/** Two minutes of all of a core are a session being made, or an export. */
const busyMinutes = 3;
/** So many ends within an hour are a loop. */
const loopEnds = 3;
const hourMs = 3_600_000;

type Seen = {
  readonly samples: readonly MetricSampleView[];
  readonly stepSeconds: number;
  readonly memoryLimitBytes: number | null;
  /** Why it ended the last time, as the platform says; null: not known, or said elsewhere on the page. */
  readonly lastEnd: string | null;
};

/** The worst first; empty when nothing was measured. */
export function adviseMetrics(seen: Seen): MetricFinding[] {
  if (seen.samples.length === 0) return [];
  const found = [...endFindings(seen), ...memoryFindings(seen), ...coreFindings(seen)];
  if (found.length > 0) return found;
  const known = [
    ...(seen.samples.some(({ core }) => core !== null) ? ['core'] : []),
    ...(seen.memoryLimitBytes !== null && seen.samples.some(({ memoryBytes }) => memoryBytes !== null) ? ['memory'] : []),
  ];
  return known.length === 0 ? [] : [{ tone: 'good', seen: `Nothing was short: ${known.join(' and ')} had room, and it never ended by itself.`, fix: null }];
}

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);

function endFindings({ samples, lastEnd }: Seen): MetricFinding[] {
  const ends = samples.filter(({ restarts }) => restarts > 0);
  const count = countEnds(ends);
  if (count === 0) return [];
  const memory = ends.filter(({ isOutOfMemory }) => isOutOfMemory);
  const looping = mostWithinAnHour(ends);
  const why = lastEnd === null ? '' : ` The last time: ${withoutPreface(lastEnd)}`;
  const findings: MetricFinding[] = [];
  if (memory.length > 0)
    findings.push({
      tone: 'bad',
      seen: `Out of memory: it used more than it may and was ended, ${times(countEnds(memory))}. It was started again by itself.`,
      fix: 'Ask a lab manager for more memory under Settings. If it is full again soon, the code keeps what it does not need, or reads all players of all rounds.',
    });
  if (looping >= loopEnds)
    findings.push({
      tone: 'bad',
      seen: `Crash loop: within an hour it ended by itself ${looping} times and was started again each time.${why}`,
      fix: 'Read its last lines under Deploy, What the experiment writes. If the version before ran well, roll back to it there.',
    });
  else if (memory.length === 0)
    findings.push({
      tone: 'attention',
      seen: `It ended by itself ${times(count)} and was started again.${why}`,
      fix: 'Who was waiting for a page saw “one moment”; what was saved is kept. Its last lines are under Deploy.',
    });
  return findings;
}

/** Swarm says of a loop that it is one; here that is said already. */
const withoutPreface = (detail: string): string => detail.replace(/^It ends again and again[^:]*: /, '');

const countEnds = (samples: readonly MetricSampleView[]): number => samples.reduce((sum, { restarts }) => sum + restarts, 0);

function mostWithinAnHour(ends: readonly MetricSampleView[]): number {
  const counts = ends.map(({ at }) => {
    const [first, last] = [Date.parse(at), Date.parse(at) + hourMs];
    return countEnds(ends.filter((one) => Date.parse(one.at) >= first && Date.parse(one.at) < last));
  });
  return Math.max(0, ...counts);
}

function memoryFindings({ samples, memoryLimitBytes }: Seen): MetricFinding[] {
  const highest = Math.max(0, ...samples.map(({ memoryBytes }) => memoryBytes ?? 0));
  // Ended for it already: that was said.
  if (memoryLimitBytes === null || highest < memoryLimitBytes * fullMemory || samples.some(({ isOutOfMemory }) => isOutOfMemory)) return [];
  return [
    {
      tone: 'attention',
      seen: `Its memory came up to ${Math.min(100, Math.round((highest / memoryLimitBytes) * 100))} % of what it may use. If it wants more than all, it is ended and started again.`,
      fix: 'Restart it before the next session, or ask a lab manager for more memory under Settings.',
    },
  ];
}

function coreFindings({ samples, stepSeconds }: Seen): MetricFinding[] {
  const busy = samples.filter(({ core }) => core !== null && core >= busyCore);
  const minutes = Math.round((busy.length * stepSeconds) / 60);
  if (minutes < busyMinutes) return [];
  return [
    {
      tone: 'attention',
      seen: `For ${minutes} minutes it used nearly all of a core, and it can use no second one: pages came slowly then, if people were in it.`,
      fix: `If they waited, ${onlyAFasterCore}`,
    },
  ];
}
