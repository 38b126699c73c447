// Who stands out by page times: stuck, long on one page, much slower or faster than the others. For pay, and to help.

import type { ReactNode } from 'react';
import type { PersonProblem } from '../../contracts/exports.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { describeDuration } from '../times.ts';
import { DataTable, type Column } from './DataTable.tsx';

type Props = { instance: InstanceView; problems: readonly PersonProblem[]; people: number };

export function PeopleToLookAt({ instance, problems, people }: Props): ReactNode {
  if (problems.length === 0)
    return (
      <p className="quiet">
        {people < 4 ? 'With fewer than four people nobody can be compared.' : 'Nobody was much faster or slower than the others, or is stuck.'}
      </p>
    );
  return (
    <>
      <h3>People to look at</h3>
      <DataTable name="People to look at" columns={columnsOf(instance)} rows={problems.map((problem) => ({ ...problem, id: problem.participant }))} />
    </>
  );
}

const time = (seconds: number): string => describeDuration(seconds * 1000);

function describe({ kind, app, page, seconds, usual }: PersonProblem): string {
  if (kind === 'stuck') return `On ${page} of ${app} for ${time(seconds)}, or gone; half of the people left it within ${time(usual)}.`;
  if (kind === 'long') return `Was ${time(seconds)} on ${page} of ${app}; half of the people left it within ${time(usual)}.`;
  return `${kind === 'fast' ? 'Much faster' : 'Much slower'}: ${time(seconds)} where half of the people took ${time(usual)}.`;
}

const columnsOf = ({ url }: InstanceView): readonly Column<PersonProblem & { id: string }>[] => [
  {
    title: 'Person',
    render: ({ session, idInSession, participant }) => (
      <span>
        <a href={`${url}/SessionMonitor/${session}`} target="_blank" rel="noopener">
          P{idInSession} in {session}
        </a>
        <small className="block quiet">
          <code>{participant}</code>
        </small>
      </span>
    ),
  },
  { title: 'What stands out', render: (problem) => describe(problem) },
];
