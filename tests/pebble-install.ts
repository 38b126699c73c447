// Getting pebble: built from its source with the Go that is here, else with one that comes through the Go module proxy.

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run, runOrThrow } from '../scripts/run.ts';

const pebble = 'github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1';
/** Pebble's go.mod asks for 1.24. */
const oldestGo = [1, 24] as const;
const goVersion = '1.25.5';
/** SHA-256 of the toolchain's archive by processor. */
const toolchains: Readonly<Record<string, { readonly name: string; readonly sha256: string }>> = {
  x64: { name: 'linux-amd64', sha256: '8cea6783dab64d68b38f5b81ecd38d45155a3c06638991acc6af19e0fca80edb' },
  arm64: { name: 'linux-arm64', sha256: '4d31d22f75fed99025f7b082319eabeb74106d11e343fc203b336ba2afdeb3a1' },
};

/**
 * Makes the program unless it is there, and returns its path. Some 20 s with Go; without, 65 MB more and a minute or two, since its own library is built first.
 * @throws Error when the Go module proxy cannot be reached or this is another kind of machine
 */
export async function ensurePebble(cacheDir: string, python: string): Promise<string> {
  const program = path.join(cacheDir, 'pebble-2.10.1');
  if (existsSync(program)) return program;
  const draft = path.join(cacheDir, `pebble.${process.pid}`);
  mkdirSync(draft, { recursive: true });
  try {
    const go = (await findGo()) ?? (await fetchGo(draft, python));
    const env = {
      GOBIN: draft,
      GOPATH: path.join(draft, 'path'),
      GOCACHE: path.join(draft, 'cache'),
      GOTOOLCHAIN: 'local',
      GOFLAGS: '-modcacherw',
      CGO_ENABLED: '0',
    };
    await runOrThrow({ file: go, args: ['install', pebble], env, timeoutMs: 10 * 60_000 }, 'building pebble');
    renameSync(path.join(draft, 'pebble'), program);
    return program;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function findGo(): Promise<string | null> {
  const { exitCode, output } = await run({ file: 'go', args: ['version'], env: { GOTOOLCHAIN: 'local' } });
  const [, major = '0', minor = '0'] = /go(\d+)\.(\d+)/.exec(output) ?? [];
  const isNew = Number(major) > oldestGo[0] || (Number(major) === oldestGo[0] && Number(minor) >= oldestGo[1]);
  return exitCode === 0 && isNew ? 'go' : null;
}

/** Debian 12 has Go 1.19; a toolchain is a module like any other, and comes with the same client settings. */
async function fetchGo(draft: string, python: string): Promise<string> {
  const toolchain = os.platform() === 'linux' ? toolchains[process.arch] : undefined;
  if (!toolchain) throw new Error('Install Go 1.24 or later: pebble is built with it.');
  const proxy = (process.env['GOPROXY'] ?? '').split(/[,|]/).find((one) => one.startsWith('http')) ?? 'https://proxy.golang.org';
  const version = `v0.0.1-go${goVersion}.${toolchain.name}`;
  const archive = path.join(draft, 'go.zip');
  const response = await fetch(`${proxy.replace(/\/$/, '')}/golang.org/toolchain/@v/${version}.zip`);
  if (!response.ok) throw new Error(`Go could not be fetched: the proxy answered ${response.status}.`);
  const content = Buffer.from(await response.arrayBuffer());
  if (createHash('sha256').update(content).digest('hex') !== toolchain.sha256) throw new Error('Go came with another checksum.');
  writeFileSync(archive, content);
  await runOrThrow({ file: python, args: ['-m', 'zipfile', '-e', archive, draft], timeoutMs: 180_000 }, 'unpacking Go');
  const root = path.join(draft, 'golang.org', `toolchain@${version}`);
  // Archives of modules carry no modes.
  for (const folder of ['bin', path.join('pkg', 'tool', toolchain.name.replace('-', '_'))])
    for (const name of readdirSync(path.join(root, folder))) chmodSync(path.join(root, folder, name), 0o755);
  return path.join(root, 'bin', 'go');
}
