// What the page keeps of a log that it follows.

import { describe, expect, it } from 'vitest';
import { withPiece } from '../../web/runtime-log.ts';
import { plainText } from '../../web/terminal.ts';

describe('a followed log', () => {
  it('grows by what is new and remembers where it ended', () => {
    expect(withPiece({ text: 'a\n', position: '1:2' }, { text: 'b\n', position: '1:4', hasGap: false })).toEqual({ text: 'a\nb\n', position: '1:4' });
  });

  it('says where lines are no longer kept', () => {
    expect(withPiece({ text: 'a\n', position: '1:2' }, { text: 'z\n', position: '2:2', hasGap: true }).text).toBe(
      'a\n\n[lines in between are no longer kept]\nz\n',
    );
  });

  it('keeps the newest whole lines when it becomes long', () => {
    const { text } = withPiece({ text: `${'x'.repeat(99)}\n`.repeat(4000), position: null }, { text: 'last\n', position: '1:1', hasGap: false });
    expect(text.length).toBeLessThanOrEqual(400_000);
    expect([text.startsWith('x'.repeat(99)), text.endsWith('x\nlast\n')]).toEqual([true, true]);
  });
});

it('is copied without what a terminal would obey', () => {
  expect(plainText('\u001B]52;c;ZXZpbA==\u0007\u001B[31mred\u001B[0m\n\u001B]8;;http://evil\u001B\\link')).toBe('red\nlink');
});
