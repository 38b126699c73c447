// Preflight: what participants may see and do beside the experiment, and where the data go.

import { textOf, withoutComments, type Judgement, type PreflightCheck, type PreflightFacts } from './preflight-facts.ts';

function judgeProduction({ instance }: PreflightFacts): Judgement {
  if (instance.isProduction) return { result: 'good', seen: 'Debug information is off.', means: 'After an error people see a short sentence.' };
  return {
    result: 'bad',
    seen: 'Debug information is on.',
    means: 'After an error, and below pages, people see variables and code.',
    fix: 'Switch production on; the experiment restarts.',
    act: 'set-production',
  };
}

function judgeAuthLevel({ instance }: PreflightFacts): Judgement {
  if (instance.authLevel === 'STUDY')
    return { result: 'good', seen: 'The auth level is STUDY.', means: 'People come in by their links only; everything else asks for the password.' };
  return {
    result: 'bad',
    seen: instance.authLevel === '' ? 'No auth level is set.' : `The auth level is ${instance.authLevel}.`,
    means: instance.authLevel === '' ? 'Anybody can open the admin pages and fetch the data.' : 'Anybody can start demo sessions, which compete with yours.',
    fix: 'Set STUDY; the experiment restarts.',
    act: 'set-study',
  };
}

const wellKnown = new Set(['otree', 'admin', 'password', 'mypassword', '1234', '12345678', 'test', 'changeme']);

function judgePassword({ adminPassword, source }: PreflightFacts): Judgement {
  const settings = withoutComments(textOf(source, (file) => file === 'settings.py'));
  const literal = /^ADMIN_PASSWORD\s*=\s*(['"])(.+?)\1/m.exec(settings)?.[2] ?? null;
  const change = { fix: 'Set another one here. Room links and sessions stay as they are.', act: 'set-admin-password' } as const;
  if (literal !== null && literal === adminPassword)
    return {
      result: 'bad',
      seen: 'The admin password is the one that stands in the project’s settings.py.',
      means: 'Whoever has the code has your data.',
      ...change,
    };
  if (wellKnown.has(adminPassword.toLowerCase()) || adminPassword.length < 8)
    return { result: 'bad', seen: 'The admin password is short or well known.', means: 'It can be guessed, and with it all data be read.', ...change };
  if (literal !== null)
    return {
      result: 'good',
      seen: 'The panel’s admin password counts; the one that stands in settings.py opens nothing here.',
      means: 'Only those who see this instance know it.',
    };
  return { result: 'good', seen: 'The admin password was set by the panel.', means: 'Only those who see this instance know it.' };
}

function judgeDatabase({ otree }: PreflightFacts): Judgement {
  const dialect = otree?.tables?.dialect;
  if (dialect === undefined)
    return {
      result: 'unknown',
      seen: 'The running oTree could not be asked about its database.',
      means: 'It does not run, or was started by an older Arboretum.',
      fix: 'Restart it when nobody plays.',
      act: 'restart',
    };
  if (dialect === 'postgresql')
    return { result: 'good', seen: 'It writes into a PostgreSQL database of its own.', means: 'Data outlive restarts and deployments, and can be backed up.' };
  return {
    result: 'bad',
    seen: `It writes into ${dialect}.`,
    means: 'The panel cannot back these data up.',
    fix: 'Remove whatever sets DATABASE_URL in the project’s settings.py, push, and restart.',
    place: 'deploy',
  };
}

export const safetyChecks: readonly PreflightCheck[] = [
  { id: 'production', group: 'safety', title: 'Debug information is off', judge: judgeProduction },
  { id: 'auth-level', group: 'safety', title: 'Who may come in', judge: judgeAuthLevel },
  { id: 'password', group: 'safety', title: 'Admin password', judge: judgePassword },
  { id: 'database', group: 'safety', title: 'A real database', judge: judgeDatabase },
];
