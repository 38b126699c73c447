// An instance on the dashboard: as a card, and as a row of the table.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Segment } from 'semantic-ui-react';
import type { InstanceSummary } from '../../contracts/instances.ts';
import { stateLooks } from '../../contracts/states.ts';
import { instancePath } from '../addresses.ts';
import { describeBytes } from '../numbers.ts';
import { Ago } from './Ago.tsx';
import { DataTable } from './DataTable.tsx';
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
  const text = instance.job ? `${instance.job.title}${running ? `: ${running.label}` : ''}` : (instance.stateDetail ?? (instance.otreeVersion === null ? '' : `oTree ${instance.otreeVersion}`));
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

export function InstanceTable({ instances }: { instances: readonly InstanceSummary[] }): ReactNode {
  const rows = instances.map((instance) => ({
    key: instance.id,
    cells: [
      <Link to={instancePath(instance.name)}>{instance.name}</Link>,
      <StateSign state={instance.state} />,
      instance.owner.name,
      instance.otreeVersion ?? '–',
      instance.memoryBytes === null ? '–' : describeBytes(instance.memoryBytes),
      instance.lastDeployedAt === null ? 'no project yet' : <Ago at={instance.lastDeployedAt} />,
      <OpenLink instance={instance} />,
    ],
  }));
  return (
    <Segment>
      <DataTable name="Instances" columns={['Name', 'State', 'Owner', 'oTree', 'Memory', 'Last deployment', 'Address']} rows={rows} />
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
