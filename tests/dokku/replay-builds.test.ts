// Builds and deploys on the replay host: from a tar on stdin to a real process behind the played nginx, and back.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  appsLocked,
  buildsCancel,
  buildsList,
  configImport,
  enter,
  gitFromArchive,
  logs,
  postgresCreate,
  postgresLink,
  psInspect,
  psReport,
  psStart,
  psStop,
  run,
} from '../../platforms/dokku-commands.ts';
import { launcherWords } from '../../platforms/dokku/dockerfile.ts';
import { launchVariables, packRooms } from '../../platforms/dokku/launch.ts';
import { makeTree } from '../../platforms/dokku/tree.ts';
import { readBuilds, readLogLines, readPsInspect, readPsReport } from '../../platforms/dokku-reports.ts';
import { LAB_GAMES, makeSpec } from '../contract/instances.ts';
import { requireEnvironment, until } from '../contract/local-stand.ts';
import { recorded } from './replay-recordings.ts';
import { DOCKERFILE, ECHO, ReplayStand, tree } from './replay-stand.ts';

let stand: ReplayStand;

beforeAll(async () => {
  stand = await ReplayStand.start();
});

afterEach(() => stand.expectAllRecorded());

afterAll(async () => await stand.close());

it('an archive is built, started, checked, answered for, stopped and started again', async () => {
  const app = await stand.makeApp();
  await stand.ask(configImport(app, { replace: false }), JSON.stringify({ GREETING: 'hello' }));
  expect(await stand.ask(psInspect(app))).toMatchObject({ exitCode: 1, stderr: recorded('ps-inspect-undeployed').stderr });
  const built = await stand.ask(gitFromArchive(app), await tree());
  expect(built.stdout).toMatch(/Application deployed:\n {7}http/);
  expect(built).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await stand.login(app)).toEqual({ status: 200, body: 'hello' });
  expect(readPsReport((await stand.ask(psReport(app))).stdout)).toMatchObject({ isDeployed: true });
  expect((await stand.ask(gitFromArchive(app), await tree())).exitCode).toBe(1);
  expect(await stand.ask(run(app, ['sh', '-c', 'echo out; echo err >&2; exit 3']))).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  expect(readLogLines((await stand.ask(logs(app, { lines: 5 }))).stdout)).toMatchObject([{ process: 'web.1', text: 'listening' }]);
  expect((await stand.ask(psStop(app))).stdout).toBe(recorded('ps-stop').stdout.replace('lab-trust-game', app));
  expect((await stand.login(app)).status).toBe(502);
  expect(readPsInspect((await stand.ask(psInspect(app))).stdout)).toMatchObject([{ isRunning: false }]);
  expect((await stand.ask(psStart(app))).exitCode).toBe(0);
  expect((await stand.login(app)).status).toBe(200);
});

it('what does not answer does not take over, and may be sent again', async () => {
  const app = await stand.makeApp();
  await stand.ask(gitFromArchive(app), await tree());
  const broken = await tree({ 'server.py': 'raise SystemExit(7)\n' });
  const refused = await stand.ask(gitFromArchive(app), broken);
  expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(' !     Could not start due to 1 failed checks (web.1)\n') });
  expect((await stand.login(app)).status).toBe(200);
  expect((await stand.ask(gitFromArchive(app), broken)).stdout).not.toContain('No changes detected');
  const unbuildable = await stand.ask(gitFromArchive(app), await tree({ Dockerfile: `${DOCKERFILE}RUN exit 3\n` }));
  expect(unbuildable).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/returned a non-zero code: 3\n.*Retagging.*\n !     App build failed\n$/) });
});

it('a process that dies is started again, and counted', async () => {
  const app = await stand.makeApp();
  await stand.ask(gitFromArchive(app), await tree());
  stand.host.state.app(app).container?.crash();
  await until('it was restarted', async () => readPsInspect((await stand.ask(psInspect(app))).stdout)[0]?.restarts === 1);
  await until('it answers', async () => (await stand.login(app)).status === 200);
});

it('the panel’s own tree is built from its lock, described, deployed with a real oTree, and takes rooms while it runs', async () => {
  const app = await stand.makeApp();
  const spec = makeSpec();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tree-'));
  const [tools, venv] = [requireEnvironment('ARBORETUM_TEST_TOOLS'), process.env['ARBORETUM_TEST_VENV'] ?? ''];
  const lock = (await promisify(execFile)(path.join(tools, 'bin', 'uv'), ['pip', 'freeze', '--python', path.join(venv, 'bin', 'python')])).stdout;
  const file = path.join(folder, 'tree.tar');
  await makeTree({
    projectDir: LAB_GAMES,
    lock,
    botPackages: null,
    settings: { baseImage: 'python:3.11-slim-bookworm' },
    file,
    signal: new AbortController().signal,
  });
  const service = `i-${spec.instanceId}`;
  await stand.ask(postgresCreate(service));
  await stand.ask(postgresLink(service, app));
  await stand.ask(configImport(app, { replace: false }), JSON.stringify(launchVariables(spec)));
  const built = await stand.ask(gitFromArchive(app), await readFile(file));
  expect(built).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Healthcheck succeeded name='oTree answers'") });
  expect((await stand.login(app)).status).toBe(200);
  expect(await stand.ask(run(app, launcherWords('describe')))).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('6.0.15') });
  const rooms = await packRooms([{ name: 'hall', displayName: 'Hall', labels: null, usesSecureUrls: false }]);
  expect(await stand.ask(enter(app, 'web', launcherWords('rooms', rooms)))).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await stand.ask(psStop(app))).exitCode).toBe(0);
  expect(await stand.ask(run(app, launcherWords('resetdb')))).toMatchObject({ exitCode: 0 });
  await rm(folder, { recursive: true });
}, 180_000);

it('a second archive while one is built meets the lock, and a cancelled build leaves its commit', async () => {
  const app = await stand.makeApp();
  const slow = await tree({ Dockerfile: `${DOCKERFILE}RUN sleep 60\n` });
  const first = stand.ask(gitFromArchive(app), slow);
  await until('it is locked', async () => (await stand.ask(appsLocked(app))).exitCode === 0);
  expect(readBuilds((await stand.ask(buildsList(app))).stdout)).toMatchObject([{ status: 'running' }]);
  expect(await stand.ask(gitFromArchive(app), await tree())).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining(`${app} currently has a deploy lock in place`),
  });
  expect((await stand.ask(buildsCancel(app))).stdout).toBe(recorded('builds-cancel').stdout);
  expect((await first).exitCode).not.toBe(0);
  expect((await stand.ask(appsLocked(app))).exitCode).toBe(1);
  expect(readBuilds((await stand.ask(buildsList(app))).stdout)).toMatchObject([{ status: 'failed' }]);
  expect((await stand.ask(gitFromArchive(app), await tree())).stdout).toContain('No changes detected');
});

it('a websocket goes through the played nginx', async () => {
  const app = await stand.makeApp();
  await stand.ask(gitFromArchive(app), await tree({ 'server.py': ECHO }));
  const socket = net.connect(stand.host.httpPort, '127.0.0.1');
  socket.write(`GET /live HTTP/1.1\r\nHost: ${app}.lab.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  await until('the protocol was switched', () => heard.includes('101 Switching'));
  socket.write('hello');
  await until('it echoes', () => heard.endsWith('hello'));
  socket.destroy();
});
