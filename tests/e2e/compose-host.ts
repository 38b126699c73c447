// docker-compose.yml brought up for real: a base image with this machine's Node, Compose as it can be had here, folders of its own.

import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../../scripts/binaries.ts';
import { runOrThrow } from '../../scripts/run.ts';
import { BASE_IMAGE, type TestEngine } from '../docker-engine.ts';
import { freePorts } from '../free-ports.ts';
import { ensurePrograms } from '../programs.ts';

const root = path.join(import.meta.dirname, '..', '..');
const NODE_IMAGE = 'arboretum-test-node:bookworm';
/** All authorities that programs here trust, and those that Debian brings. */
const trusted = '/etc/ssl/certs/ca-certificates.crt';
const debians = '/usr/share/ca-certificates';
const LIMIT_MS = 10 * 60_000;

export type ComposeHost = {
  readonly url: string;
  readonly port: number;
  readonly gitPort: number;
  readonly dataDir: string;
  /** Runs one command of Compose to its end; its standard output. @throws with the last lines */
  compose(args: readonly string[], more?: Readonly<Record<string, string>>): Promise<string>;
  /** Id of a service's container. */
  idOf(service: string): Promise<string>;
  /** What a shell in a service's container says; Docker's own client, because Compose takes seconds for it. */
  inside(service: string, script: string, input?: string): Promise<string>;
  remove(): Promise<void>;
};

/** Ready for `up`; nothing runs yet. */
export async function makeComposeHost(engine: TestEngine): Promise<ComposeHost> {
  await makeNodeImage(engine);
  const program = await findCompose();
  const home = mkdtempSync('/var/tmp/arb-compose-');
  const dataDir = path.join(home, 'data');
  mkdirSync(dataDir);
  const [port = 0, gitPort = 0] = await freePorts(2);
  const env = {
    DOCKER_HOST: `unix://${engine.socket}`,
    DOCKER_SOCKET: engine.socket,
    COMPOSE_PROJECT_NAME: 'arbtest',
    DATA_DIR: dataDir,
    BASE_IMAGE: NODE_IMAGE,
    PANEL_IMAGE: 'arbtest-panel:one',
    GROUND_IMAGE: 'arbtest-ground:one',
    SWARM_BASE_IMAGES: BASE_IMAGE,
    EXTRA_CA_PEM: extraAuthorities(),
    PORT: String(port),
    GIT_SSH_PORT: String(gitPort),
  };
  const run = async (args: readonly string[], more: Readonly<Record<string, string>>): Promise<string> =>
    await runProgram(program, args, { env: { ...env, ...more } });
  const compose: ComposeHost['compose'] = async (args, more = {}) =>
    await run(args, more).catch(async (error: unknown) => {
      const said = await run(['logs', '--no-color', '--tail', '30'], more).catch(() => '');
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
    });
  const idOf = async (service: string): Promise<string> => {
    const label = [`com.docker.compose.project=${env.COMPOSE_PROJECT_NAME}`, `com.docker.compose.service=${service}`];
    const [container] = await engine.docker.listContainers({ filters: { label } });
    if (container === undefined) throw new Error(`there is no container of ${service}`);
    return container.Id;
  };
  return {
    url: `http://localhost:${port}`,
    port,
    gitPort,
    dataDir,
    compose,
    idOf,
    inside: async (service, script, input = '') =>
      await runProgram(['docker', 'exec', '-i', await idOf(service), 'sh', '-c'], [script], { env: { DOCKER_HOST: env.DOCKER_HOST }, input }),
    remove: async () => {
      await compose(['down', '-t', '5']).catch(() => '');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** What this machine trusts beyond Debian's own, a proxy that looks into https for one; on most machines nothing. */
function extraAuthorities(): string {
  if (!existsSync(trusted) || !existsSync(debians)) return '';
  const files = readdirSync(debians, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.crt'));
  const known = new Set(files.flatMap((name) => certificatesIn(path.join(debians, name))));
  return certificatesIn(trusted)
    .filter((one) => !known.has(one))
    .join('\n');
}

const certificatesIn = (file: string): readonly string[] =>
  readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];

/** Like `node:20-bookworm-slim`: Debian, with Node and npm below /usr/local. */
async function makeNodeImage({ docker }: TestEngine): Promise<void> {
  const stage = mkdtempSync('/var/tmp/arb-node-');
  try {
    const usr = path.join(stage, 'usr', 'local');
    mkdirSync(path.join(usr, 'bin'), { recursive: true });
    cpSync(process.execPath, path.join(usr, 'bin', 'node'));
    const npm = path.dirname(path.dirname(realpathSync(findProgram('npm') ?? '')));
    cpSync(npm, path.join(usr, 'lib', 'node_modules', 'npm'), { recursive: true });
    const tar = path.join(stage, 'node.tar');
    await runOrThrow({ file: '/bin/tar', args: ['-c', '-f', tar, '-C', stage, 'usr'], timeoutMs: 120_000 }, 'packing Node');
    const command = 'ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm';
    const container = await docker.createContainer({ Image: BASE_IMAGE, Cmd: ['/bin/sh', '-c', command], HostConfig: { NetworkMode: 'none' } });
    await container.putArchive(tar, { path: '/' });
    await container.start();
    await container.wait();
    const [repo = '', tag = ''] = NODE_IMAGE.split(':');
    await container.commit({ repo, tag });
    await container.remove();
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Compose 2 where it is installed, else the one of Debian 12 (1.29), which is installed. */
async function findCompose(): Promise<readonly string[]> {
  const plugin = await runOrThrow({ file: 'docker', args: ['compose', 'version'] }, 'docker compose').catch(() => null);
  if (plugin !== null) return ['docker', 'compose'];
  await ensurePrograms(['docker-compose'], ['docker-compose']);
  return [findProgram('docker-compose') ?? 'docker-compose'];
}

type Given = { readonly env: Readonly<Record<string, string>>; readonly input?: string };

function runProgram(program: readonly string[], args: readonly string[], { env, input }: Given): Promise<string> {
  const [file = '', ...first] = program;
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...first, ...args], { cwd: root, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'], timeout: LIMIT_MS });
    let [output, all] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => ((output += text), (all += text)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (all += text));
    child.once('error', reject);
    child.stdin.on('error', () => undefined).end(input ?? '');
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program.join(' ')} ${args.join(' ')}: ${all.split('\n').slice(-40).join('\n')}`)),
    );
  });
}
