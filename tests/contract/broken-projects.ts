// Projects broken in the ways in which people really break them, and what they read then: one row for each cause.

import type { ErrorCode } from '../../contracts/errors.ts';

type Change = string | Buffer | null | ((now: string) => string);
/** File → what becomes of it (null: taken out; `folder/.`: an empty folder). */
export type Changes = Readonly<Record<string, Change>>;
export type Refusal = { readonly code: ErrorCode; readonly sentence: string | RegExp; readonly hint: string | RegExp };

const before = (line: string) => (now: string) => `${line}\n${now}`;
export const after = (line: string) => (now: string) => `${now}\n${line}\n`;
export const swap = (old: string, text: string) => (now: string) => now.replace(old, text);
const again = 'commit, push again.';

/** What is wrong → what changes in the sample experiment → what the person reads. */
export const refused: readonly [string, Changes, Refusal][] = [
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
      hint: `Ask for a newer oTree in requirements.txt (for example “otree>=5.11”), or in runtime.txt for another Python that this machine has, ${again}`,
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
    { '.gitmodules': '[submodule "shared"]\n\tpath = shared\n\turl = https://example.org/shared.git\n', 'shared/.': '' },
    {
      code: 'submodule_missing',
      sentence: 'The folder `shared` is a git submodule: its files do not travel with a push.',
      hint: `Make them part of the project: \`git rm --cached shared\`, delete \`shared/.git\` and its lines in .gitmodules, \`git add shared\`, ${again}`,
    },
  ],
];

/** Those that build, and stop when they are tried. */
export const refusedInTrial: readonly [string, Changes, Refusal][] = [
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
