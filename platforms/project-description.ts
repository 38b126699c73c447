// What a project says it offers: the launcher's `describe` read, and judged.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { diagnoseDescribe } from './diagnose.ts';
import type { MturkOffer, ProjectDescription } from './project.ts';
import { checkApps } from './project-checks.ts';
import type { CommandResult } from './run-command.ts';

export type Described = { readonly description: ProjectDescription; readonly hasOwnPassword: boolean };

const DESCRIBED = 'ARBORETUM-DESCRIBE ';

/** What `launcher/describe.py` printed. @throws settings_*, syntax_error, module_missing, otree_too_old */
export function readDescription({ exitCode, stdout, stderr, isTimedOut }: Omit<CommandResult, 'endedBySignal'>): Described {
  const line = stdout.split('\n').findLast((text) => text.startsWith(DESCRIBED));
  if (exitCode !== 0 || line === undefined) throw diagnoseDescribe({ exitCode, output: stderr, isTimedOut });
  return copyFields(line.slice(DESCRIBED.length));
}

/** Where the project lies, how to find out whether a package of that name is installed, and who waits. */
export type Judging = {
  readonly projectDir: string;
  readonly isInstalled: (name: string) => Promise<boolean>;
  readonly onOutput: (text: string) => void;
};

/**
 * Looks whether what a project offers can work.
 * @returns sentences about what deploys but is worth a look
 * @throws app_missing, app_without_init
 */
export async function judgeDescription(described: Described, { projectDir, isInstalled, onOutput }: Judging): Promise<string[]> {
  const { sessionConfigs, rooms, otreeVersion } = described.description;
  await checkApps(projectDir, sessionConfigs, isInstalled);
  const settings = await readFile(path.join(projectDir, 'settings.py'), 'utf8').catch(() => '');
  if (/^SECRET_KEY\s*=\s*['"\d]/m.test(settings)) onOutput('       SECRET_KEY in settings.py is not used: the panel gives every instance one of its own.\n');
  onOutput(
    `       oTree ${otreeVersion} · session configs: ${sessionConfigs.map(({ name }) => name).join(', ') || 'none'} · rooms: ${rooms.map(({ name }) => name).join(', ') || 'none'}\n`,
  );
  return warnOfSettings(described);
}

/** What comes from foreign code is copied field by field. */
function copyFields(json: string): Described {
  const raw = JSON.parse(json) as ProjectDescription & { hardCodedPassword?: unknown };
  const description: ProjectDescription = {
    otreeVersion: String(raw.otreeVersion),
    pythonVersion: String(raw.pythonVersion),
    adminUsername: String(raw.adminUsername),
    sessionConfigs: raw.sessionConfigs.map((config) => ({
      name: String(config.name),
      displayName: String(config.displayName),
      appSequence: config.appSequence.map(String),
      numDemoParticipants: Number(config.numDemoParticipants) || 1,
      ...(config.mturk === undefined ? {} : { mturk: copyOffer(config.mturk) }),
    })),
    rooms: raw.rooms.map((room) => ({
      name: String(room.name),
      displayName: String(room.displayName),
      labels: Array.isArray(room.labels) ? room.labels.map(String) : null,
      usesSecureUrls: Boolean(room.usesSecureUrls),
      hasWelcomePage: Boolean(room.hasWelcomePage),
      problem: typeof room.problem === 'string' ? room.problem : null,
    })),
  };
  return { description, hasOwnPassword: raw.hardCodedPassword === true };
}

/** Values are kept as they are: whoever judges them takes nothing for granted. */
const copyOffer = ({ hit, participationFee, currency }: MturkOffer): MturkOffer => ({
  hit,
  participationFee: typeof participationFee === 'number' ? participationFee : null,
  currency: String(currency),
});

function warnOfSettings({ description, hasOwnPassword }: Described): string[] {
  const rooms = description.rooms.filter(({ problem }) => problem !== null);
  return [
    ...rooms.map(({ name, problem }) => `Nobody can enter the room “${name}”: ${problem} Correct it, commit, push again.`),
    ...(hasOwnPassword
      ? [
          'settings.py sets ADMIN_PASSWORD itself; the panel’s password is the one that holds. Write `ADMIN_PASSWORD = environ.get("OTREE_ADMIN_PASSWORD")` and keep passwords out of git.',
        ]
      : []),
  ];
}
