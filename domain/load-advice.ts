// What participants feel of an experiment's load, and what helps, in words. Pure. The numbers were measured: docs/performance.md.

import type { Load, MeasuredLoad } from '../contracts/load.ts';

/** Below this a page feels at once, above the second people wonder whether their click was heard. */
const quickMs = 300;
const slowMs = 1000;
/** What counts as all of a core: oTree waits a little for its database in between. */
export const busyCore = 0.7;
/** What helps who is short of processor, and what does not. */
export const onlyAFasterCore = 'a faster core helps. More rooms, sessions or web processes do not.';
const requestsOneTakes = 80;

const wait = (pageMs: number): string =>
  pageMs < 50 ? 'less than 0.1 s' : pageMs < 1000 ? `${Math.round(pageMs / 10) / 100} s` : `${Math.round(pageMs / 100) / 10} s`;

/** @param people in a session now */
export function adviseLoad(measured: MeasuredLoad, people: number): Pick<Load, 'tone' | 'feel' | 'advice'> {
  const { pageMs, core, requestsPerSecond } = measured;
  if (pageMs === null)
    return {
      tone: 'bad',
      feel: 'Nothing answers: people see no page.',
      advice: ['Look at the experiment’s log. If the code of one page never ends, everybody waits for it: a restart helps for the moment.'],
    };
  const isBusy = core !== null && core >= busyCore;
  const nearlyFull = isBusy || requestsPerSecond > requestsOneTakes * 0.75;
  if (pageMs < quickMs && !nearlyFull)
    return { tone: 'good', feel: `A page comes after ${wait(pageMs)}: people feel nothing of the load.`, advice: people > 0 ? [] : [beforehand] };
  const feel =
    pageMs < slowMs
      ? `A page comes after ${wait(pageMs)}: people notice, but go on.`
      : `A page comes after ${wait(pageMs)}: people wait, and some click again.`;
  const tone = pageMs < slowMs ? 'attention' : 'bad';
  if (isBusy)
    return {
      tone,
      feel,
      advice: [
        `oTree uses ${core === null ? 'nearly all' : `${Math.round(core * 100)} %`} of a core, and can use no second one: ${onlyAFasterCore}`,
        'Let people begin a few at a time. Many rounds of a few seconds each, played by many at once, are the worst case: live pages need far fewer requests.',
      ],
    };
  if (core === null) return { tone, feel, advice: ['Whether the processor or something else is the cause cannot be seen on this platform.', spread] };
  return {
    tone,
    feel,
    advice: [
      `oTree uses only ${Math.round(core * 100)} % of a core: a faster one does not help. The database, or code of the project that waits for something, is the cause.`,
      'Look at “Seconds on each page” on the Data tab and at the experiment’s log: a page that asks another web site, or reads all players of all rounds, holds up everybody.',
    ],
  };
}

const spread = 'Let people begin a few at a time; more rooms, sessions or web processes do not help.';
const beforehand =
  'One oTree takes about 80 requests a second: 300 to 400 people at a page every ten seconds. Larger sessions take longer to create (300 people: about a second), and pages wait meanwhile.';
