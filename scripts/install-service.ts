// `npm run install-service`: the panel comes back after a crash and after a reboot.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../domain/config.ts';
import { settings } from '../domain/settings.ts';
import { inheritedEnvironment } from './environment.ts';
import { checkDisk } from './preflight.ts';
import { prepare } from './prepare.ts';
import { readPid } from './process-identity.ts';
import { StartProblem } from './problem.ts';
import { projectRoot } from './project-root.ts';
import type { Progress } from './progress.ts';
import { announce, untilReady } from './run-services.ts';
import { run, runDaemon, runOrThrow } from './run.ts';
import { envFile, hasSystemd, keeperConfig, keeperPid, keeperPidFile, keeperSocket, unitFile } from './service-keepers.ts';
import { groundUnit, initScript, panelUnit, supervisorConfig, unitNames, type ServicePlace } from './service-units.ts';

const script = '/etc/init.d/arboretum';
/** Besides the settings: what downloads need behind a proxy. */
const furtherNames = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'LANG', 'TZ'];

/** Writes, enables and starts the service with the settings of this call. @throws StartProblem without root's rights */
export async function installService(config: Config, progress: Progress, signal: AbortSignal): Promise<void> {
  if (!config.isRoot) throw new StartProblem('A service is installed as root.', 'Run: sudo npm run install-service');
  checkDisk(config.layout.dataDir);
  const running = readPid(config.layout.startLock);
  if (running !== null && keeperPid(config) === null && !hasSystemd())
    throw new StartProblem(
      `Arboretum is running already (process ${running.pid}).`,
      'Stop it first (Ctrl-C there): the service starts it again. Experiments go on meanwhile.',
    );
  await prepare(config, progress);
  writePrivate(envFile(config), settingsFile(config));
  const place = placeOf(config);
  await (hasSystemd() ? installUnits(place, progress) : installScript(config, { place, progress }));
  await progress.step('server and worker', () => untilReady(config, signal));
  announce(config, progress);
  progress.say(
    `The service comes back after a crash and after every reboot. Its settings are in ${envFile(config)}; its log is ${path.join(config.layout.logsDir, 'start.log')}.`,
  );
}

function placeOf(config: Config): ServicePlace {
  const inherited = inheritedEnvironment()['PATH'] ?? '';
  const folders = [
    path.dirname(process.execPath),
    ...inherited.split(':'),
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ].filter((folder) => folder.startsWith('/') && !folder.includes('node_modules'));
  return {
    root: projectRoot,
    node: process.execPath,
    envFile: envFile(config),
    path: [...new Set(folders)].join(':'),
    dataDir: config.layout.dataDir,
    toolsDir: config.layout.toolsDir,
    pidFile: keeperPidFile(config),
    socket: keeperSocket(config),
  };
}

/** Every setting that is set now, DATA_DIR and RUN_DIR in any case. */
function settingsFile(config: Config): string {
  const env: Record<string, string> = { ...inheritedEnvironment(), DATA_DIR: config.layout.dataDir, RUN_DIR: path.dirname(config.layout.runDir) };
  const names = [...Object.keys(settings), ...furtherNames].filter((name) => env[name]);
  return [
    `# Settings of the service; see docs/configuration.md. After a change: ${hasSystemd() ? 'systemctl restart arboretum' : 'service arboretum restart'}`,
    ...names.map((name) => `${name}=${quoted(name, env[name] ?? '')}`),
    '',
  ].join('\n');
}

/** Node's reader of such files knows three kinds of quotes and no escapes. */
function quoted(name: string, value: string): string {
  const quote = ["'", '"', '`'].find((mark) => !value.includes(mark));
  if (quote === undefined || value.includes('\n'))
    throw new StartProblem(`The value of ${name} cannot be written into a settings file.`, 'It may not hold a line break, or all three kinds of quotes.', 78);
  return `${quote}${value}${quote}`;
}

async function installUnits(place: ServicePlace, progress: Progress): Promise<void> {
  writeFileSync(unitFile(unitNames.ground), groundUnit(place));
  writeFileSync(unitFile(unitNames.panel), panelUnit(place));
  const systemctl = (args: readonly string[]): Promise<string> =>
    runOrThrow({ file: 'systemctl', args, timeoutMs: 15 * 60_000, onOutput: progress.log }, `systemctl ${args.join(' ')}`);
  await systemctl(['daemon-reload']);
  await systemctl(['enable', unitNames.ground, unitNames.panel]);
  await progress.step('systemd starts the two units', () => systemctl(['start', unitNames.ground, unitNames.panel]));
}

async function installScript(config: Config, { place, progress }: { place: ServicePlace; progress: Progress }): Promise<void> {
  writePrivate(keeperConfig(config), supervisorConfig(place));
  writeFileSync(script, initScript(place), { mode: 0o755 });
  chmodSync(script, 0o755);
  if (existsSync('/usr/sbin/update-rc.d')) await run({ file: '/usr/sbin/update-rc.d', args: ['arboretum', 'defaults'] });
  await progress.step('the service starts', () => startByScript(config));
  if (!isInitRunning()) progress.say('  No init system runs here (a container?): let its entry point call “service arboretum start”.');
}

/** The daemon must not hold on to a pipe of ours. */
async function startByScript(config: Config): Promise<void> {
  const { exitCode, output } = await runDaemon({ file: script, args: [keeperPid(config) === null ? 'start' : 'restart'], timeoutMs: 120_000 });
  if (exitCode !== 0) throw new StartProblem(`${script} failed: ${output.trim()}`, 'Run it by hand and see what it says.');
}

function isInitRunning(): boolean {
  try {
    return /^(init|systemd|runit|s6-svscan|openrc)/.test(readFileSync('/proc/1/comm', 'utf8'));
  } catch {
    return true;
  }
}

function writePrivate(file: string, content: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, content, { mode: 0o600 });
  chmodSync(file, 0o600);
}
