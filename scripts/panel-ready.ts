// The health check of the server's container: asks the server on its socket whether everything is well. Imports little, because it runs every minute.

import http from 'node:http';
import path from 'node:path';
import { layoutOf } from '../platforms/layout.ts';

const dataDir = process.argv[2] ?? '/var/lib/arboretum';
const socketPath = layoutOf(dataDir, path.join(dataDir, 'run')).serverSocket;

const request = http.get({ socketPath, path: '/readyz', timeout: 20_000 }, (response) => {
  response.pipe(process.stdout);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on('timeout', () => request.destroy(new Error('the server does not answer')));
request.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
