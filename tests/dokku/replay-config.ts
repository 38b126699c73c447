// config:* of the replay host, with the race of a real one: two writes at once on one app lose what they did not bring.

import { setTimeout as pause } from 'node:timers/promises';
import { argumentsOf, type Call, readAll, Refused, Unrecorded } from './replay-call.ts';
import { goJson, part, recorded } from './replay-recordings.ts';
import type { App, State } from './replay-state.ts';

/** How long a command takes between reading the env file and having written it; long enough that two of one test meet. */
const REWRITE_MS = 40;

type Change = (before: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;

/**
 * Begins to rewrite the env file as Dokku does: read, truncate, write, without a lock. Of two at once each reads what the
 * other one truncated, so that only the variables of the last one are left. Returns what ends it (null: without a write).
 * @see records conc-config-export-after, race-export-8
 */
function beginRewrite(app: App): (change: Change | null) => Promise<void> {
  app.isConfigTruncated ||= app.configWriters > 0;
  app.configWriters += 1;
  return async (change) => {
    await pause(REWRITE_MS);
    if (change !== null) app.config = change(app.isConfigTruncated ? {} : app.config);
    app.configWriters -= 1;
    if (app.configWriters === 0) app.isConfigTruncated = false;
  };
}

/** Rewrites the env file; see `beginRewrite`. */
export const rewriteConfig = async (app: App, change: Change): Promise<void> => await beginRewrite(app)(change);

/** “Setting config vars” with the values, as every command that sets something prints it. @see config-import-replace-json */
export function settingLines(values: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(values).map((key) => key.length)) + 1;
  const lines = Object.entries(values).map(([key, value]) => `       ${`${key}:`.padEnd(width)}  ${value}\n`);
  return part(recorded('config-import-replace-json').stdout, '-----> Setting config vars', '       GREETING').concat(...lines);
}

export const configCommands = (state: State): Record<string, (call: Call) => Promise<number>> => ({
  'config:export': async (call) => {
    const { place, flags } = argumentsOf(call, { '--format': true });
    const app = state.app(place(0));
    if (flags.get('--format') !== 'json') throw new Unrecorded('config:export in another format than json');
    call.stdout.write(`${goJson(app.config)}\n`);
    return 0;
  },
  'config:import': async (call) => {
    const { place, flags } = argumentsOf(call, { '--no-restart': false, '--replace': false, '--format': true });
    const app = state.app(place(0));
    if (flags.get('--format') !== 'json' || place(1) !== '-') throw new Unrecorded('config:import of anything but json from stdin');
    refuseRestart(app, flags.has('--no-restart'));
    const end = beginRewrite(app);
    const values = await readValues(call).catch(async (error: unknown) => {
      await end(null);
      throw error;
    });
    await end((before) => (flags.has('--replace') ? values : { ...before, ...values }));
    if (call.isQuiet || Object.keys(values).length === 0) return 0;
    const [first = ''] = recorded('config-import-replace-json').stdout.split('\n');
    const each = Object.entries(values).map(([key, value]) => `-----> Setting config var ${key}=${value}\n`);
    call.stdout.write(`${first}\n${each.join('')}${settingLines(values)}`);
    return 0;
  },
});

async function readValues(call: Call): Promise<Record<string, string>> {
  const text = (await readAll(call.stdin)).toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    if (call.isQuiet) throw new Unrecorded('--quiet config:import of what is not JSON');
    throw new Refused('config-import-bad');
  }
  const entries = Object.entries(parsed as Record<string, unknown>);
  const odd = entries.find(([key, value]) => typeof value !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key));
  if (odd !== undefined) throw new Unrecorded(`config:import of the key ${odd[0]}`);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** A write without `--no-restart` deploys a running app anew, tasks and all: the panel never wants that. */
function refuseRestart(app: App, isWithoutRestart: boolean): void {
  if (!isWithoutRestart && app.container?.isRunning() === true) throw new Unrecorded('a config write that restarts a running app');
}
