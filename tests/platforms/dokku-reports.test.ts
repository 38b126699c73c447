// Reads every recorded answer of a real Dokku to a command that the panel can send, with the reader that the panel uses for it.

import { describe, expect, it } from 'vitest';

import * as dokku from '../../platforms/dokku-commands.ts';
import type { DokkuCommand, DokkuResult } from '../../platforms/dokku-commands.ts';
import { explainFailure, saysNotDeployed } from '../../platforms/dokku-failures.ts';
import * as reports from '../../platforms/dokku-reports.ts';
import { readRecordings, type Recording } from '../dokku/recordings.ts';

const recordings = readRecordings();
const recorded = (name: string): Recording => {
  const found = recordings.find((recording) => recording.name === name);
  if (found === undefined) throw new Error(`not recorded: ${name}`);
  return found;
};
const outputOf = (name: string): string => recorded(name).stdout;

/** Words of a recorded line: those of the recordings have no more than simple double quotes. */
const wordsOf = (line: string): readonly string[] => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));

const ports = (maps: readonly string[]): readonly dokku.PortMap[] =>
  maps.map((map) => {
    const [scheme, hostPort, containerPort] = map.split(':');
    return { scheme: scheme as 'http', hostPort: Number(hostPort), containerPort: Number(containerPort) };
  });

/** Which builder may have made a line, and how the panel reads what came back; `quiet` are those of which only the exit code is read. */
type Kind = { readonly build: (words: readonly string[]) => DokkuCommand; readonly read?: (stdout: string) => unknown };
const at = (words: readonly string[], index: number): string => words[index] ?? '';
const kinds: Readonly<Record<string, Kind>> = {
  version: { build: () => dokku.version(), read: reports.readVersion },
  'plugin:list': { build: () => dokku.pluginList(), read: reports.readPlugins },
  'apps:list': { build: () => dokku.appsList(), read: reports.readApps },
  'apps:exists': { build: (words) => dokku.appsExists(at(words, 0)) },
  'apps:create': { build: (words) => dokku.appsCreate(at(words, 0)) },
  'apps:destroy': { build: (words) => dokku.appsDestroy(at(words, 0)) },
  'apps:locked': { build: (words) => dokku.appsLocked(at(words, 0)) },
  'apps:unlock': { build: (words) => dokku.appsUnlock(at(words, 0)) },
  'config:export': { build: (words) => dokku.configExport(at(words, 2)), read: reports.readConfig },
  'config:import': { build: (words) => dokku.configImport(at(words, words.length - 2), { replace: words.includes('--replace') }) },
  'domains:report': {
    build: (words) => (at(words, 0) === '--global' ? dokku.domainsReportGlobal() : dokku.domainsReport(at(words, 0))),
    read: reports.readDomains,
  },
  'domains:set': { build: (words) => dokku.domainsSet(at(words, 0), words.slice(1)) },
  'ports:set': { build: (words) => dokku.portsSet(at(words, 0), ports(words.slice(1))) },
  'ports:report': { build: (words) => dokku.portsReport(at(words, 0)), read: reports.readPorts },
  'nginx:set': { build: (words) => dokku.nginxSet(at(words, 0), at(words, 1), at(words, 2)) },
  'checks:set': { build: (words) => dokku.checksSet(at(words, 0), at(words, 1), at(words, 2)) },
  'git:set': { build: (words) => dokku.gitSet(at(words, 0), at(words, 1), at(words, 2)) },
  'ps:scale': {
    build: (words) => dokku.psScale(at(words, 0), Object.fromEntries(words.slice(1).map((word) => [word.split('=')[0], Number(word.split('=')[1] || 'none')]))),
  },
  'ps:report': { build: (words) => dokku.psReport(at(words, 0)), read: reports.readPsReport },
  'ps:inspect': { build: (words) => dokku.psInspect(at(words, 0)), read: reports.readPsInspect },
  'ps:start': { build: (words) => dokku.psStart(at(words, 0)) },
  'ps:stop': { build: (words) => dokku.psStop(at(words, 0)) },
  'ps:rebuild': { build: (words) => dokku.psRebuild(at(words, 0)) },
  'resource:limit': {
    build: (words) =>
      dokku.resourceLimit(at(words, words.length - 1), { memoryMib: Number(at(words, 1)), ...(at(words, 2) === '--cpu' ? { cpu: Number(at(words, 3)) } : {}) }),
  },
  'git:from-archive': { build: (words) => dokku.gitFromArchive(at(words, 0)) },
  'builds:list': { build: (words) => dokku.buildsList(at(words, 0)), read: reports.readBuilds },
  'builds:cancel': { build: (words) => dokku.buildsCancel(at(words, 0)) },
  logs: { build: (words) => dokku.logs(at(words, 0), { lines: Number(at(words, 2)) }), read: reports.readLogLines },
  run: {
    build: ([, ...words]) => {
      const env = at(words, 0) === '--env' ? Object.fromEntries([at(words, 1).split('=') as [string, string]]) : {};
      const rest = at(words, 0) === '--env' ? words.slice(2) : words;
      return dokku.run(at(rest, 0), rest.slice(1), { env });
    },
  },
  enter: { build: (words) => dokku.enter(at(words, 0), at(words, 1), words.slice(2)) },
  'certs:add': { build: (words) => dokku.certsAdd(at(words, 0)) },
  'certs:report': { build: (words) => dokku.certsReport(at(words, 0)), read: reports.readCertificate },
  'certs:remove': { build: (words) => dokku.certsRemove(at(words, 0)) },
  'postgres:create': { build: (words) => dokku.postgresCreate(at(words, 0), words.length > 1 ? { imageVersion: at(words, 2) } : {}) },
  'postgres:destroy': { build: (words) => dokku.postgresDestroy(at(words, 0)) },
  'postgres:exists': { build: (words) => dokku.postgresExists(at(words, 0)) },
  'postgres:link': { build: (words) => dokku.postgresLink(at(words, 0), at(words, 1)) },
  'postgres:unlink': { build: (words) => dokku.postgresUnlink(at(words, 0), at(words, 1)) },
  'postgres:app-links': { build: (words) => dokku.postgresAppLinks(at(words, 0)), read: reports.readLinks },
  'postgres:links': { build: (words) => dokku.postgresLinks(at(words, 0)), read: reports.readLinks },
  'postgres:list': { build: () => dokku.postgresList(), read: reports.readServices },
  'postgres:connect': { build: (words) => dokku.postgresConnect(at(words, 0)) },
  'postgres:export': { build: (words) => dokku.postgresExport(at(words, 0)) },
  'postgres:import': { build: (words) => dokku.postgresImport(at(words, 0)) },
};

/** The panel's own command for a recorded line, null when the panel cannot say it. */
function ourCommand({ line }: Recording): DokkuCommand | null {
  const [name = '', ...words] = wordsOf(line.replace(/^--quiet /, ''));
  try {
    const command = kinds[name]?.build(words);
    return command?.line === line ? command : null;
  } catch {
    return null;
  }
}
const nameIn = (line: string): string => line.replace(/^--quiet /, '').split(' ')[0] ?? '';

const readable = recordings.flatMap((recording) => {
  const command = recording.via === 'ssh' ? ourCommand(recording) : null;
  return command === null ? [] : [{ recording, command }];
});

/** Failures of which the panel's own commands were recorded, by what they mean. `unknown`: the exit code belongs to the program that ran. */
const meant: Readonly<Record<string, readonly string[]>> = {
  app_missing: ['apps-exists-missing', 'apps-destroy-force-missing', 'git-from-archive-missing-app', 'x-exists-after', 'x-destroy-again'],
  service_missing: [
    'postgres-exists-missing',
    'postgres-export-missing',
    'postgres-destroy-15',
    'postgres-destroy-9',
    'postgres-destroy-missing',
    'pg-x-destroy-9',
  ],
  exists: ['apps-create', 'apps-create-again', 'postgres-create-again'],
  no_changes: ['git-from-archive-same'],
  not_locked: [
    'apps-locked-no',
    'apps-unlock-not-locked',
    'apps-unlock-after',
    'after-client-kill-locked',
    'after-client-kill-locked-30s',
    'after-cancel-locked',
    'k-locked-45s',
  ],
  build_failed: ['acl2-ps-restart-not-in-acl'],
  not_deployed: ['ps-rebuild-undeployed', 'ps-inspect-undeployed', 'logs-undeployed-num'],
  not_linked: ['postgres-unlink-again'],
  already_linked: ['postgres-link-again'],
  still_linked: ['postgres-destroy-linked'],
  image_missing: ['pg-create-missing-image'],
  denied: ['acl-restricted-logs'],
  bad_input: [
    'git-set-bad',
    'checks-set-bad',
    'nginx-set-bad',
    'ps-scale-unknown-process',
    'git-from-archive-garbage',
    'postgres-import-garbage',
    'postgres-import-nostdin',
  ],
  unknown: ['run-no-tty-exit-3', 'run-not-found', 'enter-exit', 'certs-add-nostdin', 'postgres-connect-error'],
};
const byName = (kinds: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(kinds).flatMap(([kind, names]) => names.map((name) => [name, kind])));

describe('every recording of a command that the panel sends', () => {
  it('is read as success by exit code 0, and else as a failure of its kind', () => {
    const successes = readable.filter(({ recording }) => recording.exitCode === 0);
    const failures = readable.filter(({ recording }) => recording.exitCode !== 0);
    for (const { recording } of successes) {
      const read = kinds[nameIn(recording.line)]?.read;
      if (read !== undefined) expect(read(recording.stdout), recording.name).toBeDefined();
    }
    const explained = failures.map(({ recording, command }) => ({ name: recording.name, ...explainFailure(command, recording) }));
    process.stdout.write(`${readable.length} recordings read: ${successes.length} successes, ${failures.length} failures\n`);
    expect(Object.fromEntries(explained.map(({ name, kind }) => [name, kind]))).toEqual(byName(meant));
    for (const { name, sentence } of explained) expect(sentence, name).toMatch(/^[A-Z].*\.$/);
    expect(successes.length).toBeGreaterThan(180);
  });

  it('has a success of every command', () => {
    const covered = new Set(readable.filter(({ recording }) => recording.exitCode === 0).map(({ recording }) => nameIn(recording.line)));
    expect(Object.keys(kinds).filter((name) => !covered.has(name))).toEqual([]);
  });
});

describe('why something failed', () => {
  const explain = (line: string, result: Partial<DokkuResult>, showsSecrets = false): ReturnType<typeof explainFailure> =>
    explainFailure({ line, showsSecrets }, { exitCode: 1, stdout: '', stderr: '', ...result });

  it('is told for pushes too: build, check, task, lock, access', () => {
    const kindOfPush = (name: string): string =>
      explain('git:from-archive lab --', { stdout: recorded(name).stderr.replaceAll(/^remote: /gm, ''), exitCode: 1 }).kind;
    expect(kindOfPush('push-build-error')).toBe('build_failed');
    expect(kindOfPush('push-missing-base-image')).toBe('build_failed');
    expect(kindOfPush('push-healthcheck-failure')).toBe('check_failed');
    expect(kindOfPush('push-crash-at-start')).toBe('check_failed');
    expect(kindOfPush('push-predeploy-failure')).toBe('predeploy_failed');
    expect(kindOfPush('conc-two-pushes-2')).toBe('locked');
    expect(kindOfPush('push-restricted')).toBe('denied');
  });

  it('is told for commands in other shapes as well', () => {
    const kindOf = (name: string): string => explainFailure({ line: recorded(name).line, showsSecrets: false }, recorded(name)).kind;
    for (const name of ['run-missing-app', 'ps-missing-app', 'logs-missing-app', 'postgres-link-missing-app']) expect(kindOf(name), name).toBe('app_missing');
    expect(kindOf('postgres-link-missing-service')).toBe('service_missing');
    expect(kindOf('run-undeployed')).toBe('not_deployed');
    expect(kindOf('enter-undeployed')).toBe('not_deployed');
    expect(kindOf('git-from-archive-targz')).toBe('no_changes');
    expect(kindOf('apps-create-bad-0')).toBe('bad_input');
    expect(kindOf('postgres-create-bad')).toBe('bad_input');
    expect(kindOf('acl-restricted-apps-list')).toBe('denied');
  });

  it('keeps the last line of Dokku as detail, without prefix and colours', () => {
    const detailOf = (name: string): string | null => explainFailure({ line: recorded(name).line, showsSecrets: false }, recorded(name)).detail;
    expect(detailOf('apps-exists-missing')).toBe('App lab-missing does not exist');
    expect(detailOf('git-from-archive-same')).toBe("Call 'ps:rebuild' on app to rebuild the app from existing source");
    expect(detailOf('git-from-archive-garbage')).toBe('tar: Exiting with failure status due to previous errors');
    expect(detailOf('run-not-found')).toContain('executable file not found in $PATH');
    expect(detailOf('certs-add-nostdin')).toBeNull();
    expect(explain('ps:restart lab', { stdout: '\u001B[1m\u001B[31m !     \u001B[0mNot up\n' }).detail).toBe('Not up');
  });

  it('never quotes output that holds secrets', () => {
    const told = explain('postgres:link db lab --no-restart', { stdout: '       DATABASE_URL:  postgres://postgres:geheim@db:5432/db\n', stderr: '' }, true);
    expect(JSON.stringify(told)).not.toContain('geheim');
    expect(explain('postgres:link db lab --no-restart', { stdout: ' !     DATABASE_URL: geheim\n', stderr: ' !     Failed\n' }, true).detail).toBe('Failed');
  });

  it('does not believe a build that prints Dokku’s words for “nothing to do”', () => {
    const forged = " !     No changes detected, skipping git commit\n !     Call 'ps:rebuild' on app to rebuild the app from existing source\n";
    expect(explain('git:from-archive lab --', { stdout: `-----> Building\n${forged} !     App build failed\n` }).kind).toBe('build_failed');
    expect(explain('git:from-archive lab --', { stdout: `-----> Building\n${forged}Step 3/4\n` }).kind).not.toBe('no_changes');
    expect(explain('git:from-archive lab --', { stdout: forged, exitCode: 2 }).kind).not.toBe('no_changes');
    expect(explain('ps:rebuild lab', { stdout: forged }).kind).not.toBe('no_changes');
    expect(explain('git:from-archive lab --', { stdout: ' !     Name is already taken\n !     App build failed\n' }).kind).toBe('build_failed');
  });

  it('tells a full disk of the host, but not one that an experiment’s output speaks of', () => {
    const stdout = 'write /var/lib/docker/tmp/x: no space left on device\n !     App build failed\n';
    expect(explain('git:from-archive lab --', { stdout }).kind).toBe('disk_full');
    expect(explain('run --no-tty lab sh', { stderr: 'no space left on device' }).kind).toBe('unknown');
  });

  it('tells apart “not deployed” where Dokku ends with 0', () => {
    for (const name of ['ps-start-undeployed', 'ps-stop-undeployed', 'ps-restart-undeployed']) expect(saysNotDeployed(recorded(name)), name).toBe(true);
    for (const name of ['ps-start', 'ps-start-again', 'ps-stop']) expect(saysNotDeployed(recorded(name)), name).toBe(false);
  });
});

describe('what the readers make of it', () => {
  it('version, plugins, apps', () => {
    expect(reports.readVersion(outputOf('version'))).toBe('0.38.27');
    expect(reports.readPlugins(outputOf('plugin-list-json'))).toContainEqual({ name: 'apps', version: '0.38.27', isEnabled: true, isCore: true });
    expect(reports.readApps(outputOf('apps-list-empty-json'))).toEqual(['lab-trust-game']);
    expect(reports.readApps('[]\n')).toEqual([]);
  });

  it('ps:report before the first deploy, running, stopped', () => {
    expect(reports.readPsReport(outputOf('ps-report-json'))).toEqual({ isDeployed: false, isMeantToRun: true, running: 'false', processes: 0, containers: {} });
    expect(reports.readPsReport(outputOf('ps-report-deployed-json'))).toMatchObject({
      isDeployed: true,
      running: 'true',
      containers: { 'web.1': { state: 'running', containerId: 'e6a1dfec716' } },
    });
    const stopped = reports.readPsReport(outputOf('ps-report-stopped-json'));
    expect(stopped).toMatchObject({ isDeployed: true, isMeantToRun: false, running: 'false' });
    expect(Object.values(stopped.containers).map(({ state }) => state)).toEqual(['exited', 'exited']);
  });

  it('ps:report of a later Dokku: unknown fields, real booleans, long keys, “mixed”', () => {
    expect(reports.readPsReport('{"ps-deployed":"true","ps-running":"mixed","ps-processes":"2","new":{"deep":[1]}}')).toEqual({
      isDeployed: true,
      isMeantToRun: false,
      running: 'mixed',
      processes: 2,
      containers: {},
    });
    expect(reports.readPsReport('{"deployed":true,"running":false}')).toMatchObject({ isDeployed: true, running: 'false', processes: 0 });
  });

  it('ps:inspect', () => {
    expect(reports.readPsInspect(outputOf('ps-inspect'))).toEqual([
      {
        id: 'e6a1dfec7166ed0d15d5e654226b500abedf3065a1dc3b82c5dba24626ac516f',
        process: 'web.1',
        isRunning: true,
        isRestarting: false,
        exitCode: 0,
        restarts: 0,
        startedAt: new Date('2026-11-21T08:38:00.597Z'),
        finishedAt: null,
        isOutOfMemory: false,
      },
    ]);
    expect(reports.readPsInspect('[]')).toEqual([]);
    expect(reports.readPsInspect('[{"State":{"ExitCode":137,"OOMKilled":true}}]')).toMatchObject([{ process: null, exitCode: 137, isOutOfMemory: true }]);
  });

  it('config:export, whatever stands in the values', () => {
    expect(reports.readConfig(outputOf('config-export-json-after-replace'))).toEqual({ GREETING: 'hello', ONLY: 'this' });
    expect(reports.readConfig(outputOf('config-export-json-empty'))).toEqual({});
    expect(reports.readConfig(outputOf('config-export-json'))).toMatchObject({
      SP3: 'one  two   three',
      QQ: `it is "quoted" and it's so`,
      ENC: 'one two  "three" \'four\'\nline2 $HOME ü',
    });
  });

  it('builds, newest first, abandoned ones named so', () => {
    const [newest, ...older] = reports.readBuilds(outputOf('builds-list-json'));
    expect(newest).toMatchObject({ id: 'mwq5euweqklzdr', kind: 'build', status: 'abandoned', source: 'git-hook', exitCode: null, finishedAt: null });
    expect(newest?.startedAt?.toISOString()).toBe('2026-11-21T08:30:56.893Z');
    expect(older.at(-1)).toMatchObject({ status: 'succeeded', exitCode: 0 });
  });

  it('domains, ports, limits, certificates', () => {
    expect(reports.readDomains(outputOf('domains-report-after-json'))).toEqual({ isEnabled: true, hosts: ['trust.lab.test'], globalHosts: ['lab.test'] });
    expect(reports.readGlobalDomains(outputOf('domains-report-global-json'))).toEqual(['lab.test']);
    expect(reports.readPorts(outputOf('ports-report-after-json'))).toEqual([
      { scheme: 'foo', hostPort: 80, containerPort: 5000 },
      { scheme: 'http', hostPort: 8081, containerPort: 5000 },
      { scheme: 'http', hostPort: 80, containerPort: 5000 },
    ]);
    expect(reports.readPorts('{"map":"","map-detected":"http:5000:5000"}')).toEqual([{ scheme: 'http', hostPort: 5000, containerPort: 5000 }]);
    expect(reports.readPorts('{"ports-map":"http:80:5000"}')).toEqual([{ scheme: 'http', hostPort: 80, containerPort: 5000 }]);
    expect(reports.readCertificate(outputOf('certs-report-deployed-json'))).toEqual({
      isEnabled: true,
      hostNames: ['lab-trust-game.lab.test'],
      expiresAt: new Date('2026-12-21T08:49:25Z'),
    });
    expect(reports.readCertificate(outputOf('certs-report-json'))).toEqual({ isEnabled: false, hostNames: [], expiresAt: null });
  });

  it('links and services', () => {
    expect(reports.readLinks(outputOf('postgres-app-links'))).toEqual(['lab-db']);
    expect(reports.readLinks(outputOf('pg-x-links'))).toEqual([]);
    expect(reports.readServices(outputOf('postgres-list'))).toEqual(['--image-version', 'lab-db']);
    expect(reports.readServices(outputOf('postgres-list-empty'))).toEqual([]);
  });

  it('lines of the log: time, process, text, no colours', () => {
    expect(reports.readLogLines(outputOf('logs-num'))).toEqual([
      { at: '2026-11-21T08:38:00.739175757Z', process: 'web.1', text: 'a line on stderr' },
      { at: '2026-11-21T08:38:03.089686196Z', process: 'web.1', text: 'GET /' },
    ]);
    expect(reports.readLogLines(outputOf('logs-two-processes')).map(({ process }) => process)).toEqual([
      'worker.1',
      'worker.1',
      'web.1',
      'web.1',
      'web.2',
      'web.2',
    ]);
    expect(reports.readLogLines('')).toEqual([]);
    expect(reports.readLogLines('no prefix\n\n2026-11-21T08:38:03.1Z app[web.1]: \n')).toEqual([
      { at: null, process: null, text: 'no prefix' },
      { at: null, process: null, text: '' },
      { at: '2026-11-21T08:38:03.1Z', process: 'web.1', text: '' },
    ]);
  });

  it('what cannot be read is a failure with a sentence, without the answer in it', () => {
    for (const read of [
      reports.readVersion,
      reports.readApps,
      reports.readPsReport,
      reports.readPsInspect,
      reports.readConfig,
      reports.readBuilds,
      reports.readPorts,
    ])
      for (const answer of ['', 'geheim', '"geheim"', 'null', '1'])
        expect(() => read(answer), `${read.name} ${answer}`).toThrow(
          expect.objectContaining({ code: 'platform_failed', message: expect.not.stringContaining('geheim') }),
        );
    expect(() => reports.readPsReport('{}')).toThrow('cannot be read');
  });
});
