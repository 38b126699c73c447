// Completion links of the panel in a real oTree: for sessions made by REST and for those made in oTree's own admin.
import { expect, test, vi } from 'vitest';
import { Instance, temporaryDatabase } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });
const link = 'https://app.prolific.com/submissions/complete?cc=C1ABCDEF';
const noConsent = 'https://app.prolific.com/submissions/complete?cc=C9NO';
type Config = { name: string; completionlink?: string; noconsentlink?: string; participation_fee: number };

async function served(version: '6.0.15' | '5.11.5', config: Record<string, unknown>): Promise<Instance> {
  const one = new Instance({ python: pythonWith(version), project: 'tests/projects/prolific-study', databaseUrl: await temporaryDatabase(), config });
  await one.serve();
  return one;
}

const configsOf = async (one: Instance): Promise<Config[]> =>
  JSON.parse((await one.request('GET', '/api/session_configs', { headers: { 'otree-rest-key': 'rest-key' } })).body) as Config[];

/** Config of a session as oTree keeps it. */
async function sessionConfig(one: Instance, fields: Record<string, unknown> = {}): Promise<Config> {
  const { code = '' } = await one.rest('/api/sessions', { session_config_name: 'effort', num_participants: 1, ...fields });
  return ((await one.rest(`/api/get_session/${code}`, {})) as unknown as { config: Config }).config;
}

test.each(['6.0.15', '5.11.5'] as const)(
  'what was entered in the panel stands in every session config, also where the project says otherwise (oTree %s)',
  async (version) => {
    const one = await served(version, { sessionFields: { completionlink: link, noconsentlink: noConsent } });
    // What oTree's own form for a new session offers, and what a session gets that nobody gave a field.
    expect(await configsOf(one)).toMatchObject([{ name: 'effort', completionlink: link, noconsentlink: noConsent, participation_fee: 1.5 }]);
    expect(await sessionConfig(one)).toMatchObject({ completionlink: link, noconsentlink: noConsent });
  },
);

test('a session that brings links of its own keeps them', async () => {
  const one = await served('6.0.15', { sessionFields: { completionlink: link } });
  const other = 'https://app.prolific.com/submissions/complete?cc=ROOM2';
  expect(await sessionConfig(one, { modified_session_config_fields: { completionlink: other } })).toMatchObject({ completionlink: other });
});

test('with nothing entered, the project’s own settings stay as they are', async () => {
  const [config] = await configsOf(await served('6.0.15', {}));
  expect(config?.completionlink).toBe('https://app.prolific.com/submissions/complete?cc=PLACEHOLDER');
  expect(config).not.toHaveProperty('noconsentlink');
});

test('a field that the project has never heard of is there, and the others stay', async () => {
  const one = await served('6.0.15', { sessionFields: { screenedoutlink: 'https://example.org/out' } });
  expect(await configsOf(one)).toMatchObject([
    { screenedoutlink: 'https://example.org/out', completionlink: expect.stringContaining('PLACEHOLDER') as string },
  ]);
});
