// The list of a course: what people paste, and the remark at each line that does not fit.

import { describe, expect, it } from 'vitest';
import { planCourseSchema, readCourseList } from '../../contracts/courses.ts';

const read = (list: string, pattern = 'econ-{user}') => readCourseList({ list, pattern });

describe('a list of people', () => {
  it.each([
    ['tabs, from a table', 'Ada Lovelace\tada\tada@uni.example'],
    ['semicolons', 'Ada Lovelace;ada;ada@uni.example'],
    ['commas', 'Ada Lovelace, ada, ada@uni.example'],
    ['a line of headings', 'Name;User name;E-mail\nAda Lovelace;ada;ada@uni.example'],
    ['headings in other words', 'Student;User;E-mail of the university\nAda Lovelace;ada;ada@uni.example'],
    ['German headings', 'Name\tBenutzername\tE-Mail-Adresse\nAda Lovelace\tada\tADA@uni.example'],
    ['quotes, empty lines and Windows line ends', '\r\n"Ada Lovelace";"ada";"ada@uni.example"\r\n\r\n'],
    ['another order', 'ada@uni.example;Ada Lovelace;ada'],
  ])('is understood with %s', (_what, list) => {
    expect(read(list)).toEqual([
      expect.objectContaining({ name: 'Ada Lovelace', userName: 'ada', email: 'ada@uni.example', instanceName: 'econ-ada', problem: null }),
    ]);
  });

  it('keeps a comma in a name when tabs or semicolons separate', () => {
    expect(read('Lovelace, Ada;ada;ada@uni.example')[0]).toMatchObject({ name: 'Lovelace, Ada', problem: null });
  });

  it('makes a missing user name from the e-mail address', () => {
    expect(read('Ada Lovelace;Ada.Lovelace+lab@uni.example')[0]).toMatchObject({
      userName: 'ada.lovelacelab',
      instanceName: 'econ-ada-lovelacelab',
      problem: null,
    });
  });

  it.each([
    ['Ada;ada', 'There is no e-mail address in this line.'],
    ['Ada;ada;ada@uni', 'E-mail: An address like ada@lab.example.'],
    ['Ada;A da;ada@uni.example', 'User name: Letters, digits, dot, hyphen and underscore.'],
    ['Ada;ada;x;ada@uni.example', 'More than name, user name and e-mail in this line.'],
    [`Ada;${'a'.repeat(40)};ada@uni.example`, `Instance “econ-${'a'.repeat(40)}”: At most 40 characters.`],
  ])('has a remark at the line: %s', (line, problem) => {
    const found = read(`Bob;bob;bob@uni.example\n${line}`)[1];
    expect([found?.line, found?.problem]).toEqual([2, problem]);
  });

  it('names the line that says the same', () => {
    expect(read('A;ada;ada@x.example\nB;bob;ada@x.example\nC;ada;c@x.example\nD;a.da;d@x.example\nE;a_da;e@x.example').map(({ problem }) => problem)).toEqual([
      null,
      'The e-mail address stands in line 1, too.',
      'The user name stands in line 1, too.',
      null,
      'Line 4 would get the same instance.',
    ]);
  });
});

it('a pattern has {user} exactly once', () => {
  for (const pattern of ['econ', '{user}-{user}']) expect(planCourseSchema.safeParse({ name: 'c', list: '', pattern }).success).toBe(false);
});
