// The replay host itself: it splits lines, loses config, builds, deploys and breaks as the recorded Dokku did.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  appsCreate,
  appsExists,
  appsLocked,
  buildsCancel,
  buildsList,
  configExport,
  configImport,
  enter,
  gitFromArchive,
  logs,
  postgresConnect,
  postgresCreate,
  postgresExport,
  postgresImport,
  postgresLink,
  psInspect,
  psReport,
  psScale,
  psStart,
  psStop,
  run,
} from '../../platforms/dokku-commands.ts';
import { launcherWords } from '../../platforms/dokku/dockerfile.ts';
import { launchVariables, packRooms } from '../../platforms/dokku/launch.ts';
import { makeTree } from '../../platforms/dokku/tree.ts';
import { readBuilds, readConfig, readLogLines, readPsInspect, readPsReport } from '../../platforms/dokku-reports.ts';
import { LAB_GAMES, makeSpec } from '../contract/instances.ts';
import { requireEnvironment, until } from '../contract/local-stand.ts';
import { readAll } from './replay-call.ts';
import { recorded } from './replay-recordings.ts';
import { ReplayHost } from './replay-host.ts';
import { takeApart } from './replay-words.ts';

const keys = ssh2.utils.generateKeyPairSync('ed25519');
let host: ReplayHost;
let client: Client;

/** Answers every GET with the variable GREETING. */
const SERVER = `import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ.get('GREETING', 'nothing').encode())
    def log_message(self, *args):
        pass
print('listening', flush=True)
http.server.HTTPServer(('0.0.0.0', int(os.environ['PORT'])), Handler).serve_forever()
`;

/** Answers the check with 200, and after an upgrade says again what it hears. */
const ECHO = `import os, socketserver
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        asked = self.request.recv(4096)
        if b'/login' in asked:
            self.request.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n')
            return
        self.request.sendall(b'HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
        self.request.sendall(self.request.recv(4096))
socketserver.TCPServer(('0.0.0.0', int(os.environ['PORT'])), Handler).serve_forever()
`;

const DOCKERFILE = `FROM python:3.11-slim-bookworm
WORKDIR /app
COPY . /app
USER 10001:10001
CMD ["python3", "/app/server.py"]
`;

const APP_JSON = JSON.stringify({ healthchecks: { web: [{ type: 'startup', name: 'answers', path: '/login', attempts: 4, wait: 1, timeout: 2 }] } });

beforeAll(async () => {
  host = await ReplayHost.start({ publicKey: keys.public, databaseUrl: requireEnvironment('ARBORETUM_TEST_DATABASE_URL') });
  client = await connect();
});

afterEach(() => {
  if (host.unrecorded().length > 0) throw new Error(host.unrecorded().join('\n'));
});

afterAll(async () => {
  client.end();
  await host.close();
});

async function connect(privateKey = keys.private, port = host.port): Promise<Client> {
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ host: '127.0.0.1', port, username: 'dokku', privateKey });
  });
  client.on('error', () => {});
  return client;
}

type Answer = { exitCode: number | null; stdout: string; stderr: string; bytes: Buffer };

async function ask(line: string, input: Buffer | string = '', through = client): Promise<Answer> {
  const channel = await promisify<string, ClientChannel>((command, done) => through.exec(command, done))(line);
  let exitCode: number | null = null;
  channel.on('exit', (code: number | null) => (exitCode = code));
  const closed = once(channel, 'close');
  channel.end(input);
  const [bytes, stderr] = await Promise.all([readAll(channel), readAll(channel.stderr)]);
  await closed;
  return { exitCode, bytes, stdout: bytes.toString('utf8'), stderr: stderr.toString('utf8') };
}

/** A tar of a tree with a Python server in it. */
async function tree(files: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tree-'));
  for (const [name, content] of Object.entries({ Dockerfile: DOCKERFILE, 'app.json': APP_JSON, 'server.py': SERVER, ...files }))
    await writeFile(path.join(folder, name), content);
  const tar = await readAll(spawn('tar', ['-c', '-C', folder, '--mtime=@0', '.'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout);
  await rm(folder, { recursive: true });
  return tar;
}

let count = 0;
/** An app that exists, of a name that no other test uses. */
async function makeApp(web: 0 | 1 = 1): Promise<string> {
  const name = `i-t${process.pid}${(count += 1)}`;
  expect(await ask(appsCreate(name).line)).toMatchObject({ exitCode: 0, stdout: recorded('apps-create-archive').stdout.replaceAll('lab-archive', name) });
  expect((await ask(psScale(name, { web }).line)).exitCode).toBe(0);
  return name;
}

const login = async (app: string): Promise<{ status: number; body: string }> => {
  return await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: host.httpPort, path: '/login', headers: { host: `${app}.lab.test` } }, (response) => {
      void readAll(response).then((body) => resolve({ status: response.statusCode ?? 0, body: body.toString() }), reject);
    })
      .on('error', reject)
      .end();
  });
};

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
    const app = await makeApp();
    expect(await ask(`run ${app} echo "use --app other now"`)).toMatchObject({ exitCode: 20, stderr: recorded('run-word-app').stderr });
  });

  it('that nobody recorded are an error of the test', async () => {
    const other = await ReplayHost.start({ publicKey: keys.public, databaseUrl: requireEnvironment('ARBORETUM_TEST_DATABASE_URL') });
    const through = await connect(keys.private, other.port);
    expect(await ask('storage:list i-x', '', through)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('storage:list i-x') });
    expect(other.unrecorded()).toHaveLength(1);
    through.end();
    await other.close();
  });

  it('of a key that is not registered are not taken', async () => {
    await expect(connect(ssh2.utils.generateKeyPairSync('ed25519').private)).rejects.toThrow('authentication');
  });
});

it('two config writes at once on one app lose what was there', async () => {
  const app = await makeApp();
  const write = async (values: Record<string, string>) => await ask(configImport(app, { replace: false }).line, JSON.stringify(values));
  await write({ B0: 'a b', B1: 'line1\nline2' });
  expect(readConfig((await ask(configExport(app).line)).stdout)).toEqual({ B0: 'a b', B1: 'line1\nline2' });
  const done = await Promise.all([write({ ONE: '1' }), write({ TWO: '2' })]);
  expect(done.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  expect(Object.keys(readConfig((await ask(configExport(app).line)).stdout))).not.toContain('B0');
});

it('a service is a real database: psql’s exit code, a binary dump, a restore of it', async () => {
  const app = await makeApp();
  const service = `i-s${process.pid}`;
  expect((await ask(postgresCreate(service).line)).stdout).toContain(`Postgres container created: ${service}`);
  expect((await ask(postgresLink(service, app).line)).exitCode).toBe(0);
  const sql = async (text: string) => await ask(postgresConnect(service).line, text);
  expect(await sql('create table t(a int); insert into t values (1),(2); select count(*) from t;\n')).toMatchObject({
    exitCode: 0,
    stdout: recorded('postgres-connect-stdin').stdout,
  });
  expect(await sql('select nosuch;\n')).toMatchObject({ exitCode: 3, stderr: recorded('postgres-connect-error').stderr });
  const dump = await ask(postgresExport(service).line);
  expect(dump.bytes.subarray(0, 5).toString()).toBe('PGDMP');
  await sql('drop table t;\n');
  expect(await ask(postgresImport(service).line, dump.bytes)).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await sql('\\pset tuples_only on\n\\pset format unaligned\nselect sum(a) from t;\n')).stdout).toMatch(/^3$/m);
  expect(await ask(postgresImport(service).line, 'not a dump')).toMatchObject({ exitCode: 1, stderr: recorded('postgres-import-garbage').stderr });
});

it('an archive is built, started, checked, answered for, stopped and started again', async () => {
  const app = await makeApp();
  await ask(configImport(app, { replace: false }).line, JSON.stringify({ GREETING: 'hello' }));
  expect(await ask(psInspect(app).line)).toMatchObject({ exitCode: 1, stderr: recorded('ps-inspect-undeployed').stderr });
  const built = await ask(gitFromArchive(app).line, await tree());
  expect(built.stdout).toMatch(/Application deployed:\n {7}http/);
  expect(built).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await login(app)).toEqual({ status: 200, body: 'hello' });
  expect(readPsReport((await ask(psReport(app).line)).stdout)).toMatchObject({ isDeployed: true });
  expect((await ask(gitFromArchive(app).line, await tree())).exitCode).toBe(1);
  expect(await ask(run(app, ['sh', '-c', 'echo out; echo err >&2; exit 3']).line)).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  expect(readLogLines((await ask(logs(app, { lines: 5 }).line)).stdout)).toMatchObject([{ process: 'web.1', text: 'listening' }]);
  expect((await ask(psStop(app).line)).stdout).toBe(recorded('ps-stop').stdout.replace('lab-trust-game', app));
  expect((await login(app)).status).toBe(502);
  expect(readPsInspect((await ask(psInspect(app).line)).stdout)).toMatchObject([{ isRunning: false }]);
  expect((await ask(psStart(app).line)).exitCode).toBe(0);
  expect((await login(app)).status).toBe(200);
});

it('what does not answer does not take over, and may be sent again', async () => {
  const app = await makeApp();
  await ask(gitFromArchive(app).line, await tree());
  const broken = await tree({ 'server.py': 'raise SystemExit(7)\n' });
  const refused = await ask(gitFromArchive(app).line, broken);
  expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining(' !     Could not start due to 1 failed checks (web.1)\n') });
  expect((await login(app)).status).toBe(200);
  expect((await ask(gitFromArchive(app).line, broken)).stdout).not.toContain('No changes detected');
  const unbuildable = await ask(gitFromArchive(app).line, await tree({ Dockerfile: `${DOCKERFILE}RUN exit 3\n` }));
  expect(unbuildable).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/returned a non-zero code: 3\n.*Retagging.*\n !     App build failed\n$/) });
});

it('a process that dies is started again, and counted', async () => {
  const app = await makeApp();
  await ask(gitFromArchive(app).line, await tree());
  host.state.app(app).container?.crash();
  await until('it was restarted', async () => readPsInspect((await ask(psInspect(app).line)).stdout)[0]?.restarts === 1);
  await until('it answers', async () => (await login(app)).status === 200);
});

it('the panel’s own tree is built from its lock, described, deployed with a real oTree, and takes rooms while it runs', async () => {
  const app = await makeApp();
  const spec = makeSpec();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tree-'));
  const [tools, venv] = [requireEnvironment('ARBORETUM_TEST_TOOLS'), process.env['ARBORETUM_TEST_VENV'] ?? ''];
  const lock = (await promisify(execFile)(path.join(tools, 'bin', 'uv'), ['pip', 'freeze', '--python', path.join(venv, 'bin', 'python')])).stdout;
  const file = path.join(folder, 'tree.tar');
  await makeTree({ projectDir: LAB_GAMES, lock, settings: { baseImage: 'python:3.11-slim-bookworm' }, file, signal: new AbortController().signal });
  const service = `i-${spec.instanceId}`;
  await ask(postgresCreate(service).line);
  await ask(postgresLink(service, app).line);
  await ask(configImport(app, { replace: false }).line, JSON.stringify(launchVariables(spec)));
  const built = await ask(gitFromArchive(app).line, await readFile(file));
  expect(built).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Healthcheck succeeded name='oTree answers'") });
  expect((await login(app)).status).toBe(200);
  expect(await ask(run(app, launcherWords('describe')).line)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('6.0.15') });
  const rooms = await packRooms([{ name: 'hall', displayName: 'Hall', labels: null, usesSecureUrls: false }]);
  expect(await ask(enter(app, 'web', launcherWords('rooms', rooms)).line)).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await ask(psStop(app).line)).exitCode).toBe(0);
  expect(await ask(run(app, launcherWords('resetdb')).line)).toMatchObject({ exitCode: 0 });
  await rm(folder, { recursive: true });
}, 180_000);

it('a second archive while one is built meets the lock, and a cancelled build leaves its commit', async () => {
  const app = await makeApp();
  const slow = await tree({ Dockerfile: `${DOCKERFILE}RUN sleep 60\n` });
  const first = ask(gitFromArchive(app).line, slow);
  await until('it is locked', async () => (await ask(appsLocked(app).line)).exitCode === 0);
  expect(readBuilds((await ask(buildsList(app).line)).stdout)).toMatchObject([{ status: 'running' }]);
  expect(await ask(gitFromArchive(app).line, await tree())).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining(`${app} currently has a deploy lock in place`),
  });
  expect((await ask(buildsCancel(app).line)).stdout).toBe(recorded('builds-cancel').stdout);
  expect((await first).exitCode).not.toBe(0);
  expect((await ask(appsLocked(app).line)).exitCode).toBe(1);
  expect(readBuilds((await ask(buildsList(app).line)).stdout)).toMatchObject([{ status: 'failed' }]);
  expect((await ask(gitFromArchive(app).line, await tree())).stdout).toContain('No changes detected');
});

it('a websocket goes through the played nginx', async () => {
  const app = await makeApp();
  await ask(gitFromArchive(app).line, await tree({ 'server.py': ECHO }));
  const socket = net.connect(host.httpPort, '127.0.0.1');
  socket.write(`GET /live HTTP/1.1\r\nHost: ${app}.lab.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  await until('the protocol was switched', () => heard.includes('101 Switching'));
  socket.write('hello');
  await until('it echoes', () => heard.endsWith('hello'));
  socket.destroy();
});

describe('a connection', () => {
  it('has at most ten commands at a time, and each may be slow', async () => {
    host.setLatency(300);
    const asked = await Promise.allSettled(Array.from({ length: 11 }, async () => await ask(appsExists('i-nobody').line)));
    host.setLatency(0);
    expect(asked.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: 10 }, () => 'fulfilled'), 'rejected']);
  });

  it.each([
    ['before', false],
    ['after', true],
  ] as const)('that breaks %s a command leaves it undone or done', async (moment, isDone) => {
    const name = `i-cut${process.pid}${moment}`;
    host.cutAt((line) => line === appsCreate(name).line, moment);
    expect((await ask(appsCreate(name).line)).exitCode).toBeNull();
    client = await connect();
    expect((await ask(appsExists(name).line)).exitCode).toBe(isDone ? 0 : 20);
  });

  it('that is cut does not end a build', async () => {
    const app = await makeApp(0);
    host.cutAt((line) => line.startsWith('git:from-archive'), 'during');
    expect((await ask(gitFromArchive(app).line, await tree())).exitCode).toBeNull();
    client = await connect();
    await until('it was built', () => host.state.app(app).builds.at(-1)?.exitCode === 0);
    expect((await ask(run(app, ['cat', '/app/Dockerfile']).line)).stdout).toBe(DOCKERFILE);
  });

  it('is not possible while the host is away, and shows another key after that changed', async () => {
    await host.stop();
    await expect(connect()).rejects.toThrow('ECONNREFUSED');
    const before = host.fingerprint();
    host.changeHostKey();
    await host.revive();
    client = await connect();
    expect(host.fingerprint()).not.toBe(before);
    expect((await ask(appsExists('i-nobody').line)).exitCode).toBe(20);
    expect(host.commands().at(-1)).toMatchObject({ line: 'apps:exists i-nobody', exitCode: 20 });
  });
});
