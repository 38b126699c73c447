// The processor time that a container tells of itself: read from what the kernel counts, in the system's Python.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository, temporaryFolder } from './instance.ts';

/** What is read where the kernel shows these files. */
function used(files: Readonly<Record<string, string>>): unknown {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const script = [
    'import json, sys',
    `sys.path.insert(0, ${JSON.stringify(join(repository, 'launcher'))})`,
    'import processor',
    'print(json.dumps(processor.used_seconds(sys.argv[1])))',
  ];
  const { stdout, stderr } = spawnSync('python3', ['-B', '-c', script.join('\n'), folder], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('is seconds, in both versions of control groups', () => {
  expect(used({ 'cpu.stat': 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n' })).toBe(2.5);
  expect(used({ 'cpuacct/cpuacct.usage': '1250000000\n' })).toBe(1.25);
});

test('is not told where the kernel does not', () => {
  expect([used({}), used({ 'cpu.stat': 'nr_periods 0\n' }), used({ 'cpuacct/cpuacct.usage': 'what?\n' })]).toEqual([null, null, null]);
});
