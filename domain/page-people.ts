// Whom to look at before paying: people who were much faster or slower than the others, or are stuck on a page.

import type { PersonProblem } from '../contracts/exports.ts';
import type { Begun, Visit } from './page-times.ts';

/** With fewer others nothing can be compared. */
const fewestPeople = 4;
/** Share of the usual time from which somebody is named, and for how long pages have to be in all, seconds. */
const limits = { fast: 1 / 3, slow: 3, long: 5, shortestWork: 20, longestPause: 120 } as const;

export type Person = { readonly begun: Begun; readonly visits: Visit[] };
/** Median and upper quartile of a page, seconds; how many people left it. */
export type Usual = { readonly median: number; readonly upper: number; readonly visits: number };

type Compared = {
  readonly people: readonly Person[];
  readonly usual: (visit: Pick<Visit, 'app' | 'page'>) => Usual | undefined;
  readonly nowSeconds: number;
};

/**
 * One problem for each person at most, the worst: stuck now (on the first page, too), long on one page, slow or fast in all. Fast and slow are
 * told by the pages that this person left, each held against its median, so that who is halfway through is judged by half.
 */
export function findProblems(compared: Compared): PersonProblem[] {
  const { people } = compared;
  if (people.filter(({ visits }) => visits.length > 0).length < fewestPeople) return [];
  const pageAt = new Map<string, Visit>();
  for (const { visits } of people) for (const visit of visits) pageAt.set(`${visit.session} ${visit.index}`, visit);
  return people.flatMap((person) => judge(person, compared, pageAt) ?? []);
}

function judge({ begun, visits }: Person, compared: Compared, pageAt: ReadonlyMap<string, Visit>): PersonProblem | null {
  // Who has left no page is on the very first one.
  const last = visits.at(-1) ?? begun;
  const { session, idInSession, participant } = last;
  const about = (kind: PersonProblem['kind'], at: Visit | null, { seconds, usual }: { seconds: number; usual: number }): PersonProblem => ({
    session,
    idInSession,
    participant,
    kind,
    app: at?.app ?? null,
    page: at?.page ?? null,
    seconds: Math.round(seconds),
    usual: Math.round(usual),
  });
  const next = pageAt.get(`${session} ${last.index + 1}`);
  const there = next && compared.usual(next);
  const since = compared.nowSeconds - last.leftAt;
  if (next && there && since > limits.longestPause && since > there.upper * limits.long) return about('stuck', next, { seconds: since, usual: there.median });
  const long = visits.find((visit) => {
    const usual = compared.usual(visit);
    return usual !== undefined && usual.visits >= fewestPeople && visit.seconds > limits.longestPause && visit.seconds > usual.median * limits.long;
  });
  if (long) return about('long', long, { seconds: long.seconds, usual: compared.usual(long)?.median ?? 0 });
  const own = visits.filter(({ isWaitPage }) => !isWaitPage);
  const seconds = own.reduce((sum, visit) => sum + visit.seconds, 0);
  const usual = own.reduce((sum, visit) => sum + (compared.usual(visit)?.median ?? 0), 0);
  if (usual < limits.shortestWork) return null;
  if (seconds < usual * limits.fast) return about('fast', null, { seconds, usual });
  return seconds > usual * limits.slow ? about('slow', null, { seconds, usual }) : null;
}
