// Preflight for MTurk: what its form, its frame and its spare places ask of the project. A text search, nothing is run.

import { hitChecks, type HitFacts } from './mturk-hit.ts';
import { moneyChecks } from './mturk-money.ts';
import { pageChecks } from './mturk-pages.ts';
import { workerChecks } from './mturk-workers.ts';
import { chosenConfig, type Judgement, type PreflightCheck, type PreflightFacts } from './preflight-facts.ts';

/** What a HIT is judged by, in the order in which it is shown; also on the Recruit tab. */
export const hitTable = [...hitChecks, ...pageChecks, ...workerChecks, ...moneyChecks];

const number = (value: number): string => value.toLocaleString('en');

function hitFactsOf(facts: PreflightFacts): HitFacts {
  const { recruitment, otreeVersion, people, source } = facts;
  const config = chosenConfig(facts);
  const mode = recruitment?.kind === 'mturk' ? recruitment.settings.mode : 'sandbox';
  return { config, offer: config?.mturk ?? null, otreeVersion, people, mode, source };
}

function judgeKeys({ instance }: PreflightFacts): Judgement {
  const missing = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].filter((name) => !instance.variables.includes(name));
  if (missing.length === 0)
    return { result: 'good', seen: 'The requester’s keys are set.', means: 'oTree can publish and pay. Keep little money in the account while you test.' };
  return {
    result: 'bad',
    seen: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set.`,
    means: 'oTree cannot publish to MTurk.',
    fix: 'Enter the requester’s keys under Recruit.',
    place: 'recruit',
  };
}

/** oTree makes twice as many places as people are asked for (6.0 session.py MTURK_NUM_PARTICIPANTS_MULTIPLE): spares for those who return the work. */
function judgePlaces({ otree, people }: PreflightFacts): Judgement {
  if (people === null)
    return {
      result: 'unknown',
      seen: 'Nobody has said how many people are to come.',
      means: 'oTree makes twice as many places.',
      fix: 'Say it above, or under Recruit.',
      place: 'recruit',
    };
  const sessions = otree?.sessions?.filter(({ isDemo, isMturk, isWhole }) => !isDemo && isWhole && isMturk !== false) ?? [];
  const session = sessions.findLast(({ participants }) => participants >= people * 2);
  if (session)
    return {
      result: 'good',
      seen: `Session ${session.code} has ${number(session.participants)} places for ${number(people)} people.`,
      means: 'The other half are spares for those who return the work.',
    };
  return {
    result: 'bad',
    seen: `There is no session for MTurk with ${number(people * 2)} places.`,
    means: `For ${number(people)} people oTree makes twice as many places, because some return the work.`,
    fix: 'In oTree’s admin: Sessions, “Create New Session”, “For MTurk”; not in a room.',
    place: 'recruit',
  };
}

const kinds = ['mturk'] as const;
export const mturkChecks: readonly PreflightCheck[] = [
  ...hitTable.map(({ id, title, judge }): PreflightCheck => ({ id, group: 'mturk', title, kinds, judge: (facts) => judge(hitFactsOf(facts)) })),
  { id: 'mturk-keys', group: 'mturk', title: 'Requester’s keys', kinds, judge: judgeKeys },
  { id: 'mturk-places', group: 'mturk', title: 'Twice as many places', kinds, judge: judgePlaces },
];
