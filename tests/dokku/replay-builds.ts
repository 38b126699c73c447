// git:from-archive, ps:rebuild and builds:* on the replay host: a tar from stdin becomes an image and, with web=1, a container.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { argumentsOf, type Call, readAll, say, Unrecorded } from './replay-call.ts';
import { rewriteConfig } from './replay-config.ts';
import { deploy, deployedLines, type DeployGround, releaseLines } from './replay-deploy.ts';
import { BuildFailed, buildImage } from './replay-image.ts';
import { goJson, lineOf, part, pushOutput, recorded, substitute } from './replay-recordings.ts';
import { type App, type Build, hex, nanoTime, type State } from './replay-state.ts';

type Commands = Record<string, (call: Call) => Promise<number>>;

/** What bash answers for a command that SIGQUIT ended, as `builds:cancel` does. @see record push-then-cancel */
const QUIT = 131;

export const buildCommands = (state: State, ground: DeployGround): Commands => ({
  'git:from-archive': async (call) => {
    const { place } = argumentsOf(call);
    const app = state.app(place(0));
    if (place(1) !== '--') throw new Unrecorded('git:from-archive of anything but a tar from stdin');
    return await fromArchive(call, app, ground);
  },
  'ps:rebuild': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    const { context } = app;
    if (context === null) return say(call, 'ps-rebuild-undeployed');
    return await build(call, app, { ground, context, source: 'ps:rebuild' });
  },
  'builds:list': async (call) => {
    const { place, flags } = argumentsOf(call, { '--format': true });
    if (flags.get('--format') !== 'json') throw new Unrecorded('builds:list as text');
    const app = state.app(place(0));
    call.stdout.write(`${goJson(app.builds.toReversed().map((build) => describe(app, build)))}\n`);
    return 0;
  },
  'builds:output': async (call) => {
    const { place } = argumentsOf(call);
    const app = state.app(place(0));
    const running = app.builds.find((build) => build.finishedAt === null);
    if (place(1) === 'current' && running === undefined) return say(call, 'builds-output-current');
    const build = place(1) === 'current' ? running : app.builds.find(({ id }) => id === place(1));
    if (build === undefined) throw new Unrecorded('builds:output of a build that is not there');
    await build.ended;
    call.stdout.write(build.output);
    return 0;
  },
  'builds:cancel': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    if (app.cancel === null) return say(call, 'builds-cancel-none');
    app.cancel();
    return say(call, 'builds-cancel');
  },
});

type Kind = { readonly kind: Build['kind']; readonly source: string; readonly isLocking: boolean };

/** Notes a deploy in the list of builds while it runs. @throws Unrecorded when another one runs, which a client must never let happen */
export async function keepBuild(app: App, { kind, source, isLocking }: Kind, work: (build: Build, signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
  if (app.isDeploying) throw new Unrecorded('two deploys of one app at once');
  const stopper = new AbortController();
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const id = `mwq6${BigInt(`0x${hex(12)}`)
    .toString(36)
    .padStart(10, '0')
    .slice(0, 10)}`;
  const build: Build = { id, kind, source, pid: 20_077 + app.builds.length, startedAt: new Date(), finishedAt: null, exitCode: null, output: '', ended };
  app.builds.push(build);
  [app.isDeploying, app.isLocked] = [true, isLocking];
  app.cancel = () => stopper.abort();
  let isGood = false;
  try {
    isGood = await work(build, stopper.signal);
    return isGood;
  } finally {
    [app.isDeploying, app.isLocked, app.cancel] = [false, false, null];
    [build.finishedAt, build.exitCode] = [new Date(), stopper.signal.aborted ? -1 : isGood ? 0 : 1];
    end();
  }
}

async function fromArchive(call: Call, app: App, ground: DeployGround): Promise<number> {
  const tar = await readAll(call.stdin);
  const header = recorded('git-from-archive-stdin').stdout;
  const [fetching, generating] = [lineOf(header, '-----> Fetching'), lineOf(header, '-----> Generating')];
  call.stdout.write(`${fetching}\n${tar.length}\n${generating}\n`);
  const folder = path.join(ground.folder, hex(12));
  const given = path.join(folder, 'given');
  await mkdir(given, { recursive: true });
  await writeFile(path.join(folder, 'src.tar'), tar);
  const unpack = spawn('tar', ['-x', '-f', '../src.tar', '--no-same-owner'], { cwd: given, stdio: 'ignore' });
  const [code] = (await once(unpack, 'close')) as [number];
  if (code !== 0) {
    call.stdout.write(part(recorded('git-from-archive-garbage').stdout, 'tar:', null));
    return recorded('git-from-archive-garbage').exitCode;
  }
  call.stdout.write(part(header, '       Striping', '       Detected branch'));
  if (!app.properties.has('deploy-branch')) call.stdout.write(`${lineOf(header, '       Detected branch')}\n`);
  const tree = await commit(folder);
  if (app.commits.at(-1) === tree) {
    call.stdout.write(part(recorded('git-from-archive-same').stdout, ' !     No changes', null));
    await rm(folder, { recursive: true });
    return recorded('git-from-archive-same').exitCode;
  }
  // The commit is made before the lock is asked for. Only a deploy that fails takes it back: a killed one leaves it.
  app.commits.push(tree);
  if (app.isLocked) {
    call.stdout.write(substitute(pushOutput('conc-two-pushes-2'), { 'lab-trust-game': app.name }));
    return recorded('conc-two-pushes-2').exitCode;
  }
  const exitCode = await build(call, app, { ground, context: path.join(folder, 'context'), source: 'git:from-archive' });
  if (exitCode !== 0 && exitCode !== QUIT) app.commits.splice(app.commits.lastIndexOf(tree), 1);
  return exitCode;
}

/** Dokku puts the tree through git: what git does not keep (empty folders, ignored files) is not built. Returns the tree's hash. */
async function commit(folder: string): Promise<string> {
  const script = 'git init -q . && git add --all && git write-tree && git checkout-index --all --prefix=../context/';
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  const child = spawn('/bin/sh', ['-c', script], { cwd: path.join(folder, 'given'), env, stdio: ['ignore', 'pipe', 'inherit'] });
  const output = await readAll(child.stdout);
  await mkdir(path.join(folder, 'context'), { recursive: true });
  await rm(path.join(folder, 'given'), { recursive: true });
  return output.toString('utf8').trim();
}

type Work = { readonly ground: DeployGround; readonly context: string; readonly source: string };

/** Builds, and deploys what was built. stderr is merged into stdout. */
async function build(call: Call, app: App, { ground, context, source }: Work): Promise<number> {
  const isStopped = { value: false };
  const isGood = await keepBuild(app, { kind: 'build', source, isLocking: true }, async (build, signal) => {
    const out = (text: string) => {
      build.output += text;
      if (!signal.aborted) call.stdout.write(text);
    };
    signal.addEventListener('abort', () => (isStopped.value = true));
    const base = recorded('git-from-archive-stdin').stdout;
    out(substitute(part(base, '-----> Cleaning up', 'Step 1'), { 'lab-archive': app.name }));
    await rewriteConfig(app, (before) => ({ ...before, GIT_REV: hex(40) }));
    const image = await makeImage(app, context, { out, signal });
    if (image === null) return false;
    out(substitute(part(base, 'Successfully built', '-----> Releasing'), { 'lab-archive': app.name, d29adaf1fbf4: image.id }));
    [app.image, app.context] = [image, context];
    out(releaseLines(app));
    if (!(await deploy({ app, image, ground, out, fail: out, signal })) || signal.aborted) return false;
    out(deployedLines(app));
    return true;
  });
  if (isStopped.value) return QUIT;
  return isGood ? 0 : 1;
}

async function makeImage(app: App, context: string, { out, signal }: { out: (text: string) => void; signal: AbortSignal }) {
  const id = hex(12);
  try {
    return await buildImage({ context, folder: path.join(path.dirname(context), id), id, onOutput: out, signal });
  } catch (error) {
    if (signal.aborted) return null;
    if (!(error instanceof BuildFailed)) throw error;
    const failure = pushOutput('push-build-error');
    if (app.image !== null) out(`${substitute(lineOf(failure, ' !     Retagging'), { '0158c65085b0': app.image.id, 'lab-trust-game': app.name })}\n`);
    out(`${lineOf(failure, ' !     App build failed')}\n`);
    return null;
  }
}

/** One record of builds:list, in the recorded order of its keys. */
function describe(app: App, build: Build): Record<string, unknown> {
  const [running] = JSON.parse(recorded('k-builds-0s').stdout) as [Record<string, unknown>];
  const [done] = JSON.parse(recorded('k-builds-45s').stdout) as [Record<string, unknown>];
  const status = build.exitCode === null ? 'running' : build.exitCode === 0 ? 'succeeded' : 'failed';
  const values = {
    id: build.id,
    app: app.name,
    kind: build.kind,
    pid: build.pid,
    started_at: nanoTime(build.startedAt),
    status,
    source: build.source,
    display_status: status,
    duration: `${Math.round(((build.finishedAt ?? new Date()).getTime() - build.startedAt.getTime()) / 1000)}s`,
    log_path: `/var/lib/dokku/data/builds/${app.name}/${build.id}.log`,
  };
  if (build.finishedAt === null) return { ...running, ...values };
  return { ...done, ...values, finished_at: nanoTime(build.finishedAt), exit_code: build.exitCode };
}
