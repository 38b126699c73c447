// `npm run test:dokku -- --host H --key FILE …`: the contract suite against a real Dokku host. Never part of `npm test`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.join(import.meta.dirname, '..');

const options = {
  host: { type: 'string' },
  port: { type: 'string', default: '22' },
  key: { type: 'string' },
  user: { type: 'string', default: 'dokku' },
  'host-key': { type: 'string' },
  'base-image': { type: 'string', default: 'python:3.11-slim-bookworm' },
  python: { type: 'string', default: '3.11' },
  'http-host': { type: 'string' },
  'http-port': { type: 'string', default: '80' },
  'index-url': { type: 'string' },
  'ca-file': { type: 'string' },
} as const;

const usage = `npm run test:dokku -- --host HOST --key FILE [options] [-- arguments for vitest]

  --host HOST        the Dokku host, with the plugin postgres and a global domain
  --key FILE         private key that the host knows (dokku ssh-keys:add)
  --port 22  --user dokku  --host-key SHA256:…
  --base-image IMG   what images begin with (${options['base-image'].default}); --python 3.11 is the Python in it
  --http-host HOST   --http-port 80   where its nginx answers; the same host when left out
  --index-url URL    --ca-file PEM    the package index that builds on the host use

The suite makes apps and services called i-t… and destroys them at the end. It takes about an hour.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.host === undefined || values.key === undefined || !existsSync(values.key)) {
    process.stderr.write(usage);
    return 2;
  }
  const site = { ...values, key: path.resolve(values.key), port: Number(values.port), 'http-port': Number(values['http-port']) };
  process.env['ARBORETUM_TEST_DOKKU'] = JSON.stringify(site);
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const config = path.join(root, 'tests', 'contract', 'real-dokku.config.ts');
  const child = spawn(process.execPath, [vitest, 'run', '--root', root, '--config', config, ...positionals], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

process.exitCode = await main();
