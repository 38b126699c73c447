// Apps of the Dokku host that others made: which of them are oTree experiments, and getting data, settings and code out of them.

import { AppError } from '../../contracts/errors.ts';
import { configExport, type DokkuCommand, postgresAppLinks, psReport, psScaleShow, psStart, psStop, appsList, run } from '../dokku-commands.ts';
import { explainFailure } from '../dokku-failures.ts';
import { type PsReport, readApps, readConfig, readLinks, readPsReport, readScale } from '../dokku-reports.ts';
import { isName } from '../dokku-words.ts';
import type { Adoption, ForeignApp, ForeignDetail } from '../adoption.ts';
import type { Dump } from '../platform.ts';
import { wholeDump } from '../postgres-dump.ts';
import { Secret } from '../secret.ts';
import { ask, change, tryToAsk } from './asking.ts';
import { domainsOf } from './domains.ts';
import { exportTo } from './dumps.ts';
import { withGitPipe } from './git-pipe.ts';
import type { Host } from './host.ts';
import { isRunning } from './releases.ts';
import { countRows, readParticipants } from './sql.ts';

/** Apps of a panel, this one or another. */
const OURS = /^i-[a-z0-9]{1,40}(?:-try)?$/;
/** Looks at this many apps at a time: each is five commands. */
const AT_ONCE = 4;
const ASK_VERSION = 'import importlib.metadata as m;print(m.version("otree"))';

type Facts = {
  readonly variables: Readonly<Record<string, string>>;
  readonly services: readonly string[];
  readonly scale: Readonly<Record<string, number>>;
  readonly report: PsReport;
};

/** Foreign apps of one host. @see Adoption */
export class DokkuAdoption implements Adoption {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async list(): Promise<readonly ForeignApp[]> {
    const names = await this.#names();
    const apps: ForeignApp[] = [];
    for (let at = 0; at < names.length; at += AT_ONCE)
      apps.push(...(await Promise.all(names.slice(at, at + AT_ONCE).map(async (app) => await this.#seen(app)))).flatMap((found) => found ?? []));
    return apps;
  }

  async look(app: string): Promise<ForeignDetail> {
    if (!(await this.#names()).includes(app))
      throw new AppError('adoption_refused', { app, reason: 'the Dokku host has no such app, or it is an instance of a panel.' });
    const facts = await this.#facts(app);
    const found = await this.#present(app, facts);
    const [service] = facts.services;
    return {
      ...found,
      otreeVersion: found.refusal === null ? await this.#version(app) : null,
      environment: Object.fromEntries(Object.entries(facts.variables).map(([name, value]) => [name, new Secret(value)])),
      participants: service === undefined ? [] : await readParticipants(this.#host, service),
    };
  }

  async stop(app: string, signal: AbortSignal): Promise<void> {
    await change(this.#host, psStop(app), { signal, fine: ['not_deployed'], isDone: async () => !(await isRunning(this.#host, app)) });
    if (await isRunning(this.#host, app)) throw new AppError('platform_failed', { reason: `Dokku says that it stopped ${app}, but it runs on.` });
  }

  async start(app: string, signal: AbortSignal): Promise<void> {
    await change(this.#host, psStart(app), { signal, app, isDone: async () => await isRunning(this.#host, app) });
  }

  async dump(app: string, target: string, signal: AbortSignal): Promise<Dump> {
    const [service, ...more] = await this.#services(app);
    if (service === undefined || more.length > 0) throw new AppError('backup_failed', { reason: `${app} has not exactly one linked database.` });
    if (await isRunning(this.#host, app)) throw new AppError('backup_failed', { reason: `${app} must be stopped before its data are taken.` });
    return await wholeDump({ file: target, signal }, async (file) => {
      await exportTo(this.#host, service, { file, signal });
      return await countRows(this.#host, { service, signal });
    });
  }

  async withCode<T>(app: string, work: Parameters<typeof withGitPipe<T>>[2], signal: AbortSignal): Promise<T> {
    return await withGitPipe(this.#host, { app, signal }, work);
  }

  /** null: it has been destroyed meanwhile. One that cannot be looked at hides no other. */
  async #seen(app: string): Promise<ForeignApp | null> {
    const command = configExport(app);
    const result = await tryToAsk(this.#host, command);
    if (result.exitCode !== 0 && explainFailure(command, result).kind === 'app_missing') return null;
    try {
      return await this.#present(app, await this.#facts(app));
    } catch (error) {
      if (!(error instanceof AppError) || !this.#host.connection.state().isUp) throw error;
      return { name: app, hostNames: [], isRunning: false, isOtree: false, refusal: `It could not be looked at. ${error.message}` };
    }
  }

  /** Those with odd names, which Dokku takes and commands cannot tell apart from flags, are left out. */
  async #names(): Promise<readonly string[]> {
    return readApps((await ask(this.#host, appsList())).stdout).filter((app) => !OURS.test(app) && isName(app));
  }

  async #facts(app: string): Promise<Facts> {
    const read = async (command: DokkuCommand): Promise<string> => (await ask(this.#host, command)).stdout;
    return {
      variables: readConfig(await read(configExport(app))),
      services: await this.#services(app),
      scale: readScale(await read(psScaleShow(app))),
      report: readPsReport(await read(psReport(app))),
    };
  }

  async #services(app: string): Promise<readonly string[]> {
    return readLinks((await ask(this.#host, postgresAppLinks(app))).stdout);
  }

  async #present(app: string, facts: Facts): Promise<ForeignApp> {
    return {
      name: app,
      hostNames: await domainsOf(this.#host, app),
      isRunning: facts.report.running !== 'false',
      isOtree: isOtree(facts),
      refusal: refusalOf(app, facts),
    };
  }

  /** Asked in a container of its own image, beside the one that runs. */
  async #version(app: string): Promise<string | null> {
    const { exitCode, stdout } = await tryToAsk(this.#host, run(app, ['python3', '-c', ASK_VERSION], { timeoutMs: 60_000 }));
    const found = /^\d+(?:\.\w+)+$/m.exec(stdout)?.[0];
    return exitCode === 0 && found !== undefined ? found : null;
  }
}

const isOtree = ({ variables }: Facts): boolean => Object.keys(variables).some((name) => name.startsWith('OTREE_'));

function refusalOf(app: string, facts: Facts): string | null {
  const { services, scale, report } = facts;
  if (!isOtree(facts)) return 'It does not look like an oTree experiment: none of its variables begins with OTREE_.';
  if (!report.isDeployed) return 'Nothing was ever deployed in it: make a new instance and push.';
  if (services.length === 0) return 'It has no linked PostgreSQL service, so there are no data that could be taken over.';
  if (services.length > 1) return `It has ${services.length} linked PostgreSQL services: unlink all but the one with its data.`;
  if ((scale['web'] ?? 0) !== 1) return `It runs ${scale['web'] ?? 0} web processes, and oTree from 5 on needs exactly one: dokku ps:scale ${app} web=1`;
  return null;
}
