// Preflight: people get in by the public address, and out by the completion link; mails arrive.

import { completionLinks } from '../contracts/recruiting.ts';
import { soonDays } from './system-check-certificate.ts';
import { textOf, withoutComments, type Judgement, type PreflightCheck, type PreflightFacts } from './preflight-facts.ts';

const withLink = ['prolific', 'sona', 'link'] as const;
/** What people write where a code will stand. */
const placeholder = /your|xxx|placeholder|example|todo|change|\.\.\.|…|^(?:1234|code|abc)$|cc=(?:1234|code|abc)?$/i;

function judgeAddress({ visited, instance }: PreflightFacts): Judgement {
  if ('reason' in visited)
    return {
      result: 'bad',
      seen: `Nobody answers at ${instance.url} (${visited.reason}), asked from the panel.`,
      means: 'Participants probably do not get there, either. Some networks do not let a machine call its own outside address.',
      fix: 'Open the address on your phone without the lab’s network. If it does not answer there, ask a lab manager for the system check.',
    };
  if (visited.status === 200) return { result: 'good', seen: `${instance.url} answers.`, means: 'The link leads to this experiment.' };
  return {
    result: 'bad',
    seen: `${instance.url} answers with status ${visited.status}.`,
    means: 'Something else, or a page of the front door, stands in the experiment’s place.',
    fix: 'Restart the experiment; if it stays, ask a lab manager for the system check.',
    act: 'restart',
  };
}

function judgeHttps({ visited, instance, kind }: PreflightFacts): Judgement {
  if (!instance.url.startsWith('https:') && kind === 'lab')
    return {
      result: 'not-here',
      seen: 'The address has no encryption (http).',
      means: 'Within the lab’s own network that is usual; from outside answers could be read on the way.',
    };
  if (!instance.url.startsWith('https:'))
    return {
      result: 'bad',
      seen: 'The address has no encryption (http).',
      means:
        kind === 'mturk'
          ? 'MTurk shows the experiment in a frame, and browsers show nothing there without https.'
          : 'Browsers warn, and answers can be read on the way.',
      fix: 'Ask a lab manager for https; “Certificates” and “Behind a proxy” in the help tell how.',
    };
  if ('reason' in visited || visited.certificateDays === null)
    return { result: 'unknown', seen: 'The certificate could not be looked at.', means: 'See the check before this one.' };
  const days = Math.floor(visited.certificateDays);
  const seen = `https, with a certificate for ${days} more days.`;
  if (days < 2) return { result: 'bad', seen, means: 'Browsers soon warn everybody away.', fix: 'Ask a lab manager to renew it now.' };
  if (days < soonDays)
    return { result: 'attention', seen, means: 'It is usually renewed 30 days before its end.', fix: 'Ask a lab manager to look at it before the study ends.' };
  return { result: 'good', seen, means: 'Browsers trust the address.' };
}

function judgeCompletion({ recruitment, completion, kind }: PreflightFacts): Judgement {
  const link = recruitment && completionLinks(recruitment).done;
  const enter = {
    fix: kind === 'prolific' ? 'Copy the code from Prolific’s form and enter it under Recruit.' : 'Enter it under Recruit.',
    place: 'recruit',
  } as const;
  if (!link) return { result: 'bad', seen: 'There is no completion link.', means: 'People finish and are not paid by themselves.', ...enter };
  const end = kind === 'prolific' ? (link.split('cc=')[1] ?? link) : link;
  if (placeholder.test(end))
    return {
      result: 'bad',
      seen: `The completion link looks like a placeholder: ${link}`,
      means: 'People finish, and their recruiting site does not know the code.',
      ...enter,
    };
  if (completion === null || 'reason' in completion)
    return {
      result: 'attention',
      seen: `${link} could not be opened from the panel${completion === null ? '' : ` (${completion.reason})`}.`,
      means: 'The panel’s network may not allow it, or the address is wrong.',
      fix: 'Open it in your own browser.',
    };
  if (completion.status >= 400 && completion.status !== 401 && completion.status !== 403)
    return { result: 'bad', seen: `${link} answers with status ${completion.status}.`, means: 'People finish on an error page.', ...enter };
  return { result: 'good', seen: `The completion link is set and answers: ${link}`, means: 'People are sent back when they have finished.' };
}

/** Whether the deployed code sends people to the link that was entered. */
function judgeLinkUsed({ recruitment, source, kind }: PreflightFacts): Judgement {
  if (source.size === 0) return { result: 'unknown', seen: 'There is no code to look at.', means: 'Nothing is deployed.' };
  const code = textOf(source, (file) => /\.(py|html|js)$/.test(file) && !/^settings(?:\.py|\/)/.test(file));
  const link = (recruitment && completionLinks(recruitment).done) ?? null;
  const codes = [...code.matchAll(/app\.prolific\.(?:com|co)\/submissions\/complete\/?\?cc=([\w-]+)/g)].map(([, found]) => found ?? '');
  const other = codes.find((found) => link === null || !link.endsWith(`cc=${found}`));
  if (kind === 'prolific' && other !== undefined)
    return {
      result: 'bad',
      seen: `The project’s code sends people to another completion code: ${other}`,
      means: 'Their submissions are not accepted by themselves.',
      fix: 'Use session.config["completionlink"] there in place of the link, and push; or enter that code under Recruit.',
      place: 'recruit',
    };
  if (codes.length > 0) return { result: 'good', seen: 'The code holds the same completion code.', means: 'People are sent to the right one.' };
  if (/completionlink/.test(code))
    return { result: 'good', seen: 'The code uses completionlink.', means: 'What is entered under Recruit reaches the last page.' };
  return {
    result: 'attention',
    seen: 'The code uses no completionlink, and holds no completion code.',
    means: 'People may finish on a page that leads nowhere.',
    fix: 'Put this on the last page, which gets the link by js_vars:',
    paste:
      'def js_vars(player):\n    return dict(completionlink=player.session.config["completionlink"])\n\n<script>window.onload = () => { location.href = js_vars.completionlink; };</script>',
    place: 'recruit',
  };
}

/** oTree knows a participant's own field only when settings.py names it; participant.vars needs no name (oTree 6.0 database.py VarsDescriptor). */
function judgeConsent({ source }: PreflightFacts): Judgement {
  if (source.size === 0) return { result: 'unknown', seen: 'There is no code to look at.', means: 'Nothing is deployed.' };
  const isSettings = (file: string): boolean => /^settings(?:\.py|\/)/.test(file);
  const code = withoutComments(textOf(source, (file) => /\.(py|html)$/.test(file) && !isSettings(file)));
  if (!/\bparticipant\.consent\b/.test(code))
    return { result: 'good', seen: 'The code keeps no participant.consent.', means: 'No page needs it in PARTICIPANT_FIELDS.' };
  const fields = /^PARTICIPANT_FIELDS\b[^\]]*/m.exec(withoutComments(textOf(source, isSettings)))?.[0] ?? '';
  if (/['"]consent['"]/.test(fields))
    return {
      result: 'good',
      seen: 'participant.consent is used, and PARTICIPANT_FIELDS names it.',
      means: 'Who does not consent can be told from the others.',
    };
  return {
    result: 'bad',
    seen: 'participant.consent is used, but PARTICIPANT_FIELDS in settings.py lacks consent.',
    means: 'oTree stops at that page with an error, for everybody.',
    fix: fields === '' ? 'Put this line into settings.py and push:' : 'Add consent to the list in settings.py, beside what it holds, and push:',
    paste: "PARTICIPANT_FIELDS = ['consent']",
    place: 'deploy',
  };
}

function judgeMail({ mail }: PreflightFacts): Judgement {
  if (mail.server === null)
    return {
      result: 'not-here',
      seen: 'This panel sends no mails.',
      means: 'You hear of trouble only when you look.',
      fix: 'A lab manager can set SMTP_URL and MAIL_FROM.',
    };
  if (mail.problem !== null)
    return {
      result: 'attention',
      seen: `${mail.server} does not take mails: ${mail.problem}.`,
      means: 'Nobody is told by mail.',
      fix: 'Ask a lab manager to look at SMTP_URL.',
    };
  return { result: 'good', seen: `${mail.server} takes mails.`, means: 'Whoever is to be told is told.' };
}

export const wayChecks: readonly PreflightCheck[] = [
  { id: 'address', group: 'way', title: 'The address leads here', judge: judgeAddress },
  { id: 'https', group: 'way', title: 'Encryption', judge: judgeHttps },
  { id: 'completion', group: 'way', title: 'Completion link', kinds: withLink, judge: judgeCompletion },
  { id: 'completion-used', group: 'way', title: 'The last page uses it', kinds: withLink, judge: judgeLinkUsed },
  { id: 'consent', group: 'way', title: 'Consent', judge: judgeConsent },
  { id: 'mail', group: 'way', title: 'Mail', judge: judgeMail },
];
