// Lists with 1,000 instances (goal P5): each at least half as fast as raw pg on the same rows, at most 100 rows, 40 KB and 3 queries
// a page; the dashboard usable within a second.
// node --import tsx bench/lists.ts [SECONDS A ROUND] [ROUNDS]

import pg from 'pg';
import { activityQuery } from '../contracts/activity.ts';
import { instanceListQuery } from '../contracts/instances.ts';
import { listActivity } from '../domain/activity.ts';
import { newId } from '../domain/ids.ts';
import { listInstances } from '../domain/instance-list.ts';
import { listJobs } from '../domain/job-list.ts';
import { openBrowser, visitor } from '../tests/e2e/browser.ts';
import type { User } from '../prisma/client/client.ts';
import { anInstance, aUser, type TestContext } from '../tests/factories.ts';
import setUp from '../tests/global-setup.ts';
import { startPanel } from '../tests/server/panel.ts';
import { machine, median, print, table } from './figures.ts';

const roundMs = Number(process.argv[2] ?? 3) * 1000;
const rounds = Number(process.argv[3] ?? 3);
const atOnce = 8;
const goal = { ratio: 0.5, rows: 100, kilobytes: 40, queries: 3, dashboardSeconds: 1 };

/** 50 owners with 20 instances each; every instance has deployments, jobs and acts. */
async function fill(ctx: TestContext): Promise<string> {
  const owners: User[] = [];
  for (let at = 0; at < 50; at += 1) owners.push(await aUser(ctx, { name: `Owner ${at}` }));
  const { panelRooms: _, ...template } = await anInstance(ctx, { ownerId: owners[0]?.id ?? '', state: 'running', observedAt: new Date() });
  const rows = Array.from({ length: 999 }, (_, at) => ({
    ...template,
    id: newId(),
    name: `study-${at}`,
    ownerId: owners[at % 50]?.id ?? '',
    memoryBytes: BigInt(90_000_000 + at),
    project: {},
    facts: { databaseBytes: 8_000_000 + at },
    lastTraceback: {},
  }));
  await ctx.db.instance.createMany({ data: rows });
  const each = <T>(count: number, make: (id: string, at: number) => T): T[] => rows.flatMap(({ id }) => Array.from({ length: count }, (_, at) => make(id, at)));
  const now = Date.now();
  const moment = new Date(now).toISOString();
  await ctx.db.deployment.createMany({
    data: each(3, (instanceId, at) => ({
      id: newId(),
      instanceId,
      number: at + 1,
      commit: 'a'.repeat(40),
      message: 'A change',
      author: 'Ada',
      branch: 'main',
      state: 'succeeded',
      otreeVersion: '6.0.15',
      createdByName: 'Ada',
      endedAt: new Date(),
    })),
  });
  await ctx.db.job.createMany({
    data: each(10, (instanceId, at) => ({
      id: newId(),
      instanceId,
      kind: 'restart',
      state: 'succeeded',
      steps: ['stop', 'start', 'address'].map((name) => ({ name, label: `Step ${name}`, state: 'succeeded', startedAt: moment, endedAt: moment })),
      actorName: 'Ada',
      createdAt: new Date(now - at * 60_000),
    })),
  });
  await ctx.db.audit.createMany({
    data: each(30, (instanceId, at) => ({ instanceId, actorName: 'Ada', action: 'instance.restart', subject: 'x', at: new Date(now - at * 60_000) })),
  });
  await ctx.db.$executeRaw`ANALYZE`;
  return rows[500]?.id ?? '';
}

type Read = () => Promise<readonly unknown[]>;

/** Pages a second, made into JSON, by `atOnce` readers. */
async function rate(read: Read): Promise<number> {
  const end = performance.now() + roundMs;
  let pages = 0;
  const reader = async (): Promise<void> => {
    while (performance.now() < end) {
      JSON.stringify(await read());
      pages += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, reader));
  return pages / (roundMs / 1000);
}

/** Statements that one page takes, those of transactions counted, too. */
async function countQueries(read: Read): Promise<number> {
  const { query } = pg.Client.prototype;
  let count = 0;
  pg.Client.prototype.query = function counted(this: pg.Client, ...values: unknown[]) {
    count += 1;
    return Reflect.apply(query, this, values) as never;
  };
  await read();
  pg.Client.prototype.query = query;
  return count;
}

const stopGround = await setUp();
const panel = await startPanel();
const pool = new pg.Pool({ connectionString: panel.ctx.config.DATABASE_URL?.open(), max: 10 });
try {
  const { ctx } = panel;
  const one = await fill(ctx);
  const manager = await panel.person('manager');
  const raw = async (sql: string, values: readonly unknown[] = []): Promise<readonly unknown[]> => (await pool.query(sql, [...values])).rows as unknown[];
  const rawInstances = `SELECT i.id, i.name, i.intent, i.state, i.state_detail, i.state_since, i.observed_at, i.port, i.memory_bytes, i.created_at,
      i.last_activity_at, o.id AS owner_id, o.name AS owner_name, d.otree_version, d.ended_at, (SELECT count(*) FROM instance WHERE deleted_at IS NULL) AS total
    FROM instance i JOIN "user" o ON o.id = i.owner_id
    LEFT JOIN LATERAL (SELECT otree_version, ended_at FROM deployment WHERE instance_id = i.id AND state = 'succeeded' ORDER BY number DESC LIMIT 1) d ON TRUE
    WHERE i.deleted_at IS NULL ORDER BY i.name LIMIT 50`;
  const rawStates = 'SELECT state, count(*) FROM instance WHERE deleted_at IS NULL GROUP BY state';
  const rawOwners = 'SELECT o.id, o.name, count(*) FROM instance i JOIN "user" o ON o.id = i.owner_id WHERE i.deleted_at IS NULL GROUP BY o.id';
  const rawJobs = 'SELECT j.*, i.name FROM job j JOIN instance i ON i.id = j.instance_id';
  const lists: readonly { name: string; ours: Read; peer: Read }[] = [
    {
      name: 'instances',
      ours: async () => (await listInstances(ctx, manager, instanceListQuery.parse({}))).instances,
      peer: () => Promise.all([raw(rawStates), raw(rawOwners)]).then(() => raw(rawInstances)),
    },
    {
      name: 'activity of one instance',
      ours: async () => (await listActivity(ctx, one, activityQuery.parse({}).page)).activity,
      peer: async () => {
        await raw('SELECT count(*) FROM audit WHERE instance_id = $1', [one]);
        await raw('SELECT * FROM job WHERE instance_id = $1 ORDER BY created_at DESC LIMIT 25', [one]);
        return raw('SELECT * FROM audit WHERE instance_id = $1 ORDER BY at DESC, id DESC LIMIT 25', [one]);
      },
    },
    {
      name: 'jobs of one instance',
      ours: async () => (await listJobs(ctx, manager, { instanceId: one, page: 1 })).jobs,
      peer: async () => {
        await raw('SELECT count(*) FROM job WHERE instance_id = $1', [one]);
        return raw(`${rawJobs} WHERE j.instance_id = $1 ORDER BY j.created_at DESC LIMIT 25`, [one]);
      },
    },
    {
      name: 'jobs of all instances',
      ours: async () => (await listJobs(ctx, manager, { page: 1 })).jobs,
      peer: async () => {
        await raw('SELECT count(*) FROM job');
        return raw(`${rawJobs} ORDER BY j.created_at DESC LIMIT 25`);
      },
    },
  ];
  const results = [];
  for (const { name, ours, peer } of lists) {
    const [rows, queries] = [await ours(), await countQueries(ours)];
    const rates: { ours: number; peer: number }[] = [];
    for (let round = 0; round < rounds; round += 1) rates.push({ ours: await rate(ours), peer: await rate(peer) });
    const ratio = median(rates.map((pair) => pair.ours / pair.peer));
    const kilobytes = Buffer.byteLength(JSON.stringify(rows)) / 1000;
    results.push({ name, rows: rows.length, kilobytes, queries, pagesASecond: rates, ratio: Math.round(ratio * 100) / 100 });
  }

  const browser = await openBrowser();
  const page = await visitor(browser, []);
  const { cookie } = await panel.signIn(manager);
  const [cookieName = '', value = ''] = cookie.split('=');
  await page.context().addCookies([{ name: cookieName, value, url: panel.url }]);
  const seconds: number[] = [];
  for (let visit = 0; visit < rounds + 1; visit += 1) {
    const begin = performance.now();
    await page.goto(panel.url);
    await page.locator('.instance-card').nth(49).waitFor();
    seconds.push((performance.now() - begin) / 1000);
  }
  await browser.close();

  const dashboard = { first: seconds[0], median: median(seconds) };
  print({ goal, machine: machine(), lists: results, dashboardSeconds: dashboard });
  table(
    ['list', 'rows', 'KB', 'queries', 'pages/s', 'raw pg', '÷ raw pg'],
    results.map(({ name, rows, kilobytes, queries, pagesASecond, ratio }) => [
      name,
      String(rows),
      kilobytes.toFixed(1),
      String(queries),
      median(pagesASecond.map(({ ours }) => ours)).toFixed(0),
      median(pagesASecond.map(({ peer }) => peer)).toFixed(0),
      ratio.toFixed(2),
    ]),
  );
  process.stderr.write(`\nDashboard with 1,000 instances: ${seconds[0]?.toFixed(2)} s at first, ${median(seconds).toFixed(2)} s in the median.\n`);
} finally {
  await pool.end();
  await panel.close();
  await stopGround();
}
process.exit(0);
