// A deploy on the replay host: a new container beside the old one, app.json's check over HTTP, and Dokku's lines about it.

import { request } from 'node:http';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { nginxLines } from './replay-apps.ts';
import { Unrecorded } from './replay-call.ts';
import { Container } from './replay-container.ts';
import type { Image } from './replay-image.ts';
import { lineOf, part, pushOutput, recorded, substitute } from './replay-recordings.ts';
import { type App, hex } from './replay-state.ts';

export type DeployGround = {
  /** Folder of all containers of this host. */
  readonly folder: string;
  /** Takes the place of `wait` in app.json's checks, so that a start that fails need not take a minute. */
  readonly checkPauseMs: number | null;
};

export type Deploy = {
  readonly app: App;
  readonly image: Image;
  readonly ground: DeployGround;
  readonly out: (text: string) => void;
  /** Where “Could not start …” goes: to stdout for builds and ps:restart, to stderr for ps:start. */
  readonly fail: (text: string) => void;
  readonly signal: AbortSignal;
};

const ASK_AGAIN_MS = 100;

type Check = { readonly name: string; readonly path: string; readonly attempts: number; readonly limitMs: number; readonly timeoutMs: number };

/** “Releasing …”: what precedes the deploy, except for ps:restart. The panel's trees have no tasks. */
export const releaseLines = (app: App): string => named(part(pushOutput('push-healthcheck-failure'), '-----> Releasing', '-----> Deploying web'), app);

/** “Application deployed: …”. */
export const deployedLines = (app: App): string =>
  substitute(part(recorded('ps-rebuild').stdout, '=====> Application deployed', null), { 'lab-trust-game.lab.test': app.domains[0] ?? app.name });

const named = (text: string, app: App): string => substitute(text, { 'lab-trust-game': app.name });

/** Starts the image's web process and gives it the place of the old one. Returns whether its checks went through. */
export async function deploy(task: Deploy): Promise<boolean> {
  const { app, image, ground, out } = task;
  const good = recorded('ps-restart').stdout;
  if (app.webCount > 0) {
    const name = `${app.name}.web.1`;
    const container = new Container({
      image,
      config: app.config,
      name: 'web.1',
      folder: path.join(ground.folder, hex(12)),
      memoryMib: Number(app.limits.get('memory') ?? '0'),
    });
    const check = readCheck(image, ground);
    out(substitute(part(good, '-----> Deploying web', '       Healthcheck succeeded'), checkWords(check)));
    await container.start();
    const isGood = await holds(container, check, task.signal);
    if (!isGood) {
      await refuseContainer(task, container, check);
      return false;
    }
    out(substitute(part(good, '       Healthcheck succeeded', '=====> Start of'), checkWords(check)));
    out(outputLines(app, container));
    const old = app.container;
    app.container = container;
    if (old !== null) retire(app, old, out);
    await settle(app, out);
    out(`${lineOf(good, '-----> Renaming')}\n`);
    if (old !== null)
      out(
        substitute(part(good, '       Found previous', '       Renaming container lab-trust-game.web.1.upcoming'), {
          '03b1c330f674': old.id.slice(0, 12),
          'lab-trust-game.web.1': name,
          '1795250569': String(Math.floor(Date.now() / 1000)),
        }),
      );
    out(
      `${substitute(lineOf(good, '       Renaming container lab-trust-game.web.1.upcoming'), { 'lab-trust-game.web.1': name, '72cb739e4278': container.id.slice(0, 12) })}\n`,
    );
  } else {
    out(`${lineOf(good, '-----> Deploying release').replace('release', 'web')}\n`);
    await settle(app, out);
  }
  out(
    `${lineOf(good, '-----> Checking for postdeploy')}\n${lineOf(pushOutput('push-healthcheck-failure'), '       No release task').replace('release', 'postdeploy')}\n`,
  );
  [app.isDeployed, app.isRestored] = [true, true];
  return true;
}

/** nginx is built twice in every deploy. */
async function settle(app: App, out: (text: string) => void): Promise<void> {
  const good = recorded('ps-restart').stdout;
  const network = named(`${lineOf(good, '-----> Ensuring network')}\n`, app);
  out(`${lineOf(good, '=====> Triggering')}\n${network}${nginxLines(app)}${lineOf(good, '-----> Running post-deploy')}\n${network}${nginxLines(app)}`);
  await pause(0);
}

/** The old process ends some time after the new one took over. @see checks:set wait-to-retire */
function retire(app: App, old: Container, out: (text: string) => void): void {
  app.retired.add(old);
  const seconds = old.isRunning() ? Number(app.properties.get('wait-to-retire') ?? '60') : 0;
  if (seconds > 0) out(`${lineOf(recorded('ps-restart').stdout, '       Scheduling old container').replace(' 5 ', ` ${seconds} `)}\n`);
  old.retireAfter(seconds * 1000, () => app.retired.delete(old));
}

function readCheck(image: Image, { checkPauseMs }: DeployGround): Check {
  const checks = (image.appJson as { healthchecks?: { web?: readonly Record<string, unknown>[] } } | null)?.healthchecks?.web ?? [];
  const [check] = checks;
  if (checks.length !== 1 || check?.['type'] !== 'startup' || typeof check['path'] !== 'string')
    throw new Unrecorded('an app.json without exactly one startup check by path');
  const number = (name: string, preset: number): number => Number(check[name] ?? preset);
  return {
    name: typeof check['name'] === 'string' ? check['name'] : 'default',
    path: check['path'],
    attempts: number('attempts', 3),
    limitMs: number('attempts', 3) * (checkPauseMs ?? number('wait', 5) * 1000),
    timeoutMs: number('timeout', 5) * 1000,
  };
}

const checkWords = ({ name, path, attempts, timeoutMs }: Check): Record<string, string> => ({
  "name='web check'": `name='${name}'`,
  "path='/' retries=2 timeout=2": `path='${path}' retries=${attempts - 1} timeout=${timeoutMs / 1000}`,
});

/** Asks more often than Dokku would, for as long as it would: all `attempts` with their pauses. */
async function holds(container: Container, check: Check, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + check.limitMs;
  while (Date.now() < deadline && !signal.aborted) {
    if (await isAnswered(container.port, check)) return true;
    await pause(ASK_AGAIN_MS);
  }
  return false;
}

async function isAnswered(port: number, check: Check): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: check.path, timeout: check.timeoutMs }, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) >= 200 && (response.statusCode ?? 500) < 300);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

function outputLines(app: App, container: Container): string {
  const text = recorded('ps-restart').stdout;
  const frame = (start: string): string => `${substitute(lineOf(text, start), { 'lab-trust-game': app.name, '72cb739e4278': container.id.slice(0, 12) })}\n`;
  const lines = container.log.map((line) => `       ${line.text}\n`);
  return [frame('=====> Start of lab-trust-game container'), ...lines, frame('=====> End of lab-trust-game container')].join('');
}

/** @see records push-healthcheck-failure, push-crash-at-start */
async function refuseContainer({ app, out, fail }: Deploy, container: Container, check: Check): Promise<void> {
  const crash = pushOutput('push-crash-at-start');
  const failures = crash.split('\n').filter((line) => line.includes('Failure in name='));
  const seen = container.isRunning() && !container.isRestarting() ? failures.slice(0, 1) : failures;
  for (const line of seen) out(`${substitute(line, { "name='web check'": `name='${check.name}'`, ':5000/"': `:5000${check.path}"` })}\n`);
  await container.remove();
  out(`${container.id}\n`);
  fail(`${lineOf(crash, ' !     Could not start')}\n`);
  out(outputLines(app, container).repeat(2));
  fail(named(part(crash, 'parallel: This job failed', null), app));
}
