// What people are told when a build or a start fails.

import { describe, expect, it } from 'vitest';
import { diagnoseDescribe, diagnoseLauncher, diagnoseTrial, diagnoseUv, lastWords } from '../../platforms/diagnose.ts';
import * as outputs from './build-outputs.ts';

const uv = (output: string) => diagnoseUv({ exitCode: 1, output }, '3.11.2');
const launcher = (output: string) => diagnoseLauncher({ exitCode: 65, output });

describe('what uv prints', () => {
  it.each([
    [outputs.unknownPackage, 'There is no package nosuchpackage-zz9 that fits this Python (3.11.2).'],
    [outputs.unknownVersion, 'There is no package numpy==99.0 that fits this Python (3.11.2).'],
    [outputs.wrongPython, 'There is no package tensorflow==1.15.0 that fits this Python (3.11.2).'],
    [outputs.oldOtree, 'oTree 5.6.0 does not run on Python 3.11.2.'],
    [
      outputs.deadIndex,
      'Installing what the project needs failed: the package index cannot be reached. Try again later, or look at the panel’s package settings.',
    ],
  ])('becomes a sentence %#', (output, sentence) => {
    expect(uv(output).message).toBe(sentence);
  });

  it('names both sides of a conflict', () => {
    expect(uv(outputs.conflict).message).toMatch(/exclude each other\. Because otree>=6\.0\.15 depends on sqlalchemy==1\.3\.22 .* you require sqlalchemy>=2/);
  });

  it('shows the line that is no requirement', () => {
    expect(uv(outputs.badLine).message).toContain('not a requirement');
  });

  it('says what is missing for a source package', () => {
    expect(uv(outputs.noPgConfig).message).toContain(
      'psycopg2==2.8.6 has no ready-made package for this Python and could not be built from source (pg_config is missing on this machine)',
    );
    expect(uv(outputs.noHeader).message).toContain('(graphviz/cgraph.h is missing on this machine)');
  });

  it('knows a full disk and a build that took too long', () => {
    expect(uv('error: Failed to copy\n  cause: No space left on device (os error 28)\n').code).toBe('disk_full');
    expect(diagnoseUv({ exitCode: null, output: '', isTimedOut: true }, '3.11.2').message).toContain('15 minutes');
  });

  it('keeps the last words of what it does not know', () => {
    expect(uv('something\nerror: the moon is in the wrong place\n').message).toContain('the moon is in the wrong place');
  });
});

describe('what the launcher prints', () => {
  it.each([
    [outputs.settingsSyntax, 'syntax_error', { file: 'settings.py', line: 1, message: "'[' was never closed" }],
    [outputs.settingsLack, 'settings_invalid', { file: 'settings.py', line: '?', message: 'settings.py does not define SESSION_CONFIGS.' }],
    [outputs.moduleMissing, 'module_missing', { module: 'numpy_is_not_here', file: 'trust_game/__init__.py' }],
    [outputs.reservedField, 'otree_check', { message: expect.stringContaining('rename the model field "index"') }],
    [outputs.nameMissing, 'otree_check', { message: expect.stringContaining("cannot import name 'nothing'") }],
  ])('becomes our error %#', (output, code, details) => {
    expect(launcher(output)).toMatchObject({ code, details });
  });

  it('a database that is away is not the project’s fault, and the trial says what it was', () => {
    expect(launcher(outputs.databaseAway)).toBeNull();
  });

  it('an exception nobody knows keeps its last line', () => {
    expect(diagnoseTrial({ exitCode: 1, output: outputs.zeroDivision })).toMatchObject({
      code: 'trial_failed',
      details: { lastLine: 'ZeroDivisionError: division by zero' },
    });
    expect(diagnoseDescribe({ exitCode: 1, output: outputs.zeroDivision }).code).toBe('settings_invalid');
  });

  it('an oTree before 5 is told from another unusable setting', () => {
    expect(diagnoseLauncher({ exitCode: 78, output: 'oTree 3.4.0 is too old: this panel runs oTree 5.4 and newer.\n' })).toMatchObject({
      code: 'otree_too_old',
      details: { version: '3.4.0' },
    });
    expect(diagnoseLauncher({ exitCode: 78, output: 'env.json lacks socket.\n' })).toBeNull();
  });

  it('an oTree that cannot live under a path is named with its version', () => {
    const problem = { code: 'path_not_supported', file: null, line: null, module: null, message: 'This oTree version (5.4.0) cannot live under a path.' };
    expect(launcher(`ARBORETUM-PROBLEM ${JSON.stringify(problem)}\n`)).toMatchObject({ code: 'path_not_supported', message: problem.message });
  });

  it('a project cannot make us stumble with a line that only looks like ours', () => {
    expect(launcher('ARBORETUM-PROBLEM {broken\n')).toBeNull();
    expect(launcher('ARBORETUM-PROBLEM {"code": "toString"}\n')).toBeNull();
    expect(launcher('ARBORETUM-PROBLEM null\n')).toBeNull();
  });

  it('says something even when nothing was said', () => {
    expect(lastWords({ exitCode: null, output: '' })).toContain('killed');
    expect(lastWords({ exitCode: 3, output: '\n[arboretum] 2026-11-21T10:53:17Z ended with exit code 3\n' })).toContain('exit code 3');
  });
});
