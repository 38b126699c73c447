// One course: its people and their instances, links to hand over, its job, and its end.

import { useState, type ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { Button, Segment } from 'semantic-ui-react';
import type { CourseMember, CourseView } from '../../contracts/courses.ts';
import { isJobOver } from '../../contracts/states.ts';
import { instancePath } from '../addresses.ts';
import { isMissing } from '../api.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { CourseLinks } from '../components/CourseLinks.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { DeleteCourse } from '../components/DeleteCourse.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { JobPanel } from '../components/JobPanel.tsx';
import { MakeLink } from '../components/MakeLink.tsx';
import { Sign, StateSign } from '../components/Sign.tsx';
import { useCourse } from '../courses.ts';
import type { Look } from '../looks.ts';
import { countOf } from '../numbers.ts';
import { useTitle } from '../title.ts';

export function Course(): ReactNode {
  const { id = '' } = useParams();
  const course = useCourse(id);
  useTitle(course.data?.name ?? 'Course');
  return (
    <>
      <p>
        <Link to="/people">‹ People</Link>
      </p>
      {isMissing(course.error) ? (
        <Empty isPage title={course.data ? `The course ${course.data.name} is deleted` : 'There is no such course, or it is not yours to see'}>
          {course.data?.job && <Link to={`/jobs/${course.data.job.id}`}>See its last job</Link>}
        </Empty>
      ) : (
        <Answer query={course}>{(view) => <CoursePage course={view} />}</Answer>
      )}
    </>
  );
}

function CoursePage({ course }: { course: CourseView }): ReactNode {
  const [isDeleting, setDeleting] = useState(false);
  const [invited, setInvited] = useState<CourseMember | null>(null);
  const isBusy = course.job !== null && !isJobOver(course.job.state);
  const link: Column<CourseMember> = {
    title: 'Link',
    isTitleHidden: true,
    render: (member) =>
      member.isInvited && (
        <Button type="button" basic compact size="small" aria-label={`Link for ${member.name}`} onClick={() => setInvited(member)}>
          Link…
        </Button>
      ),
  };
  return (
    <>
      <header className="page-head">
        <h1>{course.name}</h1>
        <span className="quiet">
          {countOf(course.people, 'person', 'people')} · {countOf(course.instances, 'instance')}
        </span>
      </header>
      {course.job && <JobPanel job={course.job} />}
      <Segment>
        {course.members.length === 0 ? (
          <p className="quiet">{isBusy ? 'The first people appear in a moment.' : 'Nobody is in this course.'}</p>
        ) : (
          <DataTable name="People of the course" columns={[...columns, link]} rows={course.members} />
        )}
      </Segment>
      <CourseLinks course={course} isBusy={isBusy} />
      <FactGroup title="End of term">
        <p>Deletes the instances of this course, each after a checked backup, and then the accounts that own nothing else.</p>
        <Button type="button" basic negative disabled={isBusy} onClick={() => setDeleting(true)}>
          <Glyph name="trash alternate outline" /> Delete course…
        </Button>
      </FactGroup>
      {invited && <MakeLink person={invited} onClose={() => setInvited(null)} />}
      {isDeleting && <DeleteCourse course={course} onClose={() => setDeleting(false)} />}
    </>
  );
}

const columns: readonly Column<CourseMember>[] = [
  { title: 'Name', render: ({ name }) => name },
  { title: 'User name', render: ({ userName }) => userName },
  { title: 'E-mail', render: ({ email }) => <span className="breaks">{email}</span> },
  {
    title: 'Instance',
    render: ({ instances }) =>
      instances.length === 0 ? (
        <span className="quiet">none</span>
      ) : (
        <div>
          {instances.map(({ name, state }) => (
            <span key={name} className="member-instance">
              <Link to={instancePath(name)}>{name}</Link> <StateSign state={state} />
            </span>
          ))}
        </div>
      ),
  },
  { title: 'Account', render: (member) => <Sign look={lookOf(member)} /> },
];

const accepted: Look = { word: 'accepted', icon: 'check circle', tone: 'moss' };
const invited: Look = { word: 'invited', icon: 'envelope outline', tone: 'amber' };
const waiting: Look = { word: 'needs a link', icon: 'envelope open outline', tone: 'amber' };
const disabled: Look = { word: 'disabled', icon: 'ban', tone: 'stone' };

function lookOf({ isDisabled, isInvited, linkExpiresAt }: CourseMember): Look {
  if (isDisabled) return disabled;
  if (!isInvited) return accepted;
  return linkExpiresAt === null ? waiting : invited;
}
