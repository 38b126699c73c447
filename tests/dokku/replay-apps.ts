// apps:*, domains:*, ports:* and the settings of apps on the replay host.

import { setTimeout as pause } from 'node:timers/promises';
import { argumentsOf, type Call, Refused, say, Unrecorded } from './replay-call.ts';
import { goJson, part, recorded, substitute } from './replay-recordings.ts';
import { type App, newApp, type State } from './replay-state.ts';

type Commands = Record<string, (call: Call) => Promise<number>>;

/** The lines about nginx that end every change of domains, ports and containers. */
export function nginxLines(app: App): string {
  const text = recorded('ports-set').stdout;
  const each = app.domains.map((domain) => part(text, '-----> Configuring', '-----> Creating').replace('lab-trust-game.lab.test', domain));
  return `${each.join('')}${part(text, '-----> Creating', null)}`;
}

/** Said on stderr, with exit code 0, as long as nothing listens. */
function warnOfListeners(call: Call, app: App): void {
  if (app.container?.isRunning() !== true) call.stderr.write(substitute(recorded('ports-set').stderr, { 'lab-trust-game': app.name }));
}

export const appCommands = (state: State, domain: string): Commands => ({
  version: async (call) => say(call, 'version'),
  'plugin:list': async (call) => {
    if (argumentsOf(call, { '--format': true }).flags.get('--format') !== 'json') throw new Unrecorded('plugin:list as text');
    return say(call, 'plugin-list-json');
  },
  'apps:create': async (call) => {
    const name = argumentsOf(call).place(0);
    if (!/^[a-z0-9][a-z0-9.-]*$/.test(name)) throw new Refused('apps-create-bad-0');
    if (state.apps.has(name)) throw new Refused('apps-create-again');
    state.apps.set(name, newApp(name, domain));
    return say(call, call.isQuiet ? 'i-quiet-create' : 'apps-create-archive', { 'lab-archive': name, 'lab-q1': name, 'lab.test': domain });
  },
  'apps:destroy': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    if (!call.isForced) throw new Unrecorded('apps:destroy without --force');
    app.cancel?.();
    state.apps.delete(app.name);
    const linked = [...state.services.values()].filter((service) => service.links.delete(app.name));
    const ended = app.container === null ? [] : [app.container];
    await Promise.all([...ended, ...app.retired].map(async (container) => await container.remove()));
    const text = recorded('apps-destroy-deployed').stdout;
    const unlinked = linked.map(({ name }) => `       Unlinking from ${name}\n`);
    call.stdout.write(
      substitute(`${part(text, '-----> Destroying', '-----> Updated')}${unlinked.join('')}${part(text, '-----> Updated', null)}`, { 'lab-auto': app.name }),
    );
    return 0;
  },
  'apps:exists': async (call) => {
    state.app(argumentsOf(call).place(0));
    return 0;
  },
  'apps:list': async (call) => {
    if (argumentsOf(call, { '--format': true }).flags.get('--format') !== 'json') throw new Unrecorded('apps:list as text');
    call.stdout.write(`${goJson([...state.apps.keys()].toSorted())}\n`);
    return 0;
  },
  'apps:locked': async (call) => say(call, state.app(argumentsOf(call).place(0)).isLocked ? 'apps-locked' : 'apps-locked-no'),
  'apps:unlock': async (call) => {
    const app = state.app(argumentsOf(call).place(0));
    if (app.isDeploying) throw new Unrecorded('apps:unlock while a build runs');
    const wasLocked = app.isLocked;
    app.isLocked = false;
    return say(call, wasLocked ? 'apps-unlock' : 'apps-unlock-not-locked');
  },
});

export const settingCommands = (state: State, domain: string): Commands => ({
  'domains:set': async (call) => {
    const { place, places } = argumentsOf(call);
    const app = state.app(place(0));
    app.domains = places.slice(1);
    if (app.domains.length !== 1) throw new Unrecorded('domains:set of anything but one domain');
    call.stdout.write(substitute(recorded('domains-set').stdout, { 'trust.lab.test': place(1), 'lab-trust-game': app.name }));
    warnOfListeners(call, app);
    return 0;
  },
  'domains:report': async (call) => {
    const { places, flags } = argumentsOf(call, { '--global': false, '--format': true });
    if (flags.get('--format') !== 'json') throw new Unrecorded('domains:report as text');
    const name = places[0];
    if (flags.has('--global') || name === undefined) return say(call, 'domains-report-global-json', { 'lab.test': domain });
    const report = JSON.parse(recorded('domains-report-json').stdout) as Record<string, string>;
    call.stdout.write(`${goJson({ ...report, 'app-vhosts': state.app(name).domains.join(' '), 'global-vhosts': domain })}\n`);
    return 0;
  },
  'ports:set': async (call) => {
    const { place, places } = argumentsOf(call);
    const app = state.app(place(0));
    app.ports = places.slice(1);
    if (app.ports.some((map) => !/^https?:\d+:\d+$/.test(map))) throw new Unrecorded('ports:set of such a map');
    await pause(0);
    call.stdout.write(nginxLines(app));
    warnOfListeners(call, app);
    return 0;
  },
  'ports:report': async (call) => {
    const { place, flags } = argumentsOf(call, { '--format': true });
    if (flags.get('--format') !== 'json') throw new Unrecorded('ports:report as text');
    call.stdout.write(`${goJson(portsReport(state.app(place(0))))}\n`);
    return 0;
  },
  'nginx:set': async (call) =>
    setProperty(call, state, { record: 'nginx-set', recorded: 'client-max-body-size to 20m', known: ['client-max-body-size', 'proxy-read-timeout'] }),
  'checks:set': async (call) => setProperty(call, state, { record: 'checks-set-wait', recorded: 'wait-to-retire to 5', known: ['wait-to-retire'] }),
  'git:set': async (call) => setProperty(call, state, { record: 'git-set-deploy-branch', recorded: 'deploy-branch to main', known: ['deploy-branch'] }),
  'resource:limit': async (call) => {
    const { place, flags } = argumentsOf(call, { '--memory': true, '--cpu': true });
    const app = state.app(place(0));
    if (flags.size === 0) throw new Unrecorded('resource:limit without a limit');
    const [heading = ''] = recorded('resource-limit-set').stdout.split('\n');
    call.stdout.write(`${heading.replace('lab-trust-game', app.name)}\n`);
    for (const [flag, value] of flags) {
      app.limits.set(flag.slice(2), value);
      call.stdout.write(`       ${flag.slice(2)}: ${value}\n`);
    }
    return 0;
  },
  'resource:report': async (call) => {
    const { place, flags } = argumentsOf(call, { '--format': true });
    if (flags.get('--format') !== 'json') throw new Unrecorded('resource:report as text');
    const limits = [...state.app(place(0)).limits].flatMap(([name, value]) =>
      [`_default_.limit.${name}`, `resource-_default_.limit.${name}`].map((key) => [key, value]),
    );
    call.stdout.write(`${goJson(Object.fromEntries(limits) as Record<string, string>)}\n`);
    return 0;
  },
});

type Setting = { readonly record: string; readonly recorded: string; readonly known: readonly string[] };

function setProperty(call: Call, state: State, setting: Setting): number {
  const { place } = argumentsOf(call);
  const [app, property, value] = [state.app(place(0)), place(1), place(2)];
  if (!setting.known.includes(property)) throw new Unrecorded(`${call.command} of ${property}`);
  app.properties.set(property, value);
  return say(call, setting.record, { [setting.recorded]: `${property} to ${value}` });
}

function portsReport(app: App): Record<string, string> {
  const report = JSON.parse(recorded('ports-report-json').stdout) as Record<string, string>;
  if (app.ports.length === 0) return report;
  const maps = app.ports.map((map) => {
    const [scheme, host, container] = map.split(':');
    return { container_port: Number(container), host_port: Number(host), scheme };
  });
  const [map, json] = [app.ports.join(' '), JSON.stringify(maps)];
  return { ...report, map, 'ports-map': map, 'map-json': json, 'ports-map-json': json };
}
