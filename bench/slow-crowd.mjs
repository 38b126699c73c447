// A crowd of slow clients, in a process of its own: half a header, half a body, and bodies that drip. Says each second how many are still connected.
// Arguments: port, host name, how many.

import net from 'node:net';

const [port, host, count] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const kinds = [
  { name: 'half a header', bytes: `GET / HTTP/1.1\r\nHost: ${host}\r\nX-Half: `, drip: 'x' },
  { name: 'half a body', bytes: `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000\r\n\r\nabc`, drip: '' },
  { name: 'a dripping body', bytes: `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000\r\n\r\nabc`, drip: 'x' },
];
const open = new Map(kinds.map(({ name }) => [name, 0]));
const drips = [];

for (let index = 0; index < count; index += 1) {
  const { name, bytes, drip } = kinds[index % kinds.length];
  const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
  open.set(name, open.get(name) + 1);
  socket.on('error', () => undefined).on('close', () => open.set(name, open.get(name) - 1));
  socket.resume();
  if (drip !== '') drips.push(() => socket.writable && socket.write(drip));
}
setInterval(() => drips.forEach((drip) => drip()), 500);
setInterval(() => process.send?.(Object.fromEntries(open)), 1000);
process.once('disconnect', () => process.exit(0));
