// The Dokku host on the System page: how it is, what stands in the way, and how it lets the panel in.

import type { ReactNode } from 'react';
import { Message } from 'semantic-ui-react';
import type { HostView } from '../../contracts/system.ts';
import type { Look } from '../looks.ts';
import { describeBytes } from '../numbers.ts';
import { useHost } from '../panel.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { Commands } from './Commands.tsx';
import { CopyButton } from './CopyButton.tsx';
import { Fact, FactGroup, FactList } from './Facts.tsx';
import { Sign } from './Sign.tsx';

export function HostGroup(): ReactNode {
  return (
    <FactGroup title="Dokku host">
      <Answer query={useHost()}>{(host) => <Host host={host} />}</Answer>
    </FactGroup>
  );
}

const up: Look = { word: 'connected', icon: 'check circle', tone: 'moss' };
const down: Look = { word: 'not connected', icon: 'times circle', tone: 'brick' };

function Host({ host }: { host: HostView }): ReactNode {
  return (
    <>
      {host.problems.map((problem) => (
        <Message key={problem} negative role="alert" content={problem} />
      ))}
      {host.warnings.map((warning) => (
        <Message key={warning} warning content={warning} />
      ))}
      <FactList>
        <Fact name="Address">
          <code>{host.address}</code>
        </Fact>
        <Fact name="Connection">
          <Sign look={host.isUp ? up : down} />
          {host.downSince !== null && (
            <>
              {' '}
              since <Ago at={host.downSince} />
            </>
          )}
        </Fact>
        <Fact name="Dokku">{host.version ?? 'not known yet'}</Fact>
        <Fact name="Plugins">{describePlugins(host)}</Fact>
        <Fact name="Free on its disk">{host.freeDiskMib === null ? 'not known: no experiment runs there' : describeBytes(host.freeDiskMib * 1024 ** 2)}</Fact>
        <Fact name="Instances">
          <code>NAME.{host.domain}</code>
        </Fact>
        <Fact name="Its key">{host.hostKey === null ? 'none seen yet' : <code>{host.hostKey}</code>}</Fact>
        <Fact name="The panel’s key">
          <code>{host.publicKey}</code> <CopyButton text={host.publicKey} what="public key" />
        </Fact>
      </FactList>
      <p>So that the host lets the panel in, type this there once, as root:</p>
      <Commands lines={[host.addKeyCommand]} what="command" />
    </>
  );
}

function describePlugins({ plugins, version }: HostView): string {
  if (version === null) return 'not known yet';
  return plugins.length === 0 ? 'none' : plugins.map(({ name, version: number }) => `${name} ${number}`).join(', ');
}
