// supervisord, which keeps the experiments running while the panel may come and go.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Layout } from '../platforms/layout.ts';
import { callRpc } from '../platforms/local/xml-rpc.ts';
import { readOpenFilesLimit } from '../platforms/nginx-process.ts';
import { endProcess, identify, type ProcessIdentity } from './process-identity.ts';
import { StartProblem } from './problem.ts';
import { runDaemon } from './run.ts';

/** Long enough for every experiment to end by itself (10 s each, side by side). */
const stopGraceMs = 60_000;

/** Starts it with all programs whose files are there, unless it runs. Returns whether it had to. */
export async function keepSupervisor(layout: Layout): Promise<boolean> {
  if ((await findSupervisor(layout)) !== null) return false;
  writeFileSync(layout.supervisorConfig, config(layout, await readOpenFilesLimit()), { mode: 0o600 });
  chmodSync(layout.supervisorConfig, 0o600);
  // Programs inherit supervisord's environment: it must hold nothing of ours.
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
  const { exitCode, output } = await runDaemon({
    file: path.join(layout.toolsDir, 'bin', 'supervisord'),
    args: ['-c', layout.supervisorConfig],
    env,
    isEnvWhole: true,
  });
  if (exitCode !== 0)
    throw new StartProblem(`supervisord, which keeps the experiments, did not start: ${output.trim().split('\n').at(-1)}`, `Its log is ${logFile(layout)}.`);
  await untilAnswers(layout);
  return true;
}

/** The running one of this layout, else null. */
export async function findSupervisor(layout: Layout): Promise<ProcessIdentity | null> {
  const noted = Number(read(layout.supervisorPid).trim());
  if (Number.isInteger(noted) && noted > 1 && isOurs(layout, noted)) return identify(noted);
  // The pid file may be gone while it still answers.
  const answered = await callRpc(layout.supervisorSocket, 'supervisor.getPID', { timeoutMs: 2000 }).catch(() => null);
  return typeof answered === 'number' && isOurs(layout, answered) ? identify(answered) : null;
}

/** Ends it and with it every experiment. Returns whether it ran. */
export async function stopSupervisor(layout: Layout): Promise<boolean> {
  const running = await findSupervisor(layout);
  if (running !== null) await endProcess(running, stopGraceMs);
  return running !== null;
}

const logFile = (layout: Layout): string => path.join(layout.logsDir, 'supervisord.log');

const config = (layout: Layout, openFiles: number): string => `; Written by Arboretum whenever it starts supervisord.
[unix_http_server]
file=${layout.supervisorSocket}
chmod=0700
[supervisord]
logfile=${logFile(layout)}
logfile_maxbytes=10MB
logfile_backups=3
pidfile=${layout.supervisorPid}
directory=/
umask=022
minfds=${openFiles}
${process.getuid?.() === 0 ? 'user=root\n' : ''}[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${layout.supervisorSocket}
[include]
files=${layout.supervisorPrograms}/*.conf
`;

async function untilAnswers(layout: Layout): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const state = await callRpc(layout.supervisorSocket, 'supervisor.getState', { timeoutMs: 1000 }).catch(() => null);
    if (state !== null) return;
    if (Date.now() > deadline) throw new StartProblem('supervisord, which keeps the experiments, does not answer.', `Its log is ${logFile(layout)}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isOurs = (layout: Layout, pid: number): boolean =>
  process.platform === 'linux' ? read(`/proc/${pid}/cmdline`).split('\0').includes(layout.supervisorConfig) : identify(pid) !== null;

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
