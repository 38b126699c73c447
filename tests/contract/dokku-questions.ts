// The contract's questions to a Dokku host, asked over ssh with Dokku's own commands: the same for a real host and the replay host.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { DokkuConnection } from '../../platforms/dokku/connection.ts';
import { databaseIn, type Host, isServiceOf, liveApp, trialApp, trialDatabase } from '../../platforms/dokku/host.ts';
import { createDatabase, endConnections, rows, sql } from '../../platforms/dokku/sql.ts';
import { appsList, postgresAppLinks, postgresConnect, postgresCreate, postgresLinks, postgresList, psReport } from '../../platforms/dokku-commands.ts';
import { readApps, readLinks, readPsReport, readServices } from '../../platforms/dokku-reports.ts';
import type { InstanceSpec } from '../../platforms/platform.ts';
import { until } from './local-stand.ts';
import type { HeldTransaction, PlatformStand } from './stand.ts';

type Questions = Omit<PlatformStand, 'platform' | 'traits' | 'crash' | 'close'>;

/** @param host as the adapter has one, over a connection of its own; @param dataDir where the panel keeps its part */
export function dokkuQuestions(host: Host): Questions {
  const { connection } = host;
  const serviceOf = async (spec: InstanceSpec): Promise<string | null> => {
    const { exitCode, stdout } = await connection.run(postgresAppLinks(liveApp(spec.instanceId)));
    return exitCode === 0 ? (readLinks(stdout)[0] ?? null) : null;
  };
  const live = async (spec: InstanceSpec): Promise<string> => {
    const service = await serviceOf(spec);
    if (service === null) throw new Error('the instance has no linked database');
    return service;
  };
  return {
    countProcesses: async ({ instanceId }) => {
      const running = await Promise.all([liveApp(instanceId), trialApp(instanceId)].map(async (app) => await countRunning(host, app)));
      return running.reduce((sum, count) => sum + count, 0);
    },
    leftovers: async ({ instanceId }) => {
      const apps = readApps((await connection.run(appsList())).stdout).filter((app) => app === liveApp(instanceId) || app === trialApp(instanceId));
      const folder = path.join(host.dataDir, instanceId);
      return [...apps, ...(existsSync(folder) ? [folder] : [])];
    },
    sql: async (spec, text) => {
      const statements = text.split(';').map((statement) => statement.trim());
      const last = statements.pop() ?? '';
      const service = await live(spec);
      if (!/^SELECT\b/i.test(last)) {
        await sql(host, { service, text: `${text};` });
        return [];
      }
      if (statements.length > 0) await sql(host, { service, text: `${statements.join(';')};` });
      return await rows<Record<string, unknown>>(host, { service, text: last });
    },
    roleOf: async (spec) => String((await rows<{ role: string }>(host, { service: await live(spec), text: 'SELECT current_user AS role' }))[0]?.role),
    databases: async (spec) => await databasesOf(host, spec.instanceId),
    restingDatabases: async (spec) => {
      const service = await live(spec);
      return [`${service}/${databaseIn(service)}`];
    },
    isClosed: async (spec) => {
      // A service is a server of its own, reached by nobody but the apps that were given its password.
      const service = await serviceOf(spec);
      if (service === null) return null;
      return readLinks((await connection.run(postgresLinks(service))).stdout).join(' ') === liveApp(spec.instanceId);
    },
    countConnections: async (spec) => (await clients(host, await live(spec))).length,
    cutConnections: async (spec) => await endConnections(host, await live(spec)),
    holdTransaction: async (spec) => await holdTransaction(host, await live(spec)),
    leavesScratch: async (spec) => {
      await createDatabase(host, await live(spec), trialDatabase(spec.instanceId));
      await connection.run(postgresCreate(`${liveApp(spec.instanceId)}-v00ff00ff`));
    },
    leavesRestore: async ({ instanceId }) => {
      for (const name of ['r00ff00ff', 'r11ff11ff']) await connection.run(postgresCreate(`${liveApp(instanceId)}-${name}`));
    },
  };
}

async function countRunning({ connection }: Pick<Host, 'connection'>, app: string): Promise<number> {
  const { exitCode, stdout } = await connection.run(psReport(app));
  return exitCode === 0 ? Object.values(readPsReport(stdout).containers).filter(({ state }) => state === 'running' || state === 'restarting').length : 0;
}

/** `SERVICE/DATABASE` of all, `SERVICE` alone where it does not answer (yet). */
async function databasesOf(host: Host, instanceId: string): Promise<string[]> {
  const services = readServices((await host.connection.run(postgresList())).stdout).filter((service) => isServiceOf(instanceId, service));
  const text = `SELECT datname AS name FROM pg_database WHERE pg_get_userbyid(datdba) = current_user AND datname LIKE '%${instanceId}%'`;
  const found = services.map(async (service) => {
    const names = await rows<{ name: string }>(host, { service, text }).catch(() => null);
    return names === null || names.length === 0 ? [service] : names.map(({ name }) => `${service}/${name}`);
  });
  return (await Promise.all(found)).flat().toSorted();
}

/** Connections of clients to the service's own database, this one left out. */
const clients = async (host: Host, service: string): Promise<{ state: string }[]> =>
  await rows(host, {
    service,
    text: `SELECT state FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()`,
  });

/** psql notices that it was cut off only when it is told something. */
async function holdTransaction(host: Host, service: string): Promise<HeldTransaction> {
  const input = new PassThrough();
  const cut = (host.connection as DokkuConnection).run(postgresConnect(service), { input }).catch(() => null);
  input.write('BEGIN; SELECT * FROM otree_session LIMIT 1;\n');
  await until('somebody idles in a transaction', async () => (await clients(host, service)).some(({ state }) => state === 'idle in transaction'));
  const talking = setInterval(() => input.write('SELECT 1;\n'), 200);
  const close = async (): Promise<void> => {
    clearInterval(talking);
    input.end();
    await cut;
  };
  return { cut, close };
}
