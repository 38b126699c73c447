// Preflight for MTurk: what its frame, its form and its spare places ask of the project. A text search, nothing is run.

import { chosenConfig, isOfApp, textOf, withoutComments, type Judgement, type PreflightCheck, type PreflightFacts } from './preflight-facts.ts';

const button = '{{ next_button }}';
/** What oTree 6.0 views/mturk.py reads of mturk_hit_settings. */
const needed = ['title', 'description', 'frame_height', 'template', 'minutes_allotted_per_assignment', 'expiration_hours', 'keywords'] as const;
const number = (value: number): string => value.toLocaleString('en');

const settingsOf = ({ source }: PreflightFacts): string => withoutComments(textOf(source, (file) => file === 'settings.py'));

function judgeButton(facts: PreflightFacts): Judgement {
  const app = chosenConfig(facts)?.appSequence.at(-1);
  if (app === undefined)
    return {
      result: 'unknown',
      seen: 'Which session config will be played is not known.',
      means: 'The last page could not be looked for.',
      fix: 'Create the session in oTree (“For MTurk”), then look again.',
    };
  const code = withoutComments(textOf(facts.source, isOfApp(app, /\.py$/)));
  const pages = /page_sequence\s*=\s*\[([^\]]*)\]/.exec(code)?.[1] ?? '';
  const last = [...pages.matchAll(/([A-Za-z_]\w*)/g)].at(-1)?.[1];
  const template = last === undefined ? '' : textOf(facts.source, (file) => file === `${app}/${last}.html` || file.endsWith(`/${app}/${last}.html`));
  if (last === undefined || template === '')
    return {
      result: 'unknown',
      seen: `The last page of ${app} could not be found in the code.`,
      means: 'MTurk hears that somebody is through only by its button.',
      fix: 'Look for this line on the last page:',
      paste: button,
    };
  if (/\{[{%]\s*next_button\s*[%}]\}/.test(template))
    return { result: 'good', seen: `The last page, ${last} in ${app}, has the button.`, means: 'A click submits the work to MTurk.' };
  return {
    result: 'bad',
    seen: `The last page, ${last} in ${app}, has no next_button.`,
    means: 'The work is never submitted, and nobody is paid.',
    fix: `Put this into ${app}/${last}.html and push:`,
    paste: button,
    place: 'deploy',
  };
}

function judgeSettings(facts: PreflightFacts): Judgement {
  const text = settingsOf(facts);
  if (!/mturk_hit_settings/.test(text))
    return {
      result: 'bad',
      seen: 'settings.py has no mturk_hit_settings.',
      means: 'oTree cannot publish the session.',
      fix: 'Put them into the session config and push:',
      paste: `mturk_hit_settings=dict(\n${needed.map((name) => `    ${name}=${samples[name]},`).join('\n')}\n    qualification_requirements=[],\n)`,
      place: 'deploy',
    };
  const missing = needed.filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
  if (missing.length > 0)
    return {
      result: 'bad',
      seen: `mturk_hit_settings lacks ${missing.join(', ')}.`,
      means: 'oTree fails when the session is made or published.',
      fix: 'Add them and push.',
      paste: missing.map((name) => `${name}=${samples[name]},`).join('\n'),
      place: 'deploy',
    };
  return judgeQualification(text);
}

/** Against people who come twice: granted at the end, asked for at the beginning. */
function judgeQualification(text: string): Judgement {
  const grants = /grant_qualification_id\W+(['"])([^'"]+)\1/.exec(text)?.[2];
  if (grants === undefined)
    return {
      result: 'attention',
      seen: 'All settings are there; nobody is kept from taking part twice.',
      means: 'A worker who took part before can do so again.',
      fix: 'Make a qualification at MTurk (one more in its sandbox), and put its id here:',
      paste: `grant_qualification_id='YOUR_QUALIFICATION_ID_HERE',\nqualification_requirements=[\n    {'QualificationTypeId': 'YOUR_QUALIFICATION_ID_HERE', 'Comparator': 'DoesNotExist'},\n],`,
    };
  if (/your_qualification/i.test(grants))
    return {
      result: 'bad',
      seen: 'grant_qualification_id is still the placeholder.',
      means: 'MTurk refuses the study.',
      fix: 'Put the id of your own qualification there and push.',
      place: 'deploy',
    };
  if (!text.includes('DoesNotExist'))
    return {
      result: 'attention',
      seen: 'Workers get a qualification, but none is asked not to have it.',
      means: 'They can take part again.',
      fix: 'Add to qualification_requirements:',
      paste: `{'QualificationTypeId': '${grants}', 'Comparator': 'DoesNotExist'},`,
    };
  return {
    result: 'good',
    seen: 'All settings are there, and a qualification keeps workers from coming twice.',
    means: 'The sandbox ignores qualifications; the live site does not.',
  };
}

const samples: Readonly<Record<(typeof needed)[number], string>> = {
  title: "'A study about decisions'",
  description: "'About 15 minutes, with a bonus'",
  frame_height: '700',
  template: "'global/mturk_template.html'",
  minutes_allotted_per_assignment: '60',
  expiration_hours: '168',
  keywords: "'bonus, study'",
};

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
  const sessions = otree?.sessions?.filter(({ isDemo, isWhole }) => !isDemo && isWhole) ?? [];
  const session = sessions.findLast(({ participants }) => participants >= people * 2);
  if (session)
    return {
      result: 'good',
      seen: `Session ${session.code} has ${number(session.participants)} places for ${number(people)} people.`,
      means: 'The other half are spares for those who return the work.',
    };
  return {
    result: 'bad',
    seen: `There is no session with ${number(people * 2)} places.`,
    means: `For ${number(people)} people oTree makes twice as many places, because some return the work.`,
    fix: 'In oTree’s admin: Sessions, “Create New Session”, “For MTurk”; not in a room.',
    place: 'recruit',
  };
}

const kinds = ['mturk'] as const;
export const mturkChecks: readonly PreflightCheck[] = [
  { id: 'mturk-button', group: 'mturk', title: 'The last page submits the work', kinds, judge: judgeButton },
  { id: 'mturk-settings', group: 'mturk', title: 'HIT settings', kinds, judge: judgeSettings },
  { id: 'mturk-keys', group: 'mturk', title: 'Requester’s keys', kinds, judge: judgeKeys },
  { id: 'mturk-places', group: 'mturk', title: 'Twice as many places', kinds, judge: judgePlaces },
];
