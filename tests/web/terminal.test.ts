// Terminal text as the page shows it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTerminal } from '../../web/terminal.ts';

const textOf = (raw: string): string =>
  parseTerminal(raw)
    .map((line) => line.map((span) => span.text).join(''))
    .join('\n');

describe('parseTerminal', () => {
  it('turns colours into spans and ends them at a reset', () => {
    expect(parseTerminal('a\u001B[1;32mok\u001B[0mb')).toEqual([
      [
        { text: 'a', colour: null, isBold: false },
        { text: 'ok', colour: 'green', isBold: true },
        { text: 'b', colour: null, isBold: false },
      ],
    ]);
  });

  it('keeps a colour over the end of a line, as terminals do', () => {
    expect(parseTerminal('\u001B[31mone\ntwo')[1]).toEqual([{ text: 'two', colour: 'red', isBold: false }]);
  });

  it('shows only the last state of a progress bar', () => {
    expect(textOf(' 0%\r 50%\r100% done\nnext')).toBe('100% done\nnext');
    expect(textOf('windows line\r\nnext')).toBe('windows line\nnext');
    expect(textOf('half way\r')).toBe('half way');
  });

  it('drops titles, links, cursor movements and cut-off sequences', () => {
    expect(textOf('\u001B]0;evil title\u0007a\u001B]8;;http://evil\u001B\\b\u001B[2Jc\u001B[3')).toBe('abc');
    expect(textOf('x\u001B]0;never ended')).toBe('x');
  });

  it('ignores large palettes without taking their numbers for colours', () => {
    expect(parseTerminal('\u001B[38;5;31mtext\u001B[38;2;1;2;31mmore')).toEqual([
      [
        { text: 'text', colour: null, isBold: false },
        { text: 'more', colour: null, isBold: false },
      ],
    ]);
  });

  it('leaves markup as text', () => {
    expect(textOf('<script>alert(1)</script>')).toBe('<script>alert(1)</script>');
  });

  it('shows no control or direction characters, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\u001B', '[', ']', 'm', ';', '3', '1', '\r', '\n', '\u0007', '\u009B', '\u202E', '\\') }), (raw) => {
        // oxlint-disable-next-line no-control-regex -- exactly these must not come through
        expect(textOf(raw)).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E]/);
      }),
    );
  });
});
