// What keeps the panel when it is installed as a service, and ending that before the panel (it would start it again).

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../domain/config.ts';
import { endProcess, identify } from './process-identity.ts';
import type { Progress } from './progress.ts';
import { run } from './run.ts';
import { unitNames } from './service-units.ts';

const stopMs = 120_000;

export const unitFile = (name: string): string => path.join('/etc/systemd/system', name);
/** The service's supervisord, where there is no systemd; not the one of the experiments. */
export const keeperPidFile = (config: Config): string => path.join(config.layout.runDir, 'service.pid');
export const keeperSocket = (config: Config): string => path.join(config.layout.runDir, 'service.sock');
export const keeperConfig = (config: Config): string => path.join(config.layout.dataDir, 'service', 'supervisord.conf');
export const envFile = (config: Config): string => path.join(config.layout.dataDir, 'service', 'settings.env');

/** Whether systemd is the init of this machine. */
export const hasSystemd = (): boolean => existsSync('/run/systemd/system');

/** Stops the units of this DATA_DIR, or the keeper without systemd. They come back at the next boot. */
export async function stopKeepers(config: Config, progress: Progress): Promise<void> {
  for (const name of hasSystemd() ? [unitNames.panel, unitNames.ground] : []) {
    if (!existsSync(unitFile(name)) || !readFileSync(unitFile(name), 'utf8').includes(envFile(config))) continue;
    if ((await run({ file: 'systemctl', args: ['is-active', '--quiet', name] })).exitCode !== 0) continue;
    await run({ file: 'systemctl', args: ['stop', name], timeoutMs: stopMs, onOutput: progress.log });
    progress.say(`✓ ${name} stopped (until the next boot, or “systemctl start ${name}”)`);
  }
  const pid = keeperPid(config);
  const keeper = pid === null ? null : identify(pid);
  if (keeper === null) return;
  await endProcess(keeper, stopMs);
  progress.say('✓ the service stopped (until the next boot, or “service arboretum start”)');
}

/** Pid of the running keeper without systemd, or null. */
export function keeperPid(config: Config): number | null {
  try {
    const pid = Number(readFileSync(keeperPidFile(config), 'utf8'));
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(keeperConfig(config)) ? pid : null;
  } catch {
    return null;
  }
}
