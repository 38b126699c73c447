// Times and durations as people say them.

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const some = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;

/** "just now", "3 minutes ago", "2 days ago"; older than 60 days: the date. A clock that runs ahead says "just now". */
export function describeAgo(iso: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(iso)) / 1000);
  if (Number.isNaN(seconds)) return 'at an unknown time';
  if (seconds < 10) return 'just now';
  if (seconds < minute) return `${some(seconds, 'second')} ago`;
  if (seconds < hour) return `${some(Math.floor(seconds / minute), 'minute')} ago`;
  if (seconds < day) return `${some(Math.floor(seconds / hour), 'hour')} ago`;
  if (seconds < 60 * day) return `${some(Math.floor(seconds / day), 'day')} ago`;
  return describeDate(iso);
}

/** "in a moment", "in 40 minutes", "in 3 hours", "in 2 days"; what is past is about to come. */
export function describeUntil(iso: string, nowMs: number): string {
  const seconds = (Date.parse(iso) - nowMs) / 1000;
  if (seconds < minute) return 'in a moment';
  if (seconds < hour) return `in ${some(Math.round(seconds / minute), 'minute')}`;
  return seconds < day ? `in ${some(Math.round(seconds / hour), 'hour')}` : `in ${some(Math.round(seconds / day), 'day')}`;
}

/** The day alone: "21 Nov 2026" in the reader's way. */
export const describeDate = (iso: string): string => new Date(iso).toLocaleDateString(undefined, { dateStyle: 'medium' });

/** The exact time in the reader's zone, for the hover. */
export const describeExactly = (iso: string): string => new Date(iso).toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** "0.4 s", "41 s", "1 min 05 s", "2 h 07 min". */
export function describeDuration(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  if (seconds < minute) return `${Math.floor(seconds)} s`;
  if (seconds < hour) return `${Math.floor(seconds / minute)} min ${pad(seconds % minute)} s`;
  return `${Math.floor(seconds / hour)} h ${pad((seconds % hour) / minute)} min`;
}

const pad = (value: number): string => String(Math.floor(value)).padStart(2, '0');
