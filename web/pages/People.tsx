// People of the lab, for managers: who there is, adding one, disabling and enabling.

import { useState, type ReactNode } from 'react';
import { Button, Segment, Table } from 'semantic-ui-react';
import type { PersonView } from '../../contracts/people.ts';
import { AddPerson } from '../components/AddPerson.tsx';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { DisablePerson } from '../components/DisablePerson.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { Sign } from '../components/Sign.tsx';
import { useMay, useMe } from '../panel.ts';
import { useDisablePerson, usePeople } from '../people.ts';
import { useTitle } from '../title.ts';
import { showToast } from '../toasts.ts';

export function People(): ReactNode {
  useTitle('People');
  const mayList = useMay('people.list');
  const people = usePeople(mayList);
  const [isAdding, setAdding] = useState(false);
  if (!mayList) return <p>Only lab managers see the people of the lab.</p>;
  return (
    <>
      <header className="page-head">
        <h1>People</h1>
        <span className="spring" />
        <Button type="button" primary onClick={() => setAdding(true)}>
          <Glyph name="plus" /> Add a person…
        </Button>
      </header>
      <Answer query={people}>{(list) => <PeopleTable list={list} />}</Answer>
      {isAdding && <AddPerson onClose={() => setAdding(false)} />}
    </>
  );
}

function PeopleTable({ list }: { list: readonly PersonView[] }): ReactNode {
  const [asked, setAsked] = useState<PersonView | null>(null);
  return (
    <Segment className="wide-table">
      <Table basic="very" unstackable aria-label="People">
        <Table.Header>
          <Table.Row>
            {['Name', 'User name', 'E-mail', 'Role', 'Instances', 'Since', 'Account', ''].map((title) => (
              <Table.HeaderCell key={title} scope="col">
                {title === '' ? <span className="said">Change</span> : title}
              </Table.HeaderCell>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {list.map((person) => (
            <PersonRow key={person.id} person={person} onDisable={() => setAsked(person)} />
          ))}
        </Table.Body>
      </Table>
      {asked && <DisablePerson person={asked} onClose={() => setAsked(null)} />}
    </Segment>
  );
}

function PersonRow({ person, onDisable }: { person: PersonView; onDisable: () => void }): ReactNode {
  const isSelf = useMe().data?.person.id === person.id;
  const change = useDisablePerson();
  const enable = (): void =>
    change.mutate(
      { id: person.id, isDisabled: false },
      { onSuccess: () => showToast(`${person.name} may sign in again.`), onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick') },
    );
  return (
    <Table.Row>
      <Table.Cell>
        {person.name} {isSelf && <span className="quiet">(you)</span>}
      </Table.Cell>
      <Table.Cell>{person.userName}</Table.Cell>
      <Table.Cell>{person.email}</Table.Cell>
      <Table.Cell>{person.role === 'manager' ? 'lab manager' : 'experimenter'}</Table.Cell>
      <Table.Cell>{person.instances}</Table.Cell>
      <Table.Cell className="one-line">
        <Ago at={person.createdAt} />
      </Table.Cell>
      <Table.Cell>
        <Sign look={person.isDisabled ? { word: 'disabled', icon: 'ban', tone: 'stone' } : { word: 'active', icon: 'check circle', tone: 'moss' }} />
      </Table.Cell>
      <Table.Cell textAlign="right">
        {!isSelf && (
          <Button
            type="button"
            basic
            compact
            size="small"
            aria-label={`${person.isDisabled ? 'Enable' : 'Disable'} ${person.name}`}
            disabled={change.isPending}
            onClick={person.isDisabled ? enable : onDisable}
          >
            {person.isDisabled ? 'Enable' : 'Disable…'}
          </Button>
        )}
      </Table.Cell>
    </Table.Row>
  );
}
