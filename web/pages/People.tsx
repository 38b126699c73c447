// People of the lab, for managers: who there is, adding one, disabling and enabling.

import { useState, type ReactNode } from 'react';
import { Button, Segment } from 'semantic-ui-react';
import type { PersonView } from '../../contracts/people.ts';
import { AddPerson } from '../components/AddPerson.tsx';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { DisablePerson } from '../components/DisablePerson.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { Sign } from '../components/Sign.tsx';
import type { Look } from '../looks.ts';
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
  const myId = useMe().data?.person.id;
  const change: Column<PersonView> = {
    title: 'Change',
    isTitleHidden: true,
    render: (person) =>
      person.id === myId ? (
        <span className="quiet">you</span>
      ) : person.isDisabled ? (
        <EnableButton person={person} />
      ) : (
        <DisableButton person={person} onClick={() => setAsked(person)} />
      ),
  };
  return (
    <Segment>
      <DataTable name="People" columns={[...columns, change]} rows={list} />
      {asked && <DisablePerson person={asked} onClose={() => setAsked(null)} />}
    </Segment>
  );
}

const columns: readonly Column<PersonView>[] = [
  { title: 'Name', render: ({ name }) => name },
  { title: 'User name', render: ({ userName }) => userName },
  { title: 'E-mail', render: ({ email }) => email },
  { title: 'Role', render: ({ role }) => (role === 'manager' ? 'lab manager' : 'experimenter') },
  { title: 'Instances', render: ({ instances }) => instances },
  { title: 'Since', render: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: 'Account', render: ({ isDisabled }) => <Sign look={isDisabled ? disabled : active} /> },
];

const active: Look = { word: 'active', icon: 'check circle', tone: 'moss' };
const disabled: Look = { word: 'disabled', icon: 'ban', tone: 'stone' };

function DisableButton({ person, onClick }: { person: PersonView; onClick: () => void }): ReactNode {
  return (
    <Button type="button" basic compact size="small" aria-label={`Disable ${person.name}`} onClick={onClick}>
      Disable…
    </Button>
  );
}

function EnableButton({ person }: { person: PersonView }): ReactNode {
  const change = useDisablePerson();
  const enable = (): void =>
    change.mutate(
      { id: person.id, isDisabled: false },
      { onSuccess: () => showToast(`${person.name} may sign in again.`), onError: (error) => showToast(`${error.message} ${error.hint}`, 'brick') },
    );
  return (
    <Button type="button" basic compact size="small" aria-label={`Enable ${person.name}`} disabled={change.isPending} onClick={enable}>
      Enable
    </Button>
  );
}
