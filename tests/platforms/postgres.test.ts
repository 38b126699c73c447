// Databases of instances on a real PostgreSQL: many at once, as a course makes them.

import { afterAll, describe, expect, it } from 'vitest';
import { newId } from '../../domain/ids.ts';
import { InstanceDatabases } from '../../platforms/postgres.ts';
import { Secret } from '../../platforms/secret.ts';

const url = new URL(process.env['ARBORETUM_TEST_DATABASE_URL'] ?? '');
const databases = new InstanceDatabases({
  adminUrl: new Secret(url.href),
  binDir: process.env['ARBORETUM_TEST_POSTGRES_BIN'] ?? null,
  instanceHost: url.searchParams.get('host') ?? `${url.hostname}:${url.port || '5432'}`,
});
const ids = Array.from({ length: 12 }, () => newId());
const password = new Secret('a password of a test');

afterAll(async () => {
  for (const id of ids) await databases.drop(id);
});

describe('databases of instances', () => {
  it('twelve made at the same moment are all made, and each opens with its own password', async () => {
    await Promise.all(ids.map((id) => databases.create(id, password)));
    const facts = await Promise.all(ids.map((id) => databases.facts(id, password)));
    expect(facts.map(({ rowCounts }) => rowCounts)).toEqual(ids.map(() => ({})));
  });
});
