// People of the lab, for managers: who there is, inviting, changing, disabling, deleting; and courses.

import { useState, type ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { Button, Segment } from 'semantic-ui-react';
import type { PersonView } from '../../contracts/people.ts';
import { AddPerson } from '../components/AddPerson.tsx';
import { Ago } from '../components/Ago.tsx';
import { Answer } from '../components/Answer.tsx';
import { CourseList } from '../components/CourseList.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { PersonMenu } from '../components/PersonMenu.tsx';
import { Sign } from '../components/Sign.tsx';
import type { Look } from '../looks.ts';
import { useMay, useMe } from '../panel.ts';
import { usePeople } from '../people.ts';
import { useTitle } from '../title.ts';

export function People(): ReactNode {
  useTitle('People');
  const navigate = useNavigate();
  const mayList = useMay('people.list');
  const people = usePeople(mayList);
  const [isAdding, setAdding] = useState(false);
  if (!mayList)
    return (
      <>
        <h1>People</h1>
        <p>Only lab managers see the people of the lab.</p>
      </>
    );
  return (
    <>
      <header className="page-head">
        <h1>People</h1>
        <span className="spring" />
        <Button type="button" basic onClick={() => void navigate('/people/course')}>
          <Glyph name="graduation cap" /> New course…
        </Button>
        <Button type="button" primary onClick={() => setAdding(true)}>
          <Glyph name="plus" /> Add a person…
        </Button>
      </header>
      <Answer query={people}>{(list) => <PeopleTable list={list} />}</Answer>
      <CourseList />
      {isAdding && <AddPerson onClose={() => setAdding(false)} />}
    </>
  );
}

function PeopleTable({ list }: { list: readonly PersonView[] }): ReactNode {
  const myId = useMe().data?.person.id;
  const change: Column<PersonView> = {
    title: 'Change',
    isTitleHidden: true,
    render: (person) => <PersonMenu person={person} isSelf={person.id === myId} />,
  };
  return (
    <Segment>
      <DataTable name="People" columns={[...columns(myId), change]} rows={list} />
    </Segment>
  );
}

const columns = (myId: string | undefined): readonly Column<PersonView>[] => [
  {
    title: 'Name',
    render: ({ id, name, course }) => (
      <div>
        {name}
        {id === myId && <small className="under-name">you</small>}
        {course && (
          <small className="under-name">
            <Link to={`/people/courses/${course.id}`}>{course.name}</Link>
          </small>
        )}
      </div>
    ),
  },
  { title: 'User name', render: ({ userName }) => userName },
  { title: 'E-mail', render: ({ email }) => <span className="breaks">{email}</span> },
  { title: 'Role', render: ({ role }) => (role === 'manager' ? 'lab manager' : 'experimenter') },
  { title: 'Instances', render: ({ instances }) => instances },
  { title: 'Last here', render: ({ lastSeenAt }) => (lastSeenAt === null ? <span className="quiet">never</span> : <Ago at={lastSeenAt} />) },
  { title: 'Account', render: (person) => <Sign look={lookOf(person)} /> },
];

const active: Look = { word: 'active', icon: 'check circle', tone: 'moss' };
const disabled: Look = { word: 'disabled', icon: 'ban', tone: 'stone' };
const invited: Look = { word: 'invited', icon: 'envelope outline', tone: 'amber' };
const lapsed: Look = { word: 'needs a link', icon: 'envelope open outline', tone: 'amber' };

function lookOf({ isDisabled, isInvited, linkExpiresAt }: PersonView): Look {
  if (isDisabled) return disabled;
  if (!isInvited) return active;
  return linkExpiresAt === null ? lapsed : invited;
}
