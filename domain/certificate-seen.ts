// What the worker saw of certificates, kept without keys for those who may not read them: names that need one, files with their problems.

import { z } from 'zod';
import { certificateFileSchema, type CertificateFileView } from '../contracts/certificates.ts';
import type { CertificateFile } from './certificate-files.ts';
import { readFacts, type CertificateFacts } from './certificate-reading.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';

/** The setting that holds it. */
export const seenName = 'certificates.seen';
const seenSchema = z.object({ at: z.string().nullable(), hostNames: z.array(z.string()), files: z.array(certificateFileSchema) });

/** One that could be shown, as far as it is known without its key; `file` null: by ACME. */
export type Choosable = { readonly facts: CertificateFacts; readonly file: string | null };
export type SeenCertificates = {
  /** When the worker looked; null: not yet. */
  readonly seenAt: string | null;
  readonly hostNames: readonly string[];
  readonly files: CertificateFileView[];
  readonly choosable: Choosable[];
};

/** The worker tells what it saw: only it may read the keys. */
export async function rememberSeen({ db }: Pick<Context, 'db'>, hostNames: readonly string[], files: readonly CertificateFile[]): Promise<void> {
  const value = asJson({ at: new Date().toISOString(), hostNames, files: files.map(presentFile) });
  await db.setting.upsert({ where: { name: seenName }, create: { name: seenName, value }, update: { value } });
}

const presentFile = ({ file, pair, problem }: CertificateFile): CertificateFileView => ({
  file,
  names: [...(pair?.names ?? [])],
  issuer: pair?.issuer ?? '',
  startsAt: pair?.startsAt.toISOString() ?? null,
  expiresAt: pair?.expiresAt.toISOString() ?? null,
  problem,
  warning: pair?.warning ?? null,
});

/** Puts together what was stored. @param stored value of the setting @param chains those that came by ACME, PEM */
export function readSeen(stored: unknown, chains: readonly string[]): SeenCertificates {
  const { success, data } = seenSchema.safeParse(stored);
  const { at, hostNames, files } = success ? data : { at: null, hostNames: [], files: [] };
  const fromFiles = files.flatMap(({ file, names, issuer, startsAt, expiresAt, problem }) =>
    problem !== null || startsAt === null || expiresAt === null
      ? []
      : [{ file, facts: { names, issuer, startsAt: new Date(startsAt), expiresAt: new Date(expiresAt) } }],
  );
  return { seenAt: at, hostNames, files, choosable: [...fromFiles, ...chains.map((chain) => ({ file: null, facts: readFacts(chain) }))] };
}

/** `readSeen` of this panel. */
export async function loadSeen({ db }: Pick<Context, 'db'>): Promise<SeenCertificates> {
  const [setting, rows] = await Promise.all([
    db.setting.findUnique({ where: { name: seenName } }),
    db.certificate.findMany({ where: { chain: { not: null } }, select: { chain: true } }),
  ]);
  return readSeen(
    setting?.value,
    rows.flatMap(({ chain }) => chain ?? []),
  );
}
