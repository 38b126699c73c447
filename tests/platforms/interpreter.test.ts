// Which Python a project gets.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseInterpreter, warnOfOtherPython } from '../../platforms/interpreter.ts';

const home = mkdtempSync(path.join(os.tmpdir(), 'pythons-'));
chmodSync(home, 0o755);
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A program that answers `--version` as a Python of this version does. */
function aPython(dir: string, name: string, version: string, mode = 0o755): string {
  mkdirSync(path.join(home, dir), { recursive: true });
  const file = path.join(home, dir, name);
  writeFileSync(file, `#!/bin/sh\necho Python ${version}\n`);
  chmodSync(file, mode);
  return file;
}

const systemPython = aPython('system', 'python3', '3.11.2');
const wish = (version: string) => ({ version, file: 'runtime.txt' });

describe('the Python of a release', () => {
  const older = aPython('more', 'python3.9', '3.9.18');
  aPython('more', 'python3.10', '3.10.1', 0o700);
  aPython('more', 'python3.12', '3.13.0');
  const ground = { systemPython, pythonDirs: [path.join(home, 'none'), path.join(home, 'more')], separatesUsers: true };

  it('is the system’s when the project asks for nothing, or for that', async () => {
    const system = { file: systemPython, version: '3.11.2' };
    expect(await chooseInterpreter(ground, null)).toEqual(system);
    expect(await chooseInterpreter(ground, wish('3.11'))).toEqual(system);
    expect(warnOfOtherPython(wish('3.11'), system)).toEqual([]);
  });

  it('is the one that the project asks for where the machine has it', async () => {
    const chosen = await chooseInterpreter(ground, wish('3.9'));
    expect(chosen).toEqual({ file: older, version: '3.9.18' });
    expect(warnOfOtherPython(wish('3.9'), chosen)).toEqual([]);
  });

  it('is the system’s, and said, when that one is missing or is not what its name says', async () => {
    for (const version of ['3.8', '3.12']) {
      const chosen = await chooseInterpreter(ground, wish(version));
      expect(chosen.file).toBe(systemPython);
      expect(warnOfOtherPython(wish(version), chosen)).toEqual([
        `runtime.txt asks for Python ${version}, which this machine does not have; 3.11.2 is used. Try the experiment once, then write 3.11 there.`,
      ]);
    }
  });

  it('is never one that the instances’ own users could not run', async () => {
    expect((await chooseInterpreter(ground, wish('3.10'))).file).toBe(systemPython);
    expect((await chooseInterpreter({ ...ground, separatesUsers: false }, wish('3.10'))).version).toBe('3.10.1');
  });
});
