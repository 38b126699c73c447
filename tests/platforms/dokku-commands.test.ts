// The exact line of every command for Dokku, and that no name, value or label can become a word or a flag of its own.

import { describe, expect, it } from 'vitest';

import * as dokku from '../../platforms/dokku-commands.ts';
import type { DokkuCommand } from '../../platforms/dokku-commands.ts';

const app = 'i-k3v9q2m7x1ab';
const service = 'i-k3v9q2m7x1ab-r0f1e2d3c';

describe('the exact words', () => {
  const lines: readonly [DokkuCommand, string][] = [
    [dokku.version(), 'version'],
    [dokku.pluginList(), 'plugin:list --format json'],
    [dokku.appsList(), 'apps:list --format json'],
    [dokku.appsExists(app), `apps:exists ${app}`],
    [dokku.appsCreate(app), `apps:create ${app}`],
    [dokku.appsDestroy(app), `apps:destroy ${app} --force`],
    [dokku.appsLocked(app), `apps:locked ${app}`],
    [dokku.appsUnlock(app), `apps:unlock ${app}`],
    [dokku.configExport(app), `config:export --format json ${app}`],
    [dokku.configImport(app, { replace: false }), `--quiet config:import --no-restart --format json ${app} -`],
    [dokku.configImport(app, { replace: true }), `--quiet config:import --no-restart --replace --format json ${app} -`],
    [dokku.domainsReport(app), `domains:report ${app} --format json`],
    [dokku.domainsReportGlobal(), 'domains:report --global --format json'],
    [dokku.domainsSet(app, ['trust.lab.test', 't2.lab.test']), `domains:set ${app} trust.lab.test t2.lab.test`],
    [dokku.portsSet(app, [{ scheme: 'http', hostPort: 80, containerPort: 5000 }]), `ports:set ${app} http:80:5000`],
    [dokku.portsReport(app), `ports:report ${app} --format json`],
    [dokku.nginxSet(app, 'client-max-body-size', '20m'), `nginx:set ${app} client-max-body-size 20m`],
    [dokku.checksSet(app, 'wait-to-retire', '5'), `checks:set ${app} wait-to-retire 5`],
    [dokku.gitSet(app, 'deploy-branch', 'main'), `git:set ${app} deploy-branch main`],
    [dokku.psScale(app, { web: 1, worker: 0 }), `ps:scale ${app} web=1 worker=0`],
    [dokku.psScaleShow(app), `ps:scale --format json ${app}`],
    [dokku.gitUploadPack(app), `git-upload-pack '/${app}'`],
    [dokku.psReport(app), `ps:report ${app} --format json`],
    [dokku.psInspect(app), `ps:inspect ${app}`],
    [dokku.psStart(app), `ps:start ${app}`],
    [dokku.psStop(app), `ps:stop ${app}`],
    [dokku.psRebuild(app), `ps:rebuild ${app}`],
    [dokku.resourceLimit(app, { memoryMib: 256 }), `resource:limit --memory 256 ${app}`],
    [dokku.resourceLimit(app, { memoryMib: 256, cpu: 1.5 }), `resource:limit --memory 256 --cpu 1.5 ${app}`],
    [dokku.gitFromArchive(app), `git:from-archive ${app} --`],
    [dokku.buildsList(app), `builds:list ${app} --format json`],
    [dokku.buildsCancel(app), `builds:cancel ${app}`],
    [dokku.logs(app, { lines: 500 }), `logs ${app} --num 500`],
    [dokku.run(app, ['python3', '-c', 'print(6*7)']), `run --no-tty ${app} python3 -c "print(6*7)"`],
    [dokku.run(app, ['sh', '-c', 'set -e; echo ok']), `run --no-tty ${app} sh -c "set -e; echo ok"`],
    [dokku.run(app, ['env'], { env: { FOO: 'a b', BAR: 'c' } }), `run --no-tty --env "FOO=a b" --env BAR=c ${app} env`],
    [dokku.enter(app, 'web', ['echo', `it is "quoted" and it's so`]), `enter ${app} web echo "it is "'"'"quoted"'"'" and it's so"`],
    [dokku.certsAdd(app), `certs:add ${app}`],
    [dokku.certsReport(app), `certs:report ${app} --format json`],
    [dokku.certsRemove(app), `certs:remove ${app}`],
    [dokku.letsencryptSet(app, 'lab@example.org'), `letsencrypt:set ${app} email lab@example.org`],
    [dokku.letsencryptEnable(app), `letsencrypt:enable ${app}`],
    [dokku.postgresCreate(service), `postgres:create ${service}`],
    [dokku.postgresCreate(service, { imageVersion: '16.4' }), `postgres:create ${service} --image-version 16.4`],
    [dokku.postgresDestroy(service), `postgres:destroy ${service} --force`],
    [dokku.postgresExists(service), `postgres:exists ${service}`],
    [dokku.postgresLink(service, app), `postgres:link ${service} ${app} --no-restart`],
    [dokku.postgresUnlink(service, app), `postgres:unlink ${service} ${app} --no-restart`],
    [dokku.postgresAppLinks(app), `postgres:app-links ${app}`],
    [dokku.postgresLinks(service), `postgres:links ${service}`],
    [dokku.postgresList(), 'postgres:list'],
    [dokku.postgresConnect(service), `postgres:connect ${service}`],
    [dokku.postgresExport(service), `postgres:export ${service}`],
    [dokku.postgresImport(service), `postgres:import ${service}`],
  ];

  it.each(lines.map(([command, line]) => ({ command, line })))('$line', ({ command, line }) => {
    expect(command.line).toBe(line);
  });

  it('every builder stands in this table', () => {
    const known = new Set(lines.map(([{ line }]) => line.replace(/^--quiet /, '').split(' ')[0]));
    const camel = [...known].map((name) => name?.replaceAll(/[:-](\w)/g, (_, letter: string) => letter.toUpperCase()));
    expect(Object.keys(dokku).filter((name) => !camel.includes(name.replace(/(?<=domainsReport)Global$|(?<=psScale)Show$/, '')))).toEqual([]);
  });

  it('only what needs input gets one, and only what prints passwords is marked so', () => {
    const nameOf = ({ line }: DokkuCommand): string => line.replace(/^--quiet /, '').split(' ')[0] ?? '';
    const having = (is: (command: DokkuCommand) => boolean): readonly string[] =>
      [...new Set(lines.filter(([command]) => is(command)).map(([command]) => nameOf(command)))].toSorted();
    expect(having((command) => command.takesInput)).toEqual([
      'certs:add',
      'config:import',
      'git-upload-pack',
      'git:from-archive',
      'postgres:connect',
      'postgres:import',
    ]);
    expect(having((command) => command.showsSecrets)).toEqual([
      'config:export',
      'config:import',
      'postgres:connect',
      'postgres:create',
      'postgres:export',
      'postgres:import',
      'postgres:link',
    ]);
  });
});

describe('what is refused', () => {
  it.each(['-n', '-e', '-E', '-nE', '--help', '--version'])('the word %s, which Dokku’s splitter swallows', (word) => {
    expect(() => dokku.run(app, ['echo', word])).toThrow('swallows');
  });
  it.each(['--app', '--force', '--quiet', '--trace', 'use --app other now', 'a\t--force', '"--trace"'])(
    'the value “%s”, in which Dokku finds a flag of its own',
    (word) => {
      expect(() => dokku.run(app, ['echo', word])).toThrow(/flag|control character/);
      expect(() => dokku.run(app, ['echo'], { env: { VALUE: `so ${word}` } })).toThrow(/flag|control character/);
    },
  );
  it.each(['', 'two\nlines', 'a\rb', 'a\0b', '\u0085', '\uD800'])('%j, which cannot be sent', (word) => {
    expect(() => dokku.run(app, ['echo', word])).toThrow();
  });
  it.each(['Lab', 'lab bad', '-lab', 'lab.', '.lab', '', 'lab_x', 'lab/x', '..', 'a'.repeat(64), "lab'", 'lab;id', '--app'])('%j as a name', (name) => {
    expect(() => dokku.appsCreate(name)).toThrow();
    expect(() => dokku.postgresLink(service, name)).toThrow();
    expect(() => dokku.enter(app, name, ['true'])).toThrow();
  });
  it('quotes and blanks in a git command, which keeps quotes', () => {
    for (const value of ['two words', "'main'", '"main"', 'ma\\in', 'main*', 'ümlaut'])
      expect(() => dokku.gitSet(app, 'deploy-branch', value), value).toThrow();
  });
  it('values and programs that would be options', () => {
    expect(() => dokku.run(app, ['--rm', 'ls'])).toThrow();
    expect(() => dokku.run(app, ['-x'])).toThrow();
    expect(() => dokku.nginxSet(app, '--global', 'x')).toThrow();
    expect(() => dokku.postgresCreate(service, { imageVersion: '--password' })).toThrow();
    expect(() => dokku.domainsSet(app, ['--global'])).toThrow();
  });
  it('numbers and lists that Dokku would accept although they mean nothing', () => {
    for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => dokku.psScale(app, { web: count }), String(count)).toThrow();
    expect(() => dokku.psScale(app, { '': 1 })).toThrow();
    expect(() => dokku.psScale(app, {})).toThrow();
    expect(() => dokku.resourceLimit(app, { memoryMib: 0 })).toThrow();
    expect(() => dokku.resourceLimit(app, { memoryMib: 1, cpu: Number.NaN })).toThrow();
    expect(() => dokku.logs(app, { lines: 0 })).toThrow();
    expect(() => dokku.domainsSet(app, [])).toThrow();
    expect(() => dokku.domainsSet(app, ['*.x'])).toThrow();
    expect(() => dokku.run(app, [])).toThrow();
    expect(() => dokku.run(app, ['ls'], { env: { 'A B': 'x' } })).toThrow();
  });
  it('a line that is longer than the host can take', () => {
    expect(() => dokku.enter(app, 'web', ['echo', 'x'.repeat(110_000)])).toThrow('longer than');
    expect(dokku.enter(app, 'web', ['echo', 'x'.repeat(30_000)]).line).toHaveLength(30_000 + `enter ${app} web echo `.length);
  });
});

/** xargs: blanks and line breaks end a word, quotes group (nothing is special in them), a backslash outside takes the next as it is. */
function splitLikeXargs(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const letter = line.charAt(at);
    if (quote !== '') {
      if (letter === '\n') throw new Error('xargs: unmatched quote');
      if (letter === quote) quote = '';
      else word = (word ?? '') + letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (letter === '\\') {
      at += 1;
      word = (word ?? '') + line.charAt(at);
    } else if (' \t\n'.includes(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + letter;
  }
  if (quote !== '') throw new Error('xargs: unmatched quote');
  if (word !== null) words.push(word);
  // each word then passes through echo, one line each
  return words.flatMap((one) => (/^-[neE]+$/.test(one) ? [''] : /^--(?:help|version)$/.test(one) ? ['Usage: echo …'] : one.split('\n')));
}

/** What Dokku makes of a line: its words, and its own flags, which it looks for twice: in the raw line and in the words. */
function understand(line: string): { readonly words: readonly string[]; readonly flags: readonly string[] } {
  const raw = line.split(/[ \t\n]+/);
  const name = raw.find((word) => !word.startsWith('--')) ?? '';
  const words = name.includes('git') ? raw : splitLikeXargs(line);
  const isFlag = (word: string): boolean => ['--app', '--force', '--quiet', '--trace'].includes(word);
  return { words, flags: [...new Set([...raw, ...words].filter(isFlag))] };
}

/** Numbers from 0 to below 1, the same ones each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pieces: readonly string[] = [
  '--app',
  '--app other',
  '--force',
  '--quiet',
  '--trace',
  '--help',
  '--version',
  '-n',
  '-e',
  '-E',
  '-',
  '--',
  '--no-restart',
  '--app=x',
  '-neE',
  '"',
  "'",
  '\\',
  '\\"',
  `"'"'"`,
  `'"'"'`,
  '`id`',
  '$(id)',
  '$HOME',
  '*',
  '?',
  '~',
  '{a,b}',
  '#',
  '!',
  ';',
  '&',
  '|',
  '>',
  '<',
  '(',
  ')',
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\0',
  '\u00A0',
  '\u2028',
  '\u0085',
  '\u001B[31m',
  '\uFEFF',
  '\u202E',
  '😀',
  'Zürich',
  '½',
  '名',
  'a',
  'lab',
  '0',
  'git',
  'web=1',
  'A=1',
  'main',
  '.',
  '/',
  ':',
  ',',
  '%',
  '@',
  '+',
  '_',
  'x'.repeat(40),
];

describe('10,000 hostile strings', () => {
  const random = seeded(20_261_121);
  const pick = (below: number): number => Math.floor(random() * below);
  const hostile = (): string => Array.from({ length: 1 + pick(5) }, () => pieces[pick(pieces.length)] ?? '').join('');
  /** Builders that take free text, each with the words that are meant. */
  const slots: readonly ((value: string) => { build: () => DokkuCommand; words: readonly string[]; flags?: readonly string[] })[] = [
    (value) => ({ build: () => dokku.run(app, ['echo', value, 'end']), words: ['run', '--no-tty', app, 'echo', value, 'end'] }),
    (value) => ({ build: () => dokku.run(app, [value]), words: ['run', '--no-tty', app, value] }),
    (value) => ({ build: () => dokku.run(app, ['env'], { env: { KEY: value } }), words: ['run', '--no-tty', '--env', `KEY=${value}`, app, 'env'] }),
    (value) => ({ build: () => dokku.enter(app, 'web', ['sh', '-c', value]), words: ['enter', app, 'web', 'sh', '-c', value] }),
    (value) => ({ build: () => dokku.gitSet(app, 'deploy-branch', value), words: ['git:set', app, 'deploy-branch', value] }),
    (value) => ({ build: () => dokku.nginxSet(app, 'client-max-body-size', value), words: ['nginx:set', app, 'client-max-body-size', value] }),
    (value) => ({ build: () => dokku.domainsSet(app, [value]), words: ['domains:set', app, value] }),
    (value) => ({ build: () => dokku.gitFromArchive(value), words: ['git:from-archive', value, '--'] }),
    (value) => ({ build: () => dokku.appsDestroy(value), words: ['apps:destroy', value, '--force'], flags: ['--force'] }),
    (value) => ({
      build: () => dokku.configImport(value, { replace: false }),
      words: ['--quiet', 'config:import', '--no-restart', '--format', 'json', value, '-'],
      flags: ['--quiet'],
    }),
    (value) => ({ build: () => dokku.postgresCreate(service, { imageVersion: value }), words: ['postgres:create', service, '--image-version', value] }),
    (value) => ({ build: () => dokku.psScale(app, { [value]: 1 }), words: ['ps:scale', app, `${value}=1`] }),
  ];

  it('each becomes exactly the one word that was meant, or the line is not built', () => {
    let built = 0;
    let refused = 0;
    for (let index = 0; index < 10_000; index += 1) {
      const value = hostile();
      const slot = slots[index % slots.length]?.(value);
      if (slot === undefined) throw new Error('no slot');
      let command: DokkuCommand | null = null;
      try {
        command = slot.build();
      } catch {
        refused += 1;
      }
      if (command !== null) {
        built += 1;
        expect(understand(command.line), JSON.stringify({ value, line: command.line })).toEqual({ words: slot.words, flags: slot.flags ?? [] });
      }
    }
    expect(built).toBeGreaterThan(1500);
    expect(refused).toBeGreaterThan(1500);
  });

  it('would be caught by this test if they were sent as they are', () => {
    expect(understand(`run ${app} echo "use --app other"`).flags).toEqual(['--app']);
    expect(understand(`run ${app} echo it is "one word"`).words).toEqual(['run', app, 'echo', 'it', 'is', 'one word']);
    expect(understand(`git:set ${app} deploy-branch 'main'`).words).toEqual(['git:set', app, 'deploy-branch', "'main'"]);
    expect(understand(`logs ${app} -n 1`).words).toEqual(['logs', app, '', '1']);
    expect(() => understand(`run ${app} it's`)).toThrow('unmatched');
  });
});
