// Ground for tests of the replay host: a host, a plain ssh client, apps of fresh names, and trees with a small Python server.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import ssh2, { type Client, type ClientChannel } from 'ssh2';
import { appsCreate, type DokkuCommand, psScale } from '../../platforms/dokku-commands.ts';
import { requireEnvironment } from '../contract/local-stand.ts';
import { newSshKey } from '../../platforms/ssh-key.ts';
import { readAll } from './replay-call.ts';
import { ReplayHost } from './replay-host.ts';

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
export const ECHO = `import os, socketserver
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        asked = self.request.recv(4096)
        if b'/login' in asked:
            self.request.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n')
            return
        self.request.sendall(b'HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n')
        self.request.sendall(self.request.recv(4096))
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(('0.0.0.0', int(os.environ['PORT'])), Handler).serve_forever()
`;

export const DOCKERFILE = `FROM python:3.11-slim-bookworm
WORKDIR /app
COPY . /app
USER 10001:10001
CMD ["python3", "/app/server.py"]
`;

const APP_JSON = JSON.stringify({ healthchecks: { web: [{ type: 'startup', name: 'answers', path: '/login', attempts: 4, wait: 1, timeout: 2 }] } });

export type Answer = { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string; readonly bytes: Buffer };

/** A host with one client on it. */
export class ReplayStand {
  readonly host: ReplayHost;
  readonly #keys: { private: string; public: string };
  #client: Client | null = null;
  #apps = 0;

  private constructor(host: ReplayHost, keys: { private: string; public: string }) {
    [this.host, this.#keys] = [host, keys];
  }

  static async start(): Promise<ReplayStand> {
    const keys = newSshKey();
    const host = await ReplayHost.start({ publicKey: keys.public, databaseUrl: requireEnvironment('ARBORETUM_TEST_DATABASE_URL') });
    const stand = new ReplayStand(host, keys);
    await stand.connect();
    return stand;
  }

  /** Connects (anew), with the registered key when no other one is given. */
  async connect(privateKey = this.#keys.private): Promise<void> {
    const client = new ssh2.Client();
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
      client.connect({ host: '127.0.0.1', port: this.host.port, username: 'dokku', privateKey });
    });
    client.on('error', () => {});
    this.#client = client;
  }

  /** Sends a command or a line. The exit code is null when the connection broke before it came. */
  async ask(command: DokkuCommand | string, input: Buffer | string = ''): Promise<Answer> {
    const line = typeof command === 'string' ? command : command.line;
    let exitCode: number | null = null;
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      this.#client?.exec(line, (error, channel) => {
        if (error !== undefined) return reject(error);
        // Not later: the exit code may lie in the packet that is being read.
        channel.on('exit', (code: number | null) => (exitCode = code));
        resolve(channel);
      });
    });
    const closed = once(channel, 'close');
    channel.end(input);
    const [bytes, stderr] = await Promise.all([readAll(channel), readAll(channel.stderr)]);
    await closed;
    return { exitCode, bytes, stdout: bytes.toString('utf8'), stderr: stderr.toString('utf8') };
  }

  /** An app that exists, of a name that no other test uses. */
  async makeApp(web: 0 | 1 = 1): Promise<string> {
    const name = `i-t${process.pid}${(this.#apps += 1)}`;
    for (const command of [appsCreate(name), psScale(name, { web })]) if ((await this.ask(command)).exitCode !== 0) throw new Error(`no app ${name}`);
    return name;
  }

  /** GET /login through the played nginx. */
  async login(app: string): Promise<{ status: number; body: string }> {
    const asked = request({ host: '127.0.0.1', port: this.host.httpPort, path: '/login', headers: { host: `${app}.lab.test` } });
    const answered = new Promise<IncomingMessage>((resolve, reject) => asked.once('response', resolve).once('error', reject));
    asked.end();
    const response = await answered;
    return { status: response.statusCode ?? 0, body: (await readAll(response)).toString('utf8') };
  }

  /** @throws Error with what no recording covers, so that a test cannot rely on it */
  expectAllRecorded(): void {
    const found = this.host.unrecorded();
    if (found.length > 0) throw new Error(found.join('\n'));
  }

  async close(): Promise<void> {
    this.#client?.end();
    await this.host.close();
  }
}

/** A tar of a tree with a Python server in it. */
export async function tree(files: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tree-'));
  for (const [name, content] of Object.entries({ Dockerfile: DOCKERFILE, 'app.json': APP_JSON, 'server.py': SERVER, ...files }))
    await writeFile(path.join(folder, name), content);
  const tar = await readAll(spawn('tar', ['-c', '-C', folder, '--mtime=@0', '.'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout);
  await rm(folder, { recursive: true });
  return tar;
}
