// The courses of the lab, below its people.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { CourseSummary } from '../../contracts/courses.ts';
import { useCourses } from '../courses.ts';
import { Ago } from './Ago.tsx';
import { Answer } from './Answer.tsx';
import { DataTable, type Column } from './DataTable.tsx';
import { FactGroup } from './Facts.tsx';

const columns: readonly Column<CourseSummary>[] = [
  { title: 'Course', render: ({ id, name }) => <Link to={`/people/courses/${id}`}>{name}</Link> },
  { title: 'People', render: ({ people }) => people },
  { title: 'Instances', render: ({ instances }) => instances },
  {
    title: 'Made',
    render: ({ createdAt, createdByName }) => (
      <span>
        <Ago at={createdAt} /> by {createdByName}
      </span>
    ),
  },
];

export function CourseList(): ReactNode {
  return (
    <FactGroup title="Courses">
      <Answer query={useCourses()}>
        {(list) =>
          list.length === 0 ? (
            <p className="quiet">
              No course yet. A course is a list of people who get an account and an instance each, and who are deleted together at the end of term.
            </p>
          ) : (
            <DataTable name="Courses" columns={columns} rows={list} />
          )
        }
      </Answer>
    </FactGroup>
  );
}
