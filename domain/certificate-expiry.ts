// A mail to the managers when a certificate nears its end and was not renewed: once below 21 days, once below 7.

import { z } from 'zod';
import type { MailResult } from '../contracts/people.ts';
import { daysLeft, stageOf } from './certificate-reading.ts';
import type { Available } from './certificates.ts';
import type { Context } from './context.ts';
import { asJson } from './database.ts';
import { expiryMail, type EndingCertificate } from './mail-texts.ts';
import { sendMail } from './mail.ts';

const toldName = 'certificates.told';
const toldSchema = z.array(z.string()).catch([]);

/**
 * Tells every manager of each certificate that has come into a stage since the last mail. Never twice for a stage; after a
 * failure everything is told again with the next call.
 */
export async function tellOfExpiry(ctx: Context, wanted: readonly { hostName: string; found: Available | null }[], now: Date): Promise<MailResult> {
  if (ctx.mailer.server === null) return 'off';
  const ending = endingOf(wanted, now);
  const told = toldSchema.parse((await ctx.db.setting.findUnique({ where: { name: toldName } }))?.value);
  const fresh = ending.filter(({ key }) => !told.includes(key));
  if (fresh.length === 0) return 'off';
  const managers = await ctx.db.user.findMany({ where: { role: 'manager', disabledAt: null } });
  const results: MailResult[] = [];
  for (const manager of managers) results.push(await sendMail(ctx, { to: manager.email, ...expiryMail(ctx.config, manager, fresh) }));
  if (results.includes('failed') && !results.includes('sent')) return 'failed';
  const value = asJson([...told.filter((key) => ending.some((one) => one.key.split(' ')[0] === key.split(' ')[0])), ...fresh.map(({ key }) => key)]);
  await ctx.db.setting.upsert({ where: { name: toldName }, create: { name: toldName, value }, update: { value } });
  return 'sent';
}

/** Each certificate near its end once, with the names that show it. */
function endingOf(wanted: readonly { hostName: string; found: Available | null }[], now: Date): (EndingCertificate & { key: string })[] {
  const found = new Map<string, EndingCertificate & { key: string; hostNames: string[] }>();
  for (const { hostName, found: one } of wanted) {
    const stage = one ? stageOf(one.facts, now) : 'good';
    if (!one || (stage !== 'soon' && stage !== 'late')) continue;
    const known = found.get(one.mark) ?? { key: `${one.mark} ${stage}`, hostNames: [], days: Math.floor(daysLeft(one.facts, now)), file: one.file };
    known.hostNames.push(hostName);
    found.set(one.mark, known);
  }
  return [...found.values()];
}
