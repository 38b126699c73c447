// What may pass as a project: the guard against archives that hold more than a project (security.md, uploads).

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import { nameProblem, TarGuard } from '../../platforms/tar-guard.ts';

const LIMITS = { sizeMib: 1, entries: 20 };

type Entry = { name: string; type?: string; size?: number; content?: Buffer; link?: string };

function header({ name, type = '0', size, content = Buffer.alloc(0), link = '' }: Entry): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  block.write(`${(size ?? content.length).toString(8).padStart(11, '0')}\0`, 124);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write('ustar\u000000', 257);
  block.fill(' ', 148, 156);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

const tar = (...entries: Entry[]): Buffer => Buffer.concat([...entries.map(header), Buffer.alloc(1024)]);
const pax = (key: string, value: string): Buffer => {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body) + 1;
  length = Buffer.byteLength(body) + String(length + 1).length;
  return Buffer.from(`${length}${body}`);
};

/** Code of the refusal, or 'passed' with the same bytes. */
async function pass(bytes: Buffer, chunkSize = 65_536, limits = LIMITS): Promise<string> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize) chunks.push(bytes.subarray(at, at + chunkSize));
  const out: Buffer[] = [];
  try {
    await pipeline(Readable.from(chunks), new TarGuard(limits), async (stream) => {
      for await (const chunk of stream) out.push(chunk as Buffer);
    });
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return Buffer.concat(out).equals(bytes) ? 'passed' : 'changed';
}

describe('what passes', () => {
  it('a project as git and tar write it, unchanged, in any chunking', async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'tar-'));
    mkdirSync(path.join(dir, 'a'.repeat(90), 'b'.repeat(90)), { recursive: true });
    writeFileSync(path.join(dir, 'a'.repeat(90), 'b'.repeat(90), 'ünïcode and spaces.py'), 'x'.repeat(3000));
    writeFileSync(path.join(dir, 'settings.py'), '');
    execFileSync('git', ['init', '-q'], { cwd: dir });
    execFileSync('git', ['add', '.'], { cwd: dir });
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x'], { cwd: dir });
    const archives = [
      execFileSync('git', ['archive', 'HEAD'], { cwd: dir }),
      ...['gnu', 'pax'].map((format) => execFileSync('tar', ['-c', `--format=${format}`, '-C', dir, '--exclude=.git', '.'])),
    ];
    for (const archive of archives) for (const chunk of [1, 7, 512, 65_536]) expect(await pass(archive, chunk)).toBe('passed');
  });

  it('symbolic links, which are looked at when everything is unpacked', async () => {
    expect(await pass(tar({ name: 'venv/bin/python', type: '2', link: '/usr/bin/python3' }))).toBe('passed');
  });
});

describe('what is refused', () => {
  it.each<[string, Buffer, string]>([
    ['an absolute name', tar({ name: '/etc/cron.d/x' }), 'push_refused'],
    ['a name that climbs out', tar({ name: 'a/../../x' }), 'push_refused'],
    ['a name with a backslash', tar({ name: 'a\\..\\x' }), 'push_refused'],
    ['a hard link', tar({ name: 'x', type: '1', link: '/etc/passwd' }), 'push_refused'],
    ['a device', tar({ name: 'sda', type: '4' }), 'push_refused'],
    ['a character device', tar({ name: 'null', type: '3' }), 'push_refused'],
    ['a pipe', tar({ name: 'fifo', type: '6' }), 'push_refused'],
    ['a long name that climbs out (GNU)', tar({ name: '././@LongLink', type: 'L', content: Buffer.from('../../evil\0') }, { name: 'good' }), 'push_refused'],
    ['a long name that climbs out (pax)', tar({ name: 'h', type: 'x', content: pax('path', '../../evil') }, { name: 'good' }), 'push_refused'],
    ['a path for all entries (pax, global)', tar({ name: 'h', type: 'g', content: pax('path', 'other') }, { name: 'good' }), 'push_refused'],
    [
      'a size that hides an entry (pax)',
      tar({ name: 'h', type: 'x', content: pax('size', '512') }, { name: 'a', content: header({ name: '../evil' }) }, { name: '/x' }),
      'push_refused',
    ],
    ['a sparse file', tar({ name: 'h', type: 'x', content: pax('GNU.sparse.size', '99999999999') }, { name: 'good' }), 'push_refused'],
    ['an endless name', tar({ name: 'h', type: 'L', content: Buffer.alloc(70_000, 'a') }), 'push_refused'],
    ['half an archive', tar({ name: 'a', content: Buffer.alloc(2000, 'x') }).subarray(0, 1500), 'push_refused'],
    ['noise', Buffer.alloc(4096, 'noise'), 'push_refused'],
    ['many files', tar(...Array.from({ length: 21 }, (_, at) => ({ name: `f${at}` }))), 'push_refused'],
    ['much', tar({ name: 'big', content: Buffer.alloc(1024 * 1024 + 1) }), 'project_too_large'],
  ])('%s', async (_name, bytes, code) => {
    expect(await pass(bytes)).toBe(code);
    expect(await pass(bytes, 100)).toBe(code);
  });

  it('random bytes never pass as a file outside, never crash the guard', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        expect(['passed', 'push_refused', 'project_too_large']).toContain(await pass(Buffer.from(bytes), 333));
      }),
      { numRuns: 300 },
    );
  });

  it('names', () => {
    expect(['settings.py', './a/b', 'a..b', '...', 'ünï'].map(nameProblem)).toEqual([null, null, null, null, null]);
    expect(['', '/', '..', 'a/..', '../a', 'a\0b'].every((name) => nameProblem(name) !== null)).toBe(true);
  });
});
