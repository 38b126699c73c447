// ps:*, logs, run and enter on the replay host.

import path from 'node:path';
import { nginxLines } from './replay-apps.ts';
import { argumentsOf, type Call, Refused, say, Unrecorded } from './replay-call.ts';
import { type Container, runOnce } from './replay-container.ts';
import { deploy, deployedLines, type DeployGround, releaseLines } from './replay-deploy.ts';
import { keepBuild } from './replay-builds.ts';
import { goJson, part, recorded, substitute } from './replay-recordings.ts';
import { type App, hex, nanoTime, type State } from './replay-state.ts';

type Commands = Record<string, (call: Call) => Promise<number>>;

const onlyJson = (call: Call): ReturnType<typeof argumentsOf> => {
  const found = argumentsOf(call, { '--format': true });
  if (found.flags.get('--format') !== 'json') throw new Unrecorded(`${call.command} as text`);
  return found;
};

export const psCommands = (state: State, ground: DeployGround): Commands => ({
  'ps:scale': async (call) => {
    const { place, places, flags } = argumentsOf(call, { '--format': true });
    const app = state.app(place(0));
    if (flags.get('--format') === 'json' && places.length === 1) {
      call.stdout.write(recorded('ps-scale-show-json').stdout.replace('"quantity":1', `"quantity":${app.webCount}`));
      return 0;
    }
    const count = /^web=(\d)$/.exec(place(1))?.[1];
    if (places.length !== 2 || count === undefined || Number(count) > 1) throw new Unrecorded('ps:scale to anything but web=0 or web=1');
    if (app.isDeployed && Number(count) !== app.webCount) throw new Unrecorded('ps:scale that deploys');
    app.webCount = Number(count);
    return say(call, 'ps-scale-set-undeployed', { 'lab-trust-game': app.name, 'web=1': place(1) });
  },
  'ps:report': async (call) => {
    call.stdout.write(`${goJson(report(state.app(onlyJson(call).place(0))))}\n`);
    return 0;
  },
  'ps:inspect': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    if (app.container === null) throw new Refused('ps-inspect-undeployed');
    call.stdout.write(`${JSON.stringify(inspection(app, app.container), null, 4)}\n`);
    return 0;
  },
  'ps:start': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    const names = { 'lab-trust-game': app.name };
    if (!app.isDeployed || app.image === null) return say(call, 'ps-start-undeployed', names);
    if (app.container?.isRunning() === true) {
      call.stderr.write(substitute(recorded('ps-start-again').stderr, names));
      call.stdout.write(networkLines(app));
      return 0;
    }
    if (app.webCount === 0) throw new Unrecorded('ps:start of an app with web=0');
    call.stderr.write(recorded('ps-start').stderr);
    const isGood = await redeploy(call, app, { ground, source: 'deploy', hasRelease: true });
    if (isGood) call.stdout.write(networkLines(app));
    return isGood ? 0 : 1;
  },
  'ps:restart': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    if (!app.isDeployed) return say(call, 'ps-restart-undeployed', { 'lab-trust-game': app.name });
    if (app.container?.isRunning() !== true) throw new Unrecorded('ps:restart of a stopped app');
    const merged: Call = { ...call, stderr: call.stdout };
    return (await redeploy(merged, app, { ground, source: 'ps:restart', hasRelease: false })) ? 0 : 1;
  },
  'ps:stop': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    const names = { 'lab-trust-game': app.name };
    if (!app.isDeployed) return say(call, 'ps-stop-undeployed', names);
    if (app.isDeploying) throw new Unrecorded('ps:stop during a deploy');
    app.isRestored = false;
    await app.container?.stop();
    return say(call, 'ps-stop', names);
  },
  logs: async (call) => {
    const { place, flags } = argumentsOf(call, { '--num': true });
    const app = state.app(place(0));
    if (!app.isDeployed) throw new Refused('logs-undeployed', { 'lab-trust-game': app.name });
    if (app.container === null) throw new Unrecorded('logs of an app with web=0');
    for (const line of app.container.log.slice(-Number(flags.get('--num') ?? '100')))
      call.stdout.write(`\u001B[36m${line.time} app[web.1]:\u001B[0m ${line.text}\n`);
    return 0;
  },
});

/** run and enter: the words really run; neither gets any input. */
export const runCommands = (state: State, ground: DeployGround): Commands => ({
  run: async (call) => {
    const { app: name, variables, words } = readRun(call);
    const app = state.app(name);
    if (app.image === null) throw new Refused('run-undeployed', { 'lab-trust-game': app.name });
    const folder = path.join(ground.folder, hex(12));
    return await runOnce(call, { image: app.image, config: { ...app.config, ...variables }, folder, name: 'run.2406' }, words);
  },
  enter: async (call) => {
    const [name = '', process, ...words] = call.words;
    const app = state.app(name);
    if (!app.isDeployed) throw new Refused('enter-undeployed', { 'lab-trust-game': app.name });
    if (process !== 'web' || words.length === 0) throw new Unrecorded('enter without a process and a command');
    if (app.container?.isRunning() !== true) throw new Unrecorded('enter of an app that does not run');
    return await app.container.enter(call, words);
  },
});

/** `run [--no-tty] [--env NAME=value]… APP words…`: what follows the app is not Dokku's. */
function readRun(call: Call): { app: string; variables: Record<string, string>; words: readonly string[] } {
  const [words, variables]: [string[], Record<string, string>] = [[...call.words], {}];
  while (words[0]?.startsWith('-') === true) {
    const flag = words.shift();
    if (flag === '--no-tty') continue;
    const pair = words.shift() ?? '';
    if (flag !== '--env' || !pair.includes('=')) throw new Unrecorded(`a flag of run: ${flag}`);
    variables[pair.replace(/=.*$/s, '')] = pair.replace(/^[^=]*=/, '');
  }
  const [app = '', ...rest] = words;
  if (rest.length === 0) throw new Unrecorded('run without a command');
  return { app, variables, words: rest };
}

type Redeploy = { readonly ground: DeployGround; readonly source: string; readonly hasRelease: boolean };

async function redeploy(call: Call, app: App, { ground, source, hasRelease }: Redeploy): Promise<boolean> {
  const { image } = app;
  if (image === null) throw new Unrecorded('a deploy without an image');
  return await keepBuild(app, { kind: 'deploy', source, isLocking: false }, async (build, signal) => {
    const out = (text: string) => {
      build.output += text;
      call.stdout.write(text);
    };
    const task = { app, image, ground, out, fail: (text: string) => void call.stderr.write(text), signal };
    if (hasRelease) out(releaseLines(app));
    const isGood = await deploy(task);
    if (isGood && hasRelease) out(deployedLines(app));
    return isGood;
  });
}

const networkLines = (app: App): string =>
  `${substitute(part(recorded('ps-start-again').stdout, '-----> Ensuring', '-----> Configuring'), { 'lab-trust-game': app.name })}${nginxLines(app)}`;

function report(app: App): Record<string, string> {
  const base = JSON.parse(recorded('ps-report-json').stdout) as Record<string, string>;
  const { container } = app;
  const isRunning = container?.isRunning() === true;
  const status = container?.isRestarting() === true ? 'restarting' : isRunning ? 'running' : 'exited';
  return {
    ...base,
    deployed: String(app.isDeployed),
    processes: container === null ? '0' : '1',
    restore: String(app.isRestored),
    running: String(isRunning),
    ...(container === null ? {} : { 'status-web.1': `${status} (CID: ${container.id.slice(0, 11)})` }),
  };
}

/** The recorded answer with what is true of this container in it. */
function inspection(app: App, container: Container): unknown {
  const name = 'lab-trust-game';
  const [base] = JSON.parse(substitute(recorded('ps-inspect').stdout, { [name]: app.name, [`${name}.lab.test`]: app.domains.join(',') })) as [
    Record<string, Record<string, unknown>>,
  ];
  const variables = container.variables.map((key) => `${key}=XXXXXX`);
  const isRunning = container.isRunning();
  return [
    {
      ...base,
      Id: container.id,
      Name: `/${app.name}.web.1`,
      Created: nanoTime(container.created),
      Args: container.image.command.slice(1),
      Path: container.image.command[0],
      Config: {
        ...base['Config'],
        Cmd: container.image.command,
        Hostname: container.id.slice(0, 12),
        Env: ['PORT=5000', ...variables, 'DYNO=web.1'],
        WorkingDir: container.image.workingDir,
      },
      HostConfig: { ...base['HostConfig'], Memory: container.memoryMib * 1024 * 1024 },
      RestartCount: container.restartCount,
      State: {
        ...base['State'],
        ExitCode: container.pid === 0 ? container.exitCode : 0,
        FinishedAt: container.finishedAt === null ? '0001-01-01T00:00:00Z' : nanoTime(container.finishedAt),
        Pid: container.pid,
        Restarting: container.isRestarting(),
        Running: isRunning,
        StartedAt: nanoTime(container.startedAt),
        Status: container.isRestarting() ? 'restarting' : isRunning ? 'running' : 'exited',
      },
    },
  ];
}
