// Why projects do not deploy, or surprise: one really broken project for each cause, with the whole sentence and the hint that people read.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { InstanceSpec, Platform } from '../../platforms/platform.ts';
import { build, makeSpec, projectWith, refusal, TRUST_GAME } from './instances.ts';
import { type LocalStand, makeLocalStand } from './local-stand.ts';
import { excelWith } from './workbook.ts';

const never = new AbortController().signal;
type Change = string | Buffer | null | ((now: string) => string);
type Changes = Readonly<Record<string, Change>>;
type Refusal = { readonly code: ErrorCode; readonly sentence: string | RegExp; readonly hint: string | RegExp };

const before = (line: string) => (now: string) => `${line}\n${now}`;
const after = (line: string) => (now: string) => `${now}\n${line}\n`;
const swap = (old: string, text: string) => (now: string) => now.replace(old, text);
const again = 'commit, push again.';

/** What is wrong → what changes in the sample experiment → what the person reads. Those with `trial` build, and stop when tried. */
const refused: readonly [string, Changes, Refusal][] = [
  [
    'no requirements.txt',
    { 'requirements.txt': null },
    { code: 'requirements_missing', sentence: 'The project has no requirements.txt.', hint: `Add a requirements.txt with a line “otree”, ${again}` },
  ],
  [
    'conda’s environment.yml instead',
    { 'requirements.txt': null, 'environment.yml': 'name: study\n' },
    {
      code: 'requirements_other',
      sentence: 'The project has `environment.yml` but no requirements.txt, which is what is read here.',
      hint: `Write one with \`pip list --format=freeze > requirements.txt\`, ${again}`,
    },
  ],
  [
    'a list of conda as requirements.txt',
    { 'requirements.txt': 'otree\nnumpy=1.24.3=py311h08b1b3b_1\n' },
    {
      code: 'requirements_conda',
      sentence: '“numpy=1.24.3=py311h08b1b3b_1” in requirements.txt is how conda writes it; pip cannot read that.',
      hint: `Write the file with \`pip list --format=freeze > requirements.txt\`, ${again}`,
    },
  ],
  [
    'requirements.txt in Latin-1',
    { 'requirements.txt': Buffer.from('otree\nn\xfcmpy\n', 'latin1') },
    {
      code: 'requirements_encoding',
      sentence: 'requirements.txt is not plain UTF-8 text (perhaps Latin-1).',
      hint: `Save it as UTF-8, ${again}`,
    },
  ],
  [
    'a -r chain that ends at a missing file, after a loop',
    { 'requirements.txt': '-r base.txt\n', 'base.txt': 'otree\n-r requirements.txt\n-r lab.txt\n' },
    {
      code: 'build_failed',
      sentence: 'Installing what the project needs failed: requirements.txt refers to “lab.txt”, which is not in the project.',
      hint: `Correct requirements.txt, ${again}`,
    },
  ],
  [
    'a package that does not exist',
    { 'requirements.txt': 'otree\narboretum-no-such-package-zz9\n' },
    {
      code: 'package_unknown',
      sentence: /^There is no package arboretum-no-such-package-zz9 that fits this Python \(3\.\d+\.\d+\)\.$/,
      hint: `Correct the line in requirements.txt, ${again}`,
    },
  ],
  [
    'no oTree',
    { 'requirements.txt': 'six\n' },
    { code: 'otree_missing', sentence: 'requirements.txt does not ask for oTree.', hint: `Add a line “otree” to requirements.txt, ${again}` },
  ],
  [
    'an oTree before 5',
    { 'requirements.txt': 'otree>=2,<3\n' },
    {
      code: 'otree_too_old',
      sentence: 'This project is made for oTree 3 or earlier; Arboretum runs oTree 5 and later.',
      hint: 'Follow “Upgrading to oTree 5” in oTree’s documentation, then push again.',
    },
  ],
  [
    'an oTree that does not run on this Python',
    { 'requirements.txt': 'otree==5.6.0\n' },
    {
      code: 'otree_python',
      sentence: /^oTree 5\.6\.0 does not run on Python 3\.\d+\.\d+\.$/,
      hint: `Ask for a newer oTree in requirements.txt (for example “otree>=5.11”), ${again}`,
    },
  ],
  [
    'no settings.py',
    { 'settings.py': null },
    {
      code: 'settings_missing',
      sentence: 'There is no settings.py at the top of the project.',
      hint: 'Push the folder that holds settings.py, not one above or below it.',
    },
  ],
  [
    'settings.py one folder deeper',
    { 'settings.py': null, 'study/settings.py': 'SESSION_CONFIGS = []\n' },
    {
      code: 'settings_deeper',
      sentence: 'settings.py is in the folder `study`, not at the top of the project.',
      hint: `Push that folder alone: run \`git init\` in \`study\` and push from there, or move its files to the top, ${again}`,
    },
  ],
  [
    'Settings.py with a capital letter',
    { 'settings.py': null, 'Settings.py': 'SESSION_CONFIGS = []\n' },
    {
      code: 'settings_name',
      sentence: 'The settings are in `Settings.py`; oTree looks for `settings.py`, and capital letters count here.',
      hint: `Rename it with \`git mv Settings.py settings.py\`, ${again}`,
    },
  ],
  [
    'a settings.py that stops',
    { 'settings.py': 'x = 1\nraise ValueError("no")\n' },
    { code: 'settings_invalid', sentence: 'settings.py stopped with an error: ValueError: no', hint: `Correct settings.py line 2, ${again}` },
  ],
  [
    'a syntax error in settings.py',
    { 'settings.py': 'SESSION_CONFIGS = [\n' },
    { code: 'syntax_error', sentence: "Python cannot read settings.py, line 1: '[' was never closed", hint: `Correct the line, ${again}` },
  ],
  [
    'a module that settings.py imports under another name than its package',
    { 'settings.py': before('import yaml') },
    {
      code: 'module_named_otherwise',
      sentence: '`yaml` is used in settings.py but is not in requirements.txt.',
      hint: `Add a line \`PyYAML\` (the package that brings \`yaml\`) to requirements.txt, ${again}`,
    },
  ],
  [
    'an app that is not there',
    { 'settings.py': swap("app_sequence=['trust_game']", "app_sequence=['trustgame']") },
    {
      code: 'app_missing',
      sentence: 'The session config “trust_game” plays the app `trustgame`, but the project has no folder `trustgame`.',
      hint: `There is a folder \`trust_game\`: write the same name in app_sequence in settings.py, ${again}`,
    },
  ],
  [
    'an app folder without __init__.py',
    { 'trust_game/__init__.py': null },
    {
      code: 'app_without_init',
      sentence: 'The app folder `trust_game` has no `__init__.py`, so oTree cannot load it.',
      hint: 'Commit `trust_game/__init__.py` (perhaps it is in .gitignore), push again.',
    },
  ],
  [
    'an unfinished merge',
    { 'trust_game/Send.html': '<<<<<<< HEAD\n{{ formfields }}\n=======\n{{ next_button }}\n>>>>>>> main\n' },
    {
      code: 'merge_conflict',
      sentence: 'trust_game/Send.html holds the marks of an unfinished merge, in line 1.',
      hint: `Keep one of the two versions and remove the lines with <<<<<<<, ======= and >>>>>>>, ${again}`,
    },
  ],
  [
    'an app saved as UTF-16',
    { 'trust_game/__init__.py': Buffer.from('\uFEFFfrom otree.api import *\n', 'utf16le') },
    {
      code: 'python_encoding',
      sentence: 'trust_game/__init__.py is not saved as plain text that Python reads (UTF-16).',
      hint: `Save it as UTF-8, ${again}`,
    },
  ],
  [
    'a file that Git LFS keeps',
    {
      '_static/film.mp4':
        'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345678\n',
    },
    {
      code: 'lfs_pointer',
      sentence: '`_static/film.mp4` (11.8 MiB) is kept by Git LFS: only a pointer to it arrived, as for one file in all.',
      hint: 'Put the files themselves into git with `git lfs migrate export --everything --include="_static/film.mp4"`, push again with --force.',
    },
  ],
  [
    'a submodule',
    { '.gitmodules': '[submodule "shared"]\n\tpath = shared\n\turl = https://example.org/shared.git\n' },
    {
      code: 'submodule_missing',
      sentence: 'The folder `shared` is a git submodule: its files do not travel with a push.',
      hint: `Make them part of the project: \`git rm --cached shared\`, delete \`shared/.git\` and its lines in .gitmodules, \`git add shared\`, ${again}`,
    },
  ],
];

const refusedInTrial: readonly [string, Changes, Refusal][] = [
  [
    'an import that is not declared, in an app',
    { 'trust_game/__init__.py': before('import numpy') },
    {
      code: 'module_missing',
      sentence: '`numpy` is used in trust_game/__init__.py but is not in requirements.txt.',
      hint: `Add a line \`numpy\` to requirements.txt, ${again}`,
    },
  ],
  [
    'an import that is not declared, in a module that an app imports',
    { 'trust_game/__init__.py': before('from . import matching'), 'trust_game/matching.py': 'from sklearn.cluster import KMeans\n' },
    {
      code: 'module_named_otherwise',
      sentence: '`sklearn` is used in trust_game/matching.py but is not in requirements.txt.',
      hint: `Add a line \`scikit-learn\` (the package that brings \`sklearn\`) to requirements.txt, ${again}`,
    },
  ],
  [
    'a file of one’s own that was not committed',
    { 'trust_game/__init__.py': before('import trust_game.matching') },
    {
      code: 'module_incomplete',
      sentence: '`trust_game.matching` is used in trust_game/__init__.py, but `trust_game` is there without it.',
      hint: 'If it is a file of yours, commit it (perhaps it is in .gitignore); if `trust_game` is a package, correct its version in requirements.txt; push again.',
    },
  ],
  [
    'code from the time of Django, with an unpinned oTree',
    { 'requirements.txt': 'otree>=2\n', 'trust_game/__init__.py': before('from django.db import models as django_models') },
    {
      code: 'otree_django',
      sentence: 'trust_game/__init__.py uses `django`, which oTree had before version 5; Arboretum runs oTree 5 and later.',
      hint: 'Follow “Upgrading to oTree 5” in oTree’s documentation, then push again.',
    },
  ],
  [
    'a syntax error in an app',
    { 'trust_game/__init__.py': after('def broken(:\n    pass') },
    { code: 'syntax_error', sentence: /^Python cannot read trust_game\/__init__\.py, line \d+: invalid syntax$/, hint: `Correct the line, ${again}` },
  ],
  [
    'a field with a reserved name',
    { 'trust_game/__init__.py': swap('class Player(BasePlayer):\n    pass', 'class Player(BasePlayer):\n    index = models.IntegerField()') },
    { code: 'otree_check', sentence: /^oTree refuses the project: .*rename the model field "index"/, hint: `Correct it, ${again}` },
  ],
  [
    'two session configs of one name',
    { 'settings.py': after('SESSION_CONFIGS = SESSION_CONFIGS * 2') },
    { code: 'otree_check', sentence: 'oTree refuses the project: Duplicate SESSION_CONFIG name: trust_game', hint: `Correct it, ${again}` },
  ],
  [
    'a page without a template',
    { 'trust_game/Results.html': null },
    {
      code: 'template_missing',
      sentence: 'The page `Results` of `trust_game` has no template: `trust_game/Results.html` is not in the project.',
      hint: `Add the file, or correct template_name, ${again}`,
    },
  ],
  [
    'a template that only Windows and macOS find',
    { 'trust_game/Results.html': null, 'trust_game/results.html': '{{ block title }}R{{ endblock }}{{ block content }}{{ endblock }}' },
    {
      code: 'template_missing',
      sentence: 'The page `Results` of `trust_game` has no template: `trust_game/Results.html` is not in the project.',
      hint: `It is called \`trust_game/results.html\` there, and capital letters count: rename one of them, ${again}`,
    },
  ],
];

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
    /^runtime\.txt asks for Python 3\.7; this machine has 3\.\d+\.\d+, which is used\. Try the experiment once, then write 3\.\d+ there\.$/,
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
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), '');
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
