// Certificates for tests, made with openssl: an authority, one below it, and hosts' own.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export type Made = { readonly own: string; readonly key: string; /** The host's own, then that of the authority between. */ readonly chain: string };
export type Maker = ReturnType<typeof makeAuthority>;

type Wanted = {
  readonly names?: readonly string[];
  /** Days until its end; below 0: ended. Life is counted from `since`. */
  readonly days?: number;
  readonly since?: number;
  readonly rsaBits?: number;
};

const dayMs = 86_400_000;

/** A root and an authority below it, in a folder of their own. */
export function makeAuthority() {
  const home = mkdtempSync(path.join(os.tmpdir(), 'arb-ca-'));
  const at = (name: string): string => path.join(home, name);
  const read = (name: string): string => readFileSync(at(name), 'utf8');
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe', cwd: home });
  const newKey = (name: string, rsaBits?: number): void =>
    rsaBits ? openssl('genrsa', '-out', name, String(rsaBits)) : openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', name);
  const time = (days: number): string => new Date(Date.now() + days * dayMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  writeFileSync(at('index.txt'), '');
  writeFileSync(
    at('ca.cnf'),
    '[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index.txt\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\norganizationName=optional\n',
  );
  const sign = (name: string, by: string, more: { from: number; to: number; extensions: string }): void => {
    writeFileSync(at('x.cnf'), more.extensions);
    const parent = by === name ? ['-selfsign'] : ['-cert', `${by}.pem`];
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.cnf',
      ...parent,
      '-keyfile',
      `${by}.key`,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
      '-startdate',
      time(more.from),
      '-enddate',
      time(more.to),
      '-extfile',
      'x.cnf',
    );
  };
  const request = (name: string, subject: string): void => openssl('req', '-new', '-key', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
  const authority = 'basicConstraints=critical,CA:true\nsubjectKeyIdentifier=hash\n';
  for (const [name, by, subject] of [
    ['root', 'root', '/O=Test University/CN=Root'],
    ['between', 'root', '/O=Test University/CN=Between'],
  ] as const) {
    newKey(`${name}.key`);
    request(name, subject);
    sign(name, by, { from: -400, to: 800, extensions: authority });
  }
  let count = 0;
  return {
    root: read('root.pem'),
    between: read('between.pem'),
    issue({ names = ['lab.test'], days = 90, since = -1, rsaBits }: Wanted = {}): Made {
      const name = `host${(count += 1)}`;
      newKey(`${name}.key`, rsaBits);
      request(name, `/CN=${names[0] ?? 'nobody'}`);
      sign(name, 'between', {
        from: since,
        to: days,
        extensions: names.length > 0 ? `subjectAltName=${names.map((one) => `DNS:${one}`).join(',')}\n` : 'basicConstraints=CA:false\n',
      });
      return { own: read(`${name}.pem`), key: read(`${name}.key`), chain: read(`${name}.pem`) + read('between.pem') };
    },
    /** The same key behind a password. */
    lock(key: string): string {
      writeFileSync(at('open.key'), key);
      openssl('pkcs8', '-topk8', '-in', 'open.key', '-out', 'locked.key', '-passout', 'pass:secret');
      return read('locked.key');
    },
    clear: (): void => rmSync(home, { recursive: true, force: true }),
  };
}
