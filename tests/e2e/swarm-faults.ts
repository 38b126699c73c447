// What two people see while a part of the panel or of its ground is killed, how long until all is well, and which rows are gone.

import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { askDatabase } from './inside.ts';
import type { WholePanel } from './panel.ts';
import { until } from './until.ts';

export type Fault = {
  /** What is killed. */
  readonly killed: string;
  readonly kill: () => Promise<void> | void;
  /** What a machine's own services, or a person, do then; left out where the panel brings it back by itself. */
  readonly mend?: () => Promise<void>;
  /** Whether what was killed is there again, anew. */
  readonly isBack: () => Promise<boolean>;
};

/** Who plays, and where. */
export type Game = { readonly panel: WholePanel; readonly instance: string; readonly mode: string; readonly people: readonly Page[] };

export type Outcome = { readonly mode: string; readonly killed: string; readonly saw: string; readonly seconds: number; readonly lost: readonly string[] };

/** Kills, waits until it is back and both people have their pages, and tells. */
export async function suffer(game: Game, fault: Fault): Promise<Outcome> {
  const before = await rowsOf(game);
  const sights = game.people.map((page) => watch(page.url()));
  await until('both are looked after', () => sights.every((sight) => sight.last() === PAGE));
  const began = performance.now();
  await fault.kill();
  await fault.mend?.();
  const isWell = async (): Promise<boolean> => (await fault.isBack().catch(() => false)) && sights.every((sight) => sight.last() === PAGE);
  await until(`all is well after ${fault.killed}`, isWell, { withinMs: 240_000, why: () => sights.map((sight) => sight.words()).join('; ') });
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(sights.map((sight) => sight.end()));
  const after = new Map((await rowsOf(game)).map(({ name, rows }) => [name, rows]));
  const lost = before.filter(({ name, rows }) => (after.get(name) ?? 0) < rows).map(({ name, rows }) => `${rows - (after.get(name) ?? 0)} of ${name}`);
  const worst = sights.toSorted((one, other) => other.awayMs() - one.awayMs())[0];
  return { mode: game.mode, killed: fault.killed, saw: worst?.words() ?? '', seconds, lost };
}

/** One line for each fault. */
export function printOutcomes(outcomes: readonly Outcome[]): void {
  const lines = outcomes.map(
    ({ mode, killed, saw, seconds, lost }) =>
      `${mode.padEnd(10)} ${killed.padEnd(20)} ${seconds.toFixed(1).padStart(5)} s   ${(lost.join(', ') || 'none').padEnd(9)} ${saw}`,
  );
  process.stdout.write(`\n${'mode'.padEnd(10)} ${'kill -9 of'.padEnd(20)} well after ${'rows lost'.padEnd(9)} participants saw\n${lines.join('\n')}\n\n`);
}

const PAGE = 'their page';
const WAITING = 'a page that loads';
/** Until a slow answer is there, a browser shows what it had before. */
const SLOW_MS = 1000;

/** What stands at an address: its status, 0 when nobody takes the connection. Names below `localhost` are this machine, whatever its DNS says. */
export function statusAt(address: string): Promise<number> {
  const url = new URL(address);
  return new Promise((resolve) => {
    const request = http.get(
      { host: '127.0.0.1', port: url.port, path: url.pathname, headers: { host: url.host }, agent: false, timeout: 20_000 },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0)).once('error', () => resolve(0));
      },
    );
    request.once('timeout', () => request.destroy()).once('error', () => resolve(0));
  });
}

const wordsFor = (status: number): string => {
  if (status === 200) return PAGE;
  if ([502, 503, 504].includes(status)) return '“one moment”';
  return status === 0 ? 'no connection' : `status ${status}`;
};

type Sight = { last(): string; words(): string; awayMs(): number; end(): Promise<void> };

/** Asks for a page again and again, as its owner would, and adds up for how long what was there. */
function watch(address: string): Sight {
  const seen = new Map<string, number>();
  const over = new AbortController();
  let [last, from] = ['', performance.now()];
  const look = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const before = last === PAGE ? WAITING : last;
      last = wordsFor(await statusAt(address));
      const now = performance.now();
      const what = now - from > SLOW_MS ? before : last;
      seen.set(what, (seen.get(what) ?? 0) + now - from);
      from = now;
      await wait(50);
    }
  };
  const looking = look();
  const away = (): [string, number][] => [...seen].filter(([what]) => what !== PAGE);
  return {
    last: () => (performance.now() - from > SLOW_MS ? WAITING : last),
    awayMs: () => away().reduce((sum, [, ms]) => sum + ms, 0),
    words: () =>
      away().length === 0
        ? `${PAGE} all the time`
        : away()
            .map(([what, ms]) => `${what} ${(ms / 1000).toFixed(1)} s`)
            .join(', '),
    end: async () => {
      over.abort();
      await looking;
    },
  };
}

/** Rows of every table of the experiment but the timeout worker's queue, whose entries go when they are done (oTree 6.0 tasks.py). */
const rowsOf = async ({ panel, instance }: Game): Promise<{ name: string; rows: number }[]> =>
  await askDatabase<{ name: string; rows: number }>(
    panel,
    instance,
    `SELECT relname AS name, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', oid::regclass), false, true, '')))[1]::text::int AS rows
       FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'otree_taskqueuemessage'`,
  );
