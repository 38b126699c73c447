// How long people were on each page, out of oTree's page times, read as they stream by.

import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { z } from 'zod';
import type { PageSeconds, PageTimes } from '../contracts/exports.ts';
import { findProblems, type Person } from './page-people.ts';

/** oTree 6.0 and 5.11 common2.py TimeSpentRow; the first row of a person tells when the first page was asked for. */
const rowSchema = z.object({
  session_code: z.string(),
  participant_id_in_session: z.coerce.number(),
  participant_code: z.string(),
  page_index: z.coerce.number(),
  app_name: z.string(),
  page_name: z.string(),
  epoch_time_completed: z.coerce.number(),
  round_number: z.coerce.number().catch(0),
  timeout_happened: z.string(),
  is_wait_page: z.string(),
});

/** One page of one person. */
export type Visit = {
  readonly session: string;
  readonly idInSession: number;
  readonly participant: string;
  readonly app: string;
  readonly page: string;
  readonly round: number;
  /** Which page of the session it is, from 1. */
  readonly index: number;
  /** When it was left, seconds since 1970. */
  readonly leftAt: number;
  readonly seconds: number;
  readonly hasTimedOut: boolean;
  readonly isWaitPage: boolean;
};

/** Where somebody was first seen, before any page whose seconds are known; usually the beginning, with index 0. */
export type Begun = Pick<Visit, 'session' | 'idInSession' | 'participant' | 'index' | 'leftAt'>;

const isTrue = (word: string): boolean => word === '1' || word === 'True';

type VisitsWish = { readonly session?: string | null; readonly onBegun?: (begun: Begun) => void };

/** Reads page times and gives each person's visits in their order; a person's time at the last page is remembered, nothing else. */
export async function* readVisits(csv: Readable, { session = null, onBegun }: VisitsWish = {}): AsyncGenerator<Visit> {
  const left = new Map<string, number>();
  const rows = csv.pipe(parse({ columns: true, bom: true, relax_column_count: true, skip_empty_lines: true }));
  csv.once('error', (error) => rows.destroy(error));
  try {
    for await (const raw of rows) {
      const parsed = rowSchema.safeParse(raw);
      if (!parsed.success || (session !== null && parsed.data.session_code !== session)) continue;
      const row = parsed.data;
      const before = left.get(row.participant_code);
      left.set(row.participant_code, row.epoch_time_completed);
      const who = {
        session: row.session_code,
        idInSession: row.participant_id_in_session,
        participant: row.participant_code,
        index: row.page_index,
        leftAt: row.epoch_time_completed,
      };
      if (before === undefined) onBegun?.(who);
      // Whoever began has no page behind them yet; a person whose beginning is not known has no known first page.
      if (row.page_index === 0 || before === undefined) continue;
      yield {
        ...who,
        app: row.app_name,
        page: row.page_name,
        round: row.round_number,
        seconds: Math.max(0, row.epoch_time_completed - before),
        hasTimedOut: isTrue(row.timeout_happened),
        isWaitPage: isTrue(row.is_wait_page),
      };
    }
  } finally {
    csv.destroy();
  }
}

type Page = { readonly first: Visit; readonly seconds: number[]; timeouts: number };

const keyOf = ({ app, page }: Pick<Visit, 'app' | 'page'>): string => `${app}/${page}`;

/** Median and quartiles of each page over all rounds, and people who stand out. `nowSeconds`: since 1970 */
export async function summarise(
  csv: Readable,
  { session = null, nowSeconds = Date.now() / 1000 }: { session?: string | null; nowSeconds?: number } = {},
): Promise<PageTimes> {
  const [pages, people] = [new Map<string, Page>(), new Map<string, Person>()];
  const onBegun = (begun: Begun): unknown => people.set(begun.participant, { begun, visits: [] });
  for await (const visit of readVisits(csv, { session, onBegun })) {
    const key = keyOf(visit);
    const page = pages.get(key) ?? { first: visit, seconds: [], timeouts: 0 };
    page.seconds.push(visit.seconds);
    if (visit.hasTimedOut) page.timeouts += 1;
    pages.set(key, page);
    people.get(visit.participant)?.visits.push(visit);
  }
  const presented = new Map([...pages].map(([key, page]) => [key, present(page)]));
  // Who has left no page yet counts for nothing but being stuck.
  const totals = [...people.values()].filter(({ visits }) => visits.length > 0).map(({ visits }) => visits.reduce((sum, { seconds }) => sum + seconds, 0));
  return {
    pages: [...presented.values()],
    people: totals.length,
    medianTotal: totals.length === 0 ? null : quantile(inOrder(totals), 0.5),
    problems: findProblems({ people: [...people.values()], usual: (visit) => presented.get(keyOf(visit)), nowSeconds }),
  };
}

function present({ first, seconds, timeouts }: Page): PageSeconds {
  const sorted = inOrder(seconds);
  return {
    app: first.app,
    page: first.page,
    isWaitPage: first.isWaitPage,
    visits: sorted.length,
    timeouts,
    lower: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    upper: quantile(sorted, 0.75),
    longest: sorted.at(-1) ?? 0,
  };
}

const inOrder = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

/** Between two values the straight line (as R's type 7 and numpy do), to a tenth. */
export function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
  return Math.round((below + (above - below) * (place % 1)) * 10) / 10;
}
