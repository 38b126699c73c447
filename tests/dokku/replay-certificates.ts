// certs:* on the replay host: what the recorded answers say of the certificate that really came in.

import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { argumentsOf, type Call, readAll, Refused, Unrecorded } from './replay-call.ts';
import { goJson, recorded } from './replay-recordings.ts';
import type { App, State } from './replay-state.ts';

const NAME = 'lab-trust-game';

export const certificateCommands = (state: State): Record<string, (call: Call) => Promise<number>> => ({
  'certs:add': async (call) => {
    const app = runningApp(state, argumentsOf(call).place(0), call);
    const tar = await readAll(call.stdin);
    if (tar.length === 0) throw new Refused('certs-add-nostdin');
    app.certificate = { chain: await fileIn(tar, 'server.crt'), key: await fileIn(tar, 'server.key') };
    if (app.ports.length !== 1 && !app.ports.includes(HTTPS)) throw new Unrecorded('certs:add with such ports');
    // As ports-report-ssl-json shows it.
    app.ports = ['http:80:5000', HTTPS];
    const { stdout, stderr } = recorded('certs-add-stdin');
    call.stdout.write(stdout.replaceAll(`${NAME}.lab.test`, domainOf(app)));
    call.stderr.write(stderr);
    return 0;
  },
  'certs:report': async (call) => {
    const { place, flags } = argumentsOf(call, { '--format': true });
    if (flags.get('--format') !== 'json') throw new Unrecorded('certs:report as text');
    const app = state.app(place(0));
    const base = JSON.parse(recorded(app.certificate === null ? 'certs-report-json' : 'certs-report-deployed-json').stdout) as Record<string, string>;
    const dir = (base['dir'] ?? '').replace(NAME, app.name);
    call.stdout.write(`${goJson(app.certificate === null ? { ...base, dir } : { ...base, dir, ...describe(app.certificate.chain) })}\n`);
    return 0;
  },
  'certs:remove': async (call) => {
    const app = runningApp(state, argumentsOf(call).place(0), call);
    if (app.certificate === null) throw new Unrecorded('certs:remove of an app without a certificate');
    app.certificate = null;
    app.ports = app.ports.filter((map) => map !== HTTPS);
    call.stdout.write(recorded('certs-remove').stdout.replaceAll(`${NAME}.lab.test`, domainOf(app)).replaceAll(NAME, app.name));
    return 0;
  },
});

const HTTPS = 'https:443:5000';

/** Recorded were apps that ran. */
function runningApp(state: State, name: string, call: Call): App {
  const app = state.app(name);
  if (app.container?.isRunning() !== true) throw new Unrecorded(`${call.command} of an app that does not run`);
  return app;
}

const domainOf = (app: App): string => {
  const [domain, ...more] = app.domains;
  if (domain === undefined || more.length > 0) throw new Unrecorded('certificates of an app with anything but one domain');
  return domain;
};

/** What openssl says of it: dates as it prints them, names in the order of the certificate. */
function describe(chain: string): Record<string, string> {
  const own = new X509Certificate(chain);
  const names = (own.subjectAltName ?? '').split(', ').map((name) => name.replace(/^DNS:/, ''));
  return { 'expires-at': own.validTo, 'starts-at': own.validFrom, hostnames: names.join(' ') };
}

/** One file of a tar, unpacked as Dokku does it: by the tar of the system. */
async function fileIn(tar: Buffer, name: string): Promise<string> {
  const child = spawn('tar', ['-x', '-O', '-f', '-', name], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => {});
  child.stdin.end(tar);
  return (await readAll(child.stdout)).toString('utf8');
}
