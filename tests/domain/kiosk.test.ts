// Shortcuts, whatever a room or a label is called: they start one browser with one address and nothing else.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import yauzl from 'yauzl';
import { encodePart, kioskFiles, kioskSystems, type KioskSystem } from '../../domain/kiosk.ts';
import { zipArchive } from '../../domain/zip-archive.ts';

let home = '';
beforeAll(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'arboretum-kiosk-'));
  // A browser that writes down with what it was started, one argument a line, NUL between them.
  const browser = `#!/bin/sh\nprintf '%s\\0' "$@" > "$HOME/argv"\n`;
  const places = ['bin/chromium', 'Applications/Chromium.app/Contents/MacOS/Chromium'];
  for (const place of places) {
    mkdirSync(path.join(home, path.dirname(place)), { recursive: true });
    writeFileSync(path.join(home, place), browser, { mode: 0o755 });
  }
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const addressOf = (room: string, label: string): string => `http://lab.example.org:8080/lobby/trust-game/${encodePart(room)}/${encodePart(label)}`;
const shortcut = (system: KioskSystem, room: string, label: string): string =>
  kioskFiles(system, room, [{ label, address: addressOf(room, label) }])[1]?.content ?? '';

/** What the browser was started with; a sentinel command that ran would have made a file. */
function run(script: string): { argv: string[]; isHarmed: boolean } {
  const [file, argvFile, sentinel] = [path.join(home, 'shortcut'), path.join(home, 'argv'), path.join(home, 'harmed')];
  rmSync(argvFile, { force: true });
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  spawnSync(file, { env: { HOME: home, PATH: `${home}/bin:/usr/bin:/bin` }, cwd: home });
  return { argv: readFileSync(argvFile, 'utf8').split('\0').slice(0, -1), isHarmed: statSync(sentinel, { throwIfNoEntry: false }) !== undefined };
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  fc.constantFrom(
    `'; touch harmed; '`,
    '$(touch harmed)',
    '`touch harmed`',
    'a" & calc & "',
    '%COMSPEC%',
    '%%0|%0',
    '!a!',
    '^&|<>',
    '--load-extension=x',
    '..\\..\\x',
    '\r\nharmed',
    '\0',
  ),
);

describe.each(['linux', 'macos'] as const)('a shortcut for %s', (system) => {
  test('opens the Lobby seat over the whole screen', () => {
    const { argv } = run(shortcut(system, 'lab', 'A07'));
    expect(argv).toContain('--kiosk');
    expect(argv).toContain(`--user-data-dir=${home}/arboretum-kiosk`);
    expect(argv.at(-1)).toBe('http://lab.example.org:8080/lobby/trust-game/lab/A07');
  });

  test('hands a browser its address as one argument and runs nothing else, whatever room and label are called', () => {
    const plain = run(shortcut(system, 'lab', 'A07')).argv;
    fc.assert(
      fc.property(hostile, hostile, (room, label) => {
        const { argv, isHarmed } = run(shortcut(system, room, label));
        expect(argv.slice(0, -1)).toEqual(plain.slice(0, -1));
        expect(argv.at(-1)).toBe(addressOf(room, label));
        expect(isHarmed).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a shortcut for Windows', () => {
  /** The variables that the file itself uses; any other single % would be read by cmd.exe. */
  const known = /%(?:ProgramFiles|ProgramFiles\(x86\)|LOCALAPPDATA|ADDRESS)%|%%P/g;

  test('differs from any other by its address alone, in which cmd.exe reads nothing', () => {
    const lines = shortcut('windows', 'lab', 'A07').split('\r\n');
    fc.assert(
      fc.property(hostile, hostile, (room, label) => {
        const others = shortcut('windows', room, label).split('\r\n');
        expect(others).toHaveLength(lines.length);
        for (const [at, line] of others.entries()) {
          if (line === lines[at]) continue;
          const address = /^set "ADDRESS=(.*)"$/.exec(line)?.[1] ?? '';
          expect(address.replaceAll('%%', '%')).toBe(addressOf(room, label));
          expect(address.replaceAll('%%', '')).toMatch(/^[A-Za-z0-9:/._~-]+$/);
        }
      }),
    );
    expect(lines.join('\n').replace(known, '')).not.toContain('%');
  });
});

describe('the archive', () => {
  test('has a plain file name for every seat, also when labels differ in capitals only', () => {
    const seats = ['A01', 'a01', '../../etc/passwd', 'CON'].map((label) => ({ label, address: addressOf('lab', label) }));
    expect(kioskFiles('windows', 'lab', seats).map(({ name }) => name)).toEqual([
      'READ ME.txt',
      'lab-A01.cmd',
      'lab-a01-2.cmd',
      'lab-______etc_passwd.cmd',
      'lab-CON.cmd',
    ]);
  });

  test.each(kioskSystems)('for %s opens, holds what was put in, and says what may be run', async (system) => {
    const files = kioskFiles(system, 'lab', [{ label: 'A01', address: addressOf('lab', 'A01') }]);
    const found = await unzip(zipArchive(files));
    expect(found).toEqual(files.map(({ name, content, isExecutable }) => ({ name, content, mode: isExecutable ? 0o755 : 0o644 })));
    expect(zipArchive(files)).toEqual(zipArchive(files));
  });

  test('refuses an address that is none', () => {
    expect(() => kioskFiles('linux', 'lab', [{ label: 'A', address: "http://x/'; rm -rf ~" }])).toThrow('not an address');
  });
});

async function unzip(archive: Buffer): Promise<{ name: string; content: string; mode: number }[]> {
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) =>
    yauzl.fromBuffer(archive, { lazyEntries: true }, (error, file) => (error ? reject(error) : resolve(file))),
  );
  const found: { name: string; content: string; mode: number }[] = [];
  await new Promise<void>((resolve, reject) => {
    zip.on('error', reject).on('end', resolve);
    zip.on('entry', (entry: yauzl.Entry) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error);
        let content = '';
        stream.setEncoding('utf8').on('data', (piece: string) => (content += piece));
        stream.on('end', () => {
          found.push({ name: entry.fileName, content, mode: (entry.externalFileAttributes >>> 16) & 0o777 });
          zip.readEntry();
        });
      });
    });
    zip.readEntry();
  });
  return found;
}
