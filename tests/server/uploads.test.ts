// An archive over HTTP: the raw file as the body, answered with a job or with a sentence.

import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRepository } from '../../domain/repositories.ts';
import type { Instance, User } from '../../prisma/client/client.ts';
import { makeZip } from '../archives.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let owner: User;
let client: Client;
const archive = makeZip([{ name: 'settings.py' }, { name: 'db.sqlite3' }]);

beforeAll(async () => {
  panel = await startPanel({ UPLOAD_MAX_MIB: '1' });
  mkdirSync(panel.ctx.config.layout.repositoriesDir, { recursive: true });
  owner = await panel.person('experimenter');
  client = await panel.signIn(owner);
});
afterAll(() => panel.close());

async function aPlace(fields: { state?: string; facts?: unknown } = {}): Promise<Instance> {
  const instance = await anInstance(panel.ctx, { ownerId: owner.id, ...fields });
  await createRepository(panel.ctx.config.layout, instance.id);
  return instance;
}

async function upload({ name }: Instance, body: Buffer, query = 'filename=trust.zip'): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${panel.url}/api/v1/instances/${name}/deployments?${query}`, {
    method: 'POST',
    headers: { cookie: client.cookie, 'x-csrf-token': client.me?.csrfToken ?? '', 'content-type': 'application/octet-stream' },
    body: new Uint8Array(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('an uploaded archive', () => {
  it('is answered with the job and what was left out, and listed as an upload', async () => {
    const instance = await aPlace();
    expect(await upload(instance, archive)).toMatchObject({
      status: 202,
      body: { job: { kind: 'deploy', state: 'queued', instanceName: instance.name }, isUnchanged: false, leftOut: ['db.sqlite3'] },
    });
    const { body } = await client.send('GET', `/instances/${instance.name}/deployments`);
    expect(body['deployments']).toMatchObject([{ source: 'upload', message: 'Upload of trust.zip', createdByName: owner.name, canRollBack: false }]);
  });

  it('that is too large is refused while it comes', async () => {
    expect(await upload(await aPlace(), Buffer.alloc(1.5 * 1024 * 1024, 'PK'))).toMatchObject({ status: 413, body: { code: 'project_too_large' } });
  });

  it('of another kind is refused in a sentence with a hint', async () => {
    const { status, body } = await upload(await aPlace(), Buffer.from('7z'), 'filename=study.7z');
    expect([status, body['title']]).toEqual([422, '“study.7z” is neither a .zip nor a .otreezip nor a .tar.gz.']);
    expect(body['hint']).toContain('otree zip');
  });

  it('asks for a reason while people are in a session', async () => {
    const instance = await aPlace({ state: 'running', facts: { participantsInSession: 18 } });
    expect(await upload(instance, archive)).toMatchObject({ status: 409, body: { code: 'people_in_session' } });
    expect(await upload(instance, archive, 'filename=a.zip&reason=wrong%20app')).toMatchObject({ status: 202 });
  });
});
