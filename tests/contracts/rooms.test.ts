// Labels as people paste them: what is understood, what is refused and how it is said.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeProblems, makeLabels, putRoomSchema, readLabels, roomNameSchema } from '../../contracts/rooms.ts';

describe('a list of labels', () => {
  test.each([
    ['plain lines', 'A01\nA02\n'],
    ['a byte order mark and Windows line ends', '\uFEFFA01\r\nA02\r\n'],
    ['old Macintosh line ends', 'A01\rA02'],
    ['quotation marks and separators of a .csv', '"A01",\n"A02";\n'],
    ['spaces and empty lines', '\n  A01  \n\n\tA02\n\n'],
  ])('is read from %s', (_what, text) => {
    expect(readLabels(text)).toEqual({ labels: ['A01', 'A02'], problems: [] });
  });

  test.each([
    ['A01\nA-02', 'Line 2: “A-02” cannot be a label: it holds “-”; oTree takes only letters without accents, digits and underscores.'],
    ['Jürgen', 'Line 1: “Jürgen” cannot be a label: it holds “ü”; oTree takes only letters without accents, digits and underscores.'],
    ['\n\nAnna Bell', 'Line 3: “Anna Bell” cannot be a label: it holds a space; write one label per line.'],
    ['A01\nB01\nA01', 'Line 3: “A01” cannot be a label: it stands in line 1 already.'],
    [
      'a-b\nc-d\ne-f',
      'Line 1: “a-b” cannot be a label: it holds “-”; oTree takes only letters without accents, digits and underscores. 2 more lines are wrong.',
    ],
    ['x'.repeat(101), `Line 1: “${'x'.repeat(40)}” cannot be a label: it is longer than 100 characters.`],
  ])('%j is refused with the line and why', (text, sentence) => {
    expect(describeProblems(readLabels(text))).toBe(sentence);
  });

  test('takes a thousand, not one more', () => {
    expect(describeProblems(readLabels(makeLabels('P', 1000).join('\n')))).toBeNull();
    expect(describeProblems(readLabels(makeLabels('P', 1001).join('\n')))).toBe('These are 1001 labels; a room takes 1000 at most.');
  });

  test('whatever is pasted, what is accepted is what oTree accepts, each once', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.stringMatching(/^[A-Za-z0-9_ ,;"\-\u00fc\uFEFF]{0,6}$/)).map((lines) => lines.join('\r\n')),
        ),
        (text) => {
          const { labels } = readLabels(text);
          expect(labels.every((label) => /^[a-zA-Z0-9_]+$/.test(label))).toBe(true);
          expect(new Set(labels).size).toBe(labels.length);
        },
      ),
    );
  });
});

describe('labels that the panel makes', () => {
  test('have leading zeros, so that they sort', () => {
    expect(makeLabels('A', 3)).toEqual(['A01', 'A02', 'A03']);
    expect(makeLabels('', 100).at(0)).toBe('001');
    expect(makeLabels('PC_', 24).at(-1)).toBe('PC_24');
  });
});

describe('a room', () => {
  const room = { displayName: 'Lab', labels: 'A01', usesSecureUrls: true, since: null };

  test.each(['lab-1', 'Hörsaal', 'a b', '', 'x'.repeat(51), '../etc'])('cannot be called %j', (name) => {
    expect(roomNameSchema.safeParse(name).success).toBe(false);
  });

  test('may have labels and secure links, or take any label', () => {
    expect(putRoomSchema.safeParse(room).success).toBe(true);
    expect(putRoomSchema.safeParse({ ...room, labels: null, usesSecureUrls: false }).success).toBe(true);
  });

  test('has no secure links without labels, and no empty list', () => {
    expect(putRoomSchema.safeParse({ ...room, labels: null }).error?.issues[0]?.path).toEqual(['usesSecureUrls']);
    expect(putRoomSchema.safeParse({ ...room, labels: ' \n' }).error?.issues[0]?.path).toEqual(['labels']);
  });
});
