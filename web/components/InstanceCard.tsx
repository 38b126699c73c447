// An instance on the dashboard: as a card, and as a row of the table.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Segment } from 'semantic-ui-react';
import type { InstanceSummary } from '../../contracts/instances.ts';
import { stateLooks } from '../../contracts/states.ts';
import { instancePath } from '../addresses.ts';
import { describeBytes } from '../numbers.ts';
import { useMay } from '../panel.ts';
import { Ago } from './Ago.tsx';
import { DataTable, type Column } from './DataTable.tsx';
import { Glyph } from './Glyph.tsx';
import { StateSign } from './Sign.tsx';

export function InstanceCards({ instances }: { instances: readonly InstanceSummary[] }): ReactNode {
  return (
    <ul className="cards" aria-label="Instances">
      {instances.map((instance) => (
        <li key={instance.id}>
          <Link className={`ui card instance-card edge-${stateLooks[instance.state].tone}`} to={instancePath(instance.name)}>
            <strong className="card-name">{instance.name}</strong>
            <StateSign state={instance.state} />
            <CardDetail instance={instance} />
            <span className="card-foot quiet">
              <span>
                <Glyph name="user outline" /> {instance.owner.name}
              </span>
              <LastDeployed instance={instance} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function CardDetail({ instance }: { instance: InstanceSummary }): ReactNode {
  const running = instance.job?.steps.find((step) => step.state === 'running');
  const text = instance.job
    ? `${instance.job.title}${running ? `: ${running.label}` : ''}`
    : (instance.stateDetail ?? (instance.otreeVersion === null ? '' : `oTree ${instance.otreeVersion}`));
  return <span className="card-detail quiet">{text}</span>;
}

function LastDeployed({ instance }: { instance: InstanceSummary }): ReactNode {
  if (instance.lastDeployedAt === null) return <span>no project yet</span>;
  return (
    <span title="Last deployment">
      <Glyph name="upload" /> <Ago at={instance.lastDeployedAt} />
    </span>
  );
}

const columns: readonly Column<InstanceSummary>[] = [
  { title: 'Name', render: ({ name }) => <Link to={instancePath(name)}>{name}</Link> },
  { title: 'State', render: ({ state }) => <StateSign state={state} /> },
  { title: 'Owner', render: ({ owner }) => owner.name },
  { title: 'oTree', render: ({ otreeVersion }) => otreeVersion ?? '–' },
  { title: 'Last activity', render: ({ lastActivityAt }) => (lastActivityAt === null ? '–' : <Ago at={lastActivityAt} />) },
  { title: 'Last deployment', render: ({ lastDeployedAt }) => (lastDeployedAt === null ? 'no project yet' : <Ago at={lastDeployedAt} />) },
  { title: 'Address', render: (instance) => <OpenLink instance={instance} /> },
];

/** What an instance takes: for those who look after the machine. */
const usage: readonly Column<InstanceSummary>[] = [
  { title: 'Memory', render: ({ memoryBytes }) => (memoryBytes === null ? '–' : describeBytes(memoryBytes)) },
  { title: 'Disk', render: ({ diskBytes }) => (diskBytes === null ? '–' : describeBytes(diskBytes)) },
  { title: 'Database', render: ({ databaseBytes }) => (databaseBytes === null ? '–' : describeBytes(databaseBytes)) },
  { title: 'Last participant', render: ({ lastParticipantAt }) => (lastParticipantAt === null ? '–' : <Ago at={lastParticipantAt} />) },
];

export function InstanceTable({ instances }: { instances: readonly InstanceSummary[] }): ReactNode {
  const isManager = useMay('system.read');
  return (
    <Segment>
      <DataTable name="Instances" columns={isManager ? [...columns.slice(0, -1), ...usage, ...columns.slice(-1)] : columns} rows={instances} />
    </Segment>
  );
}

function OpenLink({ instance }: { instance: InstanceSummary }): ReactNode {
  if (instance.state !== 'running') return '–';
  return (
    <a href={instance.url} target="_blank" rel="noopener" aria-label={`Open ${instance.name}`}>
      Open ↗
    </a>
  );
}
