// supervisord, the keeper of instances: one program file per instance, and talking to it over its Unix socket.

import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../../contracts/errors.ts';
import { makeDirectory, replaceFile } from '../owned-files.ts';
import type { Ground } from './ground.ts';
import { asText, callRpc, RpcFault, type RpcValue } from './xml-rpc.ts';

/** What supervisord says of one program (supervisor 4.3 `getAllProcessInfo`). */
export type ProcessInfo = {
  readonly name: string;
  readonly state: 'STOPPED' | 'STARTING' | 'RUNNING' | 'BACKOFF' | 'STOPPING' | 'EXITED' | 'FATAL' | 'UNKNOWN';
  readonly pid: number;
  readonly exitCode: number;
  readonly startedAt: Date;
};

/** Codes of supervisor 4.3 xmlrpc.py `Faults` that mean "so it is already". */
const FAULT = { badName: 10, alreadyAdded: 90, notRunning: 70, stillRunning: 91 } as const;
/** An oTree that ends within this time did not start; supervisord then waits 1, 2, 3 … seconds before it tries again. */
const START_SECONDS = 5;
const RPC_TIMEOUT_MS = 5000;
const STOP_TIMEOUT_MS = 20_000;

export const programFile = (ground: Ground, instanceId: string): string => path.join(ground.layout.supervisorPrograms, `${instanceId}.conf`);

/** The program's section. Values are quoted for supervisord's shlex; `%` would start an expansion, ` ;` a comment. */
export function renderProgram(instanceId: string, argv: readonly string[]): string {
  const command = argv.map((part) => (/^[\w./:=@+-]+$/.test(part) ? part : `"${part.replace(/["\\]/g, '\\$&')}"`)).join(' ');
  if (/[\r\n]|\s;/.test(command)) throw new Error('a line break or “ ;” cannot stand in a program file');
  return `[program:${instanceId}]
command=${command.replaceAll('%', '%%')}
directory=/
autostart=true
autorestart=true
startsecs=${START_SECONDS}
startretries=1000000
stopsignal=TERM
stopasgroup=true
killasgroup=true
stopwaitsecs=10
stdout_logfile=NONE
stderr_logfile=NONE
`;
}

/** Everything supervisord keeps, by instance id. @throws platform_failed when it does not answer */
export async function listProcesses(ground: Ground): Promise<Map<string, ProcessInfo>> {
  const answer = await call(ground, 'supervisor.getAllProcessInfo');
  const rows = Array.isArray(answer) ? answer : [];
  return new Map(rows.map(readInfo).map((info) => [info.name, info]));
}

/** Makes this program live and starts it anew, whatever ran before. */
export async function startProgram(ground: Ground, instanceId: string, content: string): Promise<void> {
  await makeDirectory(ground, ground.layout.supervisorPrograms, { mode: 0o755 });
  await removeProgram(ground, instanceId);
  await replaceFile(programFile(ground, instanceId), content, { mode: 0o644 });
  await call(ground, 'supervisor.reloadConfig');
  await tolerate(ground, 'supervisor.addProcessGroup', { instanceId, fine: [FAULT.alreadyAdded] });
}

/** Ends the program and forgets it, also for the next boot. @throws platform_failed when supervisord does not answer */
export async function removeProgram(ground: Ground, instanceId: string): Promise<void> {
  await rm(programFile(ground, instanceId), { force: true });
  await tolerate(ground, 'supervisor.stopProcessGroup', { instanceId, fine: [FAULT.badName, FAULT.notRunning], timeoutMs: STOP_TIMEOUT_MS });
  await tolerate(ground, 'supervisor.removeProcessGroup', { instanceId, fine: [FAULT.badName] });
  await call(ground, 'supervisor.reloadConfig');
}

export const readProgram = async (ground: Ground, instanceId: string): Promise<string | null> =>
  await readFile(programFile(ground, instanceId), 'utf8').catch(() => null);

type Tolerant = { readonly instanceId: string; readonly fine: readonly number[]; readonly timeoutMs?: number };

async function tolerate(ground: Ground, method: string, { instanceId, fine, timeoutMs }: Tolerant): Promise<void> {
  try {
    await call(ground, method, { params: [instanceId], ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  } catch (error) {
    if (!(error instanceof RpcFault && fine.includes(error.faultCode))) throw error;
  }
}

async function call(ground: Ground, method: string, options: { params?: readonly string[]; timeoutMs?: number } = {}): Promise<RpcValue> {
  try {
    return await callRpc(ground.layout.supervisorSocket, method, { timeoutMs: RPC_TIMEOUT_MS, ...options });
  } catch (error) {
    if (error instanceof RpcFault && (Object.values(FAULT) as number[]).includes(error.faultCode)) throw error;
    const reason = error instanceof RpcFault ? `supervisord says “${error.message}”.` : 'supervisord, which keeps the experiments running, does not answer.';
    throw new AppError('platform_failed', { reason }, { cause: error });
  }
}

function readInfo(row: RpcValue): ProcessInfo {
  const fields = row !== null && typeof row === 'object' && !Array.isArray(row) ? row : {};
  return {
    name: asText(fields['name']),
    state: asText(fields['statename']) as ProcessInfo['state'],
    pid: Number(fields['pid']),
    exitCode: Number(fields['exitstatus']),
    startedAt: new Date(Number(fields['start']) * 1000),
  };
}
