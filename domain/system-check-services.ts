// What the panel stands on: PostgreSQL, Redis, nginx, the worker, the platform, the mail server, and the age of backups.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { tryMailServer } from './mail-smtp.ts';
import { listed, type Check, type Finding, type Surroundings } from './system-check-surroundings.ts';

const noDatabase: Finding = {
  result: 'unknown',
  seen: 'The panel’s database cannot be read from here.',
  means: 'Either it does not run, or only root may read the panel’s key.',
  fix: 'Run the check as the user who starts the panel, or on the panel’s System check page.',
};

const oldest = 13;

async function checkPostgres({ query }: Surroundings): Promise<Finding> {
  if (!query) return noDatabase;
  const [row] = await query<{ version: string; number: string }>(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number",
  );
  const seen = `PostgreSQL ${row?.version ?? ''} answers.`;
  if (Math.floor(Number(row?.number) / 10_000) >= oldest) return { result: 'good', seen, means: 'The panel and the experiments have their database.' };
  return { result: 'bad', seen, means: `${oldest} or later is needed.`, fix: 'Upgrade it: docs/running.md says how.' };
}

/** An instance's role may open 15 at once; panel, worker and sign-ins have 25. */
export const connectionsFor = (instances: number): number => 30 + 15 * instances;

async function checkConnections({ config, query }: Surroundings): Promise<Finding> {
  if (!query) return noDatabase;
  const [row] = await query<{ most: number; used: number; instances: number }>(
    "SELECT current_setting('max_connections')::int AS most, (SELECT count(*)::int FROM pg_stat_activity WHERE datname IS NOT NULL) AS used, (SELECT count(*)::int FROM instance WHERE deleted_at IS NULL AND intent = 'run') AS instances",
  );
  const { most = 0, used = 0, instances = 0 } = row ?? {};
  // On Dokku each instance has a database server of its own.
  const wanted = connectionsFor(config.PLATFORM === 'dokku' ? 0 : instances);
  const seen = `${used} of ${most} connections are open${config.PLATFORM === 'dokku' ? '' : `; ${instances} instances are meant to run`}.`;
  const fix = 'Raise max_connections (ALTER SYSTEM SET max_connections = 2000, then restart PostgreSQL when nobody plays), or stop instances that nobody uses.';
  if (used > most * 0.9) return { result: 'bad', seen, means: 'Soon experiments get no connection any more.', fix };
  if (wanted > most) return { result: 'attention', seen, means: `If all were busy at once they could want ${wanted}.`, fix };
  return { result: 'good', seen, means: 'Also when all are busy at once there are enough.' };
}

async function checkDump({ config, query }: Surroundings): Promise<Finding> {
  if (!query) return noDatabase;
  const file = config.POSTGRES_BIN ? path.join(config.POSTGRES_BIN, 'pg_dump') : 'pg_dump';
  const output = await new Promise<string>((resolve) => void execFile(file, ['--version'], { timeout: 3000 }, (error, stdout) => resolve(error ? '' : stdout)));
  const [row] = await query<{ number: string }>("SELECT current_setting('server_version_num') AS number");
  const server = Math.floor(Number(row?.number) / 10_000);
  const own = Number(/(\d+)/.exec(output)?.[1] ?? 0);
  const fix = `Install the package postgresql-client-${server} (from apt.postgresql.org where the distribution does not have it).`;
  if (own === 0) return { result: 'bad', seen: `There is no program ${file}.`, means: 'No backup can be made, so nothing can be reset or deleted.', fix };
  if (own < server) return { result: 'bad', seen: `pg_dump is version ${own}, the server ${server}.`, means: 'An older one refuses every backup.', fix };
  return { result: 'good', seen: `pg_dump is version ${own}, the server ${server}.`, means: 'Backups can be made.' };
}

const valueIn = (info: string, name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];

async function checkRedis({ redisInfo, isPanelRunning }: Surroundings): Promise<Finding> {
  if (!redisInfo)
    return { result: 'unknown', seen: 'The panel’s Redis cannot be asked from here.', means: 'Only who may read the panel’s key knows its password.' };
  const info = await redisInfo().catch((error: unknown) => String(error instanceof Error ? error.message : error));
  const version = valueIn(info, 'redis_version');
  if (version === undefined)
    return isPanelRunning
      ? {
          result: 'bad',
          seen: `Redis does not answer: ${info.slice(0, 120)}.`,
          means: 'Jobs wait and pages do not move by themselves. Nothing is lost: PostgreSQL holds everything.',
          fix: 'Look at DATA_DIR/logs/redis.log, or at the server of REDIS_URL.',
        }
      : { result: 'unknown', seen: 'Redis belongs to the panel, which is not running.', means: 'It starts with the panel.' };
  const policy = valueIn(info, 'maxmemory_policy') ?? 'unknown';
  if (policy !== 'noeviction')
    return {
      result: 'bad',
      seen: `Redis ${version} has maxmemory-policy ${policy}.`,
      means: 'When its memory is full it throws jobs away without a word.',
      fix: 'Set it there: maxmemory-policy noeviction',
    };
  if (valueIn(info, 'aof_enabled') !== '1')
    return {
      result: 'attention',
      seen: `Redis ${version} keeps no log of changes (appendonly no).`,
      means: 'After a crash jobs that wait are found again only by the sweeper, a few seconds later.',
      fix: 'Set it there: appendonly yes',
    };
  return { result: 'good', seen: `Redis ${version} answers; it throws nothing away and keeps a log of changes.`, means: 'Jobs and live pages work.' };
}

const away = (isPanelRunning: boolean, error: unknown): Finding =>
  isPanelRunning
    ? {
        result: 'bad',
        seen: `The worker does not answer (${error instanceof Error ? error.message : String(error)}).`,
        means: 'No job runs: nothing can be deployed, started or backed up.',
        fix: 'Look at DATA_DIR/logs/worker.log; it is started again by itself.',
      }
    : { result: 'not-here', seen: 'The panel is not running.', means: 'The worker starts with the panel.', fix: 'Start it: npm start' };

const notFromHere: Finding = {
  result: 'unknown',
  seen: 'Only root and the panel’s own user may ask the worker.',
  means: 'Jobs, front door and platform cannot be judged from here.',
  fix: 'Run the check as root, or on the panel’s System check page.',
};

async function checkWorker({ askGround, isPanelRunning }: Surroundings): Promise<Finding> {
  if (!askGround) return notFromHere;
  try {
    await askGround();
    return { result: 'good', seen: 'The worker answers.', means: 'Jobs run.' };
  } catch (error) {
    return away(isPanelRunning, error);
  }
}

async function checkFrontDoor({ askGround, isPanelRunning }: Surroundings): Promise<Finding> {
  if (!askGround) return notFromHere;
  const view = await askGround().catch(() => null);
  if (view === null)
    return {
      result: 'unknown',
      seen: isPanelRunning ? 'Only the worker can look, and it does not answer.' : 'Only the worker can look, and the panel is not running.',
      means: 'Whether nginx runs as it was set up is not known; see “Port of the panel”.',
    };
  const { state, reason = '' } = view.frontDoor;
  if (state === 'ok')
    return { result: 'good', seen: 'nginx runs with exactly the configuration that it was given.', means: 'Every instance is reachable as its page says.' };
  return {
    result: state === 'away' ? 'bad' : 'attention',
    seen: reason || 'nginx is not as it was set up.',
    means: 'The worker puts it right every two seconds; when this stays, something holds it back.',
    fix: 'Look at DATA_DIR/logs/nginx.log.',
  };
}

async function checkPlatform({ config, askGround }: Surroundings): Promise<Finding> {
  if (!askGround) return notFromHere;
  const view = await askGround().catch(() => null);
  if (view === null)
    return { result: 'unknown', seen: `The platform is “${config.PLATFORM}”; only the worker knows what it can do here.`, means: 'See “The worker”.' };
  const memory = view.memoryLimit ? 'The memory of each instance is limited.' : 'The memory of an instance cannot be limited here.';
  const seen = `Platform “${config.PLATFORM}”. ${view.isolationNote} ${memory}`;
  if (!view.separatesUsers)
    return {
      result: 'attention',
      seen,
      means: 'Whoever may deploy can read the data of every other experiment here.',
      fix: 'Start the panel as root, or let only people deploy who may see everything.',
    };
  if (!view.memoryLimit)
    return {
      result: 'attention',
      seen,
      means: 'An experiment that takes too much memory can slow down the others.',
      fix: 'In a container: give it a writable cgroup tree.',
    };
  return { result: 'good', seen, means: 'Experiments are kept apart.' };
}

async function checkMail({ config }: Surroundings): Promise<Finding> {
  const request = 'Please name the mail server that our machine may send through (host, port, account), and the sender’s address that it accepts.';
  if (!config.SMTP_URL)
    return {
      result: 'not-here',
      seen: 'No mail server is set.',
      means: 'Lab managers hand over links for invitations and new passwords by themselves.',
      fix: 'To send mails, start the panel with SMTP_URL, MAIL_FROM and PUBLIC_URL.',
      request,
    };
  const { hostname, port } = new URL(config.SMTP_URL.open());
  const server = `${hostname}${port ? `:${port}` : ''}`;
  try {
    await tryMailServer(config);
    return {
      result: 'good',
      seen: `${server} lets us in. No mail was sent.`,
      means: 'Invitations and links go by mail; “Send a test mail to me” tries the rest of the way.',
    };
  } catch (error) {
    const seen = `With ${server}: ${error instanceof Error ? error.message : String(error)}.`;
    return {
      result: 'bad',
      seen,
      means: 'Invitations and links to new passwords are not sent; the pages show them instead.',
      fix: 'Compare SMTP_URL with what the IT department gave you.',
      request: `Please let our machine reach ${server} for sending mails, and check the account.`,
    };
  }
}

const oldDays = 7;

async function checkBackups({ query }: Surroundings): Promise<Finding> {
  if (!query) return noDatabase;
  const rows = await query<{ name: string; days: number | null }>(
    `SELECT i.name, floor(extract(epoch FROM now() - max(b.created_at)) / 86400)::int AS days
     FROM instance i LEFT JOIN backup b ON b.instance_id = i.id AND b.verified_at IS NOT NULL
     WHERE i.deleted_at IS NULL AND i.current_deployment_id IS NOT NULL GROUP BY i.id, i.name ORDER BY i.name`,
  );
  if (rows.length === 0) return { result: 'not-here', seen: 'No instance has an experiment yet.', means: 'There is nothing to back up.' };
  const old = rows.filter(({ days }) => days === null || days > oldDays).map(({ name, days }) => (days === null ? `${name} (none)` : `${name} (${days} days)`));
  if (old.length === 0)
    return {
      result: 'good',
      seen: `All ${rows.length} instances have a verified backup of the last ${oldDays} days.`,
      means: 'At most a week of an experiment could be lost with the disk’s contents; copy DATA_DIR/backups elsewhere against the loss of the machine.',
    };
  return {
    result: 'attention',
    seen: `${old.length} of ${rows.length} instances have no verified backup of the last ${oldDays} days: ${listed(old.slice(0, 5))}${old.length > 5 ? ', …' : ''}.`,
    means: 'What came in since then is on this disk only.',
    fix: 'Instance › Data › Back up. Copy DATA_DIR/backups to another machine, too.',
  };
}

export const serviceChecks: readonly Check[] = [
  { id: 'postgres', group: 'services', title: 'Database (PostgreSQL)', run: checkPostgres },
  { id: 'connections', group: 'services', title: 'Connections to the database', run: checkConnections },
  { id: 'pg-dump', group: 'services', title: 'Program for backups (pg_dump)', on: 'here', run: checkDump },
  { id: 'redis', group: 'services', title: 'Redis', run: checkRedis },
  { id: 'front-door', group: 'services', title: 'The front door (nginx)', run: checkFrontDoor },
  { id: 'worker', group: 'services', title: 'The worker', run: checkWorker },
  { id: 'platform', group: 'services', title: 'The platform', run: checkPlatform },
  { id: 'mail', group: 'services', title: 'Mail', run: checkMail },
  { id: 'backups', group: 'data', title: 'Backups of instances', run: checkBackups },
];
