// What a session config would publish on MTurk, judged: the settings of the HIT and the time that workers have.

import type { MturkOffer } from '../platforms/project.ts';
import type { Judgement } from './preflight-facts.ts';

/** What the judgements about a HIT look at. */
export type HitFacts = {
  /** Null: no session config was chosen, or there is none. */
  readonly config: { readonly name: string; readonly appSequence: readonly string[] } | null;
  /** Null: the version in use was deployed by a panel that did not look for it. */
  readonly offer: MturkOffer | null;
  readonly otreeVersion: string | null;
  readonly people: number | null;
  readonly mode: 'sandbox' | 'live';
  /** Text files of the commit in use: name → text; empty where they may not be seen. */
  readonly source: ReadonlyMap<string, string>;
};

export type HitCheck = { readonly id: string; readonly title: string; readonly judge: (facts: HitFacts) => Judgement };

/** What oTree reads, each with a line to paste; a key beside them stops the publishing (oTree 6.0 and 5.11 views/mturk.py MTurkSettings). */
const lines = {
  title: "title='A study about decisions',",
  description: "description='About 15 minutes, with a bonus',",
  keywords: "keywords='bonus, study',",
  frame_height: 'frame_height=500,',
  template: "template='global/mturk_template.html',",
  minutes_allotted_per_assignment: 'minutes_allotted_per_assignment=60,',
  expiration_hours: 'expiration_hours=7 * 24,',
  qualification_requirements: 'qualification_requirements=[],',
} as const;
const optional = 'grant_qualification_id';
/** @see https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/ApiReference_CreateHITOperation.html */
const mostCharacters = { title: 128, description: 2000, keywords: 1000 } as const;
const mostHours = 365 * 24;

/** The settings as names and values; null: there are none, or they are no dict. */
export function settingsOf({ offer }: Pick<HitFacts, 'offer'>): Readonly<Record<string, unknown>> | null {
  const hit = offer?.hit;
  return hit !== null && typeof hit === 'object' && !Array.isArray(hit) ? (hit as Record<string, unknown>) : null;
}

/** Judges settings that are there; otherwise says why there is nothing to judge. */
export function judgeHit(facts: HitFacts, judge: (hit: Readonly<Record<string, unknown>>) => Judgement): Judgement {
  const { config, offer } = facts;
  if (config === null)
    return {
      result: 'unknown',
      seen: 'Which session config will be published is not known.',
      means: 'Its settings cannot be judged.',
      fix: 'Choose it under Recruit: MTurk, outside rooms.',
      place: 'recruit',
    };
  if (offer === null)
    return {
      result: 'unknown',
      seen: 'What settings.py says to MTurk was not read.',
      means: 'The version in use was deployed before the panel looked for it.',
      fix: 'Deploy it once more.',
      place: 'deploy',
    };
  const hit = settingsOf(facts);
  return hit === null ? { result: 'unknown', seen: `${config.name} has no mturk_hit_settings to judge.`, means: 'See “HIT settings”.' } : judge(hit);
}

const wrong = (seen: string, means: string, paste: string | null = null): Judgement => ({
  result: 'bad',
  seen,
  means,
  fix: paste === null ? 'Correct it in settings.py and push.' : 'Put this into mturk_hit_settings and push:',
  paste,
  place: 'deploy',
});

function judgeSettings(facts: HitFacts): Judgement {
  if (facts.config !== null && facts.offer !== null && settingsOf(facts) === null) return withoutSettings(facts.config.name);
  return judgeHit(facts, (hit) => {
    const missing = Object.keys(lines).filter((name) => !(name in hit)) as (keyof typeof lines)[];
    if (missing.length > 0)
      return wrong(
        `mturk_hit_settings lacks ${missing.join(', ')}.`,
        'oTree fails when the session is published.',
        missing.map((name) => lines[name]).join('\n'),
      );
    const unknown = Object.keys(hit).filter((name) => !(name in lines) && name !== optional);
    if (unknown.length > 0) return judgeUnknown(unknown);
    return (
      judgeWords(hit) ?? { result: 'good', seen: 'Everything that oTree needs is there, and nothing else.', means: `Workers see “${String(hit['title'])}”.` }
    );
  });
}

const withoutSettings = (config: string): Judgement => ({
  result: 'bad',
  seen: `${config} has no mturk_hit_settings.`,
  means: 'oTree’s page for publishing the session fails.',
  fix: 'Put them into this session config or into SESSION_CONFIG_DEFAULTS, and push:',
  paste: `mturk_hit_settings=dict(\n${Object.values(lines)
    .map((line) => `    ${line}`)
    .join('\n')}\n),`,
  place: 'deploy',
});

function judgeUnknown(names: readonly string[]): Judgement {
  const isOld = names.includes('preview_template');
  return wrong(
    `mturk_hit_settings has ${names.join(', ')}, which oTree does not know.`,
    'oTree fails when the session is published.',
    isOld ? lines.template : null,
  );
}

/** Title, description and keywords: text, of the length that MTurk takes, and not the examples of the documents. */
function judgeWords(hit: Readonly<Record<string, unknown>>): Judgement | null {
  for (const name of ['title', 'description', 'keywords'] as const) {
    const text = wordsOf(hit[name], name === 'keywords');
    if (text === null || text.trim() === '') return wrong(`The ${name} of the HIT is no text.`, 'MTurk refuses the HIT.', lines[name]);
    if (text.length > mostCharacters[name])
      return wrong(`The ${name} of the HIT has ${text.length} characters; MTurk takes ${mostCharacters[name]}.`, 'MTurk refuses the HIT.');
    if (/\byour (?:experiment|study)\b/i.test(text))
      return {
        result: 'attention',
        seen: `The ${name} is still the example: “${text}”.`,
        means: 'Workers choose by it.',
        fix: 'Write what workers do, and how long it takes.',
        paste: lines[name],
      };
  }
  const height = hit['frame_height'];
  if (!isWhole(height) || height < 0) return wrong(`frame_height is ${String(height)}.`, 'It has to be a whole number of pixels.', lines.frame_height);
  if (height > 0 && height < 200)
    return {
      result: 'attention',
      seen: `MTurk’s frame is ${height} pixels high.`,
      means: 'The link to the study may be out of sight.',
      fix: 'Make it 400 or more; 0 lets MTurk choose.',
      paste: lines.frame_height,
    };
  return null;
}

const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value);

function wordsOf(value: unknown, canBeList: boolean): string | null {
  if (typeof value === 'string') return value;
  return canBeList && Array.isArray(value) && value.every((one) => typeof one === 'string') ? value.join(', ') : null;
}

/** @see HIT’s AssignmentDurationInSeconds and LifetimeInSeconds: from half a minute to a year */
function judgeTimes(hit: Readonly<Record<string, unknown>>): Judgement {
  const [minutes, hours] = [hit['minutes_allotted_per_assignment'], hit['expiration_hours']];
  if (!isWhole(minutes) || minutes < 1 || minutes > mostHours * 60)
    return wrong(
      `minutes_allotted_per_assignment is ${String(minutes)}.`,
      'It has to be a whole number of minutes, from 1 to a year.',
      lines.minutes_allotted_per_assignment,
    );
  if (typeof hours !== 'number' || hours < 0.01 || hours > mostHours)
    return wrong(`expiration_hours is ${String(hours)}.`, 'It has to be a number of hours, up to a year.', lines.expiration_hours);
  const seen = `A worker has ${describe(minutes)}, and the HIT can be found for ${describe(hours * 60)}.`;
  if (minutes < 15)
    return {
      result: 'attention',
      seen,
      means: 'Who is not through in time loses the work and the pay, also while waiting for others.',
      fix: 'Give several times what the study takes.',
      paste: lines.minutes_allotted_per_assignment,
    };
  if (minutes > 24 * 60)
    return {
      result: 'attention',
      seen,
      means: 'Somebody who accepts and forgets holds a place for so long.',
      fix: 'One to a few hours are usual.',
      paste: lines.minutes_allotted_per_assignment,
    };
  if (hours < 1)
    return {
      result: 'attention',
      seen,
      means: 'Few workers will see it in that time.',
      fix: 'Days are usual; it can be ended early in oTree.',
      paste: lines.expiration_hours,
    };
  return { result: 'good', seen, means: 'oTree’s MTurk page can end it early (“Expire HIT”).' };
}

function describe(minutes: number): string {
  const [value, unit] = minutes >= 48 * 60 ? [minutes / 1440, 'days'] : minutes >= 120 ? [minutes / 60, 'hours'] : [minutes, 'minutes'];
  return `${Number(value.toFixed(1)).toLocaleString('en')} ${unit}`;
}

export const hitChecks: readonly HitCheck[] = [
  { id: 'mturk-settings', title: 'HIT settings', judge: judgeSettings },
  { id: 'mturk-times', title: 'Time for the work', judge: (facts) => judgeHit(facts, judgeTimes) },
];
