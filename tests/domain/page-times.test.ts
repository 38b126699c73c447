// Seconds on each page, out of what oTree writes about page times.

import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { quantile, readVisits, summarise, type Visit } from '../../domain/page-times.ts';

const head =
  'session_code,participant_id_in_session,participant_code,page_index,app_name,page_name,epoch_time_completed,round_number,timeout_happened,is_wait_page\n';
const visitsOf = async (text: string, session: string | null = null): Promise<Visit[]> => {
  const visits: Visit[] = [];
  for await (const visit of readVisits(Readable.from([Buffer.from(head + text)]), session)) visits.push(visit);
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
    const { pages, people, medianTotal } = await summarise(readVisits(Readable.from([head + two])));
    expect(pages).toEqual([
      { app: 'game', page: 'Intro', isWaitPage: false, visits: 2, timeouts: 1, lower: 15, median: 20, upper: 25, longest: 30 },
      { app: 'game', page: 'Wait', isWaitPage: true, visits: 2, timeouts: 0, lower: 6, median: 11, upper: 16, longest: 21 },
    ]);
    expect([people, medianTotal]).toEqual([2, 31]);
  });

  it('of nobody are none', async () => {
    expect(await summarise(readVisits(Readable.from([head])))).toEqual({ pages: [], people: 0, medianTotal: null });
  });

  it('have quartiles as R and numpy reckon them', () => {
    expect([0.25, 0.5, 0.75].map((part) => quantile([1, 2, 3, 4], part))).toEqual([1.8, 2.5, 3.3]);
    expect(quantile([7], 0.25)).toBe(7);
  });
});
