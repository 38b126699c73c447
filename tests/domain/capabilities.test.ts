// What the platforms can do, kept for the server: written when it changes, and only then.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { readCapabilities, rememberCapabilities } from '../../domain/capabilities.ts';
import type { Capabilities } from '../../platforms/platform.ts';
import { testContext, type TestContext } from '../factories.ts';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const able: Capabilities = {
  memoryLimit: true,
  diskLimit: false,
  separatesUsers: true,
  playsBots: true,
  measures: ['core', 'memory'],
  isolationNote: 'Apart.',
};
const remember = (capabilities: Capabilities): Promise<void> =>
  rememberCapabilities(ctx, { kind: 'local', moving: null, capabilities: () => Promise.resolve(capabilities) });
/** Number of the transaction that wrote the row last: another one after every write, also of the same value. */
const lastWrite = async (): Promise<unknown> => ctx.db.$queryRaw`SELECT xmin::text AS "transaction" FROM setting WHERE name = 'platform.capabilities'`;

it('a round in which nothing changed writes nothing, and one in which something did writes it', async () => {
  await remember(able);
  const first = await lastWrite();
  expect(first).toHaveLength(1);
  await remember({ ...able });
  expect(await lastWrite()).toEqual(first);
  await remember({ ...able, measures: ['memory'] });
  expect(await lastWrite()).not.toEqual(first);
  expect(await readCapabilities(ctx, { platform: 'local' })).toMatchObject({ measures: ['memory'] });
});
