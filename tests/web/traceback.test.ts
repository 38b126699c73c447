// The line by which people know an error.

import { expect, it } from 'vitest';
import { exceptionOf } from '../../web/traceback.ts';

const frames = 'Traceback (most recent call last):\n  File "survey/__init__.py", line 12, in before_next_page\n    player.x / 0\n';

it.each([
  ['the exception', `${frames}ZeroDivisionError: division by zero`],
  ['the first line of what it says', `${frames}ZeroDivisionError: division by zero\nand more of it\n`],
  ['not what another part wrote right behind it', `${frames}ZeroDivisionError: division by zero\nException in ASGI application`],
  [
    'the last one of several',
    `${frames}KeyError: 1\n\nDuring handling of the above exception, another exception occurred:\n\n${frames}ZeroDivisionError: division by zero`,
  ],
  ['it also where the head is cut off', '…\n    player.x / 0\nZeroDivisionError: division by zero'],
])('is %s', (_, text) => {
  expect(exceptionOf(text)).toBe('ZeroDivisionError: division by zero');
});

it('is the last line where there is no such line', () => {
  expect(exceptionOf('  File "x.py", line 1')).toBe('  File "x.py", line 1');
});
