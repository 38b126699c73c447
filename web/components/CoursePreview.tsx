// How a pasted list is understood, with what does not fit at its line.

import type { ReactNode } from 'react';
import type { CourseLine } from '../../contracts/courses.ts';
import type { Look } from '../looks.ts';
import { countOf } from '../numbers.ts';
import { DataTable, type Column } from './DataTable.tsx';
import { Sign } from './Sign.tsx';

const good: Look = { word: 'fits', icon: 'check circle', tone: 'moss' };
const bad: Look = { word: 'to correct', icon: 'times circle', tone: 'brick' };
const known: Look = { word: 'known', icon: 'info circle', tone: 'sky' };

const columns: readonly Column<CourseLine & { id: string }>[] = [
  { title: 'Line', render: ({ line }) => line },
  { title: 'Name', render: ({ name }) => name },
  { title: 'User name', render: ({ userName }) => userName },
  { title: 'E-mail', render: ({ email }) => <span className="breaks">{email}</span> },
  { title: 'Instance', render: ({ instanceName }) => <span className="breaks">{instanceName}</span> },
  {
    title: 'Remark',
    render: ({ problem, note }) => (
      <div>
        <Sign look={problem !== null ? bad : note === null ? good : known} />
        {(problem ?? note) !== null && <span className={problem === null ? 'under-name' : 'under-name tone-brick'}>{problem ?? note}</span>}
      </div>
    ),
  },
];

export function CoursePreview({ lines }: { lines: readonly CourseLine[] }): ReactNode {
  const wrong = lines.filter(({ problem }) => problem !== null).length;
  return (
    <section aria-label="How the list is understood">
      <p role="status" className={wrong > 0 ? 'tone-brick' : ''}>
        {lines.length === 0
          ? 'There is nobody in this list.'
          : wrong === 0
            ? `${countOf(lines.length, 'person', 'people')}, every line fits.`
            : `${countOf(wrong, 'line needs', 'lines need')} a look. Correct the list above, then look it over again.`}
      </p>
      {lines.length > 0 && <DataTable name="How the list is understood" columns={columns} rows={lines.map((line) => ({ ...line, id: String(line.line) }))} />}
    </section>
  );
}
