// A program that uses a whole panel through its HTTP interface, signed in as its first manager.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { JobView } from '../../contracts/jobs.ts';
import type { Me } from '../../contracts/people.ts';
import type { WholePanel } from './panel.ts';
import { until } from './until.ts';

export type PanelClient = {
  send(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  get<T>(path: string): Promise<T>;
  /** Cookie of the sign-in, for a browser. */
  cookie(): { name: string; value: string };
  /** Waits for the job's end. */
  ended(jobId: string): Promise<JobView>;
  /** Creates an instance and waits until it can take a push. */
  create(name: string): Promise<void>;
  /** Drops an archive on the instance and waits for the deployment's end. */
  upload(name: string, file: string): Promise<JobView>;
  /** Starts a job and waits for its end. */
  run(name: string, job: Readonly<Record<string, unknown>>): Promise<JobView>;
};

/** As a browser does: nginx closes its idle connections when it reloads, and a request that met one of these is sent once more. */
const fetchAgain: typeof fetch = (url, request) =>
  fetch(url, request).catch((error: unknown) => {
    const code = (error as { cause?: { code?: string } }).cause?.code ?? '';
    if (!['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code)) throw error;
    return fetch(url, request);
  });

/** Uses the one-time link that the start printed. */
export async function firstManager(panel: Pick<WholePanel, 'url' | 'output'>): Promise<PanelClient> {
  let cookie = '';
  let csrfToken = '';
  const send: PanelClient['send'] = async (method, path, body) => {
    const headers = {
      ...(cookie ? { cookie } : {}),
      ...(csrfToken ? { 'x-csrf-token': csrfToken } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const response = await fetchAgain(`${panel.url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const set = response.headers.getSetCookie()[0]?.split(';')[0];
    if (set) cookie = set;
    const text = await response.text();
    return { status: response.status, body: response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as unknown) : text };
  };
  const get = async <T>(path: string): Promise<T> => (await send('GET', path)).body as T;
  const ended: PanelClient['ended'] = (jobId) =>
    until(
      `job ${jobId} ends`,
      async () => {
        const job = await get<JobView>(`/jobs/${jobId}`).catch(() => null);
        return job && ['succeeded', 'failed', 'cancelled'].includes(job.state) ? job : null;
      },
      { withinMs: 180_000 },
    );

  const token = /first-run\?token=(\S+)/.exec(panel.output())?.[1] ?? '';
  const me = await send('POST', '/first-run', { token, name: 'Ada', userName: 'ada', email: 'ada@lab.example', password: 'correct horse battery' });
  if (me.status !== 201) throw new Error(`no first manager: ${JSON.stringify(me.body)}`);
  ({ csrfToken } = me.body as Me);

  return {
    send,
    get,
    ended,
    cookie() {
      const [name = '', ...value] = cookie.split('=');
      return { name, value: value.join('=') };
    },
    async create(name) {
      const { status, body } = await send('POST', '/instances', { name });
      if (status !== 202) throw new Error(JSON.stringify(body));
      const job = await ended((body as { job: JobView }).job.id);
      if (job.state !== 'succeeded') throw new Error(JSON.stringify(job));
    },
    async upload(name, file) {
      const response = await fetchAgain(`${panel.url}/api/v1/instances/${name}/deployments?filename=${path.basename(file)}`, {
        method: 'POST',
        headers: { cookie, 'x-csrf-token': csrfToken, 'content-type': 'application/octet-stream' },
        body: readFileSync(file),
      });
      const { job } = (await response.json()) as { job: JobView };
      if (response.status !== 202) throw new Error(JSON.stringify(job));
      return ended(job.id);
    },
    async run(name, job) {
      const { status, body } = await send('POST', `/instances/${name}/jobs`, job);
      if (status !== 202) throw new Error(JSON.stringify(body));
      return ended((body as JobView).id);
    },
  };
}
