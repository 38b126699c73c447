// The derived tree for Dokku, and what it becomes: its instructions are acted out here, and a real oTree runs from it.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launcherWords, renderDockerfile, renderPipConf } from '../../platforms/dokku/dockerfile.ts';
import { launchVariables, packLaunch, packRooms } from '../../platforms/dokku/launch.ts';
import { makeTree } from '../../platforms/dokku/tree.ts';
import type { InstanceSpec } from '../../platforms/platform.ts';
import type { EditedRoom } from '../../platforms/project.ts';
import { Secret } from '../../platforms/secret.ts';
import { requireEnvironment } from '../contract/local-stand.ts';
import { freePort } from '../free-ports.ts';
import { marked, query, stop, temporaryDatabase, until } from '../launcher/instance.ts';
import { pythonWith } from '../launcher/venv.ts';
import { spawnIn } from '../dokku/replay-container.ts';
import { buildImage, type Image, placed } from '../dokku/replay-image.ts';

const labGames = path.join(import.meta.dirname, '..', 'projects', 'lab-games');
const signal = new AbortController().signal;
const settings = { baseImage: 'python:3.11-slim-bookworm' };
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'arb-tree-'));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function place(name: string): string {
  const made = mkdtempSync(path.join(folder, `${name}-`));
  chmodSync(made, 0o755);
  return made;
}

function project(files: Readonly<Record<string, string>> = {}): string {
  const dir = path.join(place('project'), 'here');
  cpSync(labGames, dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), content);
  }
  return dir;
}

async function treeOf(projectDir: string, more: Partial<Parameters<typeof makeTree>[0]> = {}): Promise<string> {
  const file = path.join(place('tree'), 'tree.tar');
  await makeTree({ projectDir, lock: 'otree==6.0.15', botPackages: null, settings, file, signal, ...more });
  return file;
}

const namesIn = (file: string): string[] => execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trimEnd().split('\n');
const textIn = (file: string, name: string): string => execFileSync('tar', ['-xOf', file, name], { encoding: 'utf8' });
const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('the tree', () => {
  it('is the same, byte for byte, whoever made the files and when, and another one when a file is', async () => {
    const [one, other] = [project(), project()];
    utimesSync(path.join(other, 'settings.py'), new Date(0), new Date(86_400_000));
    chmodSync(path.join(other, 'settings.py'), 0o600);
    const first = hashOf(await treeOf(one));
    expect(hashOf(await treeOf(other))).toBe(first);
    writeFileSync(path.join(other, 'settings.py'), '# another\n');
    expect(hashOf(await treeOf(other))).not.toBe(first);
    expect(hashOf(await treeOf(one, { lock: 'otree==5.11.5' }))).not.toBe(first);
  });

  it('holds our files on top and the project below, which therefore cannot take the place of ours', async () => {
    const shadows = { Dockerfile: 'FROM evil', 'app.json': '{}', Procfile: 'web: evil', '.dockerignore': '*', '.dockerfile': 'x', 'launcher/start.py': 'evil' };
    const file = await treeOf(project({ ...shadows, 'packages/pip.conf': 'evil' }));
    const top = new Set(namesIn(file).map((name) => name.split('/')[0]));
    expect(top).toEqual(new Set(['Dockerfile', 'app.json', 'launcher', 'packages', 'project']));
    expect(textIn(file, 'Dockerfile')).toBe(renderDockerfile(settings.baseImage, { hasBotPackages: false }));
    expect(textIn(file, 'launcher/start.py')).toContain('The way into oTree');
    for (const [name, content] of Object.entries(shadows)) expect(textIn(file, `project/${name}`)).toBe(content);
    expect(namesIn(file).filter((name) => name.includes('..') || name.startsWith('/') || name.startsWith('.'))).toEqual([]);
  });

  it('leaves out what Dokku’s own repository would follow on the way, and data of a laptop', async () => {
    const files = {
      '.gitignore': '*.html\n',
      'survey/.gitignore': '*\n',
      '.gitattributes': '* export-ignore',
      'db.sqlite3': 'rows',
      'survey/db.sqlite3': 'kept',
    };
    const names = namesIn(await treeOf(project(files)));
    expect(names.filter((name) => name.includes('.git'))).toEqual(['project/_static/.gitkeep']);
    expect(names).toContain('project/survey/Thanks.html');
    const file = await treeOf(project(files));
    expect([textIn(file, 'project/db.sqlite3'), textIn(file, 'project/survey/db.sqlite3')]).toEqual(['', 'kept']);
  });

  it('comes through a repository, as Dokku makes one of it, without losing or changing a file', async () => {
    const files = {
      '.gitignore': '*.html\n',
      'survey/.gitignore': '*\n',
      '.gitattributes': '*.html eol=crlf ident filter=lfs\n',
      '.git/config': 'x',
      'survey/.git': 'gitdir: y',
    };
    const [before, after] = [place('before'), place('after')];
    execFileSync('tar', ['-xf', await treeOf(project(files)), '-C', before]);
    const git = (...words: string[]) => execFileSync('git', words, { cwd: before, env: { PATH: '/usr/bin:/bin', GIT_CONFIG_GLOBAL: '/dev/null' } });
    git('init', '--quiet');
    git('add', '-A');
    git('-c', 'user.name=dokku', '-c', 'user.email=d@example', 'commit', '--quiet', '-m', 'tree');
    git('checkout-index', '-a', `--prefix=${after}/`);
    rmSync(path.join(before, '.git'), { recursive: true });
    expect(execFileSync('git', ['diff', '--no-index', '--exit-code', before, after], { encoding: 'utf8' })).toBe('');
    expect(existsSync(path.join(after, 'project', 'survey', 'Thanks.html'))).toBe(true);
  });

  it('keeps links as they are, and names that tar or a shell could take for something else', async () => {
    const dir = project({ '-rf': 'a', 'a b\'"$(x)': 'b', '*': 'c', 'é/ü.txt': 'd' });
    symlinkSync('./settings.py', path.join(dir, 'linked.py'));
    const out = place('out');
    execFileSync('tar', ['-xf', await treeOf(dir), '-C', out]);
    expect(readdirSync(path.join(out, 'project'))).toEqual(expect.arrayContaining(['-rf', 'a b\'"$(x)', '*', 'é', 'linked.py']));
    expect(execFileSync('readlink', [path.join(out, 'project', 'linked.py')], { encoding: 'utf8' })).toBe('./settings.py\n');
  });

  it('brings what bots need beside the environment, where there is something to bring', async () => {
    const botPackages = place('packages');
    mkdirSync(path.join(botPackages, 'requests'));
    writeFileSync(path.join(botPackages, 'requests', '__init__.py'), 'from there\n');
    const file = await treeOf(project(), { botPackages });
    expect(textIn(file, 'bots/requests/__init__.py')).toBe('from there\n');
    expect(textIn(file, 'Dockerfile')).toContain('\nCOPY bots/ /app/bots/\n');
    expect(hashOf(await treeOf(project(), { botPackages }))).toBe(hashOf(file));
  });

  it('is for the panel’s eyes alone, since it may hold the password of a package index', async () => {
    const packageIndex = { indexUrl: new Secret('https://me:hush@index.example/simple') };
    const file = await treeOf(project(), { settings: { ...settings, packageIndex } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(textIn(file, 'packages/pip.conf')).toBe('[global]\nindex-url = https://me:hush@index.example/simple\n');
    expect(textIn(file, 'Dockerfile')).not.toContain('hush');
    expect(readdirSync(path.dirname(file))).toEqual(['tree.tar']);
  });

  it('cannot be given a word that becomes an instruction or a setting of its own', () => {
    for (const image of ['', 'a\nRUN evil', 'a AS b', '--platform=x', '$X', 'a\\'])
      expect(() => renderDockerfile(image, { hasBotPackages: false }), image).toThrow('not the name of an image');
    expect(renderDockerfile('registry.lab:5000/team/otree@sha256:abc', { hasBotPackages: false })).toContain('FROM registry.lab:5000/team/otree@sha256:abc\n');
    expect(() => renderPipConf({ proxyUrl: new Secret('http://a\nindex-url = evil') })).toThrow('more than one line');
  });

  it('uses no word that Dokku’s splitter swallows', () => {
    const words = [...launcherWords('rooms', 'x'), ...launcherWords('try'), ...launcherWords('describe')];
    expect(words.filter((word) => word.startsWith('-') || /\s|["']/.test(word))).toEqual([]);
  });
});

/** As `docker build` would make it, with pip. @throws with what the build printed */
async function imageOf(tree: string, programs = '/usr/bin'): Promise<Image> {
  const at = place('image');
  const context = path.join(at, 'context');
  mkdirSync(context);
  execFileSync('tar', ['-x', '-f', tree, '-C', context, '--no-same-owner']);
  let printed = '';
  const onOutput = (text: string): void => void (printed += text);
  return await buildImage({ context, folder: at, id: 'tree', onOutput, signal, pip: { programs } }).catch((error: unknown) => {
    throw new Error(printed, { cause: error });
  });
}

/** A command in a container, running on; its output is collected. All containers of an image share its folder. */
function begin(image: Image, words: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawnIn(image, image.top, { words, env });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  return { child, output, said: () => output.stdout + output.stderr };
}

/** A command in a container, to its end. */
async function run(
  image: Image,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { child, output } = begin(image, words, env);
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}

describe('an image made from it', () => {
  let image: Image;
  const spec = {
    instanceId: 'abcdefghijkl',
    osUserId: null,
    hostName: null,
    pathPrefix: '',
    cookieName: 'otree_abc',
    databasePassword: new Secret('not used here'),
    adminPassword: new Secret('the-panels-password'),
    secretKey: new Secret('secret-of-this-instance'),
    roomSecret: new Secret('room-secret-of-this-instance'),
    restKey: new Secret('rest-key'),
    environment: { TREATMENT: new Secret('with blanks') },
    sessionFields: {},
    limits: { memoryMib: 512, diskMib: 500, processes: 100 },
  } satisfies InstanceSpec;

  beforeAll(async () => {
    const lock = execFileSync(path.join(requireEnvironment('ARBORETUM_TEST_TOOLS'), 'bin', 'uv'), ['pip', 'freeze', '--python', pythonWith('6.0.15')], {
      encoding: 'utf8',
    });
    image = await imageOf(await treeOf(project(), { lock }));
  }, 300_000);

  const variables = async (more: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> => ({
    ...launchVariables(spec),
    DATABASE_URL: (await temporaryDatabase()).replace(/^postgresql:/, 'postgres:'),
    ...more,
  });
  const room = (name: string, labels: string[] | null = null): EditedRoom => ({ name, displayName: name, labels, usesSecureUrls: false });

  /** The project's files replaced for one test. */
  function withFiles(files: Readonly<Record<string, string | null>>): void {
    const [dir, kept] = [placed('/app/project', image.top), path.join(place('kept'), 'project')];
    cpSync(dir, kept, { recursive: true });
    onTestFinished(() => {
      rmSync(dir, { recursive: true });
      cpSync(kept, dir, { recursive: true });
    });
    for (const [name, content] of Object.entries(files)) {
      rmSync(path.join(dir, name), { recursive: true, force: true });
      if (content !== null) writeFileSync(path.join(dir, name), content);
    }
  }

  async function serve(environment: Readonly<Record<string, string>>) {
    const port = String(await freePort());
    const { child, said } = begin(image, image.command, { ...environment, PORT: port });
    onTestFinished(async () => {
      await stop(child);
      rmSync(placed('/app/run/rooms.json', image.top), { force: true });
    });
    const ask = (where: string, headers: Readonly<Record<string, string>> = {}, host = '127.0.0.1') =>
      fetch(`http://${host}:${port}${where}`, { redirect: 'manual', headers: { connection: 'close', ...headers } });
    await until(
      'oTree answers',
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${said()}`);
        return (await ask('/login').catch(() => null))?.status === 200;
      },
      60_000,
    );
    const rooms = async () => ((await (await ask('/api/rooms', { 'otree-rest-key': 'rest-key' })).json()) as { name: string }[]).map(({ name }) => name);
    return { child, said, ask, rooms };
  }

  it('begins with the base image, has the packages of the lock, and keeps nothing of where they came from', async () => {
    expect(image.base).toBe(settings.baseImage);
    expect(readdirSync(image.top).toSorted()).toEqual(['home', 'launcher', 'project', 'run', 'venv']);
    const done = await run(image, [launcherWords('serve')[0] ?? '', '-c', 'import otree, psycopg2; print(otree.__version__)']);
    expect(done).toMatchObject({ code: 0, stdout: '6.0.15\n' });
    expect(existsSync(placed('/app/packages', image.top))).toBe(false);
  });

  it('can be made on a Debian that has pip but nothing to put it into an environment with', async () => {
    const programs = place('debian');
    const withoutEnsurepip = '#!/bin/sh\n[ "$1 $2" = "-m venv" ] && [ "$3" != --clear ] && mkdir -p "$3" && exit 1\nexec /usr/bin/python3 "$@"\n';
    writeFileSync(path.join(programs, 'python3'), withoutEnsurepip, { mode: 0o755 });
    const plain = await imageOf(await treeOf(project(), { lock: 'six==1.17.0' }), programs);
    expect(await run(plain, [launcherWords('serve')[0] ?? '', '-c', 'import six; print(six.__version__)'])).toMatchObject({ code: 0, stdout: '1.17.0\n' });
  });

  it('serves on PORT with the panel’s password, asks for it, and trusts its front door about https', async () => {
    const { ask, said, child } = await serve(await variables());
    const answer = await ask('/demo', { host: 'lab.example', 'x-forwarded-proto': 'https' });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toMatch(/^https:.*\/login$/);
    expect((await ask('/login')).headers.get('set-cookie')).toMatch(/^otree_abc=/);
    expect((await ask('/api/rooms')).status).not.toBe(200);
    await until('the timeout worker works', () => said().includes('timeoutworker is listening'));
    expect(await stop(child)).toBe(0);
    expect(said()).not.toContain('Traceback');
  });

  it('answers IPv6 neighbours, too, where the machine has IPv6', async () => {
    const { ask } = await serve(await variables());
    const hasIpv6 = Object.values(os.networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
    if (hasIpv6) expect((await ask('/login', {}, '[::1]')).status).toBe(200);
  });

  it('hides its own variables from the experiment, which sees the owner’s', async () => {
    withFiles({
      'settings.py': `${readFileSync(path.join(labGames, 'settings.py'), 'utf8')}\nimport os\nprint('SEEN', sorted(os.environ), os.environ['TREATMENT'])\n`,
    });
    const { said } = await serve(await variables({ ARBORETUM_ROOMS: await packRooms([]) }));
    const seen = /SEEN .*/.exec(said())?.[0] ?? '';
    expect(seen).toContain('with blanks');
    expect(seen).not.toContain('ARBORETUM');
    expect(said()).not.toContain('secret-of-this-instance');
  });

  it('knows the panel’s rooms from its start, new ones at the next request, and still those after a restart of the container', async () => {
    const environment = await variables({ ARBORETUM_ROOMS: await packRooms([room('hall')]) });
    const first = await serve(environment);
    expect(await first.rooms()).toEqual(['lab', 'online', 'hall']);
    expect(await run(image, launcherWords('rooms', await packRooms([room('attic', ['A', 'B'])])))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await first.rooms()).toEqual(['lab', 'online', 'attic']);
    await stop(first.child);
    const again = await serve(environment);
    expect(await again.rooms()).toEqual(['lab', 'online', 'attic']);
    expect((await run(image, launcherWords('rooms', 'no-rooms'))).code).toBe(64);
    expect(await again.rooms()).toEqual(['lab', 'online', 'attic']);
  });

  it('describes the project, without a database', async () => {
    const done = await run(image, launcherWords('describe'), launchVariables(spec));
    expect(marked(done.stdout, 'ARBORETUM-DESCRIBE')).toMatchObject({ otreeVersion: '6.0.15', hardCodedPassword: false });
  });

  it('tries a project on another database than the live one, and leaves nothing running', async () => {
    const [live, scratch] = [await temporaryDatabase(), await temporaryDatabase()];
    const done = await run(image, launcherWords('try'), { ...launchVariables(spec), DATABASE_URL: live, ARBORETUM_DATABASE_URL: scratch });
    expect(done.code, done.stderr).toBe(0);
    expect(marked(done.stdout, 'ARBORETUM-CHECK')).toEqual({ missingTemplates: [] });
    const tables = async (url: string) => (await query(url, "select 1 from pg_tables where tablename = 'survey_player'")).length;
    expect([await tables(live), await tables(scratch)]).toEqual([0, 1]);
    expect(execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' })).not.toContain(placed('/app/launcher', image.top));
  });

  const bots = (...wish: readonly unknown[]) => launcherWords('bots', Buffer.from(JSON.stringify(wish)).toString('base64'));

  it('plays bots without any database, and prints what they did as its last words', async () => {
    const seen = "import os\nprint('SEEN', os.environ.get('DATABASE_URL'))\n";
    withFiles({ 'settings.py': readFileSync(path.join(labGames, 'settings.py'), 'utf8') + seen });
    const done = await run(image, bots('survey', '', true, 60), await variables({ ARBORETUM_DATABASE_URL: 'none' }));
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout + done.stderr).toContain('SEEN None');
    const lines = done.stdout.trimEnd().split('\n');
    const first = lines.findIndex((line) => line.startsWith('ARBORETUM-BOTS-DATA '));
    expect(lines.slice(first).every((line) => line.startsWith('ARBORETUM-BOTS-DATA '))).toBe(true);
    const packed = Buffer.from(
      lines
        .slice(first)
        .map((line) => line.split(' ')[1])
        .join(''),
      'base64',
    );
    expect(execFileSync('tar', ['-tz'], { input: packed, encoding: 'utf8' })).toMatch(/survey.*\.csv/);
    expect((await run(image, bots('survey', '2', false, 60), await variables())).stdout).not.toContain('ARBORETUM-BOTS-DATA');
  });

  it('ends bots at their limit by itself, and refuses a word that it cannot read', async () => {
    withFiles({ 'survey/tests.py': 'from . import *\n\n\nclass PlayerBot(Bot):\n    def play_round(self):\n        import time\n        time.sleep(300)\n' });
    expect((await run(image, bots('survey', '', true, 8), await variables())).code).toBe(75);
    expect((await run(image, launcherWords('bots', 'no-words'), await variables())).code).toBe(64);
  });

  it('names a page without a template when it tries', async () => {
    withFiles({ 'survey/Thanks.html': null });
    const done = await run(image, launcherWords('try'), await variables());
    expect(done.code).toBe(0);
    expect(marked(done.stdout, 'ARBORETUM-CHECK')).toMatchObject({ missingTemplates: [{ app: 'survey', page: 'Thanks' }] });
  });

  it('says what is wrong with a broken project at once, as its last words', async () => {
    withFiles({ 'survey/__init__.py': 'import numpyro\n' });
    const before = Date.now();
    const done = await run(image, launcherWords('try'), await variables());
    expect(done.code).toBe(65);
    expect(Date.now() - before).toBeLessThan(30_000);
    expect(marked(done.stderr, 'ARBORETUM-PROBLEM')).toMatchObject({ code: 'module_missing', module: 'numpyro' });
  });

  it('ends what it tries when it is told to end', async () => {
    withFiles({ 'survey/__init__.py': "import time\nprint('IMPORTED', flush=True)\ntime.sleep(120)\n" });
    const { child, said } = begin(image, launcherWords('try'), await variables());
    await until('the project is imported', () => said().includes('IMPORTED'), 60_000);
    expect(await stop(child)).toBe(143);
    expect(execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' })).not.toContain(placed('/app/launcher', image.top));
  });

  it('says when it is the database', async () => {
    const away = (await temporaryDatabase()).replace(/\/launcher_\w+/, '/nowhere_at_all');
    const done = await run(image, launcherWords('try'), await variables({ ARBORETUM_DATABASE_URL: away }));
    expect(done.code).toBe(69);
    expect(marked(done.stderr, 'ARBORETUM-PROBLEM')).toMatchObject({ code: 'database' });
  });

  it('empties the database', async () => {
    const environment = await variables();
    expect(await run(image, launcherWords('resetdb'), environment)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Created new tables') as unknown,
    });
  });

  it('refuses to start without its configuration, its password or its port, in one sentence', async () => {
    const environment = await variables();
    expect(await run(image, image.command, { PORT: '5000' })).toMatchObject({ code: 78, stderr: 'ARBORETUM_LAUNCH cannot be read.\n' });
    expect(await run(image, image.command, environment)).toMatchObject({ code: 78, stderr: 'PORT is not set to the number of a port.\n' });
    const noPassword = { ...environment, ARBORETUM_LAUNCH: packLaunch({ secretKey: 's' }), PORT: '5000' };
    expect(await run(image, image.command, noPassword)).toMatchObject({ code: 78, stderr: 'env.json lacks adminPassword, roomSecret, cookieName.\n' });
    expect(await run(image, [...launcherWords('serve').slice(0, 3), 'timeouts'])).toMatchObject({ code: 64 });
  });
});
