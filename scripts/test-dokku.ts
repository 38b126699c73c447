// `npm run test:dokku -- --host HOST --key FILE …`: the contract suite against a real Dokku host. Never part of `npm test`.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { clearHost, lookAtHost, type TestHost } from './test-dokku-host.ts';
import { messageOf, StartProblem } from './problem.ts';

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
  'https-port': { type: 'string', default: '443' },
  'index-url': { type: 'string' },
  'ca-file': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const usage = `npm run test:dokku -- --host HOST --key FILE [options] [-- arguments for vitest]

Runs the contract of all platforms against a Dokku host. Takes about an hour; a good host for it is one that nobody uses.

  --host HOST            the Dokku host, a name or an address
  --key FILE             private key that the host accepts, without a passphrase
  --port 22              where its SSH answers
  --user dokku           who signs in there
  --host-key SHA256:…    the key that the host must show (ssh-keygen -lf); left out: any
  --base-image IMAGE     what images of experiments begin with; ${options['base-image'].default} when left out
  --python 3.11          the Python in that image
  --http-host HOST       where its nginx answers; the host itself when left out
  --http-port 80
  --https-port 443
  --index-url URL        package index for builds on the host; PyPI when left out
  --ca-file PEM          certificate of an authority that such an index, or a proxy before it, needs

What the host needs:
  Dokku 0.30 or later           dokku version
  its plugin postgres           sudo dokku plugin:install https://github.com/dokku/dokku-postgres.git
  the key's public half         cat FILE.pub | sudo dokku ssh-keys:add arboretum-test
  the base image, or a way to where it is; it must have python3 with venv, and pip
  a way to the package index while it builds, 2 GB of memory and 5 GB of disk to spare

What this machine needs: npm ci, and whatever npm test needs.

What it makes there: apps and postgres services called i-t… (a new name each time), one or a few at once. All of them are
destroyed at the end, also after a failure or Ctrl-C; nothing else on the host is touched.
`;

/** Everything that the suite must know. @throws StartProblem in one sentence */
function readOptions(): { site: TestHost; forVitest: readonly string[] } | null {
  const { values, positionals } = parse();
  if (values.help) return null;
  const { host, key } = values;
  if (host === undefined)
    throw new StartProblem(
      '--host is missing: which Dokku host is to be tested?',
      'For example: npm run test:dokku -- --host dokku.example.org --key ~/.ssh/id_ed25519',
    );
  if (key === undefined)
    throw new StartProblem(
      '--key is missing: with which private key does the host let us in?',
      'Name a file whose public half was added there by dokku ssh-keys:add.',
    );
  if (!/^3\.\d+$/.test(values.python))
    throw new StartProblem(`--python ${values.python} is no version of Python.`, 'Two numbers, for example 3.11: the Python in the base image.');
  if (values['index-url'] !== undefined && !URL.canParse(values['index-url']))
    throw new StartProblem('--index-url is no address.', 'For example: --index-url https://pypi.org/simple');
  const hostKey = values['host-key'];
  if (hostKey !== undefined && !/^SHA256:[A-Za-z0-9+/]{43}$/.test(hostKey))
    throw new StartProblem(`--host-key ${hostKey} is no fingerprint.`, 'SHA256:… as ssh-keygen -lf prints it for the host’s ed25519 key.');
  for (const name of ['key', 'ca-file'] as const) requireFile(name, values[name]);
  const caFile = values['ca-file'];
  const site = {
    ...values,
    host,
    key: path.resolve(key),
    port: portOf('port', values.port),
    'http-port': portOf('http-port', values['http-port']),
    'https-port': portOf('https-port', values['https-port']),
    ...(caFile === undefined ? {} : { 'ca-file': path.resolve(caFile) }),
    run: randomBytes(2).toString('hex'),
  };
  return { site, forVitest: positionals };
}

function parse() {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new StartProblem(messageOf(error), 'npm run test:dokku -- --help names all options.');
  }
}

function requireFile(name: string, file: string | undefined): void {
  if (file === undefined) return;
  try {
    readFileSync(file);
  } catch (error) {
    throw new StartProblem(
      `--${name} ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? messageOf(error)}).`,
      'Paths are relative to the folder of the project.',
    );
  }
}

function portOf(name: string, value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new StartProblem(`--${name} ${value} is no port.`, 'A number from 1 to 65535.');
}

async function main(): Promise<number> {
  const read = readOptions();
  if (read === null) {
    process.stdout.write(usage);
    return 0;
  }
  const { site, forVitest } = read;
  const { version, domain, webProblem } = await lookAtHost(site);
  process.stdout.write(`✓ Dokku ${version} at ${site.host} answers; apps and services of this run begin with i-t${site.run}\n`);
  if (webProblem !== null)
    process.stdout.write(`! ${webProblem}: right on a host without any app; otherwise stop here and compare --http-host and --http-port\n`);
  const env = {
    ...process.env,
    ARBORETUM_TEST_DOKKU: JSON.stringify(site),
    ARBORETUM_TEST_RUN: site.run,
    ...(domain === null ? { ARBORETUM_TEST_DOMAIN: 'arboretum.test' } : {}),
  };
  const [vitest, config] = [path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), path.join(root, 'tests', 'contract', 'real-dokku.config.ts')];
  const child = spawn(process.execPath, [vitest, 'run', '--root', root, '--config', config, ...forVitest], { stdio: 'inherit', env });
  // Ctrl-C reaches vitest itself; what it leaves on the host is cleared away below.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  const cleared = await clearHost(site);
  process.stdout.write(
    cleared.length === 0 ? `✓ nothing of this run is left on ${site.host}\n` : `✓ destroyed what was left on ${site.host}: ${cleared.join(', ')}\n`,
  );
  return code ?? 1;
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof StartProblem)) throw error;
  process.stderr.write(`✗ ${error.message}\n  ${error.hint}\n`);
  return 2;
});
