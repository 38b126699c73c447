// What is pure at the git endpoint: which command lines pass, what reaches a terminal, which addresses count as one client.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTerminalFilter } from '../../server/git-session.ts';
import { parseGitCommand } from '../../server/git-ssh.ts';
import { addressGroup } from '../../server/git-visitors.ts';

const clean = (...pieces: string[]): string => {
  const filter = createTerminalFilter();
  return pieces.map(filter).join('');
};

describe('a command line', () => {
  test.each([
    ["git-receive-pack 'trust-game.git'", 'git-receive-pack', 'trust-game'],
    ["git-upload-pack '/trust-game.git'", 'git-upload-pack', 'trust-game'],
    ["git receive-pack '/trust-game'", 'git-receive-pack', 'trust-game'],
    ["git upload-pack 'a1b'", 'git-upload-pack', 'a1b'],
  ])('%s is understood', (line, service, name) => {
    expect(parseGitCommand(line)).toEqual({ service, name });
  });

  test.each([
    "git-receive-pack 'ab.git'; id",
    "git-receive-pack 'a b'",
    "git-receive-pack ''",
    "git-receive-pack '//abc.git'",
    "git-receive-pack '/abc/def.git'",
    "git-receive-pack '../abc.git'",
    "git-receive-pack 'abc.git.git'",
    "git-receive-pack 'abc.git'\n",
    "git-receive-pack  'abc.git'",
    "git-receive-pack 'abc.git' 'def.git'",
    'git-receive-pack abc.git',
    'git-receive-pack "abc.git"',
    "git-receive-pack --strict 'abc.git'",
    "git-upload-pack '--upload-pack=id'",
    "git-upload-pack '-abc'",
    "git-upload-pack 'ABC'",
    "git-upload-pack 'ab'",
    `git-upload-pack '${'a'.repeat(41)}'`,
    "git-upload-archive 'abc.git'",
    "GIT-UPLOAD-PACK 'abc.git'",
    " git-upload-pack 'abc.git'",
    "git-upload-pack 'abc.git\0'",
    "git-shell -c 'git-upload-pack abc'",
  ])('%j is not', (line) => {
    expect(parseGitCommand(line)).toBeNull();
  });

  test('whatever passes holds one plain name and nothing else', () => {
    const parts = fc.constantFrom(
      'git',
      '-',
      ' ',
      'receive-pack',
      'upload-pack',
      "'",
      '/',
      '.git',
      'abc',
      '..',
      ';',
      '$(id)',
      '`',
      '\n',
      '\0',
      '--exec=',
      '"',
      '\\',
      'é',
    );
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(parts, { maxLength: 12 }).map((some) => some.join('')),
      fc.string().map((some) => `git-upload-pack '${some}'`),
    );
    fc.assert(
      fc.property(line, (text) => {
        const parsed = parseGitCommand(text);
        if (parsed === null) return;
        expect(parsed.name).toMatch(/^[a-z][a-z0-9-]{1,38}[a-z0-9]$/);
        const verb = parsed.service.slice('git-'.length);
        expect(
          ['', '/'].flatMap((slash) => ['', '.git'].flatMap((end) => ['-', ' '].map((gap) => `git${gap}${verb} '${slash}${parsed.name}${end}'`))),
        ).toContain(text);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('text for a terminal', () => {
  test.each([
    ['colours stay', ['\u001b[1;31mred\u001b[0m'], '\u001b[1;31mred\u001b[0m'],
    ['titles and links go', ['\u001b]0;owned\u0007a\u001b]8;;http://evil\u001b\\b\u001b]8;;\u001b\\c'], 'abc'],
    ['cursor and screen commands go', ['a\u001b[2J\u001b[1;1H\u001b[?25lb\u001bcc\u001b(0d'], 'abcd'],
    ['device strings go', ['a\u001bP1$r0m\u001b\\b\u001b_x\u001b\\c\u001b^y\u0007d'], 'abcd'],
    ['a string that never ends takes its line only', ['a\u001b]0;hidden\nb'], 'a\nb'],
    ['a sequence may come in pieces', ['a\u001b', '[', '3', '1m', 'b\u001b]0', ';x', '\u0007c'], 'a\u001b[31mbc'],
    ['a bar that is drawn over becomes lines', ['1%\r2%\r', '\n3%\r\n'], '1%\n2%\n3%\n'],
    ['8-bit controls, NUL, backspace, bell and direction marks go', ['a\u009b2J\u0000\b\u0007\u202e\u2066b\tc'], 'a2Jb\tc'],
  ])('%s', (_name, pieces, expected) => {
    expect(clean(...pieces)).toBe(expected);
  });

  test('never holds a control that is not a colour, a tab or a new line, however it is cut', () => {
    const parts = fc.constantFrom('\u001b', '[', ']', '0;', 'm', '31', '\u0007', '\u001b\\', 'P', '\n', '\r', 'x', '?', '\u009d', ' ', '\u202e', 'H');
    fc.assert(
      fc.property(
        fc.array(
          fc.array(parts, { maxLength: 8 }).map((some) => some.join('')),
          { maxLength: 12 },
        ),
        (pieces) => {
          const shown = clean(...pieces);
          expect(shown.replaceAll(/\u001b\[[0-9;:]*m/g, '')).not.toMatch(/[^\P{Cc}\n\t]|[\u202a-\u202e]/u);
          expect(clean(...pieces, '\n')).toBe(clean(`${pieces.join('')}\n`));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('keeps little of a sequence that never ends', () => {
    const filter = createTerminalFilter();
    // The processor's time: a busy machine takes nothing from it.
    const started = process.cpuUsage();
    for (let index = 0; index < 2_000; index += 1) expect(filter(index === 0 ? '\u001b]0;' : 'x'.repeat(10_000))).toBe('');
    expect(filter('\u0007seen')).toBe('seen');
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  });
});

test('addresses are grouped as a network hands them out', () => {
  expect(['192.0.2.7', '::ffff:192.0.2.7', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::9', '2001:db8::1', '::1', 'fe80::1%eth0'].map(addressGroup)).toEqual([
    '192.0.2.7',
    '192.0.2.7',
    '2001:db8:1:2',
    '2001:db8:1:2',
    '2001:db8:0:0',
    '0:0:0:0',
    'fe80:0:0:0',
  ]);
});
