// Why a project does not deploy: code → HTTP status, sentence, hint. A part of the one table in errors.ts.

export type ErrorEntry = { readonly status: number; readonly sentence: string; readonly hint: string };

export const buildErrors = {
  build_failed: { status: 422, sentence: 'Installing what the project needs failed: {reason}', hint: 'Correct requirements.txt, commit, push again.' },
  requirements_missing: {
    status: 422,
    sentence: 'The project has no requirements.txt.',
    hint: 'Add a requirements.txt with a line “otree”, commit, push again.',
  },
  requirements_encoding: { status: 422, sentence: 'requirements.txt is not plain UTF-8 text ({encoding}).', hint: 'Save it as UTF-8, commit, push again.' },
  package_unknown: {
    status: 422,
    sentence: 'There is no package {requirement} that fits this Python ({python}).',
    hint: 'Correct the line in requirements.txt, commit, push again.',
  },
  otree_missing: { status: 422, sentence: 'requirements.txt does not ask for oTree.', hint: 'Add a line “otree” to requirements.txt, commit, push again.' },
  otree_too_old: {
    status: 422,
    sentence: 'This project is made for oTree {version}; Arboretum runs oTree 5 and later.',
    hint: 'Follow “Upgrading to oTree 5” in oTree’s documentation, then push again.',
  },
  otree_python: {
    status: 422,
    sentence: 'oTree {version} does not run on Python {python}.',
    hint: 'Ask for a newer oTree in requirements.txt (for example “otree>=5.11”), or in runtime.txt for another Python that this machine has, commit, push again.',
  },
  path_not_supported: {
    status: 422,
    sentence: 'This oTree version ({version}) cannot live under a path.',
    hint: 'Give the instance a port of its own or a host name of its own under “Address”, or ask for a newer oTree in requirements.txt, commit, push again.',
  },
  settings_missing: {
    status: 422,
    sentence: 'There is no settings.py at the top of the project.',
    hint: 'Push the folder that holds settings.py, not one above or below it.',
  },
  settings_invalid: { status: 422, sentence: 'settings.py stopped with an error: {message}', hint: 'Correct {file} line {line}, commit, push again.' },
  syntax_error: { status: 422, sentence: 'Python cannot read {file}, line {line}: {message}', hint: 'Correct the line, commit, push again.' },
  module_missing: {
    status: 422,
    sentence: '`{module}` is used in {file} but is not in requirements.txt.',
    hint: 'Add a line `{module}` to requirements.txt, commit, push again.',
  },
  settings_deeper: {
    status: 422,
    sentence: 'settings.py is in the folder `{folder}`, not at the top of the project.',
    hint: 'Push that folder alone: run `git init` in `{folder}` and push from there, or move its files to the top, commit, push again.',
  },
  settings_name: {
    status: 422,
    sentence: 'The settings are in `{file}`; oTree looks for `settings.py`, and capital letters count here.',
    hint: 'Rename it with `git mv {file} settings.py`, commit, push again.',
  },
  requirements_other: {
    status: 422,
    sentence: 'The project has `{file}` but no requirements.txt, which is what is read here.',
    hint: 'Write one with `{command}`, commit, push again.',
  },
  requirements_conda: {
    status: 422,
    sentence: '“{line}” in requirements.txt is how conda writes it; pip cannot read that.',
    hint: 'Write the file with `pip list --format=freeze > requirements.txt`, commit, push again.',
  },
  merge_conflict: {
    status: 422,
    sentence: '{file} holds the marks of an unfinished merge, in line {line}.',
    hint: 'Keep one of the two versions and remove the lines with <<<<<<<, ======= and >>>>>>>, commit, push again.',
  },
  lfs_pointer: {
    status: 422,
    sentence: '`{file}` ({size}) is kept by Git LFS: only a pointer to it arrived, as for {count} in all.',
    hint: 'Put the files themselves into git with `git lfs migrate export --everything --include="{file}"`, push again with --force.',
  },
  submodule_missing: {
    status: 422,
    sentence: 'The folder `{folder}` is a git submodule: its files do not travel with a push.',
    hint: 'Make them part of the project: `git rm --cached {folder}`, delete `{folder}/.git` and its lines in .gitmodules, `git add {folder}`, commit, push again.',
  },
  python_encoding: {
    status: 422,
    sentence: '{file} is not saved as plain text that Python reads ({encoding}).',
    hint: 'Save it as UTF-8, commit, push again.',
  },
  app_missing: {
    status: 422,
    sentence: 'The session config “{config}” plays the app `{app}`, but the project has no folder `{app}`.',
    hint: '{hint}',
  },
  app_without_init: {
    status: 422,
    sentence: 'The app folder `{app}` has no `__init__.py`, so oTree cannot load it.',
    hint: 'Commit `{app}/__init__.py` (perhaps it is in .gitignore), push again.',
  },
  template_missing: {
    status: 422,
    sentence: 'The page `{page}` of `{app}` has no template: `{template}` is not in the project.',
    hint: '{hint}',
  },
  module_named_otherwise: {
    status: 422,
    sentence: '`{module}` is used in {file} but is not in requirements.txt.',
    hint: 'Add a line `{package}` (the package that brings `{module}`) to requirements.txt, commit, push again.',
  },
  module_incomplete: {
    status: 422,
    sentence: '`{module}` is used in {file}, but `{parent}` is there without it.',
    hint: 'If it is a file of yours, commit it (perhaps it is in .gitignore); if `{parent}` is a package, correct its version in requirements.txt; push again.',
  },
  otree_django: {
    status: 422,
    sentence: '{file} uses `{module}`, which oTree had before version 5; Arboretum runs oTree 5 and later.',
    hint: 'Follow “Upgrading to oTree 5” in oTree’s documentation, then push again.',
  },
  schema_drift: {
    status: 409,
    sentence: '{differences}',
    hint: 'Nothing was changed, and {rows} rows are there. On the deployment’s page choose “Back up and reset” or “Go on without”, or push a new commit with `git push -o on-drift=reset` or `-o on-drift=go-on`; or push models that fit.',
  },
  roll_back_drift: {
    status: 409,
    sentence: '{differences}',
    hint: 'Nothing was changed: the version in use runs on, and {rows} rows are there. Below, choose “Back up and reset” or “Go on without”, or stay with the version in use.',
  },
  otree_check: { status: 422, sentence: 'oTree refuses the project: {message}', hint: 'Correct it, commit, push again.' },
  trial_failed: { status: 422, sentence: 'The new version did not start on an empty trial database.', hint: 'The last line of its output was: {lastLine}' },
  project_too_large: {
    status: 413,
    sentence: 'The project is larger than {limitMib} MiB.',
    hint: 'Take large files out of the commit (data, environments, videos), then push again.',
  },
  push_refused: { status: 409, sentence: '{reason}', hint: '{hint}' },
} as const satisfies Record<string, ErrorEntry>;
