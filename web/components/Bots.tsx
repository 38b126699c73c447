// How the project's own tests went, by version, with what the bots did as files.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { BotRun } from '../../contracts/bots.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { botsFilePath, useBots } from '../bots.ts';
import { jobLooks, stepLooks } from '../looks.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { DataTable, type Column } from './DataTable.tsx';
import { DownloadButton } from './DownloadButton.tsx';
import { FactGroup } from './Facts.tsx';
import { PlayBots } from './Findings.tsx';
import { Sign } from './Sign.tsx';

export function Bots({ instance }: { instance: InstanceView }): ReactNode {
  const bots = useBots(instance.name, instance.job !== null);
  const canPlay = bots.data?.canPlay ?? false;
  const mayFetch = canOnInstance(instance.standing, 'instance.run-bots');
  return (
    <FactGroup title="Bots" aside={canPlay && <PlayBots instance={instance} />}>
      <p className="quiet">
        The project’s own tests.py plays every session config in memory, beside the running experiment: no live data are touched. What the bots did can be
        fetched, to try an analysis on it.
      </p>
      <Answer query={bots}>
        {({ runs }) =>
          runs.length === 0 ? (
            <p className="quiet">{canPlay ? 'No bots have played here yet.' : 'Bots cannot be played on this platform; “otree test” does it at home.'}</p>
          ) : (
            <DataTable name="Runs of bots" columns={columnsOf(instance, mayFetch)} rows={runs.map((run) => ({ ...run, id: run.jobId }))} />
          )
        }
      </Answer>
    </FactGroup>
  );
}

type Row = BotRun & { id: string };

const columnsOf = (instance: InstanceView, mayFetch: boolean): readonly Column<Row>[] => [
  {
    title: 'When',
    render: ({ at, jobId, byName }) => (
      <span>
        <Link to={`/jobs/${jobId}`}>
          <Ago at={at} />
        </Link>
        <small className="block quiet">{byName}</small>
      </span>
    ),
  },
  {
    title: 'Version',
    render: ({ commit, isCurrent }) => (
      <span>
        <code>{commit?.slice(0, 7) ?? 'not known'}</code>
        {isCurrent && <small className="block quiet">in use</small>}
      </span>
    ),
  },
  { title: 'Result', render: ({ state }) => <Sign look={jobLooks[state]} /> },
  {
    title: 'Session configs',
    render: (run) => (
      <ul className="plain-list">
        {run.configs.map(({ name, state, hasData }) => (
          <li key={name}>
            {name} <Sign look={stepLooks[state]} />{' '}
            {hasData && mayFetch && (
              <DownloadButton path={botsFilePath(instance.name, { jobId: run.jobId, config: name })} name={`Download what the bots did in ${name}`} />
            )}
          </li>
        ))}
      </ul>
    ),
  },
];
