// Somebody else's proxy: Debian's nginx with the example of docs/behind-a-proxy.md as it stands there.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type ProxyInFront = { /** Where it speaks https. */ readonly port: number; stop(): Promise<void> };
type Ports = { readonly host: string; readonly http: number; readonly https: number; /** The panel's own nginx. */ readonly panel: number };

const guide = path.join(import.meta.dirname, '..', 'docs', 'behind-a-proxy.md');

/** Starts it; only the host name, the ports and the place of the certificate (which signed itself) are the test's own. */
export function startProxyInFront({ host, http, https, panel }: Ports): ProxyInFront {
  const home = mkdtempSync('/tmp/arb-front-');
  chmodSync(home, 0o755);
  const [example] = /(?<=```nginx\n).*?(?=```)/s.exec(readFileSync(guide, 'utf8')) ?? [''];
  const site = example
    .replaceAll('listen 80;', `listen ${http};`)
    .replaceAll('listen [::]:80;', '')
    .replaceAll('listen 443 ssl;', `listen ${https} ssl;`)
    .replaceAll('listen [::]:443 ssl;', '')
    .replaceAll('otree.example.org', host)
    .replaceAll('/etc/ssl/otree', home)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${panel}`);
  const files = ['-keyout', path.join(home, 'privkey.pem'), '-out', path.join(home, 'fullchain.pem')];
  const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host},DNS:*.${host}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, '-days', '30', ...names], { stdio: 'pipe' });
  mkdirSync(path.join(home, 'temp'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${home}/temp/${kind};`).join(' ');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const file = path.join(home, 'nginx.conf');
  writeFileSync(file, `${user} daemon off; pid ${home}/nginx.pid; error_log ${home}/error.log; events {} http { access_log off; ${temp}\n${site}\n}\n`);
  const child = spawn('nginx', ['-c', file, '-e', path.join(home, 'error.log')], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  return {
    port: https,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}
