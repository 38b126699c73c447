// The replay host itself: it splits lines, loses config, keeps databases and breaks connections as the recorded Dokku did.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  appsCreate,
  appsDestroy,
  appsExists,
  configExport,
  configImport,
  gitFromArchive,
  postgresConnect,
  postgresCreate,
  postgresExport,
  postgresImport,
  postgresLink,
  run,
} from '../../platforms/dokku-commands.ts';
import { readConfig } from '../../platforms/dokku-reports.ts';
import { until } from '../contract/local-stand.ts';
import { newSshKey } from '../../platforms/ssh-key.ts';
import { recorded } from './replay-recordings.ts';
import { DOCKERFILE, ReplayStand, tree } from './replay-stand.ts';
import { takeApart } from './replay-words.ts';

let stand: ReplayStand;

beforeAll(async () => {
  stand = await ReplayStand.start();
});

afterEach(() => stand.expectAllRecorded());

afterAll(async () => await stand.close());

describe('lines', () => {
  it('are split as recorded: quotes group, git commands keep them, some words get lost', () => {
    expect(takeApart('config:set --no-restart lab "QQ=it is "\'"\'"quoted"\'"\'" and it\'s so"').words).toEqual([
      '--no-restart',
      'lab',
      'QQ=it is "quoted" and it\'s so',
    ]);
    expect(takeApart('config:set lab "BS=a\\b\\\\n c"').words).toEqual(['lab', 'BS=a\\b\\\\n c']);
    expect(takeApart("git:set lab deploy-branch 'main'").words).toEqual(['lab', 'deploy-branch', "'main'"]);
    expect(takeApart('logs lab -n 1').words).toEqual(['lab', '1']);
    expect(takeApart('run lab python3 -E -c x').words).toEqual(['lab', 'python3', '', '-c', 'x']);
    expect(takeApart("config:set --no-restart lab UQ=it's")).toMatchObject({
      words: ['--no-restart', 'lab'],
      complaint: expect.stringMatching(/^xargs: unmatched single quote/),
    });
    expect(takeApart('config:set lab "WA=use --app other now"').namedApp).toBe('other');
  });

  it('that name another app inside a value end as recorded', async () => {
    const app = await stand.makeApp();
    expect(await stand.ask(`run ${app} echo "use --app other now"`)).toMatchObject({ exitCode: 20, stderr: recorded('run-word-app').stderr });
  });

  it('that nobody recorded are an error of the test', async () => {
    const other = await ReplayStand.start();
    expect(await other.ask('storage:list i-x')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('storage:list i-x') });
    expect(() => other.expectAllRecorded()).toThrow('storage:list i-x');
    await other.close();
  });

  it('of a key that is not registered are not taken', async () => {
    await expect(stand.connect(newSshKey().private)).rejects.toThrow('authentication');
  });
});

it.each([
  ['apps-create-archive', 'apps-create-again', 'apps-exists', 'apps-locked-no', 'domains-report-json', 'ports-report-json', 'config-export-json-empty'],
  ['apps-create-archive', 'git-set-deploy-branch', 'checks-set-wait', 'nginx-set', 'domains-set', 'resource-limit-set', 'resource-limit-deployed'],
  ['apps-create-archive', 'ps-scale-set-undeployed', 'ps-report-json', 'ps-stop-undeployed', 'ps-start-undeployed', 'run-undeployed', 'logs-undeployed'],
  ['apps-create-archive', 'config-import-stdin-json', 'config-import-bad', 'ps-inspect-undeployed', 'git-from-archive-garbage', 'builds-cancel-none'],
  ['apps-create-archive', 'config-import-replace-json', 'config-export-json-after-replace', 'apps-destroy-deployed', 'apps-exists-missing'],
  [
    'apps-exists-missing',
    'run-missing-app',
    'logs-missing-app',
    'git-from-archive-missing-app',
    'apps-destroy-force-missing',
    'postgres-exists-missing',
    'apps-create-bad-0',
    'apps-create-bad-10',
    'version',
    'plugin-list-json',
  ],
  ['postgres-create-bad', 'postgres-destroy-missing', 'postgres-link-missing-service', 'postgres-export-missing', 'domains-report-global-json'],
])('lines are answered with what was recorded of them: %s, %s, …', async (...names) => {
  const app = await stand.makeApp();
  await stand.ask(appsDestroy(app));
  for (const { line, stdin, ...answer } of names.map(recorded)) {
    const named = (text: string): string => text.replaceAll(/lab-(?:trust-game|archive|auto|commons)/g, app);
    const given = await stand.ask(named(line), stdin);
    expect([line, given.exitCode, given.stdout, given.stderr]).toEqual([line, answer.exitCode, named(answer.stdout), named(answer.stderr)]);
  }
});

it('two config writes at once on one app lose what was there', async () => {
  const app = await stand.makeApp();
  const write = async (values: Record<string, string>) => await stand.ask(configImport(app, { replace: false }), JSON.stringify(values));
  await write({ B0: 'a b', B1: 'line1\nline2' });
  expect(readConfig((await stand.ask(configExport(app))).stdout)).toEqual({ B0: 'a b', B1: 'line1\nline2' });
  const done = await Promise.all([write({ ONE: '1' }), write({ TWO: '2' })]);
  expect(done.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  expect(Object.keys(readConfig((await stand.ask(configExport(app))).stdout))).not.toContain('B0');
});

it('a service is a real database: psql’s exit code, a binary dump, a restore of it', async () => {
  const app = await stand.makeApp();
  const service = `i-s${process.pid}`;
  expect((await stand.ask(postgresCreate(service))).stdout).toContain(`Postgres container created: ${service}`);
  expect((await stand.ask(postgresLink(service, app))).exitCode).toBe(0);
  const sql = async (text: string) => await stand.ask(postgresConnect(service), text);
  expect(await sql('create table t(a int); insert into t values (1),(2); select count(*) from t;\n')).toMatchObject({
    exitCode: 0,
    stdout: recorded('postgres-connect-stdin').stdout,
  });
  expect(await sql('select nosuch;\n')).toMatchObject({ exitCode: 3, stderr: recorded('postgres-connect-error').stderr });
  const dump = await stand.ask(postgresExport(service));
  expect(dump.bytes.subarray(0, 5).toString()).toBe('PGDMP');
  await sql('drop table t;\n');
  expect(await stand.ask(postgresImport(service), dump.bytes)).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await sql('\\pset tuples_only on\n\\pset format unaligned\nselect sum(a) from t;\n')).stdout).toMatch(/^3$/m);
  expect(await stand.ask(postgresImport(service), 'not a dump')).toMatchObject({ exitCode: 1, stderr: recorded('postgres-import-garbage').stderr });
});

describe('a connection', () => {
  it('has at most ten commands at a time, and each may be slow', async () => {
    stand.host.setLatency(3_000);
    const asked = await Promise.allSettled(Array.from({ length: 11 }, async () => await stand.ask(appsExists('i-nobody'))));
    stand.host.setLatency(0);
    expect(asked.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: 10 }, () => 'fulfilled'), 'rejected']);
  });

  it.each([
    ['before', false],
    ['after', true],
  ] as const)('that breaks %s a command leaves it undone or done', async (moment, isDone) => {
    const name = `i-cut${process.pid}${moment}`;
    stand.host.cutAt((line) => line === appsCreate(name).line, moment);
    expect((await stand.ask(appsCreate(name))).exitCode).toBeNull();
    await stand.connect();
    expect((await stand.ask(appsExists(name))).exitCode).toBe(isDone ? 0 : 20);
  });

  it('that is cut does not end a build', async () => {
    const app = await stand.makeApp(0);
    stand.host.cutAt((line) => line.startsWith('git:from-archive'), 'during');
    expect((await stand.ask(gitFromArchive(app), await tree())).exitCode).toBeNull();
    await stand.connect();
    await until('it was built', () => stand.host.state.app(app).builds.at(-1)?.exitCode === 0);
    expect((await stand.ask(run(app, ['cat', '/app/Dockerfile']))).stdout).toBe(DOCKERFILE);
  });

  it('that breaks while words run does not hold them up', async () => {
    const app = await stand.makeApp(0);
    await stand.ask(gitFromArchive(app), await tree());
    const command = run(app, ['sh', '-c', 'seq 1 200000']);
    stand.host.cutAt((line) => line === command.line, 'during');
    expect((await stand.ask(command)).exitCode).toBeNull();
    await stand.connect();
    await until('they ended', () => stand.host.commands().findLast(({ line }) => line === command.line)?.exitCode === 0);
  });

  it('is not possible while the host is away, and shows another key after that changed', async () => {
    await stand.host.stop();
    await expect(stand.connect()).rejects.toThrow('ECONNREFUSED');
    const before = stand.host.fingerprint();
    stand.host.changeHostKey();
    await stand.host.revive();
    await stand.connect();
    expect(stand.host.fingerprint()).not.toBe(before);
    expect((await stand.ask(appsExists('i-nobody'))).exitCode).toBe(20);
    expect(stand.host.commands().at(-1)).toMatchObject({ line: 'apps:exists i-nobody', exitCode: 20 });
  });
});
