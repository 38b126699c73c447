// The Dokku host that `npm run test:dokku` uses: looked at before the suite, cleared of its leftovers afterwards.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import ssh2 from 'ssh2';
import { AppError } from '../contracts/errors.ts';
import { DokkuConnection } from '../platforms/dokku/connection.ts';
import { judgeHost } from '../platforms/dokku/report.ts';
import {
  appsDestroy,
  appsList,
  domainsReportGlobal,
  type DokkuCommand,
  pluginList,
  postgresDestroy,
  postgresList,
  version,
} from '../platforms/dokku-commands.ts';
import { readApps, readGlobalDomains, readPlugins, readServices, readVersion } from '../platforms/dokku-reports.ts';
import { Secret } from '../platforms/secret.ts';
import { messageOf, StartProblem } from './problem.ts';

/** What the options say. */
export type TestHost = {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly user: string;
  readonly 'host-key'?: string | undefined;
  readonly 'http-host'?: string | undefined;
  readonly 'http-port': number;
  readonly 'https-port': number;
  /** Four hexadecimal digits in the names of all that this run makes. */
  readonly run: string;
};

/** Everything that can be said before an hour is spent. @returns its version, the global domain if it has one, and why its nginx does not answer @throws StartProblem */
export async function lookAtHost(site: TestHost): Promise<{ version: string; domain: string | null; webProblem: string | null }> {
  return await connected(site, async (ask) => {
    const found = readVersion(await ask(version()));
    const [problem] = judgeHost(found, readPlugins(await ask(pluginList()))).problems;
    if (problem !== undefined) throw new StartProblem(problem, 'npm run test:dokku -- --help says what the host needs.');
    const domain = readGlobalDomains(await ask(domainsReportGlobal()))[0] ?? null;
    return { version: found, domain, webProblem: await knockAtNginx(site) };
  });
}

/** Destroys apps and services of this run, and nothing else. @returns their names */
export async function clearHost(site: TestHost): Promise<string[]> {
  const isOurs = (name: string): boolean => new RegExp(`^i-t${site.run}[0-9a-f]{7}(?:-try|-[rv][0-9a-f]{8})?$`).test(name);
  return await connected(site, async (ask) => {
    const apps = readApps(await ask(appsList())).filter(isOurs);
    for (const app of apps) await ask(appsDestroy(app));
    const services = readServices(await ask(postgresList())).filter(isOurs);
    for (const service of services) await ask(postgresDestroy(service));
    return [...apps, ...services.map((service) => `${service} (postgres)`)];
  });
}

type Ask = (command: DokkuCommand) => Promise<string>;

async function connected<T>(site: TestHost, work: (ask: Ask) => Promise<T>): Promise<T> {
  const { host, port, user } = site;
  const key = readFileSync(site.key, 'utf8');
  if (ssh2.utils.parseKey(key) instanceof Error)
    throw new StartProblem(`${site.key} is no private key that can be used here.`, 'It must be an OpenSSH or PEM key without a passphrase.');
  const connection = new DokkuConnection({ host, port, user, privateKey: new Secret(key), hostKey: site['host-key'] ?? null });
  try {
    return await work(async (command) => {
      const { exitCode, stdout, stderr } = await connection.run(command);
      if (exitCode !== 0) throw new StartProblem(`The host refused “${command.line}”: ${(stderr || stdout).trim().slice(-500)}`, 'Try it by hand there.');
      return stdout;
    });
  } catch (error) {
    if (error instanceof StartProblem) throw error;
    const sentence = messageOf(error).replace('the panel’s key', `the key ${site.key}`).replace('than before', 'than --host-key says');
    throw new StartProblem(sentence, hintFor(error, site));
  } finally {
    await connection.close();
  }
}

/** The table's hints speak of the panel, which has no part in this. */
function hintFor(error: unknown, { key, host, port, user }: TestHost): string {
  if (error instanceof AppError && error.code === 'host_refuses_key')
    return `As root on the host: dokku ssh-keys:add arboretum-test with the content of ${key}.pub`;
  if (error instanceof AppError && error.code === 'host_key_changed')
    return `It shows ${error.details['found']}: correct --host-key, or find out who answers there.`;
  return `Compare --host, --port, --user and --key with: ssh -p ${port} -i ${key} ${user}@${host} version`;
}

/** Any answer will do: no app is asked for. @returns why there is none */
async function knockAtNginx(site: TestHost): Promise<string | null> {
  const [host, port] = [site['http-host'] ?? site.host, site['http-port']];
  const problem = await new Promise<string | null>((resolve) => {
    const request = http.get({ host, port, path: '/', timeout: 10_000, agent: false });
    request.on('response', (response) => {
      response.resume();
      resolve(null);
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 10 seconds')));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  // For a name that it does not know nginx may be set to close without a word (status 444): it is there all the same.
  return problem === null || problem === 'ECONNRESET' ? null : `nobody answers at http://${host}:${port} (${problem})`;
}
