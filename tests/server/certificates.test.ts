// Certificates over HTTP: what managers read, and trying again.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificatesSchema } from '../../contracts/certificates.ts';
import { jobSchema } from '../../contracts/jobs.ts';
import { anInstance } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

let panel: TestPanel;
let client: Client;
beforeAll(async () => {
  panel = await startPanel({ PUBLIC_URL: 'https://lab.test', HTTPS_PORT: '8443', PATH_URL: 'https://otree.test/otree', ACME_EMAIL: 'lab@lab.test' });
  client = await panel.signIn(await panel.person('manager'));
});
afterAll(() => panel.close());

it('names the panel, all paths and instances with a name of their own; ports and paths need none', async () => {
  const { ctx } = panel;
  await anInstance(ctx, { name: 'one', addressMode: 'subdomain' });
  await anInstance(ctx, { name: 'two', addressMode: 'host', hostName: 'two.econ.test' });
  await anInstance(ctx, { name: 'three', addressMode: 'port', port: 10_007 });
  const four = await anInstance(ctx, { name: 'four', addressMode: 'path' });
  await ctx.db.formerAddress.create({ data: { id: 'former1', instanceId: four.id, mode: 'host', hostName: 'old.econ.test' } });
  await anInstance(ctx, { name: 'gone', addressMode: 'subdomain', deletedAt: new Date() });
  const view = certificatesSchema.parse((await client.send('GET', '/system/certificates')).body);
  expect(view).toMatchObject({ takesHttps: true, authority: 'acme-v02.api.letsencrypt.org', seenAt: null, files: [] });
  expect(view.names.map(({ hostName }) => hostName)).toEqual(['lab.test', 'otree.test', 'one.lab.test', 'two.econ.test', 'old.econ.test']);
  expect(view.names.every(({ certificate, isAsked }) => certificate === null && isAsked)).toBe(true);
});

it('a try is a job, seen beside its name; a second one is refused while it is under way', async () => {
  const { status, body } = await client.send('POST', '/system/certificates/lab.test/try');
  const job = jobSchema.parse(body);
  expect([status, job.kind, job.title, job.instanceId]).toEqual([202, 'issue-certificate', 'Get a certificate', null]);
  const view = certificatesSchema.parse((await client.send('GET', '/system/certificates')).body);
  expect(view.names[0]?.job).toEqual({ id: job.id, state: 'queued' });
  expect((await client.send('POST', '/system/certificates/lab.test/try')).body['code']).toBe('job_in_progress');
  expect((await client.send('POST', '/system/certificates/other.test/try')).status).toBe(404);
});

it('an experimenter sees neither', async () => {
  const other = await panel.signIn(await panel.person('experimenter'));
  expect([(await other.send('GET', '/system/certificates')).status, (await other.send('POST', '/system/certificates/lab.test/try')).status]).toEqual([
    403, 403,
  ]);
});
