// requirements.txt as people really write it.

import { describe, expect, it } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import {
  decodeText,
  hashRequirements,
  isAddress,
  lockedVersion,
  nameOf,
  readRequirements,
  wantedPython,
  warnOfLooseOtree,
} from '../../platforms/requirements.ts';

type Files = Readonly<Record<string, string | Buffer>>;
const reader = (files: Files) => (name: string) => (Object.hasOwn(files, name) ? Buffer.from(files[name] ?? '') : null);
const read = (files: Files) => readRequirements(reader(files));
const lines = (text: string) => read({ 'requirements.txt': text }).lines;

function codeOf(files: Files): string {
  try {
    read(files);
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return 'none';
}

describe('reading', () => {
  it('takes comments, blank lines, continuations and hashes away', () => {
    expect(lines('# mine\n\notree == 6.0.15 # pinned\nnumpy \\\n  >=1\npsycopg2-binary==2.9 --hash=sha256:aa --hash=sha256:bb\n')).toEqual([
      'otree == 6.0.15',
      'numpy >=1',
      'psycopg2-binary>=2.9',
    ]);
  });

  it('replaces psycopg2 by the ready-made package, whatever its version, and keeps its marker', () => {
    expect(lines('otree\npsycopg2>=2.8.4')).toEqual(['otree', 'psycopg2-binary>=2.8.4']);
    expect(lines('otree\nPsycopg2 == 2.7.1')).toEqual(['otree', 'psycopg2-binary >=2.7.1']);
    expect(lines('otree\npsycopg2>=2.8,<2.9; sys_platform != "win32"')).toEqual(['otree', 'psycopg2-binary>=2.8; sys_platform != "win32"']);
    expect(lines('otree')).toEqual(['otree', 'psycopg2-binary']);
    expect(lines('otree\npsycopg2\npsycopg2-binary')).toEqual(['otree', 'psycopg2-binary']);
  });

  it('follows other files and constraints, once each, and only within the project', () => {
    const found = read({
      'requirements.txt': '-r base/all.txt\n-c limits.txt\n',
      'base/all.txt': 'otree\n-r ../requirements.txt\n--requirement=more.txt',
      'base/more.txt': 'six',
      'limits.txt': 'six<2\npsycopg2==2.8',
    });
    expect(found.lines).toEqual(['otree', 'six', 'psycopg2-binary']);
    expect(found.constraints).toEqual(['six<2', 'psycopg2-binary']);
    expect(codeOf({ 'requirements.txt': 'otree\n-r ../../etc/passwd' })).toBe('build_failed');
    expect(codeOf({ 'requirements.txt': 'otree\n-r /etc/passwd' })).toBe('build_failed');
    expect(codeOf({ 'requirements.txt': 'otree\n-r gone.txt' })).toBe('build_failed');
  });

  it('does not let a project choose where packages come from, nor options of uv', () => {
    const {
      lines: taken,
      notes,
      warnings,
    } = read({
      'requirements.txt': '--index-url https://evil.example/simple\n-i x\n--find-links=.\n--pre\notree\n-e .\n./lib\nfile:///etc\nC:\\Users\\me\\lib\n',
    });
    expect(taken).toEqual(['otree', 'psycopg2-binary']);
    expect(notes).toHaveLength(5);
    expect(warnings).toHaveLength(4);
  });

  it('leaves out what exists for Windows only, unless its line says so itself', () => {
    const { lines: taken, warnings } = read({ 'requirements.txt': 'otree\npywin32==306\ntwisted-iocpsupport==1.0\npywinpty; sys_platform == "win32"\n' });
    expect(taken).toEqual(['otree', 'pywinpty; sys_platform == "win32"', 'psycopg2-binary']);
    expect(warnings[0]).toContain('“pywin32==306” in requirements.txt exists for Windows only');
    expect(warnings).toHaveLength(2);
  });

  it('takes a package of conda by its name, but never a package of one’s own from the index', () => {
    const { lines: taken, warnings } = read({
      'requirements.txt':
        'otree\nsix @ file:///croot/six_1644875935023/work\ncffi @ file:///C:/b/abs_7ctw/croot/cffi_1659/work\nmylab @ file:///home/ada/mylab\n',
    });
    expect(taken).toEqual(['otree', 'six', 'cffi', 'psycopg2-binary']);
    expect(warnings).toHaveLength(3);
    expect(codeOf({ 'requirements.txt': 'otree\nnumpy=1.24.3=py311h08b1b3b_1' })).toBe('requirements_conda');
  });

  it.each([
    ['otree>=2', '6.0.15', 1],
    ['otree>=5.0.0a21', '6.0.15', 1],
    ['otree>=6', '6.0.15', 0],
    ['otree', '6.0.15', 0],
    ['otree>=5,<7', '6.0.15', 0],
    ['otree==6.0.15', '6.0.15', 0],
  ])('%s that becomes %s is worth %i warning', (line, taken, count) => {
    expect(warnOfLooseOtree(line, taken)).toHaveLength(count);
  });

  it('keeps addresses, and says that there are some', () => {
    const found = read({
      'requirements.txt': 'otree\ngit+https://github.com/a/b.git@v1\nthing[x] @ https://example.org/thing.zip\n-e git+https://github.com/c/d.git#egg=d',
    });
    expect(found.hasAddresses).toBe(true);
    expect(found.lines.filter(isAddress)).toHaveLength(3);
    expect(read({ 'requirements.txt': 'otree>=5' }).hasAddresses).toBe(false);
  });

  it.each([
    [{}, 'requirements_missing'],
    [{ Pipfile: '' }, 'requirements_other'],
    [{ 'environment.yml': '', 'README.md': '' }, 'requirements_other'],
    [{ 'requirements.txt': 'numpy' }, 'otree_missing'],
    [{ 'requirements.txt': '' }, 'otree_missing'],
    [{ 'requirements.txt': 'otree-tools' }, 'otree_missing'],
    [{ 'requirements.txt': 'otree==3.3.11' }, 'otree_too_old'],
    [{ 'requirements.txt': 'otree~=2.5' }, 'otree_too_old'],
    [{ 'requirements.txt': 'otree==3.*' }, 'otree_too_old'],
    [{ 'requirements.txt': 'otree[mturk]>=2,<5' }, 'otree_too_old'],
    [{ 'requirements.txt': 'otree-core>=2.0' }, 'otree_too_old'],
    [{ 'requirements.txt': 'otree>=2' }, 'none'],
    [{ 'requirements.txt': 'oTree<6' }, 'none'],
    [{ 'requirements.txt': 'otree==5.11.5' }, 'none'],
    [{ 'requirements.txt': 'otree<=5.10' }, 'none'],
  ] as [Files, string][])('%j → %s', (files, code) => {
    expect(codeOf(files)).toBe(code);
  });
});

describe('encodings', () => {
  const le = Buffer.from('otree==6.0.15\r\n', 'utf16le');
  const be = Buffer.from(le).swap16();
  it.each([
    ['UTF-16 with mark', Buffer.concat([Buffer.from([0xff, 0xfe]), le])],
    ['UTF-16 big-endian with mark', Buffer.concat([Buffer.from([0xfe, 0xff]), be])],
    ['UTF-16 without mark', le],
    ['UTF-16 big-endian without mark', be],
    ['UTF-8 with mark', Buffer.from('\uFEFFotree==6.0.15\n')],
    ['Latin-1 in a comment', Buffer.from('otree==6.0.15 # für alle\n', 'latin1')],
  ])('%s is read, with a remark', (_name, content) => {
    const found = read({ 'requirements.txt': content });
    expect(found.lines[0]).toBe('otree==6.0.15');
    expect(found.notes[0]).toMatch(/requirements\.txt/);
  });

  it('refuses what could mean several things', () => {
    expect(codeOf({ 'requirements.txt': Buffer.from('otree\nn\xfcmpy\n', 'latin1') })).toBe('requirements_encoding');
    expect(codeOf({ 'requirements.txt': Buffer.from([0xff, 0xfe, 0x6f, 0x00, 0x00, 0x00]) })).toBe('requirements_encoding');
    expect(decodeText(Buffer.from('plain'), 'x')).toEqual({ text: 'plain', note: null });
  });
});

describe('small things', () => {
  it('the hash stands for what is installed: comments do not change it, versions and Python do', () => {
    const hash = (text: string, python = '3.11.2') => hashRequirements(read({ 'requirements.txt': text }), python);
    expect(hash('otree==6.0.15\n')).toBe(hash('# x\notree==6.0.15   # y\r\n'));
    expect(hash('otree==6.0.15')).not.toBe(hash('otree==6.0.14'));
    expect(hash('otree')).not.toBe(hash('otree', '3.12.1'));
    expect(hash('otree')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names are compared as the index compares them', () => {
    expect(['oTree', 'Foo_Bar.baz>=1', 'x[y]==2', 'a @ git+https://b', 'git+https://b'].map(nameOf)).toEqual(['otree', 'foo-bar-baz', 'x', 'a', '']);
    expect(lockedVersion('six==1\notree==6.0.15\n', 'otree')).toBe('6.0.15');
    expect(lockedVersion('otree-x==1', 'otree')).toBeNull();
  });

  it('reads which Python is asked for', () => {
    expect(wantedPython(reader({ 'runtime.txt': 'python-3.9.16\n' }))).toEqual({ version: '3.9', file: 'runtime.txt' });
    expect(wantedPython(reader({ '.python-version': '3.12', 'runtime.txt': 'python-3.9.16' }))).toEqual({ version: '3.12', file: '.python-version' });
    expect(wantedPython(reader({}))).toBeNull();
  });
});
