// Certificates for the front door's tests, signed by themselves, made by the openssl of the machine.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { DoorCertificate } from '../../platforms/front-door.ts';
import { Secret } from '../../platforms/secret.ts';

/** @param names DNS names, wildcards too */
export function makeCertificate(...names: readonly string[]): DoorCertificate {
  const home = mkdtempSync('/tmp/ngx-cert-');
  const [key, chain] = [path.join(home, 'key.pem'), path.join(home, 'chain.pem')];
  const subject = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', chain, '-days', '30', ...subject], { stdio: 'pipe' });
  const certificate = { chain: readFileSync(chain, 'utf8'), privateKey: new Secret(readFileSync(key, 'utf8')) };
  rmSync(home, { recursive: true });
  return certificate;
}
