// The panel itself, for managers: its parts, whether they are well, and its settings.

import type { ReactNode } from 'react';
import { Segment, Table } from 'semantic-ui-react';
import type { SystemView } from '../../contracts/system.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { Fact, FactGroup, FactList } from '../components/Facts.tsx';
import { Sign } from '../components/Sign.tsx';
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
          <Segment className="wide-table">
            <Table basic="very" unstackable aria-label="Parts of the panel">
              <Table.Header>
                <Table.Row>
                  {['Part', 'How it is', 'Detail'].map((title) => (
                    <Table.HeaderCell key={title} scope="col">
                      {title}
                    </Table.HeaderCell>
                  ))}
                </Table.Row>
              </Table.Header>
              <Table.Body>
                {view.parts.map((part) => (
                  <Table.Row key={part.name}>
                    <Table.Cell>{part.name}</Table.Cell>
                    <Table.Cell className="one-line">
                      <Sign look={part.isWell ? { word: 'well', icon: 'check circle', tone: 'moss' } : { word: 'not well', icon: 'times circle', tone: 'brick' }} />
                    </Table.Cell>
                    <Table.Cell>{part.detail}</Table.Cell>
                  </Table.Row>
                ))}
              </Table.Body>
            </Table>
          </Segment>
          <About view={view} />
        </>
      )}
    </Answer>
  );
}

function About({ view }: { view: SystemView }): ReactNode {
  return (
    <FactGroup title="This panel">
      <FactList>
        <Fact name="Version">
          {view.version} on Node {view.nodeVersion.replace(/^v/, '')}
        </Fact>
        <Fact name="Running">
          since <Ago at={view.startedAt} />
        </Fact>
        <Fact name="Platform">{view.platform}</Fact>
        <Fact name="Addresses">{view.addressMode}</Fact>
        <Fact name="Public address">
          <code>{view.publicUrl}</code>
        </Fact>
      </FactList>
    </FactGroup>
  );
}
