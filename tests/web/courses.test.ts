// The table of links that a manager saves: no cell of it is a formula.

import { expect, it } from 'vitest';
import type { CourseView } from '../../contracts/courses.ts';
import { linksAsCsv } from '../../web/courses.ts';

const member = (id: string, name: string): CourseView['members'][number] => ({
  id,
  name,
  userName: id,
  email: `${id}@lab.example`,
  isInvited: true,
  isDisabled: false,
  linkExpiresAt: null,
  instances: [{ name: `econ-${id}`, state: 'waiting', url: '' }],
  otherInstances: [],
  participantsInSession: 0,
});

it('has a line for each person, quotes doubled, and formulas made harmless', () => {
  const members = [member('ada', '=HYPERLINK("https://evil.example")'), member('bob', 'Bob "B" Byte')];
  const course: CourseView = { id: 'c', name: 'Course', people: 2, instances: 2, createdByName: 'Ada', createdAt: '', job: null, members };
  expect(linksAsCsv(course, [{ personId: 'ada', url: 'http://panel/invitation#token=x' }]).split('\r\n')).toEqual([
    '\uFEFF"Name","User name","E-mail","Instance","Link"',
    `"'=HYPERLINK(""https://evil.example"")","ada","ada@lab.example","econ-ada","http://panel/invitation#token=x"`,
    '"Bob ""B"" Byte","bob","bob@lab.example","econ-bob",""',
    '',
  ]);
});
