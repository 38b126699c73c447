// Preflight: the experiment runs, in the version that is meant, on tables that fit, and its bots got through.

import { describeGaps } from './schema-drift.ts';
import type { SchemaGap } from '../platforms/release.ts';
import { chosenConfig, type Judgement, type PreflightCheck, type PreflightFacts } from './preflight-facts.ts';

const short = (commit: string): string => commit.slice(0, 7);

function judgeRuns({ instance }: PreflightFacts): Judgement {
  if (instance.state === 'running') return { result: 'good', seen: 'It runs and answers.', means: 'People can come in.' };
  if (instance.state === 'stopped') return { result: 'bad', seen: 'It is stopped.', means: 'People see a page that says so.', fix: 'Start it.', act: 'start' };
  return {
    result: 'bad',
    seen: `It is ${instance.state}.`,
    means: 'People cannot take part.',
    fix: 'Look at its last error on the overview, or restart it.',
    act: 'restart',
  };
}

function judgeCommit({ deployment: { currentCommit, newest, headCommit } }: PreflightFacts): Judgement {
  if (currentCommit === null)
    return {
      result: 'bad',
      seen: 'No version has been deployed.',
      means: 'There is nothing to take part in.',
      fix: 'Push the project first.',
      place: 'deploy',
    };
  const running = `${short(currentCommit)} runs`;
  if (newest !== null && (newest.state === 'waiting' || newest.state === 'building'))
    return {
      result: 'attention',
      seen: `${running}, and ${short(newest.commit)} is being deployed.`,
      means: 'The version is about to change.',
      fix: 'Wait until it has ended, then look again.',
      place: 'deploy',
    };
  if (newest !== null && newest.commit !== currentCommit && newest.state === 'failed')
    return {
      result: 'bad',
      seen: `${running}; the newest push, ${short(newest.commit)}, could not be deployed.`,
      means: 'People would take part in the version before.',
      fix: 'See why on the Deploy tab, correct it and push again.',
      place: 'deploy',
    };
  const wanted = headCommit ?? newest?.commit ?? currentCommit;
  if (wanted !== currentCommit)
    return {
      result: 'attention',
      seen: `${running}; the newest version of the branch is ${short(wanted)}.`,
      means: 'An older version was brought back, or a push waits.',
      fix: 'If the newest one is meant, deploy it.',
      place: 'deploy',
    };
  return { result: 'good', seen: `${running}, the newest that was pushed.`, means: 'People take part in the version that you meant.' };
}

function judgeModels({ otree }: PreflightFacts): Judgement {
  const tables = otree?.tables;
  if (!tables)
    return {
      result: 'unknown',
      seen: 'The running oTree could not be asked about its tables.',
      means: 'It does not run, or was started by an older Arboretum.',
      fix: 'Restart it when nobody plays, then look again.',
      act: 'restart',
    };
  if (tables.gaps.length === 0)
    return { result: 'good', seen: 'Every field of the project has its column.', means: 'No page fails because a field was added.' };
  const gaps = tables.gaps.map(({ kind, table, column }): SchemaGap => ({
    kind: kind === 'missing' ? 'missing' : 'required',
    table,
    column,
    wanted: null,
    found: null,
  }));
  return {
    result: 'bad',
    seen: describeGaps(gaps, 'the running version'),
    means: 'Pages that use these fields fail with an error for everybody.',
    fix: 'Take home what you need, then reset the database: a backup is taken first.',
    act: 'reset-database',
  };
}

function judgeBots(facts: PreflightFacts): Judgement {
  const { canPlay, last } = facts.bots;
  if (!canPlay) return { result: 'not-here', seen: 'Bots are not played on this platform.', means: 'Play them at home with “otree test”.' };
  const config = chosenConfig(facts);
  const again = { act: 'run-bots' } as const;
  if (last === null || (config !== null && last.state !== 'running' && !last.played.includes(config.name)))
    return {
      result: 'attention',
      seen: 'No bots have played this version.',
      means: 'A page that fails would be found by a participant.',
      fix: 'Let the bots of tests.py play it: in memory, beside the running experiment.',
      ...again,
    };
  if (last.state === 'queued' || last.state === 'running')
    return { result: 'attention', seen: 'The bots are playing just now.', means: 'Wait until they are through.' };
  const isFailed = config === null ? last.failed.length > 0 : last.failed.includes(config.name);
  if (isFailed)
    return {
      result: 'bad',
      seen: `The bots did not get through ${config === null ? last.failed.join(', ') : config.name}.`,
      means: 'People would meet the same error, or tests.py is older than the app.',
      fix: 'The job’s log says where. Correct it and push, or play them again.',
      ...again,
    };
  return {
    result: 'good',
    seen: `The bots got through ${config?.name ?? last.played.join(', ')} in this version.`,
    means: 'Every page that they visit works.',
  };
}

export const versionChecks: readonly PreflightCheck[] = [
  { id: 'runs', group: 'version', title: 'The experiment runs', judge: judgeRuns },
  { id: 'commit', group: 'version', title: 'The version is the one that you mean', judge: judgeCommit },
  { id: 'models', group: 'version', title: 'The tables fit the version', judge: judgeModels },
  { id: 'bots', group: 'version', title: 'Bots got through', judge: judgeBots },
];
