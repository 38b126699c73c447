// Who may take a HIT: requirements in the form that boto3 and MTurk's interface have, and the qualification against retakes.

import { judgeHit, type HitCheck } from './mturk-hit.ts';
import type { Judgement } from './preflight-facts.ts';

/** @see https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/ApiReference_QualificationRequirementDataStructureArticle.html */
const comparators = ['LessThan', 'LessThanOrEqualTo', 'GreaterThan', 'GreaterThanOrEqualTo', 'EqualTo', 'NotEqualTo', 'Exists', 'DoesNotExist', 'In', 'NotIn'];
const withoutValue = ['Exists', 'DoesNotExist'];
const known = ['QualificationTypeId', 'Comparator', 'IntegerValues', 'LocaleValues', 'ActionsGuarded', 'RequiredToPreview'];
const locale = '00000000000000000071';
const usOnly = `{'QualificationTypeId': '${locale}', 'Comparator': 'EqualTo', 'LocaleValues': [{'Country': 'US'}]},`;
const isPlaceholder = (id: string): boolean => /your_qualification|placeholder|xxx/i.test(id);

type Requirement = Readonly<Record<string, unknown>>;
const isDict = (value: unknown): value is Requirement => value !== null && typeof value === 'object' && !Array.isArray(value);
const none: readonly unknown[] = [];

/** The list, null when it is none. */
function requirementsOf(hit: Requirement): readonly unknown[] | null {
  const value = hit['qualification_requirements'] ?? none;
  return Array.isArray(value) ? value : null;
}

const wrong = (seen: string, paste: string): Judgement => ({
  result: 'bad',
  seen,
  means: 'MTurk refuses the HIT on the live site; the sandbox ignores requirements, so a test there does not tell.',
  fix: 'Write it in this form and push:',
  paste,
  place: 'deploy',
});

function judgeRequirements(hit: Requirement): Judgement {
  const list = requirementsOf(hit);
  if (list === null) return wrong('qualification_requirements is no list.', `qualification_requirements=[\n    ${usOnly}\n],`);
  for (const [index, one] of list.entries()) {
    const problem = problemOf(one, `Requirement ${index + 1} of qualification_requirements`);
    if (problem) return problem;
  }
  if (list.length === 0)
    return {
      result: 'good',
      seen: 'Every worker may take it: qualification_requirements is empty.',
      means: 'For workers from the US alone, see the lines under Recruit.',
    };
  return {
    result: 'good',
    seen:
      list.length === 1 ? 'There is one requirement, in the form that MTurk takes.' : `There are ${list.length} requirements, in the form that MTurk takes.`,
    means: 'The sandbox ignores them; the live site does not.',
  };
}

function problemOf(one: unknown, which: string): Judgement | null {
  if (!isDict(one)) return wrong(`${which} is no dict (${String(one).slice(0, 60)}): that is how boto wrote it before boto3.`, usOnly);
  const [id, comparator] = [one['QualificationTypeId'], one['Comparator']];
  if (typeof id !== 'string' || id === '') return wrong(`${which} lacks QualificationTypeId.`, usOnly);
  if (isPlaceholder(id)) return wrong(`${which} holds a placeholder: ${id}.`, usOnly);
  if (typeof comparator !== 'string' || !comparators.includes(comparator))
    return wrong(`${which} has the Comparator ${String(comparator)}, which MTurk does not know.`, `'Comparator': 'EqualTo', # or ${comparators.join(', ')}`);
  const strange = Object.keys(one).filter((name) => !known.includes(name));
  if (strange.length > 0) return wrong(`${which} has ${strange.join(', ')}, which MTurk does not know.`, usOnly);
  return problemOfValue(one, { which, id, comparator });
}

type About = { readonly which: string; readonly id: string; readonly comparator: string };

function problemOfValue(one: Requirement, { which, id, comparator }: About): Judgement | null {
  const [integers, locales] = [one['IntegerValues'], one['LocaleValues']];
  if (withoutValue.includes(comparator))
    return integers === undefined && locales === undefined
      ? null
      : wrong(`${which}: ${comparator} takes no value.`, `{'QualificationTypeId': '${id}', 'Comparator': '${comparator}'},`);
  if (id === locale)
    return isListOf(locales, (value) => isDict(value) && /^[A-Z]{2}$/.test(String(value['Country'])))
      ? null
      : wrong(`${which} asks where workers live, and lacks LocaleValues.`, usOnly);
  return isListOf(integers, Number.isInteger)
    ? null
    : wrong(`${which}: ${comparator} needs IntegerValues.`, `{'QualificationTypeId': '${id}', 'Comparator': '${comparator}', 'IntegerValues': [95]},`);
}

const isListOf = (value: unknown, isRight: (one: unknown) => boolean): boolean => Array.isArray(value) && value.length > 0 && value.every(isRight);

const retakes = (id: string): string =>
  `grant_qualification_id='${id}',\nqualification_requirements=[\n    {'QualificationTypeId': '${id}', 'Comparator': 'DoesNotExist'},\n],`;

/** Granted when somebody begins, asked not to be there when somebody comes: only both together keep people from coming twice. */
function judgeRetakes(hit: Requirement): Judgement {
  const granted = hit['grant_qualification_id'];
  const refused = (requirementsOf(hit) ?? none).filter(isDict).filter((one) => one['Comparator'] === 'DoesNotExist');
  if (granted === undefined || granted === null || granted === '') return judgeUngranted(refused);
  const id = typeof granted === 'string' ? granted : JSON.stringify(granted);
  if (isPlaceholder(id))
    return {
      result: 'bad',
      seen: 'grant_qualification_id is still the placeholder.',
      means: 'MTurk refuses it when the first worker begins, and nobody comes in.',
      fix: 'Make a qualification at MTurk, and put its id into both places:',
      paste: retakes('3…'),
      place: 'deploy',
    };
  if (!refused.some((one) => one['QualificationTypeId'] === id))
    return {
      result: 'attention',
      seen: 'Workers get a qualification, but none is asked not to have it.',
      means: 'Who took part before sees the HIT and can accept it again; oTree turns them away only then.',
      fix: 'Add to qualification_requirements:',
      paste: `{'QualificationTypeId': '${id}', 'Comparator': 'DoesNotExist'},`,
    };
  return {
    result: 'good',
    seen: `Who took part has the qualification ${id}, and who has it cannot take part.`,
    means: 'In the sandbox oTree 5 and 6 neither grant it nor ask for it; older ones need one that was made there, too.',
  };
}

function judgeUngranted(refused: readonly Requirement[]): Judgement {
  const [one] = refused;
  const id = one === undefined ? 'YOUR_QUALIFICATION_ID_HERE' : String(one['QualificationTypeId']);
  return {
    result: 'attention',
    seen: one === undefined ? 'Nobody is kept from taking part twice.' : `Workers must not have the qualification ${id}, and nobody is given it.`,
    means: 'A worker who took part before can do so again.',
    fix: one === undefined ? 'Make a qualification at MTurk (one more in its sandbox), and put its id into both places:' : 'Add to mturk_hit_settings:',
    paste: one === undefined ? retakes(id) : `grant_qualification_id='${id}',`,
  };
}

export const workerChecks: readonly HitCheck[] = [
  { id: 'mturk-qualifications', title: 'Who may take part', judge: (facts) => judgeHit(facts, judgeRequirements) },
  { id: 'mturk-retakes', title: 'Nobody twice', judge: (facts) => judgeHit(facts, judgeRetakes) },
];
