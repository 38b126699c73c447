// Why projects do not deploy, or surprise: one really broken project for each cause, with the whole sentence and the hint that people read.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { after, type Changes, type Refusal, refused, refusedInTrial, swap } from './broken-projects.ts';
import { build, makeSpec, projectWith, refusal, TRUST_GAME } from './instances.ts';
import { type LocalStand, makeLocalStand } from './local-stand.ts';
import { excelWith } from './workbook.ts';

const never = new AbortController().signal;
const prolific = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `5f${(0xabc000 + at * 7919).toString(16)}9e1d4c00a2b3c4d5`.padEnd(24, '0').slice(0, 24));

/** What deploys all the same, with what the person should know. */
const warned: readonly [string, () => Changes, string | RegExp][] = [
  [
    'an oTree that is not pinned',
    () => ({ 'requirements.txt': 'otree>=2\n' }),
    /^requirements\.txt asks for “otree>=2”, which means oTree 6\.\d+\.\d+ today\. If the project was made for an older one, write its version; to keep this one, write `otree==6\.\d+\.\d+`\.$/,
  ],
  [
    'another Python than this machine has',
    () => ({ 'runtime.txt': 'python-3.7.16\n' }),
    /^runtime\.txt asks for Python 3\.7, which this machine does not have; 3\.\d+\.\d+ is used\. Try the experiment once, then write 3\.\d+ there\.$/,
  ],
  [
    'a hard-coded password',
    () => ({ 'settings.py': after("ADMIN_PASSWORD = 'marmalade'") }),
    'settings.py sets ADMIN_PASSWORD itself; the panel’s password is the one that holds. Write `ADMIN_PASSWORD = environ.get("OTREE_ADMIN_PASSWORD")` and keep passwords out of git.',
  ],
  [
    'a missing label file',
    () => ({ 'settings.py': swap('_rooms/lab.txt', '_rooms/gone.txt') }),
    'Nobody can enter the room “lab”: The label file _rooms/gone.txt does not exist. Correct it, commit, push again.',
  ],
  [
    'a label with a hyphen',
    () => ({ '_rooms/lab.txt': 'seat-1\nseat_2\n' }),
    'Nobody can enter the room “lab”: The label "seat-1" in _rooms/lab.txt may contain only letters, numbers and underscores. Correct it, commit, push again.',
  ],
  [
    'data with ids of Prolific',
    () => ({ 'data/all_apps_wide.csv': `participant.label,payoff\n${prolific(48).join(',1\n')},1\n` }),
    '`data/all_apps_wide.csv` holds 48 ids that look like those of Prolific: data of participants are about to be deployed. Take the file out with `git rm --cached data/all_apps_wide.csv` and keep it elsewhere; the history of your repository still has it.',
  ],
  [
    'an Excel file with ids of MTurk workers',
    () => ({ 'pilot.xlsx': excelWith(Array.from({ length: 6 }, (_, at) => `A1B2C3D4E5F6G${at}`)) }),
    /^`pilot\.xlsx` holds 6 ids that look like those of MTurk workers: /,
  ],
  [
    'a package for Windows only',
    () => ({ 'requirements.txt': 'otree\npywin32==306\n' }),
    '“pywin32==306” in requirements.txt exists for Windows only; it was left out. Take the line out if the experiment does not need it.',
  ],
  [
    'a wheel on somebody’s own disk',
    () => ({ 'requirements.txt': 'otree\nnumpy @ file:///C:/Users/ada/numpy-1.26-cp311-win_amd64.whl\n' }),
    '“numpy @ file:///C:/Users/ada/numpy-1.26-cp311-win_amd64.whl” in requirements.txt is a path on the machine where it was written; it was left out. Name the package and its version instead.',
  ],
  [
    'file names that differ in capitals only',
    () => ({ 'trust_game/send.html': 'x' }),
    '`trust_game/Send.html` and `trust_game/send.html` differ in capital letters only: on Windows and macOS one hides the other. Remove one of them.',
  ],
  [
    'a very large file',
    () => ({ '_static/film.mp4': Buffer.alloc(51 * 1024 * 1024) }),
    '`_static/film.mp4` has 51.0 MiB: every deployment copies it. Videos are better kept on a media server.',
  ],
];

/** A copy of the sample experiment with these changes. */
async function brokenProject(changes: Changes): Promise<string> {
  const dir = await projectWith(TRUST_GAME, {});
  const whole: Record<string, string | Buffer | null> = {};
  for (const [name, change] of Object.entries(changes))
    whole[name] = typeof change === 'function' ? change(await readFile(path.join(TRUST_GAME, name), 'utf8')) : change;
  for (const [name, content] of Object.entries(whole)) {
    if (content === null) continue;
    await mkdir(name.endsWith('/.') ? path.join(dir, name) : path.dirname(path.join(dir, name)), { recursive: true });
    if (name.endsWith('/.')) delete whole[name];
    else await writeFile(path.join(dir, name), '');
  }
  return await projectWith(dir, whole);
}

describe('what people read when a project does not deploy', { timeout: 120_000 }, () => {
  let stand: LocalStand;
  let platform: Platform;
  const spec: InstanceSpec = makeSpec();
  let number = 0;

  beforeAll(async () => {
    stand = await makeLocalStand();
    platform = stand.platform;
    await platform.create(spec, never);
  }, 60_000);

  afterAll(async () => {
    try {
      await platform.destroy(spec, never);
    } finally {
      await stand.close();
    }
  }, 60_000);

  const expectWords = (error: Awaited<ReturnType<typeof refusal>>, { code, sentence, hint }: Refusal): void => {
    expect({ code: error.code, sentence: error.message, hint: error.hint }).toEqual({
      code,
      sentence: typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
      hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
    });
  };

  it.each(refused)('%s: refused while it is built', async (_what, changes, expected) => {
    const dir = await brokenProject(changes);
    expectWords(await refusal(build(platform, spec, { dir, number: ++number })), expected);
  });

  it.each(refusedInTrial)('%s: refused when it is tried', async (_what, changes, expected) => {
    const dir = await brokenProject(changes);
    await build(platform, spec, { dir, number: ++number });
    expectWords(await refusal(platform.tryRelease(spec, number, { signal: never, onOutput: () => {} })), expected);
  });

  it.each(warned)('%s: built, with a warning', async (_what, changes, expected) => {
    const { release } = await build(platform, spec, { dir: await brokenProject(changes()), number: ++number });
    expect(release.warnings).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  it('a sound project is built without a warning', async () => {
    expect((await build(platform, spec, { dir: TRUST_GAME, number: ++number })).release.warnings).toEqual([]);
  });
});
