// The hosts of the Swarm on the System page: how each is, what runs there, emptying one, and how another joins.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { HostsView, SwarmHostView } from '../../contracts/hosts.ts';
import { describeDown, lookOf, useHosts } from '../hosts.ts';
import { countOf, describeBytes } from '../numbers.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { DataTable, type Column } from './DataTable.tsx';
import { ChangeHost } from './DrainHost.tsx';
import { FactGroup } from './Facts.tsx';
import { JoinCommand } from './JoinCommand.tsx';
import { RemoveHost } from './RemoveHost.tsx';
import { Sign } from './Sign.tsx';

export function HostsGroup(): ReactNode {
  return (
    <FactGroup title="Hosts" aside={<a href="/help/swarm">Several hosts</a>}>
      <Answer query={useHosts()}>{(view) => <Hosts view={view} />}</Answer>
    </FactGroup>
  );
}

function Hosts({ view: { hosts, isSpread } }: { view: HostsView }): ReactNode {
  return (
    <>
      <DataTable name="Hosts" columns={isSpread ? [...columnsOf(hosts), change] : columnsOf(null)} rows={hosts} />
      {isSpread ? (
        <JoinCommand />
      ) : (
        <p>
          Instances run on the panel’s host only. So that they can run on others too, start the panel with <code>SWARM_REGISTRY</code>: an image registry that
          every host reaches.
        </p>
      )}
    </>
  );
}

/** @param hosts those that instances may be on; null: they are on the panel's only */
const columnsOf = (hosts: readonly SwarmHostView[] | null): readonly Column<SwarmHostView>[] => [
  { title: 'Host', render: (host) => <Name host={host} /> },
  { title: 'How it is', render: (host) => <State host={host} hosts={hosts} /> },
  { title: 'Size', render: ({ cores, memoryBytes }) => `${countOf(cores, 'core')}, ${describeBytes(memoryBytes)}`.replaceAll(/(?<=\d) /g, '\u00a0') },
  { title: 'Instances', render: ({ instances }) => <Instances instances={instances} /> },
];

const change: Column<SwarmHostView> = {
  title: 'Change',
  isTitleHidden: true,
  render: (host) => (
    <span className="row-acts">
      <ChangeHost host={host} />
      {host.state === 'down' && <RemoveHost host={host} />}
    </span>
  ),
};

/** One element for each cell: on a phone it stands beside its label. */
function Name({ host: { name, address, role, isPanelHost } }: { host: SwarmHostView }): ReactNode {
  return (
    <div>
      <strong className="breaks">{name}</strong>
      <div className="quiet">{[isPanelHost ? 'the panel’s host' : role, address].filter(Boolean).join(', ')}</div>
    </div>
  );
}

function State({ host, hosts }: { host: SwarmHostView; hosts: readonly SwarmHostView[] | null }): ReactNode {
  return (
    <div>
      <Sign look={lookOf(host)} />
      {host.awaySince !== null && (
        <>
          {' '}
          since <Ago at={host.awaySince} />
        </>
      )}
      {host.state === 'down' && hosts !== null && <div className="quiet">{describeDown(host, hosts)}</div>}
    </div>
  );
}

function Instances({ instances }: Pick<SwarmHostView, 'instances'>): ReactNode {
  if (instances.length === 0) return <span className="quiet">none</span>;
  return (
    <div>
      {instances.map(({ name }, at) => (
        <span key={name}>
          {at > 0 && ', '}
          <Link to={`/instances/${name}`}>{name}</Link>
        </span>
      ))}
    </div>
  );
}
