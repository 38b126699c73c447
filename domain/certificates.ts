// Certificates: those of the folder and those that came by ACME, which of them a host name shows, and putting them into place.

import { createHash } from 'node:crypto';
import type { DoorCertificate } from '../platforms/front-door.ts';
import { readCertificateFiles, type CertificateFile } from './certificate-files.ts';
import { usablePairs } from './certificate-kept.ts';
import { chooseCertificate, readFacts, type CertificateFacts } from './certificate-reading.ts';
import { Prisma } from '../prisma/client/client.ts';
import type { Context } from './context.ts';

/** A certificate that can be shown, and where it comes from. */
export type Available = {
  readonly facts: CertificateFacts;
  readonly certificate: DoorCertificate;
  /** Name in the folder; null: by ACME. */
  readonly file: string | null;
  /** Tells it apart from every other, its key included; says nothing about the key. */
  readonly mark: string;
};

/** What a host name shows, null: nothing (yet). */
export type CertificateFor = (hostName: string) => DoorCertificate | null;

type Parts = Pick<Context, 'config' | 'db' | 'sealer' | 'log'>;
const keyPlace = (hostName: string): string => `certificate/${hostName}/private_key`;

/** All that can be shown. @param files the folder, where it has been read already */
export async function listAvailable(ctx: Parts, files?: readonly CertificateFile[]): Promise<Available[]> {
  const read = files ?? (await readCertificateFiles(ctx.config.certificatesDir));
  const fromFiles = (await usablePairs(ctx, read)).map(({ file, pair }) => available(pair, pair.certificate, file));
  const rows = await ctx.db.certificate.findMany({ where: { chain: { not: null }, privateKey: { not: null } } });
  const fromAcme = rows.flatMap(({ hostName, chain, privateKey }) => {
    try {
      const certificate = { chain: chain ?? '', privateKey: ctx.sealer.open(privateKey ?? '', keyPlace(hostName)) };
      return [available(readFacts(certificate.chain), certificate, null)];
    } catch (error) {
      ctx.log.error('a kept certificate cannot be read', { hostName, error: String(error) });
      return [];
    }
  });
  return [...fromFiles, ...fromAcme];
}

function available(facts: CertificateFacts, certificate: DoorCertificate, file: string | null): Available {
  const mark = createHash('sha256').update(certificate.chain).update(certificate.privateKey.open()).digest('hex').slice(0, 16);
  return { facts, certificate, file, mark };
}

/** How to find the certificate of a host name among these. */
export const chooserOf =
  (available: readonly Available[]): CertificateFor =>
  (hostName) =>
    chooseCertificate(available, hostName, new Date())?.certificate ?? null;

/** How to find the certificate of a host name, as of now: reads folder and table. */
export const certificatesOf = async (ctx: Parts): Promise<CertificateFor> => chooserOf(await listAvailable(ctx));

/** The same for our own front door, which shows none where it takes no https. */
export const doorCertificatesOf = async (ctx: Parts): Promise<CertificateFor> => (ctx.config.HTTPS_PORT === undefined ? () => null : certificatesOf(ctx));

/** Keeps what the authority gave, its key sealed; the failures of before are over. */
export async function keepCertificate(ctx: Parts, hostName: string, { chain, privateKey }: DoorCertificate): Promise<void> {
  const row = {
    chain,
    privateKey: ctx.sealer.seal(privateKey.open(), keyPlace(hostName)),
    expiresAt: readFacts(chain).expiresAt,
    failure: Prisma.DbNull,
    failures: 0,
    nextTryAt: new Date(),
    updatedAt: new Date(),
  };
  await ctx.db.certificate.upsert({ where: { hostName }, create: { hostName, ...row }, update: row });
}
