// A DNS server of a test's own, on a free loopback port, by UDP and TCP: knows the names that it is told, and nothing else.

import dgram from 'node:dgram';
import net from 'node:net';

export type DnsServer = {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Addresses of a name, `*.lab.test` for all names below it that are not told; the wildcard answers for them. */
  tell(name: string, addresses: readonly string[]): void;
  close(): Promise<void>;
};

const types = { a: 1, aaaa: 28 } as const;

/** @see RFC 1035 §4 */
export async function startDns(): Promise<DnsServer> {
  const known = new Map<string, readonly string[]>();
  const socket = dgram.createSocket('udp4');
  const find = (name: string): readonly string[] | undefined => known.get(name) ?? known.get(`*.${name.slice(name.indexOf('.') + 1)}`);
  const answer = (question: Buffer): Buffer => {
    const { name, type, end } = readQuestion(question);
    const addresses = find(name);
    const answers = (addresses ?? [])
      .filter((address) => (net.isIP(address) === 4 ? types.a : types.aaaa) === type)
      .map((address) => writeAnswer(address, type));
    const head = Buffer.alloc(12);
    question.copy(head, 0, 0, 2);
    // Answer, recursion available; 3: there is no such name.
    head.writeUInt16BE(0x8180 | (addresses === undefined ? 3 : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    return Buffer.concat([head, question.subarray(12, end), ...answers]);
  };
  socket.on('message', (question, from) => socket.send(answer(question), from.port, from.address));
  const tcp = net.createServer((line) => line.on('error', () => undefined).on('data', (bytes) => line.write(withLength(answer(bytes.subarray(2))))));
  await bindBoth(socket, tcp);
  return {
    address: `127.0.0.1:${socket.address().port}`,
    tell: (name, addresses) => void known.set(name, addresses),
    close: async () => {
      await new Promise<void>((resolve) => socket.close(resolve));
      tcp.close();
    },
  };
}

/** Over TCP each message has its length before it (RFC 1035 §4.2.2). */
const withLength = (message: Buffer): Buffer => Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);

/** The same port for both: a port that is free for one may be taken for the other. */
async function bindBoth(udp: dgram.Socket, tcp: net.Server): Promise<void> {
  await new Promise<void>((resolve, reject) => tcp.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as net.AddressInfo;
  await new Promise<void>((resolve, reject) => udp.once('error', reject).bind(port, '127.0.0.1', resolve));
}

function readQuestion(bytes: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(bytes.subarray(at + 1, at + 1 + length).toString('latin1'));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: bytes.readUInt16BE(at + 1), end: at + 5 };
}

function writeAnswer(address: string, type: number): Buffer {
  const data =
    type === types.a
      ? Buffer.from(address.split('.').map(Number))
      : Buffer.from(
          groupsOf(address)
            .map((group) => group.padStart(4, '0'))
            .join(''),
          'hex',
        );
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function groupsOf(address: string): string[] {
  const [before = '', after] = address.split('::');
  const [first, last] = [before.split(':').filter(Boolean), (after ?? '').split(':').filter(Boolean)];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last];
}
