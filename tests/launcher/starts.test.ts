// The pause before a container's next start: by a clock of the test's own, in the system's Python.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository, temporaryFolder } from './instance.ts';

/** The pauses of starts that follow each other after so many seconds. */
function pauses(folder: string, gaps: readonly number[]): number[] {
  const script = [
    'import json, sys',
    `sys.path.insert(0, ${JSON.stringify(join(repository, 'launcher'))})`,
    'import starts',
    'clock = [1e9]',
    'def sleep(seconds): clock[0] += seconds',
    'came = []',
    'for gap in json.loads(sys.argv[2]):',
    '    clock[0] += gap',
    '    came.append(starts.pause(sys.argv[1], lambda: clock[0], sleep))',
    'print(json.dumps(came))',
  ].join('\n');
  const { stdout, stderr } = spawnSync('python3', ['-B', '-c', script, folder, JSON.stringify(gaps)], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as number[];
}

test('grows from the fourth start within ten minutes on, to half a minute', () => {
  expect(pauses(temporaryFolder(), [0, 5, 5, 5, 5, 5, 5, 5, 5])).toEqual([0, 0, 0, 2, 4, 8, 16, 30, 30]);
});

test('is forgotten once the experiment has run for long', () => {
  expect(pauses(temporaryFolder(), [0, 5, 5, 5, 700, 5])).toEqual([0, 0, 0, 2, 0, 0]);
});

test('believes nothing that is no list of times before now, and keeps the file short', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'starts');
  writeFileSync(file, 'not a time\n');
  expect(pauses(folder, [0])).toEqual([0]);
  writeFileSync(file, '3e9\n'.repeat(900));
  expect(pauses(folder, [0])).toEqual([0]);
  writeFileSync(file, '999999999\n'.repeat(300));
  expect(pauses(folder, [0])).toEqual([30]);
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(25);
});
