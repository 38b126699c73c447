// The last good pair of each file: whoever exchanges a certificate writes two files, and in between https goes on with the old pair.

import { z } from 'zod';
import type { CertificateFile } from './certificate-files.ts';
import { readPair, type ReadPair } from './certificate-reading.ts';
import type { Context } from './context.ts';

const keptName = 'certificates.kept';
const keptSchema = z.record(z.string(), z.object({ chain: z.string(), privateKey: z.string() }));
type Kept = z.infer<typeof keptSchema>;
type Parts = Pick<Context, 'db' | 'sealer' | 'log'>;

const keyPlace = (file: string): string => `setting/${keptName}/${file}`;

async function readKept({ db }: Pick<Context, 'db'>): Promise<Kept> {
  const row = await db.setting.findUnique({ where: { name: keptName } });
  return keptSchema.safeParse(row?.value).data ?? {};
}

/** Notes the good pairs, keys sealed; what is broken keeps its last good one, what is no longer in the folder is forgotten. */
export async function keepGood(ctx: Parts, files: readonly CertificateFile[]): Promise<void> {
  const before = await readKept(ctx);
  const value: Kept = {};
  for (const { file, pair } of files) {
    const old = before[file];
    if (pair === null) {
      if (old) value[file] = old;
      continue;
    }
    const { chain, privateKey } = pair.certificate;
    const isSame = old?.chain === chain && openKept(ctx, file, old) !== null;
    value[file] = isSame ? old : { chain, privateKey: ctx.sealer.seal(privateKey.open(), keyPlace(file)) };
  }
  const isUnchanged = Object.keys(before).length === Object.keys(value).length && Object.entries(value).every(([file, kept]) => before[file] === kept);
  if (!isUnchanged) await ctx.db.setting.upsert({ where: { name: keptName }, create: { name: keptName, value }, update: { value } });
}

/** The pairs that can be shown: of a broken file its last good one, as long as that has not ended. */
export async function usablePairs(ctx: Parts, files: readonly CertificateFile[]): Promise<{ readonly file: string; readonly pair: ReadPair }[]> {
  const kept = files.some(({ pair }) => pair === null) ? await readKept(ctx) : {};
  return files.flatMap(({ file, pair }) => {
    const old = kept[file];
    const usable = pair ?? (old ? openKept(ctx, file, old) : null);
    return usable === null || usable.expiresAt <= new Date() ? [] : [{ file, pair: usable }];
  });
}

function openKept(ctx: Parts, file: string, { chain, privateKey }: Kept[string]): ReadPair | null {
  try {
    return readPair(chain, ctx.sealer.open(privateKey, keyPlace(file)).open());
  } catch (error) {
    ctx.log.warn('a kept certificate cannot be read', { file, error: String(error) });
    return null;
  }
}
