// The two pages that hand the work in: the project's template on MTurk's own site, and the experiment's last page.

import { mturkCodeLine, mturkTemplateLines } from '../contracts/mturk.ts';
import { judgeHit, type HitCheck, type HitFacts } from './mturk-hit.ts';
import { isOfApp, textOf, withoutComments, type Judgement } from './preflight-facts.ts';

const button = '{{ next_button }}';
const templateOf = ({ source }: HitFacts, name: string): string | undefined =>
  [...source].find(([file]) => file === `_templates/${name}` || file === name || file.endsWith(`/templates/${name}`))?.[1];

function judgeTemplate(facts: HitFacts, name: unknown): Judgement {
  const file = `_templates/${String(name)}`;
  if (typeof name !== 'string' || name === '')
    return { ...wrong('template names no file.', 'oTree cannot publish.'), paste: "template='global/mturk_template.html'," };
  if (facts.source.size === 0) return { result: 'unknown', seen: `What ${name} says cannot be seen.`, means: 'The code is not here, or not yours to see.' };
  const text = templateOf(facts, name);
  if (text === undefined)
    return {
      ...wrong(`The project has no ${file}.`, 'oTree fails when the session is published.', `Make the file ${file} and push:`),
      paste: mturkTemplateLines.join('\n'),
    };
  if (!/class\s*=\s*["'][^"']*\botree-link\b/.test(text))
    return {
      ...wrong(`${name} has no link of the class otree-link.`, 'Workers cannot get from MTurk to the study.', `Put this into ${file} and push:`),
      paste: '<a class="otree-link">Open the study</a>',
    };
  if (!/<(?:crowd-form|form)\b/i.test(text))
    return {
      ...wrong(`${name} has no form.`, 'Workers cannot submit the work to MTurk, and nobody is paid.', `Put all of ${file} into such a form and push:`),
      paste: mturkTemplateLines.join('\n'),
    };
  if (!/name\s*=\s*["']completion_code["']/.test(text))
    return {
      result: 'attention',
      seen: `${name} asks for no completion_code.`,
      means: 'Anybody can submit without having opened the study; oTree’s Payments page shows who began.',
      fix: `Put this into the form in ${file}:`,
      paste: mturkTemplateLines[5],
    };
  return {
    result: 'good',
    seen: `${name} has the link to the study, and a form that asks for the completion code.`,
    means: 'MTurk shows it in its frame; the study opens in a window of its own.',
  };
}

const wrong = (seen: string, means: string, fix = 'Put this into mturk_hit_settings and push:'): Judgement => ({
  result: 'bad',
  seen,
  means,
  fix,
  place: 'deploy',
});

/**
 * The last page ends the study by its button, or tells a code. oTree before 3 handed the work in by that button itself;
 * since then the template's form does, with the code (oTree’s documents: “Migrating to the new MTurk format”).
 */
function judgeLastPage(facts: HitFacts): Judgement {
  const app = facts.config?.appSequence.at(-1);
  if (app === undefined)
    return {
      result: 'unknown',
      seen: 'Which session config will be played is not known.',
      means: 'The last page could not be looked for.',
      fix: 'Choose it under Recruit: MTurk, outside rooms.',
      place: 'recruit',
    };
  const { name, text } = findLastPage(facts.source, app);
  if (name === undefined || text === '')
    return {
      result: 'unknown',
      seen: `The last page of ${app} could not be found in the code.`,
      means: 'Workers end the study there.',
      fix: 'Look for this line on the last page:',
      paste: button,
    };
  const [hasButton, hasCode] = [/\{[{%]\s*next_button\s*[%}]\}/.test(text), /completion[_ -]?code|\bcode\b/i.test(text)];
  const asksForCode = /name\s*=\s*["']completion_code["']/.test([...facts.source.values()].join('\n'));
  const which = `The last page, ${name} in ${app},`;
  if (!hasButton && !hasCode)
    return {
      result: 'bad',
      seen: `${which} has no next_button and shows no completion code.`,
      means: 'The work is never submitted, and nobody is paid.',
      fix: `Put one of these into ${app}/${name}.html and push:`,
      paste: asksForCode ? `${mturkCodeLine}\n${button}` : button,
      place: 'deploy',
    };
  if (asksForCode && !hasCode)
    return {
      result: 'attention',
      seen: `${which} has the button, but shows no completion code, which the template asks for.`,
      means: 'Workers cannot submit without one.',
      fix: `Put this into ${app}/${name}.html and push:`,
      paste: mturkCodeLine,
    };
  return {
    result: 'good',
    seen: `${which} ${hasCode ? 'shows a completion code' : 'has the button'}${hasCode && hasButton ? ' and has the button' : ''}.`,
    means: hasCode ? 'With it workers submit the work in MTurk’s window.' : 'A click ends the study; workers submit in MTurk’s window.',
  };
}

/** The page that stands last in the app's page_sequence, and its template. */
function findLastPage(source: HitFacts['source'], app: string): { name: string | undefined; text: string } {
  const code = withoutComments(textOf(source, isOfApp(app, /\.py$/)));
  const pages = /page_sequence\s*=\s*\[([^\]]*)\]/.exec(code)?.[1] ?? '';
  const name = [...pages.matchAll(/([A-Za-z_]\w*)/g)].at(-1)?.[1];
  return { name, text: name === undefined ? '' : textOf(source, (file) => file === `${app}/${name}.html` || file.endsWith(`/${app}/${name}.html`)) };
}

export const pageChecks: readonly HitCheck[] = [
  { id: 'mturk-template', title: 'The page on MTurk', judge: (facts) => judgeHit(facts, (hit) => judgeTemplate(facts, hit['template'])) },
  { id: 'mturk-button', title: 'The last page submits the work', judge: judgeLastPage },
];
