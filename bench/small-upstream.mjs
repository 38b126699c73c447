// A server that is not the bottleneck: 4 KiB for every request, on the Unix socket of its first argument; a process of its own.

import { chmodSync, rmSync } from 'node:fs';
import http from 'node:http';

const socket = process.argv[2];
const page = Buffer.alloc(4096, 'x');
rmSync(socket, { force: true });
http
  .createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': page.length }).end(page);
  })
  .listen(socket, () => {
    chmodSync(socket, 0o777);
    process.send?.('listening');
  });
process.once('disconnect', () => process.exit(0));
