// Certificates as nginx gets them: files named by their content, and what it is told about encryption.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import path from 'node:path';
import { AppError } from '../contracts/errors.ts';
import type { DoorCertificate } from './front-door.ts';
import type { Layout } from './layout.ts';
import type { NginxSettings } from './nginx-settings.ts';
import { checkedPort, quoted } from './nginx-words.ts';

/** One file with key and chain. Its name is the hash of its content, so that a changed certificate is a changed configuration. */
export type CertificateFile = { readonly file: string; readonly content: string };

const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex');
const fileOf = (layout: Layout, hash: string): string => path.join(layout.nginxCertificates, `${hash}.pem`);

/** @throws platform_failed when it is no certificate, or the key is another one's */
export function certificateFile(layout: Layout, { chain, privateKey }: DoorCertificate): CertificateFile {
  const refuse = (reason: string): never => {
    throw new AppError('platform_failed', { reason });
  };
  const certificate = tryRead(() => new X509Certificate(chain)) ?? refuse('this is no certificate in PEM form.');
  const key = tryRead(() => createPrivateKey(privateKey.open())) ?? refuse('the certificate’s key cannot be read: it must be PEM, without a password.');
  if (!certificate.checkPrivateKey(key)) refuse('the certificate does not go with its key.');
  const content = `${chain.trim()}\n${privateKey.open().trim()}\n`;
  return { file: fileOf(layout, hashOf(content)), content };
}

function tryRead<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** Names of certificate files (64 hex digits) that a configuration mentions. */
export const hashesIn = (config: string): readonly string[] => [...new Set([...config.matchAll(/\/([0-9a-f]{64})\.pem"/g)].map(([, hash]) => hash ?? ''))];

/** A file of before, unless it was lost or changed. */
export const certificateOfContent = (layout: Layout, hash: string, content: string | null): CertificateFile | null =>
  content !== null && hashOf(content) === hash ? { file: fileOf(layout, hash), content } : null;

/** The name's part of a certificate file. */
export const hashOfFile = ({ file }: CertificateFile): string => path.basename(file, '.pem');

/** Whether browsers take it for every name one label below the host. */
export const coversNamesBelow = (certificate: CertificateFile | null, hostName: string): boolean =>
  certificate !== null && (tryRead(() => new X509Certificate(certificate.content))?.checkHost(`arboretum-probe.${hostName}`) ?? undefined) !== undefined;

/** A server's certificate; without one it refuses every handshake, and `http` requests to the port end in error 497. */
export const renderCertificate = (certificate: CertificateFile | null): readonly string[] =>
  certificate === null ? ['ssl_reject_handshake on;'] : [`ssl_certificate ${quoted(certificate.file)};`, `ssl_certificate_key ${quoted(certificate.file)};`];

/** For every server: TLS 1.2 and later, ciphers with forward secrecy, resumption without tickets (their key would live as long as nginx). */
export const renderTlsDefaults = (): readonly string[] => [
  'ssl_protocols TLSv1.2 TLSv1.3;',
  'ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;',
  'ssl_prefer_server_ciphers off;',
  // About 4,000 sessions a MiB: a second handshake of the same browser costs no signature.
  'ssl_session_cache shared:arboretum_tls:10m;',
  'ssl_session_timeout 1d;',
  'ssl_session_tickets off;',
];

/** Where a server listens. */
export function renderListen(settings: NginxSettings, port: number, how: { readonly isTls?: boolean; readonly isDefault?: boolean } = {}): readonly string[] {
  const words = [
    ...(how.isTls === true ? ['ssl'] : []),
    ...(how.isTls === true && settings.http2 === 'listen' ? ['http2'] : []),
    ...(how.isDefault === true ? ['default_server'] : []),
  ];
  const suffix = words.map((word) => ` ${word}`).join('');
  return [
    `listen 0.0.0.0:${checkedPort(port)}${suffix};`,
    ...(settings.hasIpv6 ? [`listen [::]:${port}${suffix};`] : []),
    ...(how.isTls === true && settings.http2 === 'directive' ? ['http2 on;'] : []),
  ];
}
