// A time as "3 minutes ago", exact on hover; and a duration that counts while something runs.

import type { ReactNode } from 'react';
import { useSeconds, useTens } from '../clock.ts';
import { describeAgo, describeDuration, describeExactly } from '../times.ts';

export function Ago({ at }: { at: string }): ReactNode {
  const nowMs = useTens();
  return (
    <time dateTime={at} title={describeExactly(at)}>
      {describeAgo(at, nowMs)}
    </time>
  );
}

/** From `from` to `until`, or counting up to now while there is no end. */
export function Elapsed({ from, until }: { from: string; until: string | null }): ReactNode {
  return until === null ? <Counting from={from} /> : <span className="numbers">{describeDuration(Date.parse(until) - Date.parse(from))}</span>;
}

function Counting({ from }: { from: string }): ReactNode {
  const nowMs = useSeconds();
  return <span className="numbers">{describeDuration(nowMs - Date.parse(from))}</span>;
}
