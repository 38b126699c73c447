// Seconds on each page, out of what oTree writes about page times.

import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { quantile, readVisits, summarise, type Visit } from '../../domain/page-times.ts';

const head =
  'session_code,participant_id_in_session,participant_code,page_index,app_name,page_name,epoch_time_completed,round_number,timeout_happened,is_wait_page\n';
const visitsOf = async (text: string, session: string | null = null): Promise<Visit[]> => {
  const visits: Visit[] = [];
  for await (const visit of readVisits(Readable.from([Buffer.from(head + text)]), { session })) visits.push(visit);
  return visits;
};
const two = [
  's1,1,anna,0,,InitializeParticipant,100,1,0,0',
  's1,2,bert,0,,InitializeParticipant,100,1,0,0',
  's1,1,anna,1,game,Intro,110,1,0,0',
  's1,2,bert,1,game,Intro,130,1,1,0',
  's1,2,bert,2,game,Wait,131,1,0,1',
  's1,1,anna,2,game,Wait,131,1,0,1',
  '',
].join('\n');

describe('seconds on each page', () => {
  it('are counted from the page before, for each person, however the rows are mixed', async () => {
    expect((await visitsOf(two)).map(({ participant, page, seconds }) => [participant, page, seconds])).toEqual([
      ['anna', 'Intro', 10],
      ['bert', 'Intro', 30],
      ['bert', 'Wait', 1],
      ['anna', 'Wait', 21],
    ]);
  });

  it('of one session leave the others out', async () => {
    expect(await visitsOf(two, 's2')).toEqual([]);
    expect(await visitsOf(two, 's1')).toHaveLength(4);
  });

  it('are summed up by page with median, quartiles and what ran out of time', async () => {
    const { pages, people, medianTotal } = await summarise(Readable.from([head + two]));
    expect(pages).toEqual([
      { app: 'game', page: 'Intro', isWaitPage: false, visits: 2, timeouts: 1, lower: 15, median: 20, upper: 25, longest: 30 },
      { app: 'game', page: 'Wait', isWaitPage: true, visits: 2, timeouts: 0, lower: 6, median: 11, upper: 16, longest: 21 },
    ]);
    expect([people, medianTotal]).toEqual([2, 31]);
  });

  it('of nobody are none', async () => {
    expect(await summarise(Readable.from([head]))).toEqual({ pages: [], people: 0, medianTotal: null, problems: [] });
  });

  it('have quartiles as R and numpy reckon them', () => {
    expect([0.25, 0.5, 0.75].map((part) => quantile([1, 2, 3, 4], part))).toEqual([1.8, 2.5, 3.3]);
    expect(quantile([7], 0.25)).toBe(7);
  });
});

describe('people to look at', () => {
  /** Rows of one person: seconds on each of two pages; null: not left. */
  const person = (id: number, [work, wait]: readonly (number | null)[], begin = 1000): string => {
    const rows = [`s1,${id},p${id},0,,InitializeParticipant,${begin},1,0,0`];
    if (typeof work === 'number') rows.push(`s1,${id},p${id},1,game,Work,${begin + work},1,0,0`);
    if (typeof work === 'number' && typeof wait === 'number') rows.push(`s1,${id},p${id},2,game,Last,${begin + work + wait},1,0,0`);
    return rows.join('\n');
  };
  const problemsOf = async (rows: readonly string[], nowSeconds = 1200) => (await summarise(Readable.from([head + rows.join('\n')]), { nowSeconds })).problems;
  const usual = [1, 2, 3, 4].map((id) => person(id, [60, 20]));

  it('are nobody where all are alike, and where too few took part', async () => {
    expect(await problemsOf(usual)).toEqual([]);
    expect(await problemsOf([person(1, [60, 20]), person(2, [600, 20]), person(3, [60, 20])])).toEqual([]);
  });

  it('are who clicked through, and who was much slower in all', async () => {
    const problems = await problemsOf([...usual, person(5, [10, 5]), person(6, [181, 70])]);
    expect(problems).toEqual([
      { session: 's1', idInSession: 5, participant: 'p5', kind: 'fast', app: null, page: null, seconds: 15, usual: 80 },
      { session: 's1', idInSession: 6, participant: 'p6', kind: 'slow', app: null, page: null, seconds: 251, usual: 80 },
    ]);
  });

  it('are who was long on one page, and who has not left a page that others left', async () => {
    const rows = [...usual, person(5, [400, 20]), person(6, [60, null])];
    expect(await problemsOf(rows, 1500)).toEqual([
      { session: 's1', idInSession: 5, participant: 'p5', kind: 'long', app: 'game', page: 'Work', seconds: 400, usual: 60 },
      { session: 's1', idInSession: 6, participant: 'p6', kind: 'stuck', app: 'game', page: 'Last', seconds: 440, usual: 20 },
    ]);
    // Half a minute on a page is no reason to worry.
    expect((await problemsOf(rows, 1090)).map(({ kind }) => kind)).toEqual(['long']);
  });

  it('are who has not left the very first page, and they count for nothing else', async () => {
    const rows = [...usual, person(5, [null, null])];
    expect(await problemsOf(rows, 1500)).toEqual([
      { session: 's1', idInSession: 5, participant: 'p5', kind: 'stuck', app: 'game', page: 'Work', seconds: 500, usual: 60 },
    ]);
    expect(await problemsOf(rows, 1090)).toEqual([]);
    const { people, medianTotal } = await summarise(Readable.from([head + rows.join('\n')]));
    expect([people, medianTotal]).toEqual([4, 80]);
    // Four came, but only three can be compared with.
    expect(await problemsOf([...usual.slice(0, 3), person(5, [null, null])], 1500)).toEqual([]);
  });

  it('are also those whose beginning oTree has not written down', async () => {
    const late = 's1,6,p6,1,game,Work,1060,1,0,0';
    expect((await problemsOf([...usual, late], 1500)).map(({ participant, kind, page }) => [participant, kind, page])).toEqual([['p6', 'stuck', 'Last']]);
  });

  it('who is halfway through is held against the half', async () => {
    expect(await problemsOf([...usual, person(5, [60, null])], 1070)).toEqual([]);
  });
});
