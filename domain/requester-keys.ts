// A person's own MTurk requester keys: sealed, tried against MTurk, handed to an instance as environment variables.

import { AwsClient } from 'aws4fetch';
import { AppError } from '../contracts/errors.ts';
import { requesterVariables, type MturkMode, type RequesterKey, type RequesterKeyView, type TriedKey } from '../contracts/requester-keys.ts';
import type { OwnedInstance } from './access.ts';
import { record } from './audit.ts';
import type { Actor, Context } from './context.ts';
import { changeEnvironment } from './environment-variables.ts';

const sealedAt = (userId: string): string => `requester_key/${userId}/secret_access_key`;
const timeoutMs = 10_000;

/** @see https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/ApiReference_HTTPRequestArticle.html */
export const mturkEndpoints: Readonly<Record<MturkMode, string>> = {
  sandbox: 'https://mturk-requester-sandbox.us-east-1.amazonaws.com',
  live: 'https://mturk-requester.us-east-1.amazonaws.com',
};

/** The public half and when it was entered. */
export async function readRequesterKey(ctx: Context, userId: string): Promise<RequesterKeyView> {
  const row = await ctx.db.requesterKey.findUnique({ where: { userId } });
  return { key: row && { accessKeyId: row.accessKeyId, updatedAt: row.updatedAt.toISOString() } };
}

/** Takes the place of the person's earlier keys; instances keep what they were given. */
export async function saveRequesterKey(ctx: Context, person: Actor & { readonly id: string }, { accessKeyId, secretAccessKey }: RequesterKey): Promise<void> {
  const data = { accessKeyId, secretAccessKey: ctx.sealer.seal(secretAccessKey, sealedAt(person.id)), updatedAt: new Date() };
  await ctx.db.$transaction(async (tx) => {
    await tx.requesterKey.upsert({ where: { userId: person.id }, create: { userId: person.id, ...data }, update: data });
    await record(tx, person, { action: 'requester-key.save', subject: person.name, detail: { accessKeyId } });
  });
}

/** Gone already: nothing happens. */
export async function removeRequesterKey(ctx: Context, person: Actor & { readonly id: string }): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.requesterKey.deleteMany({ where: { userId: person.id } });
    if (count > 0) await record(tx, person, { action: 'requester-key.remove', subject: person.name });
  });
}

/** Sets the person's keys for an instance; the experiment has them from its next start on. @throws requester_key_missing */
export async function giveRequesterKey(ctx: Context, person: Actor & { readonly id: string }, instance: OwnedInstance): Promise<void> {
  const { accessKeyId, secretAccessKey } = await openKey(ctx, person.id);
  const set = [
    { name: requesterVariables.accessKeyId, value: accessKeyId },
    { name: requesterVariables.secretAccessKey, value: secretAccessKey },
  ];
  await changeEnvironment(ctx, person, { instance, change: { set } });
}

async function openKey(ctx: Context, userId: string): Promise<RequesterKey> {
  const row = await ctx.db.requesterKey.findUnique({ where: { userId } });
  if (!row) throw new AppError('requester_key_missing');
  return { accessKeyId: row.accessKeyId, secretAccessKey: ctx.sealer.open(row.secretAccessKey, sealedAt(userId)).open() };
}

type Asked = { readonly userId: string; readonly mode: MturkMode; /** In the place of MTurk's own address. */ readonly endpoint?: string };

/**
 * Asks MTurk for the account's balance: nothing is changed there. What it answers is said in words; a machine that
 * cannot reach MTurk is no fault of the keys, and said so.
 * @throws requester_key_missing
 */
export async function tryRequesterKey(ctx: Context, { userId, mode, endpoint = mturkEndpoints[mode] }: Asked): Promise<TriedKey> {
  const aws = new AwsClient({ ...(await openKey(ctx, userId)), service: 'mturk-requester', region: 'us-east-1', retries: 0 });
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'MTurkRequesterServiceV20170117.GetAccountBalance' };
  try {
    const answer = await aws.fetch(endpoint, { method: 'POST', headers, body: '{}', signal: AbortSignal.timeout(timeoutMs) });
    return describeAnswer(mode, answer.status, await answer.text());
  } catch {
    return {
      isWell: false,
      sentence: 'MTurk cannot be reached from the panel’s machine, so the keys could not be tried.',
      hint: 'They may be right all the same: oTree’s own MTurk page tries them when you publish.',
    };
  }
}

const refused = /UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|AccessDenied|security token/i;

function describeAnswer(mode: MturkMode, status: number, text: string): TriedKey {
  const balance = /"AvailableBalance"\s*:\s*"([\d.]+)"/.exec(text)?.[1];
  const where = mode === 'live' ? 'MTurk' : 'MTurk’s sandbox';
  if (status === 200 && balance !== undefined)
    return {
      isWell: true,
      sentence: `${where} takes the keys. The account holds ${balance} USD.`,
      hint: mode === 'live' ? 'Keep little money there while you test.' : 'This money is not real.',
    };
  if (refused.test(text))
    return {
      isWell: false,
      sentence: `${where} refuses these keys.`,
      hint: 'Make new ones in AWS under Security credentials, for the user that is linked to your requester account.',
    };
  if (/link/i.test(text))
    return {
      isWell: false,
      sentence: `The AWS account of these keys is not linked to a requester account of ${where}.`,
      hint: 'Link it in the requester’s site under Developer.',
    };
  return { isWell: false, sentence: `${where} answered with status ${status}.`, hint: 'Try again in a minute.' };
}
