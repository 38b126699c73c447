// The address of an instance: what it is, what it shares, what leads to it, and the way to another one.

import { useState, type ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import { addressWords, type InstanceAddresses } from '../../contracts/addresses.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { sharedOrigin, useAddresses } from '../instance-addresses.ts';
import { countOf } from '../numbers.ts';
import { AddressLink } from './AddressLink.tsx';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { ChangeAddress } from './ChangeAddress.tsx';
import { CopyButton } from './CopyButton.tsx';
import { Fact, FactGroup, FactList } from './Facts.tsx';
import { GiveUpAddress, type FormerAddress } from './GiveUpAddress.tsx';

export function AddressSettings({ instance }: { instance: InstanceView }): ReactNode {
  const addresses = useAddresses(instance.name, { url: instance.url, isBusy: instance.job !== null });
  return (
    <FactGroup title="Address">
      <FactList>
        <Fact name="Address">
          <AddressLink url={instance.url} />
        </Fact>
        <Fact name="Kind">{addressWords[instance.addressMode]}</Fact>
      </FactList>
      <Answer query={addresses}>{(view) => <Around instance={instance} addresses={view} />}</Answer>
    </FactGroup>
  );
}

type Props = { instance: InstanceView; addresses: InstanceAddresses };

function Around({ instance, addresses }: Props): ReactNode {
  const [isChanging, setChanging] = useState(false);
  const { dns, shared, fixedBecause } = addresses;
  const close = (): void => setChanging(false);
  return (
    <>
      {dns !== null && dns.leads !== 'here' && <DnsNotice dns={dns} />}
      {shared !== null && <SharedNotice shared={shared} />}
      {fixedBecause === null ? (
        <p>
          <Button type="button" basic disabled={instance.job !== null} onClick={() => setChanging(true)}>
            Change address…
          </Button>
        </p>
      ) : (
        <p className="quiet">{fixedBecause}</p>
      )}
      {isChanging && <ChangeAddress instance={instance} addresses={addresses} onClose={close} />}
      <FormerAddresses instance={instance} addresses={addresses} />
    </>
  );
}

function DnsNotice({ dns }: { dns: NonNullable<InstanceAddresses['dns']> }): ReactNode {
  return (
    <Message warning role="status">
      <Message.Header>{dns.seen}</Message.Header>
      <p>Participants find the experiment there once it leads here. For the IT department:</p>
      <p className="handed-link">
        <code>{dns.request}</code> <CopyButton what="the text for the IT department" text={dns.request} />
      </p>
    </Message>
  );
}

function SharedNotice({ shared }: { shared: NonNullable<InstanceAddresses['shared']> }): ReactNode {
  const { names, others, origin } = shared;
  const unseen = others === 0 ? [] : [names.length === 0 ? countOf(others, 'experiment') : `${others} more`];
  const all = [...names, ...unseen];
  return (
    <Message info>
      <Message.Header>{all.length === 0 ? `It is alone on ${origin} just now` : `It shares ${origin} with ${all.join(', ')}`}</Message.Header>
      <p>{sharedOrigin}</p>
    </Message>
  );
}

function FormerAddresses({ instance, addresses }: Props): ReactNode {
  const [asked, setAsked] = useState<FormerAddress | null>(null);
  const mayChange = canOnInstance(instance.standing, 'instance.change-address');
  return (
    <section aria-label="Addresses of before">
      <h3 className="ui header">Addresses of before</h3>
      {addresses.former.length === 0 && <p className="quiet">No other address leads here.</p>}
      <ul className="former-addresses">
        {addresses.former.map((former) => (
          <li key={former.id}>
            <div>
              <code>{former.url}</code>
              <small className="quiet">
                leads to the present one since <Ago at={former.since} />
              </small>
            </div>
            {mayChange && (
              <Button type="button" basic compact disabled={instance.job !== null} aria-label={`Give up ${former.url}`} onClick={() => setAsked(former)}>
                Give up…
              </Button>
            )}
          </li>
        ))}
      </ul>
      {asked !== null && <GiveUpAddress instance={instance} former={asked} onClose={() => setAsked(null)} />}
    </section>
  );
}
