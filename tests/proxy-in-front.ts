// Somebody else's proxy: the examples of docs/behind-a-proxy.md as they stand there, each run by hand beside the system's own.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../scripts/binaries.ts';
import { ensurePrograms } from './programs.ts';

export const proxyKinds = ['nginx', 'apache', 'haproxy'] as const;
export type ProxyKind = (typeof proxyKinds)[number];
export type ProxyInFront = { /** Where it speaks https. */ readonly port: number; stop(): Promise<void> };
type Ports = {
  readonly kind?: ProxyKind;
  readonly host: string;
  readonly http: number;
  readonly https: number;
  /** The panel's own nginx. */
  readonly panel: number;
};

/** What each is called, and where Debian has it; Apache's program alone, without its service. */
const programs = { nginx: 'nginx', apache: 'apache2', haproxy: 'haproxy' } as const;
const packages = { nginx: 'nginx', apache: 'apache2-bin', haproxy: 'haproxy' } as const;
const guide = path.join(import.meta.dirname, '..', 'docs', 'behind-a-proxy.md');

/** Those that can run here, after installing what is missing. To be called at the top of a test file; in CI none may be left out. */
export async function proxiesForTests(): Promise<readonly ProxyKind[]> {
  try {
    await ensurePrograms(Object.values(programs), Object.values(packages));
  } catch (error) {
    if (process.env['CI']) throw error;
    process.stderr.write(`\nExamples for proxies are LEFT OUT: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  return proxyKinds.filter((kind) => findProgram(programs[kind]) !== null);
}

/** Starts it; only the host name, the ports and the place of the certificate (which signed itself) are the test's own. */
export function startProxyInFront({ kind = 'nginx', ...ports }: Ports): ProxyInFront {
  const home = mkdtempSync('/tmp/arb-front-');
  chmodSync(home, 0o755);
  makeFiles(home, ports.host);
  const text = readFileSync(guide, 'utf8');
  const [example] = new RegExp(`(?<=\`\`\`${kind}\n).*?(?=\`\`\`)`, 's').exec(text) ?? [''];
  const site = example.replaceAll('otree.example.org', ports.host).replaceAll('/etc/ssl/otree', home).replaceAll('127.0.0.1:8080', `127.0.0.1:${ports.panel}`);
  const [config, args] = { nginx: nginxOf, apache: apacheOf, haproxy: haproxyOf }[kind]({ home, site, text, ...ports });
  writeFileSync(path.join(home, 'config'), config);
  const child = spawn(findProgram(programs[kind]) ?? programs[kind], args, { stdio: 'inherit' });
  return {
    port: ports.https,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function makeFiles(home: string, host: string): void {
  const [key, chain] = [path.join(home, 'privkey.pem'), path.join(home, 'fullchain.pem')];
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},DNS:*.${host}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', chain, '-days', '30', ...names], { stdio: 'pipe' });
  writeFileSync(path.join(home, 'otree.pem'), readFileSync(chain, 'utf8') + readFileSync(key, 'utf8'));
}

type Told = Ports & { readonly home: string; /** The example, with the test's names. */ readonly site: string; /** The whole guide. */ readonly text: string };
/** The main file around the example, and the arguments that keep the program in the foreground. */
type Main = readonly [config: string, args: readonly string[]];

function nginxOf({ home, site, http, https }: Told): Main {
  const own = site
    .replaceAll('listen 80;', `listen ${http};`)
    .replaceAll('listen [::]:80;', '')
    .replaceAll('listen 443 ssl;', `listen ${https} ssl;`)
    .replaceAll('listen [::]:443 ssl;', '');
  mkdirSync(path.join(home, 'temp'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/temp/${kind};`).join(' ');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return [
    `${user} daemon off; pid ${home}/nginx.pid; error_log ${home}/error.log; events {} http { access_log off; ${temp}\n${own}\n}\n`,
    ['-c', path.join(home, 'config'), '-e', path.join(home, 'error.log')],
  ];
}

/** With the modules that the guide names, and those without which Debian's Apache does not start. */
function apacheOf({ home, site, text, http, https }: Told): Main {
  const named = /`a2enmod ([a-z_ ]+)`/.exec(text)?.[1]?.split(' ') ?? [];
  const user = process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : [];
  const own = site.replaceAll('*:80>', `127.0.0.1:${http}>`).replaceAll('*:443>', `127.0.0.1:${https}>`);
  const lines = [
    `ServerRoot ${home}`,
    `DefaultRuntimeDir ${home}`,
    `PidFile ${home}/apache.pid`,
    `ErrorLog ${home}/error.log`,
    `Listen 127.0.0.1:${http}`,
    `Listen 127.0.0.1:${https}`,
    ...['mpm_event', 'authz_core', ...named].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
    'ServerName proxy.invalid',
    ...user,
    own,
  ];
  return [`${lines.join('\n')}\n`, ['-D', 'FOREGROUND', '-f', path.join(home, 'config')]];
}

/** Below Debian's `defaults`. */
function haproxyOf({ home, site, http, https }: Told): Main {
  const own = site.replaceAll('bind :80\n', `bind 127.0.0.1:${http}\n`).replaceAll('bind :443 ', `bind 127.0.0.1:${https} `);
  const defaults = ['defaults', 'mode http', 'timeout connect 5000', 'timeout client 50000', 'timeout server 50000'];
  return [`global\n    maxconn 1000\n\n${defaults.join('\n    ')}\n\n${own}`, ['-db', '-f', path.join(home, 'config')]];
}
