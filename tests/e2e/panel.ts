// A whole panel as people get it: started by the same command as `npm start`, on folders and ports of its own.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePorts } from '../free-ports.ts';
import { until } from './until.ts';

const root = path.join(import.meta.dirname, '..', '..');
const starter = path.join(root, 'scripts', 'start.mjs');

export type WholePanel = {
  readonly url: string;
  readonly port: number;
  readonly gitPort: number;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Everything that the present start printed. */
  output(): string;
  /** @param more settings over those of before, from now on */
  start(more?: Readonly<Record<string, string>>): Promise<void>;
  /** Ctrl-C: ends the panel, leaves the ground. */
  stop(): Promise<void>;
  /** Runs another command of the starter to its end, for example `stop-all`. */
  command(name: string): Promise<{ code: number | null; output: string }>;
  /** Pid of `npm start` itself. */
  pid(): number;
  /** Ends everything and removes the folders. */
  remove(): Promise<void>;
};

/** A range of user ids that no other panel on this machine is likely to use: a start ends whatever runs under its id. */
function userIds(): string {
  const first = 300_000 + Math.floor(Math.random() * 100_000) * 100;
  return `${first}-${first + 99}`;
}

/** @param more settings over the defaults */
export async function makePanel(more: Readonly<Record<string, string>> = {}): Promise<WholePanel> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-e2e-'));
  // The instances' own user ids must be able to pass.
  await import('node:fs/promises').then(({ chmod }) => chmod(home, 0o755));
  // Pictures show the ports that people have.
  const [port = 0, gitPort = 0] = process.env['ARBORETUM_PICTURES'] === '1' ? [8080, 2222] : await freePorts(2);
  const dataDir = path.join(home, 'data');
  const url = more['PUBLIC_URL'] ?? `http://localhost:${port}`;
  const env = { PORT: String(port), GIT_SSH_PORT: String(gitPort), DATA_DIR: dataDir, RUN_DIR: path.join(home, 'run'), INSTANCE_USER_IDS: userIds(), ...more };
  let child: ChildProcess | null = null;
  let printed = '';

  const command: WholePanel['command'] = async (name) => {
    const run = spawn(process.execPath, [starter, name], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [run.stdout, run.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
    const code = await new Promise<number | null>((resolve) => run.once('exit', resolve));
    return { code, output };
  };

  const panel: WholePanel = {
    url,
    port,
    gitPort,
    dataDir,
    env,
    command,
    output: () => printed,
    pid: () => child?.pid ?? 0,
    async start(later = {}) {
      Object.assign(env, later);
      printed = '';
      const started = spawn(process.execPath, [starter], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      for (const stream of [started.stdout, started.stderr]) stream.on('data', (bytes: Buffer) => (printed += bytes.toString()));
      await until(
        'the panel prints its address, the link and that it is there to stay',
        () => {
          if (started.exitCode !== null) throw new Error(`npm start ended:\n${printed}`);
          return printed.includes(url) && printed.includes('Ctrl-C stops the panel');
        },
        { withinMs: 300_000, why: () => printed },
      );
    },
    async stop() {
      const running = child;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGINT');
      await ended;
      child = null;
    },
    async remove() {
      await panel.stop();
      await command('stop-all');
      rmSync(home, { recursive: true, force: true });
    },
  };
  return panel;
}
