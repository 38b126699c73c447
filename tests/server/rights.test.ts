// Who may do what, generated from the list of routes: a route that is not in the list below fails this test.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobKind, PanelJobKind } from '../../contracts/jobs.ts';
import { canOnInstance, canOnPanel, isInstanceAction, standings, type InstanceAction, type Standing } from '../../contracts/roles.ts';
import { newId } from '../../domain/ids.ts';
import type { User } from '../../prisma/client/client.ts';
import { apiRoutes } from '../../server/app.ts';
import type { AnyEndpoint } from '../../server/endpoint.ts';
import { variablePlace } from '../../domain/specs.ts';
import { aProject, anInstance, aRoom, aUser } from '../factories.ts';
import { startPanel, type Client, type TestPanel } from './panel.ts';

const visitors = ['nobody', 'disabled', 'stranger', 'view', 'operate', 'owner', 'manager'] as const;
type Visitor = (typeof visitors)[number];
type World = {
  readonly name: string;
  readonly login: string;
  readonly ids: Readonly<Record<'job' | 'key' | 'person' | 'backup' | 'course' | 'colleague' | 'oldDeployment' | 'deleted' | 'formerAddress' | 'look', string>>;
};
type Case = { readonly path: (world: World) => string; readonly body?: (world: World) => unknown };

const at = (route: string, body?: (world: World) => unknown): Case => ({ path: (world) => route.replace(':name', world.name), ...(body ? { body } : {}) });

/** When the room was edited that a route may remove. */
const roomSince = '2026-01-02T03:04:05.000Z';

/** One request for each route; `METHOD path` as in the list of routes. */
const cases: Readonly<Record<string, Case>> = {
  'GET /panel': at('/panel'),
  'POST /first-run': at('/first-run', () => ({
    token: 'no such token',
    name: 'Eve',
    userName: newId(),
    email: `${newId()}@lab.example`,
    password: 'correct horse battery',
  })),
  'POST /session': at('/session', () => ({ login: newId(), password: 'wrong password' })),
  'DELETE /session': at('/session'),
  'GET /me': at('/me'),
  'POST /me/password': at('/me/password', () => ({ present: 'not the present one', next: 'another long password' })),
  'GET /ssh-keys': at('/ssh-keys'),
  'POST /ssh-keys': at('/ssh-keys', () => ({ publicKey: newPublicKey() })),
  'DELETE /ssh-keys/:id': { path: ({ ids }) => `/ssh-keys/${ids.key}` },
  'GET /users': at('/users'),
  'POST /users': at('/users', () => ({
    name: 'Bob',
    userName: newId(),
    email: `${newId()}@lab.example`,
    password: 'correct horse battery',
    role: 'experimenter',
  })),
  'PATCH /users/:id': { path: ({ ids }) => `/users/${ids.person}`, body: () => ({ isDisabled: true }) },
  'GET /instances': at('/instances'),
  'POST /instances': at('/instances', () => ({ name: `made-${newId()}` })),
  'GET /instances/:name': at('/instances/:name'),
  'PATCH /instances/:name': at('/instances/:name', () => ({ deployBranch: 'study-2' })),
  'GET /instances/:name/admin-password': at('/instances/:name/admin-password'),
  'GET /instances/:name/deployments': at('/instances/:name/deployments'),
  'GET /instances/:name/backups': at('/instances/:name/backups'),
  'GET /instances/:name/backups/:id/file': { path: ({ name, ids }) => `/instances/${name}/backups/${ids.backup}/file` },
  'DELETE /instances/:name/backups/:id': { path: ({ name, ids }) => `/instances/${name}/backups/${ids.backup}` },
  'GET /instances/:name/exports': at('/instances/:name/exports'),
  'GET /instances/:name/exports/:what': at('/instances/:name/exports/wide'),
  'GET /instances/:name/page-times': at('/instances/:name/page-times'),
  'GET /instances/:name/bots': at('/instances/:name/bots'),
  'GET /instances/:name/bots/:id/file': at('/instances/:name/bots/none/file?config=survey'),
  'GET /instances/:name/load': at('/instances/:name/load'),
  'GET /instances/:name/metrics': at('/instances/:name/metrics?hours=1'),
  'GET /instances/:name/metrics/file': at('/instances/:name/metrics/file'),
  'GET /instances/:name/preflight': at('/instances/:name/preflight?room=lab'),
  'POST /instances/:name/preflights': at('/instances/:name/preflights', () => ({ room: 'lab' })),
  'GET /instances/:name/preflights': at('/instances/:name/preflights'),
  'GET /instances/:name/preflights/:id': { path: ({ name, ids }) => `/instances/${name}/preflights/${ids.look}` },
  'GET /deleted-instances': at('/deleted-instances'),
  'GET /deleted-instances/:id/backup': { path: ({ ids }) => `/deleted-instances/${ids.deleted}/backup` },
  'POST /instances/:name/deployments': at('/instances/:name/deployments'),
  'GET /instances/:name/logs/search': at('/instances/:name/logs/search?text=error'),
  'GET /instances/:name/logs/file': at('/instances/:name/logs/file'),
  'POST /jobs/:id/cancel': { path: ({ ids }) => `/jobs/${ids.job}/cancel` },
  'GET /jobs': at('/jobs'),
  'GET /instances/:name/jobs': at('/instances/:name/jobs'),
  'POST /instances/:name/jobs': at('/instances/:name/jobs', () => ({ kind: 'back-up' })),
  'GET /jobs/:id': { path: ({ ids }) => `/jobs/${ids.job}` },
  'GET /jobs/:id/log': { path: ({ ids }) => `/jobs/${ids.job}/log` },
  'GET /instances/:name/rooms/:room/seats': { path: ({ name }) => `/instances/${name}/rooms/lab/seats` },
  'DELETE /instances/:name/rooms/:room/seats': { path: ({ name }) => `/instances/${name}/rooms/lab/seats` },
  'POST /instances/:name/rooms/:room/sessions': {
    path: ({ name }) => `/instances/${name}/rooms/lab/sessions`,
    body: () => ({ sessionConfigName: 'survey', numParticipants: 2 }),
  },
  'PUT /instances/:name/rooms/:room': {
    path: ({ name }) => `/instances/${name}/rooms/foyer`,
    body: () => ({ displayName: 'Hall', labels: 'A01\nA02', usesSecureUrls: false, since: null }),
  },
  'DELETE /instances/:name/rooms/:room': { path: ({ name }) => `/instances/${name}/rooms/hall?since=${encodeURIComponent(roomSince)}` },
  'GET /instances/:name/rooms/:room/shortcuts': { path: ({ name }) => `/instances/${name}/rooms/lab/shortcuts?system=linux` },
  'GET /instances/:name/rooms/:room/links': { path: ({ name }) => `/instances/${name}/rooms/lab/links` },
  'GET /instances/:name/rooms/:room/sheet': { path: ({ name }) => `/instances/${name}/rooms/lab/sheet` },
  'GET /instances/:name/logs': at('/instances/:name/logs'),
  'GET /system': at('/system'),
  'GET /system/host': at('/system/host'),
  'GET /system/mail': at('/system/mail'),
  'POST /system/test-mail': at('/system/test-mail'),
  'GET /system/check': at('/system/check'),
  'POST /system/check': at('/system/check'),
  'GET /system/platform': at('/system/platform'),
  'POST /system/platform': at('/system/platform', () => ({ platform: 'local' })),
  'GET /system/engine': at('/system/engine'),
  'POST /system/engine/swarm': at('/system/engine/swarm', () => ({ address: '127.0.0.1' })),
  'GET /system/certificates': at('/system/certificates'),
  'POST /system/certificates/:hostName/try': at('/system/certificates/localhost/try'),
  'GET /about': at('/about'),
  'GET /system/hosts': at('/system/hosts'),
  'POST /system/hosts/join-command': at('/system/hosts/join-command'),
  'POST /system/hosts/:id/drain': at('/system/hosts/none/drain'),
  'POST /system/hosts/:id/activate': at('/system/hosts/none/activate'),
  'DELETE /system/hosts/:id': at('/system/hosts/none'),
  'GET /legal': at('/legal'),
  'PATCH /legal/:page': at('/legal/imprint', () => ({ text: 'The lab', seenAt: null })),
  'PATCH /me': at('/me', () => ({ name: 'Somebody Else' })),
  'POST /forgotten-password': at('/forgotten-password', () => ({ login: newId() })),
  'POST /invitation/owner': at('/invitation/owner', () => ({ token: 'no such token' })),
  'POST /invitation': at('/invitation', () => ({ token: 'no such token', password: 'correct horse battery' })),
  'GET /users/:id': { path: ({ ids }) => `/users/${ids.person}` },
  'DELETE /users/:id': { path: ({ ids }) => `/users/${ids.person}` },
  'POST /users/:id/links': { path: ({ ids }) => `/users/${ids.person}/links`, body: () => ({ isMailed: false }) },
  'GET /courses': at('/courses'),
  'POST /courses': at('/courses', () => ({ name: newId(), list: `Ada;${newId()};${newId()}@lab.example`, pattern: 'econ-{user}' })),
  'GET /foreign-apps': at('/foreign-apps'),
  'POST /adoptions': at('/adoptions', () => ({ app: 'old-game', name: `made-${newId()}` })),
  'POST /courses/preview': at('/courses/preview', () => ({ name: 'Course', list: '', pattern: 'econ-{user}' })),
  'GET /courses/:id': { path: ({ ids }) => `/courses/${ids.course}` },
  'POST /courses/:id/links': { path: ({ ids }) => `/courses/${ids.course}/links` },
  'POST /courses/:id/deletion': { path: ({ ids }) => `/courses/${ids.course}/deletion`, body: () => ({ confirm: 'not its name' }) },
  'GET /instances/:name/people': at('/instances/:name/people'),
  'POST /instances/:name/shares': at('/instances/:name/shares', ({ login }) => ({ login, level: 'view' })),
  'PUT /instances/:name/shares/:userId': { path: ({ name, ids }) => `/instances/${name}/shares/${ids.colleague}`, body: () => ({ level: 'operate' }) },
  'DELETE /instances/:name/shares/:userId': { path: ({ name, ids }) => `/instances/${name}/shares/${ids.colleague}` },
  'POST /instances/:name/owner': at('/instances/:name/owner', ({ login }) => ({ login, keepsOperate: true })),
  'GET /instances/:name/environment': at('/instances/:name/environment'),
  'PATCH /instances/:name/environment': at('/instances/:name/environment', () => ({ set: [{ name: 'API_KEY', value: 'secret' }] })),
  'GET /instances/:name/environment/:variable': { path: ({ name }) => `/instances/${name}/environment/TOKEN` },
  'GET /instances/:name/activity': at('/instances/:name/activity'),
  'PUT /instances/:name/notes': at('/instances/:name/notes', () => ({ notes: 'pilot on Monday', before: '' })),
  'GET /instances/:name/addresses': at('/instances/:name/addresses'),
  'DELETE /instances/:name/addresses/:id': { path: ({ name, ids }) => `/instances/${name}/addresses/${ids.formerAddress}` },
  'DELETE /instances/:name/last-error': at('/instances/:name/last-error'),
  'GET /me/requester-key': at('/me/requester-key'),
  'PUT /me/requester-key': at('/me/requester-key', () => ({ accessKeyId: 'AKIA0000000000000000', secretAccessKey: 's'.repeat(40) })),
  'DELETE /me/requester-key': at('/me/requester-key'),
  'POST /me/requester-key/try': at('/me/requester-key/try', () => ({ mode: 'neither' })),
  'POST /instances/:name/requester-key': at('/instances/:name/requester-key'),
  'GET /instances/:name/recruiting': at('/instances/:name/recruiting'),
  'PUT /instances/:name/recruiting': at('/instances/:name/recruiting', () => ({ room: 'lab', recruitment: { kind: 'lab' }, since: null })),
  'POST /instances/:name/rooms/:room/test-click': { path: ({ name }) => `/instances/${name}/rooms/lab/test-click` },
  'GET /instances/:name/rooms/:room/returned': { path: ({ name }) => `/instances/${name}/rooms/lab/returned` },
  'POST /instances/:name/rooms/:room/reconciliation': { path: ({ name }) => `/instances/${name}/rooms/lab/reconciliation` },
};

/** Every kind of job a person may start, as a request that the right alone decides about. */
const kinds: Readonly<Record<Exclude<JobKind, 'create-instance' | 'give-up-address' | 'adopt' | PanelJobKind> | 'deploy-sample', (world: World) => object>> = {
  start: () => ({ kind: 'start' }),
  stop: () => ({ kind: 'stop' }),
  restart: () => ({ kind: 'restart' }),
  'set-admin-password': () => ({ kind: 'set-admin-password', password: 'a-new-password' }),
  'reset-database': ({ name }) => ({ kind: 'reset-database', confirm: name }),
  'back-up': () => ({ kind: 'back-up' }),
  restore: ({ name, ids }) => ({ kind: 'restore', backupId: ids.backup, confirm: name }),
  'roll-back': ({ ids }) => ({ kind: 'roll-back', deploymentId: ids.oldDeployment }),
  delete: ({ name }) => ({ kind: 'delete', confirm: name }),
  'deploy-sample': () => ({ kind: 'deploy-sample' }),
  deploy: ({ name }) => ({ kind: 'deploy', deploymentId: newId(), onDrift: 'reset', confirm: name }),
  'run-bots': () => ({ kind: 'run-bots' }),
  'set-environment': () => ({ kind: 'set-environment' }),
  move: () => ({ kind: 'move', to: 'swarm' }),
  scale: () => ({ kind: 'scale', processes: 1, memoryMib: 1024, diskMib: null }),
  'change-address': () => ({ kind: 'change-address', mode: 'port', keepsOld: true }),
};

const keyOf = (route: AnyEndpoint): string => `${route.method.toUpperCase()} ${route.path}`;
const routes = apiRoutes(() => Promise.resolve('PONG'));
/** Jobs are found by their own id: who may not see the instance is told that there is nothing. */
const isByJob = (route: AnyEndpoint): boolean => route.path.startsWith('/jobs/:id');

function newPublicKey(): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const line = `ssh-ed25519 ${Buffer.concat([field(Buffer.from('ssh-ed25519')), field(raw)]).toString('base64')} test`;
  if (ssh2.utils.parseKey(line) instanceof Error) throw new Error('the test made a wrong key');
  return line;
}

let panel: TestPanel;
const people: Partial<Record<Visitor, User>> = {};

beforeAll(async () => {
  panel = await startPanel();
  for (const visitor of ['disabled', 'stranger', 'view', 'operate', 'owner', 'manager'] as const)
    people[visitor] = await panel.person(visitor === 'manager' ? 'manager' : 'experimenter');
});
afterAll(() => panel.close());

/** A fresh instance of the owner with everything that a route may name. */
async function aWorld(visitor: Visitor): Promise<World> {
  const { ctx } = panel;
  const ownerId = people.owner?.id ?? '';
  const instance = await anInstance(ctx, { ownerId, state: 'stopped', intent: 'stop', project: aProject({ rooms: [aRoom({ labels: ['A1', 'A2'] })] }) });
  const [someone, colleague] = [await aUser(ctx), await aUser(ctx)];
  await ctx.db.instanceShare.createMany({
    data: [
      { instanceId: instance.id, userId: people.view?.id ?? '', level: 'view' },
      { instanceId: instance.id, userId: people.operate?.id ?? '', level: 'operate' },
      { instanceId: instance.id, userId: colleague.id, level: 'view' },
    ],
  });
  const variable = { instanceId: instance.id, name: 'TOKEN' };
  const value = ctx.sealer.seal('s3cret', variablePlace(variable.instanceId, variable.name));
  await ctx.db.environmentVariable.create({ data: { ...variable, value, updatedByName: 'test' } });
  const job = await ctx.db.job.create({ data: { id: newId(), kind: 'start', instanceId: instance.id, state: 'succeeded', actorName: 'test' } });
  const deploy = (number: number) =>
    ctx.db.deployment.create({
      data: {
        id: newId(),
        instanceId: instance.id,
        number,
        commit: 'a'.repeat(40),
        message: 'm',
        author: 'a',
        branch: 'main',
        state: 'succeeded',
        isReleaseKept: true,
        project: {},
        createdByName: 'test',
      },
    });
  const [oldDeployment, deployment] = [await deploy(1), await deploy(2)];
  mkdirSync(ctx.config.layout.repositoriesDir, { recursive: true });
  await ctx.db.instance.update({ where: { id: instance.id }, data: { currentDeploymentId: deployment.id } });
  const file = path.join(ctx.config.layout.dataDir, `${instance.id}.dump`);
  writeFileSync(file, 'PGDMP');
  const backup = await ctx.db.backup.create({
    data: { id: newId(), instanceId: instance.id, jobId: job.id, reason: 'by hand', file, sizeBytes: 5n, sha256: 'x', rowCounts: {}, verifiedAt: new Date() },
  });
  const look = await ctx.db.preflight.create({ data: { id: newId(), instanceId: instance.id, room: 'lab', kind: 'lab', findings: {}, byName: 'test' } });
  const gone = await anInstance(ctx, { ownerId, state: 'deleted', deletedAt: new Date() });
  await ctx.db.backup.create({
    data: { id: newId(), instanceId: gone.id, jobId: job.id, reason: 'before delete', file, sizeBytes: 5n, sha256: 'x', rowCounts: {}, verifiedAt: new Date() },
  });
  await ctx.db.panelRoom.create({
    data: { instanceId: instance.id, name: 'hall', displayName: 'Hall', updatedByName: 'test', updatedAt: new Date(roomSince) },
  });
  const former = await ctx.db.formerAddress.create({ data: { id: newId(), instanceId: instance.id, mode: 'subdomain' } });
  const key = await ctx.db.sshKey.create({
    data: { id: newId(), userId: people[visitor]?.id ?? ownerId, name: 'k', type: 'ssh-ed25519', publicKey: newId(), fingerprint: newId() },
  });
  const course = await ctx.db.course.create({ data: { id: newId(), name: newId(), createdByName: 'test' } });
  return {
    name: instance.name,
    login: someone.userName,
    ids: {
      course: course.id,
      job: job.id,
      key: key.id,
      person: someone.id,
      backup: backup.id,
      look: look.id,
      colleague: colleague.id,
      oldDeployment: oldDeployment.id,
      deleted: gone.id,
      formerAddress: former.id,
    },
  };
}

async function visit(visitor: Visitor): Promise<Client> {
  const client = await panel.signIn(people[visitor] ?? null);
  if (visitor === 'disabled') await panel.ctx.db.user.update({ where: { id: people.disabled?.id ?? '' }, data: { disabledAt: new Date() } });
  return client;
}

const standing = (visitor: Visitor): Standing => standings.find((one) => one === visitor) ?? 'stranger';
const isSignedIn = (visitor: Visitor): boolean => visitor !== 'nobody' && visitor !== 'disabled';

/** The status that the tables demand, null: let through. */
function refusal(visitor: Visitor, route: AnyEndpoint): number | null {
  const { action } = route;
  if (!isInstanceAction(action)) {
    if (canOnPanel(null, action)) return null;
    if (!isSignedIn(visitor)) return 401;
    if (isByJob(route) && visitor === 'stranger') return 404;
    // Who may see the job need not be one who may end it.
    if (action === 'jobs.cancel') return refusalOnInstance(visitor, 'instance.cancel-job');
    return canOnPanel(visitor === 'manager' ? 'manager' : 'experimenter', action) ? null : 403;
  }
  // The route only asks for reading; the kind of job in the case above asks for more.
  return refusalOnInstance(visitor, keyOf(route) === 'POST /instances/:name/jobs' ? 'instance.back-up' : action);
}

function refusalOnInstance(visitor: Visitor, action: InstanceAction): number | null {
  if (!isSignedIn(visitor)) return 401;
  if (!canOnInstance(standing(visitor), 'instance.read')) return 404;
  return canOnInstance(standing(visitor), action) ? null : 403;
}

/** Codes with which a request fails that was let through. */
const ownFailures: readonly unknown[] = ['sign_in_failed', 'link_used', 'link_dead'];

describe('every route', () => {
  it('has a case here', () => {
    expect(routes.map(keyOf).toSorted()).toEqual(Object.keys(cases).toSorted());
  });

  for (const visitor of visitors) {
    it.each(routes.map((route) => [keyOf(route), route] as const))(`treats ${visitor} as the tables say: %s`, async (key, route) => {
      await panel.ctx.db.user.updateMany({ data: { disabledAt: null } });
      const world = await aWorld(visitor);
      const client = await visit(visitor);
      const test = cases[key];
      const { status, body } = await client.send(route.method.toUpperCase(), test?.path(world) ?? '', test?.body?.(world));
      const expected = refusal(visitor, route);
      if (expected !== null) expect([status, body['code']]).toEqual([expected, { 401: 'sign_in_required', 403: 'not_allowed', 404: 'not_found' }[expected]]);
      else if (!ownFailures.includes(body['code'])) expect([401, 403, 404], JSON.stringify(body)).not.toContain(status);
    });
  }
});

describe('every kind of job', () => {
  for (const visitor of visitors) {
    it.each(Object.keys(kinds))(`treats ${visitor} as the tables say: %s`, async (kind) => {
      await panel.ctx.db.user.updateMany({ data: { disabledAt: null } });
      const world = await aWorld(visitor);
      const client = await visit(visitor);
      const { status, body } = await client.send('POST', `/instances/${world.name}/jobs`, kinds[kind as keyof typeof kinds](world));
      const expected = refusalOnInstance(visitor, `instance.${kind as keyof typeof kinds}`);
      if (expected === null) expect([401, 403, 404], JSON.stringify(body)).not.toContain(status);
      else expect(status).toBe(expected);
    });
  }
});

describe('every unsafe route', () => {
  const unsafe = routes.filter(({ method }) => method !== 'get').map(keyOf);

  it.each(unsafe)('refuses a page of another site: %s', async (key) => {
    const world = await aWorld('manager');
    const client = await visit('manager');
    const [method = ''] = key.split(' ');
    const { status, body } = await client.send(method, cases[key]?.path(world) ?? '', cases[key]?.body?.(world), { origin: 'https://evil.example' });
    expect([status, body['code']]).toEqual([403, 'foreign_origin']);
  });

  it.each(unsafe)('refuses a signed-in request without the token: %s', async (key) => {
    const world = await aWorld('manager');
    const client = await visit('manager');
    const [method = ''] = key.split(' ');
    const { status, body } = await client.send(method, cases[key]?.path(world) ?? '', cases[key]?.body?.(world), { 'x-csrf-token': 'guess' });
    expect([status, body['code']]).toEqual([403, 'csrf_failed']);
  });

  it.each(unsafe.filter((key) => cases[key]?.body))('takes no column that it does not know: %s', async (key) => {
    const world = await aWorld('manager');
    const client = await visit('manager');
    const [method = ''] = key.split(' ');
    const answer = await client.send(method, cases[key]?.path(world) ?? '', {
      ...(cases[key]?.body?.(world) as object),
      osUserId: 0,
      port: 1,
      state: 'running',
      sessionEpoch: 9,
    });
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_input']);
  });
});
