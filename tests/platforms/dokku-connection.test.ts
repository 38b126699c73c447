// The connection to a Dokku host, against a real ssh server on the loopback that does what each test needs.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import ssh2, { type Connection, type Server, type ServerChannel } from 'ssh2';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { appsExists, gitFromArchive, logs, postgresExport, postgresImport, psStart, version, type DokkuCommand } from '../../platforms/dokku-commands.ts';
import { DokkuConnection, type DokkuHost } from '../../platforms/dokku/connection.ts';
import { Secret } from '../../platforms/secret.ts';
import { newSshKey } from '../../platforms/ssh-key.ts';

const panelKey = newSshKey();
const hostKey = newSshKey();

type Answer = (channel: ServerChannel, line: string) => void;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** What came in on a channel until its end of input. */
async function inputOf(channel: ServerChannel): Promise<Buffer> {
  const chunks: Buffer[] = [];
  channel.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(channel, 'end');
  return Buffer.concat(chunks);
}
const finish = (channel: ServerChannel, code: number): void => {
  channel.exit(code);
  channel.end();
};

class Host {
  answer: Answer = (channel) => {
    channel.write('dokku version 0.38.27\n');
    finish(channel, 0);
  };
  readonly lines: string[] = [];
  readonly clients: Connection[] = [];
  readonly channels: ServerChannel[] = [];
  signIns = 0;
  maxChannels = 10;
  hasTerminal = false;
  port = 0;
  #server: Server | null = null;

  async start(key = hostKey.private, port = 0): Promise<void> {
    const server = new ssh2.Server({ hostKeys: [key] }, (client) => this.#serve(client));
    this.#server = server;
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    ends.push(() => this.stop());
  }

  /** Like a host that goes down: ends every connection at once. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.drop();
    await closed;
  }

  drop(): void {
    for (const client of this.clients.splice(0)) (client as unknown as { _sock: Socket })._sock.destroy();
  }

  #serve(client: Connection): void {
    this.clients.push(client);
    let open = 0;
    client.on('error', () => undefined);
    client.on('authentication', (context) => {
      const isKnown = context.method === 'publickey' && context.key.data.equals(publicBytes(panelKey.public));
      if (isKnown) context.accept();
      else context.reject(['publickey']);
    });
    client.on('ready', () => (this.signIns += 1));
    client.on('session', (accept, reject) => {
      if (open >= this.maxChannels) return reject();
      open += 1;
      const session = accept();
      session.on('pty', () => (this.hasTerminal = true));
      session.on('exec', (acceptExec, _rejectExec, { command }) => {
        const channel = acceptExec();
        channel.on('error', () => undefined).once('close', () => (open -= 1));
        this.lines.push(command);
        this.channels.push(channel);
        this.answer(channel, command);
        // ssh2 tells the end of a channel only to those who have read its input.
        if (channel.listenerCount('data') === 0) channel.resume();
      });
    });
  }
}

const publicBytes = (key: string): Buffer => Buffer.from(key.split(' ')[1] ?? '', 'base64');

async function hostOf(answer?: Answer): Promise<Host> {
  const host = new Host();
  if (answer !== undefined) host.answer = answer;
  await host.start();
  return host;
}

function connectionTo(port: number, more: Partial<DokkuHost> = {}): DokkuConnection {
  const connection = new DokkuConnection({ host: '127.0.0.1', port, user: 'dokku', privateKey: new Secret(panelKey.private), hostKey: null, ...more });
  ends.push(() => connection.close());
  return connection;
}

const until = (isSo: () => boolean): Promise<void> => vi.waitFor(() => expect(isSo()).toBe(true), { timeout: 50_000, interval: 5 });
/** A command that takes as long as the test likes. */
const brief = (command: DokkuCommand, timeoutMs: number): DokkuCommand => ({ ...command, timeoutMs });

describe('a command', () => {
  it('gives both outputs and the exit code, on a channel of its own, without a terminal', async () => {
    const host = await hostOf((channel, line) => {
      channel.write(`out of ${line}\n`);
      channel.stderr.write(' !     err\n');
      finish(channel, line === 'version' ? 0 : 20);
    });
    const connection = connectionTo(host.port);
    expect(await connection.run(version())).toEqual({ exitCode: 0, stdout: 'out of version\n', stderr: ' !     err\n' });
    expect(await connection.run(appsExists('lab'))).toMatchObject({ exitCode: 20, stdout: 'out of apps:exists lab\n' });
    expect(host).toMatchObject({ lines: ['version', 'apps:exists lab'], signIns: 1, hasTerminal: false });
  });

  it('has its input closed at once when it takes none', async () => {
    const host = await hostOf(async (channel) => {
      channel.write(`read ${(await inputOf(channel)).length} bytes`);
      finish(channel, 0);
    });
    expect((await connectionTo(host.port).run(version())).stdout).toBe('read 0 bytes');
  });

  it('gets a buffer or a stream as its input, to the last byte', async () => {
    const host = await hostOf(async (channel) => {
      const input = await inputOf(channel);
      channel.write(`${input.length} ${input.at(0)} ${input.at(-1)}`);
      finish(channel, 0);
    });
    const connection = connectionTo(host.port);
    const bytes = Buffer.alloc(3 * 1024 * 1024, 7);
    expect((await connection.run(postgresImport('db'), { input: Buffer.from([1, 2, 255]) })).stdout).toBe('3 1 255');
    expect((await connection.run(gitFromArchive('lab'), { input: Readable.from([Buffer.from([9]), bytes]) })).stdout).toBe(`${bytes.length + 1} 9 7`);
  });

  it('that takes no input gets none, and one that needs it is not sent without', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port);
    await expect(connection.run(version(), { input: Buffer.from('x') })).rejects.toThrow('unexpected');
    await expect(connection.run(postgresImport('db'))).rejects.toThrow('missing');
    expect(host.lines).toEqual([]);
  });

  it('may end before it has read its input', async () => {
    const host = await hostOf((channel) => finish(channel, 2));
    const input = Readable.from([Buffer.alloc(8 * 1024 * 1024)]);
    expect(await connectionTo(host.port).run(gitFromArchive('lab'), { input })).toMatchObject({ exitCode: 2 });
    await until(() => input.destroyed);
  });

  it('whose input breaks ends with that error', async () => {
    const host = await hostOf(() => undefined);
    const input = new PassThrough();
    const running = connectionTo(host.port).run(gitFromArchive('lab'), { input });
    await until(() => host.lines.length === 1);
    input.destroy(new Error('the disk is gone'));
    await expect(running).rejects.toThrow('the disk is gone');
    const closed = new PassThrough();
    const other = connectionTo(host.port).run(gitFromArchive('lab'), { input: closed });
    await until(() => host.lines.length === 2);
    closed.destroy();
    await expect(other).rejects.toThrow('closed before its end');
    await expect(connectionTo(host.port).run(gitFromArchive('lab'), { input: closed })).rejects.toThrow('closed before its start');
  });

  it('writes bytes to a stream, no faster than it takes them, and waits for it', async () => {
    const bytes = Buffer.from(Array.from({ length: 5 * 1024 * 1024 }, (_, index) => (index * 7) % 256));
    const host = await hostOf((channel) => {
      channel.stderr.write('a word\n');
      channel.write(bytes, () => finish(channel, 0));
    });
    const chunks: Buffer[] = [];
    let isFinished = false;
    const output = new Writable({
      highWaterMark: 1024,
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        setImmediate(done);
      },
      final: (done) => {
        isFinished = true;
        done();
      },
    });
    expect(await connectionTo(host.port).run(postgresExport('db'), { output })).toEqual({ exitCode: 0, stdout: '', stderr: 'a word\n' });
    expect(isFinished).toBe(true);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it('whose output cannot be written ends with that error', async () => {
    const host = await hostOf((channel) => void channel.write('bytes'));
    const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no room')) });
    await expect(connectionTo(host.port).run(postgresExport('db'), { output })).rejects.toThrow('no room');
  });

  it('tells its output as it comes, never half a character', async () => {
    const euro = Buffer.from('100 € für Zürich');
    let more: () => void = () => undefined;
    const host = await hostOf((channel) => {
      channel.write(euro.subarray(0, 5));
      more = () => {
        channel.write(euro.subarray(5));
        finish(channel, 0);
      };
    });
    const texts: string[] = [];
    const running = connectionTo(host.port).run(version(), { onOutput: (text) => texts.push(text) });
    await until(() => texts.length === 1);
    expect(texts).toEqual(['100 ']);
    more();
    expect((await running).stdout).toBe('100 € für Zürich');
    expect(texts.join('')).toBe('100 € für Zürich');
  });

  it('that a signal ended on the host has exit code 255', async () => {
    const host = await hostOf((channel) => {
      channel.exit('KILL');
      channel.end();
    });
    expect(await connectionTo(host.port).run(version())).toMatchObject({ exitCode: 255 });
  });
});

describe('many commands', () => {
  it('run eight at once; the others wait for their turn, in order', async () => {
    const open: (() => void)[] = [];
    const host = await hostOf((channel) => void open.push(() => finish(channel, 0)));
    const connection = connectionTo(host.port);
    const all = Array.from({ length: 20 }, (_, index) => connection.run(logs('lab', { lines: index + 1 })));
    await until(() => open.length === 8);
    for (let ended = 1; ended <= 12; ended += 1) {
      open.shift()?.();
      await until(() => host.lines.length === 8 + ended);
      expect(open).toHaveLength(8);
    }
    for (const end of open) end();
    await Promise.all(all);
    expect(host.lines).toEqual(Array.from({ length: 20 }, (_, index) => `logs lab --num ${index + 1}`));
    expect(host.signIns).toBe(1);
  });

  it('that were aborted while they waited are never sent, and hold no turn', async () => {
    const open: (() => void)[] = [];
    const host = await hostOf((channel) => void open.push(() => finish(channel, 0)));
    const connection = connectionTo(host.port);
    const all = Array.from({ length: 8 }, () => connection.run(version()));
    const stop = new AbortController();
    const waiting = connection.run(psStart('lab'), { signal: stop.signal });
    const next = connection.run(appsExists('lab'));
    await until(() => open.length === 8);
    stop.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    for (const end of open.splice(0)) end();
    await until(() => open.length === 1);
    open[0]?.();
    await Promise.all([...all, next]);
    expect(host.lines).not.toContain('ps:start lab');
  });

  it('go over a second connection when the host opens no more channels on the first', async () => {
    const open: (() => void)[] = [];
    const host = await hostOf((channel) => void open.push(() => finish(channel, 0)));
    host.maxChannels = 3;
    const connection = connectionTo(host.port);
    const all = Array.from({ length: 5 }, () => connection.run(version()));
    await until(() => open.length === 5);
    expect(host.signIns).toBe(2);
    const firstIsGone = once(host.clients[0] ?? new PassThrough(), 'close');
    for (const end of open) end();
    expect((await Promise.all(all)).map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
    await firstIsGone;
    expect(connection.state().isUp).toBe(true);
  });

  it('fail with a sentence when the host opens no channel at all', async () => {
    const host = await hostOf();
    host.maxChannels = 0;
    await expect(connectionTo(host.port).run(version())).rejects.toMatchObject({ code: 'host_unreachable' });
  });
});

describe('an abort', () => {
  it('closes the channel and gives the signal’s reason; the connection stays', async () => {
    const host = await hostOf((channel, line) => (line === 'version' ? finish(channel, 0) : undefined));
    const connection = connectionTo(host.port);
    const stop = new AbortController();
    const running = connection.run(psStart('lab'), { signal: stop.signal });
    await until(() => host.channels.length === 1);
    const isClosed = once(host.channels[0] ?? new PassThrough(), 'close');
    stop.abort(new Error('the panel stops'));
    await expect(running).rejects.toThrow('the panel stops');
    await isClosed;
    expect(await connection.run(version())).toMatchObject({ exitCode: 0 });
    expect(host.signIns).toBe(1);
  });

  it('before the start sends nothing', async () => {
    const host = await hostOf();
    await expect(connectionTo(host.port).run(version(), { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
    expect(host.signIns).toBe(0);
  });

  it('while it connects does not wait for the host', async () => {
    const silent = createServer(() => undefined);
    const port = await listening(silent);
    const stop = new AbortController();
    const connection = connectionTo(port);
    const running = connection.run(version(), { signal: stop.signal });
    await once(silent, 'connection');
    stop.abort(new Error('never mind'));
    await expect(running).rejects.toThrow('never mind');
    await connection.close();
    expect(connection.state().isUp).toBe(false);
  });
});

describe('when the outcome is not known', () => {
  it('because the connection broke in the middle: said so, and the next command connects anew', async () => {
    const host = await hostOf((channel, line) => {
      channel.write('-----> Deploying\n');
      if (line === 'version') finish(channel, 0);
    });
    const connection = connectionTo(host.port);
    const texts: string[] = [];
    const running = connection.run(psStart('lab'), { onOutput: (text) => texts.push(text) });
    await until(() => texts.length === 1);
    host.drop();
    await expect(running).rejects.toMatchObject({ code: 'outcome_unknown', details: { what: 'ps:start', host: '127.0.0.1', reason: 'the connection broke' } });
    expect(connection.state()).toMatchObject({ isUp: false, downSince: expect.any(Date) as Date });
    expect(await connection.run(version())).toMatchObject({ exitCode: 0 });
    expect(connection.state()).toEqual({ isUp: true, downSince: null, reason: null });
    expect(host.signIns).toBe(2);
  });

  it('because the connection broke after the exit code, but before the end of the output', async () => {
    const host = await hostOf((channel) => {
      channel.write('half a dump');
      channel.exit(0);
    });
    const chunks: Buffer[] = [];
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        done();
      },
    });
    const running = connectionTo(host.port).run(postgresExport('db'), { output });
    await until(() => chunks.length === 1);
    host.drop();
    await expect(running).rejects.toMatchObject({ code: 'outcome_unknown' });
    expect(output.destroyed).toBe(true);
  });

  it('because its time was over', async () => {
    const host = await hostOf(() => undefined);
    const running = connectionTo(host.port).run(brief(psStart('lab'), 200));
    await expect(running).rejects.toMatchObject({ code: 'outcome_unknown', details: { reason: 'it took longer than 0.2 seconds' } });
  });

  it('because the host closed the channel without an exit code', async () => {
    const host = await hostOf((channel) => void channel.end());
    await expect(connectionTo(host.port).run(version())).rejects.toMatchObject({ code: 'outcome_unknown' });
  });

  it('because the connection was closed by the panel', async () => {
    const host = await hostOf(() => undefined);
    const connection = connectionTo(host.port);
    const running = connection.run(psStart('lab'));
    const ended = running.catch((error: unknown) => error);
    await until(() => host.lines.length === 1);
    await connection.close();
    expect(await ended).toMatchObject({ code: 'outcome_unknown' });
    await expect(connection.run(version())).rejects.toThrow('closed');
  });

  it('the sentence names the command, not its values', async () => {
    const host = await hostOf(() => undefined);
    const command = brief({ ...version(), line: '--quiet config:import --no-restart lab geheim' }, 100);
    await expect(connectionTo(host.port).run(command)).rejects.toMatchObject({ message: expect.not.stringContaining('geheim') as string });
  });
});

describe('a connection of which nobody needs more', () => {
  const opened = (host: Host): Promise<unknown>[] => host.clients.map((client) => once(client, 'close'));

  it('ends at once when nothing runs on it', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port);
    await connection.run(version());
    const ended = opened(host);
    connection.retire();
    await Promise.all(ended);
    expect(ended).toHaveLength(1);
  });

  it('lets what runs on it end, and then ends', async () => {
    let finishFirst = (): void => undefined;
    const host = await hostOf((channel) => {
      finishFirst = () => finish(channel, 0);
    });
    const connection = connectionTo(host.port);
    const running = connection.run(psStart('lab'));
    await until(() => host.lines.length === 1);
    const ended = opened(host);
    connection.retire();
    finishFirst();
    expect(await running).toMatchObject({ exitCode: 0 });
    await Promise.all(ended);
  });

  it('is opened again for a late command, and ends with it', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port);
    connection.retire();
    expect(await connection.run(version())).toMatchObject({ exitCode: 0 });
    expect((await Promise.all(opened(host))).length).toBe(1);
    expect(await connection.run(version())).toMatchObject({ exitCode: 0 });
    await until(() => host.signIns === 2);
  });

  it('ends, too, when whoever wanted it left while it was opened', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port);
    connection.retire();
    const left = new AbortController();
    const running = connection.run(version(), { signal: left.signal });
    left.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
    await until(() => host.signIns === 1);
    await Promise.all(opened(host));
    expect(host.lines).toEqual([]);
  });
});

describe('a host that went away', () => {
  it('is connected to again when it is back', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port);
    await connection.run(version());
    await host.stop();
    await until(() => !connection.state().isUp);
    const since = connection.state().downSince;
    await expect(connection.run(version())).rejects.toMatchObject({
      code: 'host_unreachable',
      details: { reason: `it refuses connections on port ${host.port}` },
    });
    expect(connection.state()).toEqual({ isUp: false, downSince: since, reason: `it refuses connections on port ${host.port}` });
    await host.start(hostKey.private, host.port);
    expect(await connection.run(version())).toMatchObject({ exitCode: 0 });
    expect(connection.state()).toEqual({ isUp: true, downSince: null, reason: null });
  });

  it('while no command ran is not noticed by the next one: what was never sent is sent again', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port);
    await connection.run(version());
    for (let round = 2; round < 12; round += 1) {
      host.drop();
      expect(await connection.run(version())).toMatchObject({ exitCode: 0 });
      expect(host).toMatchObject({ signIns: round, lines: { length: round } });
    }
  });

  it('is found out by the questions whether it is there, when it says nothing any more', async () => {
    const host = await hostOf(() => undefined);
    const wire = await wireTo(host.port);
    const connection = connectionTo(wire.port, { keepaliveMs: 50 });
    const running = connection.run(psStart('lab'));
    const ended = running.catch((error: unknown) => error);
    await until(() => host.lines.length === 1);
    wire.cut();
    expect(await ended).toMatchObject({ code: 'outcome_unknown' });
    expect(connection.state()).toMatchObject({ isUp: false, reason: 'it has not answered for 0.15 seconds' });
  });

  it('or never answers is given up after the limit', async () => {
    const port = await listening(createServer(() => undefined));
    const connection = connectionTo(port, { connectMs: 200 });
    await expect(connection.run(version())).rejects.toMatchObject({ code: 'host_unreachable', details: { reason: 'it did not answer within 0.2 seconds' } });
  });

  it('or is not an ssh host fails with a sentence', async () => {
    const port = await listening(createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await expect(connectionTo(port, { connectMs: 2000 }).run(version())).rejects.toMatchObject({ code: 'host_unreachable' });
    await expect(connectionTo(port, { host: 'nothing.invalid' }).run(version())).rejects.toMatchObject({ code: 'host_unreachable' });
  });
});

describe('keys', () => {
  it('the first host key that is seen is kept, and another one is refused before anything is sent', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port);
    expect(connection.hostKey()).toBeNull();
    await connection.run(version());
    const kept = connection.hostKey();
    expect(kept).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    await host.stop();
    await host.start(newSshKey().private, host.port);
    host.lines.length = 0;
    await expect(connection.run(version())).rejects.toMatchObject({
      code: 'host_key_changed',
      details: { found: expect.stringMatching(/^SHA256:/) as string },
    });
    expect(connection.hostKey()).toBe(kept);
    expect(host).toMatchObject({ lines: [], signIns: 1 });
  });

  it('a given host key is required from the start', async () => {
    const host = await hostOf();
    const first = connectionTo(host.port);
    await first.run(version());
    expect(await connectionTo(host.port, { hostKey: first.hostKey() }).run(version())).toMatchObject({ exitCode: 0 });
    const wrong = `SHA256:${'A'.repeat(43)}`;
    await expect(connectionTo(host.port, { hostKey: wrong }).run(version())).rejects.toMatchObject({ code: 'host_key_changed' });
  });

  it('a host that does not know the panel’s key is told apart, and its own key is not kept', async () => {
    const host = await hostOf();
    const connection = connectionTo(host.port, { privateKey: new Secret(newSshKey().private) });
    await expect(connection.run(version())).rejects.toMatchObject({ code: 'host_refuses_key' });
    expect(connection.hostKey()).toBeNull();
  });

  it('a key that is none is a failure with a sentence, without the key', async () => {
    const host = await hostOf();
    const running = connectionTo(host.port, { privateKey: new Secret('geheim') }).run(version());
    await expect(running).rejects.toMatchObject({ code: 'platform_failed', message: expect.not.stringContaining('geheim') as string });
  });
});

async function listening(server: TcpServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A wire to the host that can be cut so that neither side notices. */
async function wireTo(port: number): Promise<{ port: number; cut: () => void }> {
  let isCut = false;
  const wire = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    ends.push(() => far.destroy());
    far.on('error', () => undefined);
    near.on('data', (bytes) => isCut || far.write(bytes));
    far.on('data', (bytes) => isCut || near.write(bytes));
  });
  return { port: await listening(wire), cut: () => (isCut = true) };
}
