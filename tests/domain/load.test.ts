// What participants feel of the load, and what is advised.

import { describe, expect, it } from 'vitest';
import type { MeasuredLoad } from '../../contracts/load.ts';
import { countRequests } from '../../domain/load.ts';
import { adviseLoad } from '../../domain/load-advice.ts';

const measured = (changes: Partial<MeasuredLoad>): MeasuredLoad => ({ requestsPerSecond: 5, pageMs: 20, core: 0.1, memoryBytes: 9e7, ...changes });

describe('advice about load', () => {
  it('leaves people alone who feel nothing', () => {
    expect(adviseLoad(measured({}), 10)).toEqual({ tone: 'good', feel: 'A page comes after less than 0.1 s: people feel nothing of the load.', advice: [] });
  });

  it('says beforehand what one oTree takes', () => {
    expect(adviseLoad(measured({}), 0).advice.join(' ')).toContain('300 to 400 people');
  });

  it('slow with a busy core: a faster core, and nothing else', () => {
    const { tone, advice } = adviseLoad(measured({ pageMs: 1800, core: 0.97, requestsPerSecond: 78 }), 300);
    expect([tone, advice.join(' ')]).toEqual(['bad', expect.stringContaining('a faster core helps. More rooms, sessions or web processes do not')]);
    expect(advice.join(' ')).toContain('live pages');
  });

  it('slow with an idle core: the database or code', () => {
    const { tone, advice } = adviseLoad(measured({ pageMs: 700, core: 0.2 }), 30);
    expect([tone, advice.join(' ')]).toEqual(['attention', expect.stringContaining('The database, or code of the project')]);
  });

  it('a nearly full one is told before it is slow', () => {
    expect(adviseLoad(measured({ core: 0.9 }), 300)).toMatchObject({ tone: 'attention', advice: expect.arrayContaining([expect.stringContaining('90 %')]) });
  });

  it('no page at all is the worst', () => {
    expect(adviseLoad(measured({ pageMs: null }), 3).tone).toBe('bad');
  });

  it('where the processor cannot be seen, nothing is claimed about it', () => {
    expect(adviseLoad(measured({ pageMs: 900, core: null }), 3).advice[0]).toContain('cannot be seen');
  });

  it('counts the requests of people, not the panel’s own', () => {
    const log = [
      'INFO:     127.0.0.1:0 - "GET /p/abc/game/Intro/1 HTTP/1.1" 200',
      '  INFO  - "POST /p/abc/game/Intro/1 HTTP/1.0" 302 Found',
      'INFO:     127.0.0.1:0 - "GET /api/rooms HTTP/1.1" 200',
      'INFO:     127.0.0.1:0 - "GET /login HTTP/1.1" 200',
      'a line of the experiment',
    ].join('\n');
    expect(countRequests(log)).toBe(2);
  });
});
