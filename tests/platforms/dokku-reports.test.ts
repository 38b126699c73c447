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
  'ps:scale': { build: (words) => dokku.psScale(at(words, 0), Object.fromEntries(words.slice(1).map((word) => [word.split('=')[0], Number(word.split('=')[1] || 'none')]))) },
  'ps:report': { build: (words) => dokku.psReport(at(words, 0)), read: reports.readPsReport },
  'ps:inspect': { build: (words) => dokku.psInspect(at(words, 0)), read: reports.readPsInspect },
  'ps:start': { build: (words) => dokku.psStart(at(words, 0)) },
  'ps:stop': { build: (words) => dokku.psStop(at(words, 0)) },
  'ps:restart': { build: (words) => dokku.psRestart(at(words, 0)) },
  'ps:rebuild': { build: (words) => dokku.psRebuild(at(words, 0)) },
  'resource:limit': {
    build: (words) => dokku.resourceLimit(at(words, words.length - 1), { memoryMib: Number(at(words, 1)), ...(at(words, 2) === '--cpu' ? { cpu: Number(at(words, 3)) } : {}) }),
  },
  'resource:report': { build: (words) => dokku.resourceReport(at(words, 0)), read: reports.readMemoryLimit },
  'git:from-archive': { build: (words) => dokku.gitFromArchive(at(words, 0)) },
  'builds:list': { build: (words) => dokku.buildsList(at(words, 0)), read: reports.readBuilds },
  'builds:output': { build: (words) => dokku.buildsOutput(at(words, 0), at(words, 1)) },
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

describe('every recording of a command that the panel sends', () => {
  it('is read as success by exit code 0, and else as a failure of a known kind', () => {
    const successes = readable.filter(({ recording }) => recording.exitCode === 0);
    const failures = readable.filter(({ recording }) => recording.exitCode !== 0);
    for (const { recording } of successes) {
      const read = kinds[nameIn(recording.line)]?.read;
      if (read !== undefined) expect(read(recording.stdout), recording.name).toBeDefined();
    }
    const found = Object.fromEntries(failures.map(({ recording, command }) => [recording.name, explainFailure(command, recording).kind]));
    process.stdout.write(`${readable.length} recordings read: ${successes.length} successes, ${failures.length} failures\n`);
    process.stdout.write(JSON.stringify(found, null, 1));
    process.stdout.write(JSON.stringify(recordings.filter((r) => !readable.some((x) => x.recording === r)).map((r) => r.line), null, 1));
    expect(found).toEqual({});
  });
});
