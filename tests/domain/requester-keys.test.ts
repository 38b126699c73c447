// MTurk requester keys: sealed, signed as AWS asks, refused in words, handed to an instance.

import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInstance } from '../../domain/access.ts';
import { giveRequesterKey, readRequesterKey, removeRequesterKey, saveRequesterKey, tryRequesterKey } from '../../domain/requester-keys.ts';
import { loadStartable, specOf } from '../../domain/specs.ts';
import { anInstance, aUser, testContext, type TestContext } from '../factories.ts';

const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
let ctx: TestContext;
let mturk: http.Server;
let endpoint = '';

beforeAll(async () => {
  ctx = await testContext();
  mturk = http.createServer((request, response) => {
    void readText(request).then((body) => {
      const isRight =
        request.headers.authorization === signatureOf(request, body) && request.headers['x-amz-target']?.toString().endsWith('.GetAccountBalance');
      response.statusCode = isRight ? 200 : 400;
      response.end(
        JSON.stringify(isRight ? { AvailableBalance: '10000.00' } : { __type: 'InvalidSignatureException', message: 'The request signature does not match' }),
      );
    });
  });
  await new Promise<void>((resolve) => mturk.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(mturk.address() as AddressInfo).port}`;
});
afterAll(async () => {
  mturk.close();
  await ctx.close();
});

async function readText(request: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += String(piece);
  return text;
}

/** AWS Signature Version 4, reckoned anew from what arrived. */
function signatureOf(request: http.IncomingMessage, body: string): string {
  const { authorization = '' } = request.headers;
  const date = String(request.headers['x-amz-date']);
  const scope = `${date.slice(0, 8)}/us-east-1/mturk-requester/aws4_request`;
  const signed = /SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? '';
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, request.url, '', headers.join(''), signed, hash(body)].join('\n');
  const sign = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const key = scope.split('/').reduce<string | Buffer>((before, part) => sign(before, part), `AWS4${keys.secretAccessKey}`);
  const signature = sign(key, ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n')).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
}

describe('requester keys', () => {
  it('are sealed, and only the public half is read back', async () => {
    const person = await aUser(ctx);
    expect(await readRequesterKey(ctx, person.id)).toEqual({ key: null });
    await saveRequesterKey(ctx, person, keys);
    expect(await readRequesterKey(ctx, person.id)).toMatchObject({ key: { accessKeyId: keys.accessKeyId } });
    const stored = JSON.stringify([await ctx.db.requesterKey.findMany(), await ctx.db.audit.findMany({ select: { detail: true } })]);
    expect(stored).not.toContain(keys.secretAccessKey.slice(0, 12));
    await removeRequesterKey(ctx, person);
    expect(await readRequesterKey(ctx, person.id)).toEqual({ key: null });
  });

  it('are tried with a signature as AWS asks for it', async () => {
    const person = await aUser(ctx);
    await saveRequesterKey(ctx, person, keys);
    const tried = await tryRequesterKey(ctx, { userId: person.id, mode: 'sandbox', endpoint });
    expect(tried).toMatchObject({ isWell: true, sentence: 'MTurk’s sandbox takes the keys. The account holds 10000.00 USD.' });
  });

  it('that are wrong are refused in words, and an MTurk that is out of reach is no fault of theirs', async () => {
    const person = await aUser(ctx);
    await saveRequesterKey(ctx, person, { ...keys, secretAccessKey: 'x'.repeat(40) });
    expect(await tryRequesterKey(ctx, { userId: person.id, mode: 'live', endpoint })).toMatchObject({ isWell: false, sentence: 'MTurk refuses these keys.' });
    const away = await tryRequesterKey(ctx, { userId: person.id, mode: 'live', endpoint: 'http://127.0.0.1:1' });
    expect(away.sentence).toContain('cannot be reached');
  });

  it('reach the experiment of an instance, and stay there when the person forgets them', async () => {
    const person = await aUser(ctx);
    const { id, name } = await anInstance(ctx, { ownerId: person.id });
    const instance = await findInstance(ctx, person, { name, action: 'instance.set-environment' });
    await expect(giveRequesterKey(ctx, person, instance)).rejects.toMatchObject({ code: 'requester_key_missing' });
    await saveRequesterKey(ctx, person, keys);
    await giveRequesterKey(ctx, person, instance);
    await removeRequesterKey(ctx, person);
    const { environment } = specOf(ctx, await loadStartable(ctx, id));
    expect([environment['AWS_ACCESS_KEY_ID']?.open(), environment['AWS_SECRET_ACCESS_KEY']?.open()]).toEqual([keys.accessKeyId, keys.secretAccessKey]);
  });
});
