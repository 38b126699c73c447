// Following a log over its turned parts: nothing twice, nothing left out, no half characters.

import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog, readLogFrom } from '../../platforms/local/log-follow.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'log-'));
  file = path.join(dir, 'otree.log');
});
afterEach(() => rmSync(dir, { recursive: true }));

const from = (position: string | null, maxBytes = 1e6) => readLogFrom(file, { position, maxBytes });
/** As `launcher/confine_log.py` does it. */
function turn(): void {
  try {
    renameSync(`${file}.1`, `${file}.2`);
  } catch {
    // the first turn
  }
  renameSync(file, `${file}.1`);
  writeFileSync(file, '');
}

describe('following', () => {
  it('begins with the last whole lines and goes on where it ended', async () => {
    writeFileSync(file, 'one\ntwo\nthree\n');
    const first = await from(null, 8);
    expect(first).toMatchObject({ text: 'three\n', hasGap: false });
    expect((await from(first.position)).text).toBe('');
    appendFileSync(file, 'four\n');
    const next = await from(first.position);
    expect(next.text).toBe('four\n');
    expect((await from(next.position)).text).toBe('');
  });

  it('reads on over turned parts without losing or doubling a line', async () => {
    writeFileSync(file, 'a\n');
    const first = await from(null);
    appendFileSync(file, 'b\n');
    turn();
    appendFileSync(file, 'c\n');
    turn();
    appendFileSync(file, 'd\n');
    const piece = await from(first.position);
    expect(piece).toMatchObject({ text: 'b\nc\nd\n', hasGap: false });
    expect((await from(piece.position)).text).toBe('');
    let text = '';
    for (let at = first.position; ;) {
      const small = await from(at, 1);
      if (small.text === '') break;
      text += small.text;
      at = small.position;
    }
    expect(text).toBe('b\nc\nd\n');
  });

  it('says when what lay between is no longer kept, and goes on from the end', async () => {
    writeFileSync(file, 'old\n');
    const { position } = await from(null);
    rmSync(file);
    writeFileSync(`${file}.hold`, '');
    writeFileSync(file, 'new\n');
    rmSync(`${file}.hold`);
    const [inode, offset] = position.split(':');
    expect(await from(`${inode}9:${offset}`)).toMatchObject({ text: 'new\n', hasGap: true });
  });

  it('takes a position that nobody ever handed out for a gap', async () => {
    writeFileSync(file, 'line\n');
    for (const position of ['x', '1:-5', '../../etc/passwd:0', '1:99999999999999999999'])
      expect(await from(position)).toMatchObject({ text: 'line\n', hasGap: true });
  });

  it('waits for the rest of a character', async () => {
    writeFileSync(file, '');
    const { position } = await from(null);
    appendFileSync(file, Buffer.from('ok é').subarray(0, -1));
    const half = await from(position);
    expect(half.text).toBe('ok ');
    appendFileSync(file, Buffer.from('é').subarray(1));
    expect((await from(half.position)).text).toBe('é');
  });

  it('finds nothing before anything was written, and then the first line', async () => {
    const nothing = await from(null);
    expect(nothing).toEqual({ text: '', position: '', hasGap: false });
    writeFileSync(file, 'first\n');
    expect(await from(nothing.position)).toMatchObject({ text: 'first\n', hasGap: false });
  });
});

it('streams all kept parts, oldest first', async () => {
  writeFileSync(file, 'a\n');
  turn();
  appendFileSync(file, 'b\n');
  turn();
  appendFileSync(file, 'c\n');
  let text = '';
  for await (const bytes of openLog(file)) text += String(bytes);
  expect(text).toBe('a\nb\nc\n');
});
