// The panel itself, for managers: its parts, whether they are well, and its settings.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Segment } from 'semantic-ui-react';
import { addressWords } from '../../contracts/addresses.ts';
import type { SystemView } from '../../contracts/system.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { CertificatesGroup } from '../components/CertificatesGroup.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { EngineGroup } from '../components/EngineGroup.tsx';
import { Fact, FactGroup, FactList } from '../components/Facts.tsx';
import { HostGroup } from '../components/HostGroup.tsx';
import { HostsGroup } from '../components/HostsGroup.tsx';
import { LegalGroup } from '../components/LegalGroup.tsx';
import { MailGroup } from '../components/MailGroup.tsx';
import { PlatformGroup } from '../components/PlatformGroup.tsx';
import { Sign } from '../components/Sign.tsx';
import type { Look } from '../looks.ts';
import { useMay, useSystem } from '../panel.ts';
import { useTitle } from '../title.ts';

export function System(): ReactNode {
  useTitle('System');
  return (
    <>
      <h1>System</h1>
      {useMay('system.read') ? <Parts /> : <p>Only lab managers see this page.</p>}
    </>
  );
}

function Parts(): ReactNode {
  const system = useSystem();
  return (
    <Answer query={system}>
      {(view) => (
        <>
          <Segment>
            <DataTable name="Parts of the panel" columns={columns} rows={view.parts.map((part) => ({ ...part, id: part.name }))} />
          </Segment>
          <div className="two-columns">
            <About view={view} />
            <MailGroup />
          </div>
          <CertificatesGroup />
          <PlatformGroup />
          {view.platform === 'swarm' && <EngineGroup />}
          {view.platform === 'dokku' && <HostGroup />}
          {view.platform === 'swarm' && <HostsGroup />}
          <LegalGroup />
        </>
      )}
    </Answer>
  );
}

const columns: readonly Column<SystemView['parts'][number]>[] = [
  { title: 'Part', render: ({ name }) => name },
  { title: 'How it is', render: ({ isWell }) => <Sign look={isWell ? well : notWell} /> },
  { title: 'Detail', render: ({ detail }) => detail },
];

const well: Look = { word: 'well', icon: 'check circle', tone: 'moss' };
const notWell: Look = { word: 'not well', icon: 'times circle', tone: 'brick' };

function About({ view }: { view: SystemView }): ReactNode {
  return (
    <FactGroup title="This panel">
      <FactList>
        <Fact name="Version">
          {view.version} on Node {view.nodeVersion.replace(/^v/, '')} (<Link to="/about">all versions</Link>)
        </Fact>
        <Fact name="Running">
          since <Ago at={view.startedAt} />
        </Fact>
        <Fact name="Platform">{view.platform}</Fact>
        <Fact name="Addresses">new instances get {addressWords[view.addressMode]}</Fact>
        <Fact name="System check">
          <Link to="/system/check">Names, ports, certificate, disk … and a text for the IT department</Link>
        </Fact>
        <Fact name="Deleted instances">
          <Link to="/deleted-instances">Their last backups</Link>
        </Fact>
        <Fact name="Public address">
          <code>{view.publicUrl}</code>
        </Fact>
      </FactList>
    </FactGroup>
  );
}
