// Reading why a Dokku command failed: a kind for the program, a sentence for people, Dokku's own last words as detail.

import type { DokkuCommand, DokkuResult } from './dokku-commands.ts';
import { withoutColours } from './dokku-reports.ts';

/** `no_changes`: the archive equals what is deployed, so nothing had to be done. */
export type DokkuFailureKind = keyof typeof sentences | 'unknown';
export type DokkuFailure = {
  readonly kind: DokkuFailureKind;
  /** What happened, a whole sentence. */
  readonly sentence: string;
  /** Dokku's last words, colours and prefix taken out; null when it said nothing, or nothing that may be shown. */
  readonly detail: string | null;
};

const sentences = {
  app_missing: 'Dokku has no app of this name.',
  service_missing: 'Dokku has no database service of this name.',
  exists: 'Dokku has something of this name already.',
  no_changes: 'Dokku has exactly these files already.',
  locked: 'Dokku is in the middle of another deploy of this app.',
  not_locked: 'No deploy of this app is under way.',
  build_failed: 'Dokku could not build the image.',
  check_failed: 'The container did not pass Dokku’s check after its start.',
  predeploy_failed: 'A task that Dokku runs before a deploy failed.',
  not_deployed: 'This app was never deployed on Dokku.',
  not_linked: 'This database is not linked to the app.',
  already_linked: 'This database is linked to the app already.',
  still_linked: 'This database is still linked to an app, so Dokku did not delete it.',
  image_missing: 'The Dokku host could not get an image that this needs.',
  denied: 'The Dokku host does not let the panel’s key do this.',
  disk_full: 'The disk of the Dokku host is full.',
  bad_input: 'Dokku did not accept what it was given.',
} as const;

/** Where a kind is told: by which of Dokku's lines, and for which commands (all when left out). */
type Sign = { readonly kind: keyof typeof sentences; readonly says: RegExp; readonly of?: RegExp };

const DEPLOYS = /^(?:git:|ps:|config:)/;
/** Lines of Dokku itself (` !     …`), their prefix taken out. */
const signs: readonly Sign[] = [
  { kind: 'denied', says: /^(?:Access denied|This command must be run as root)$|does not have permissions to/ },
  { kind: 'app_missing', says: /^App \S+ does not exist$/ },
  { kind: 'service_missing', says: /^\w+ service \S+ does not exist$/, of: /^postgres:/ },
  { kind: 'exists', says: /^Name is already taken$/, of: /^apps:/ },
  { kind: 'exists', says: /^\w+ service \S+ already exists$/, of: /^postgres:/ },
  { kind: 'already_linked', says: /^Already linked as /, of: /^postgres:/ },
  { kind: 'still_linked', says: /^Cannot delete linked service$/, of: /^postgres:/ },
  { kind: 'not_linked', says: /^Not linked to app /, of: /^postgres:/ },
  { kind: 'image_missing', says: /^\w+ image \S+ pull failed$/, of: /^postgres:/ },
  { kind: 'not_locked', says: /^(?:Deploy lock does not exist|Unable to remove deploy lock)$/, of: /^apps:/ },
  { kind: 'locked', says: /currently has a deploy lock in place/ },
  { kind: 'not_deployed', says: /^App \S+ has not been deployed$|^Successfully deploy your app to fix |^"docker container inspect" requires/ },
  { kind: 'predeploy_failed', says: /^Execution of (?:pre|post)?deploy task failed|^Execution of release task failed/, of: DEPLOYS },
  { kind: 'check_failed', says: /^Could not start due to \d+ failed checks/, of: DEPLOYS },
  { kind: 'build_failed', says: /^App build failed$/, of: DEPLOYS },
  {
    kind: 'bad_input',
    says: /^Invalid (?:key|flag|restart)|^invalid (?:argument|character)|^illegal base64|^App name must begin|^Please specify |is not a valid process name/i,
  },
];

/** Words of other programs, which have no prefix. */
const foreignSigns: readonly Sign[] = [
  { kind: 'bad_input', says: /^unknown flag: |^Usage of [a-z-]+:/m },
  { kind: 'bad_input', says: /^tar: This does not look like a tar archive$/m, of: /^git:from-archive/ },
  { kind: 'bad_input', says: /^pg_restore: error: input file/m, of: /^postgres:import/ },
  { kind: 'not_deployed', says: /WARNING: Cannot build from '[^']*' as there are no commits stored/, of: /^ps:rebuild/ },
];

/** What the command prints belongs to the experiment, not to Dokku. */
const RUNS_FOREIGN = /^(?:run|enter|postgres:connect|builds:output|logs)\b/;

/** Why a command with another exit code than 0 failed. Never throws. Output with secrets is not quoted. @see dokku 0.38.27, recordings */
export function explainFailure(command: Pick<DokkuCommand, 'line' | 'showsSecrets'>, result: DokkuResult): DokkuFailure {
  const name = command.line.replace(/^--quiet /, '');
  const said = dokkuLines(result);
  const kind = kindOf(name, result, said);
  return {
    kind,
    sentence: kind === 'unknown' ? `Dokku answered with exit code ${result.exitCode}.` : sentences[kind],
    detail: detailOf(command, result, said),
  };
}

/** Whether Dokku did nothing because the app was never deployed; `ps:start`, `ps:stop` and `ps:restart` end with 0 then. */
export const saysNotDeployed = (result: DokkuResult): boolean => dokkuLines(result).some((line) => /^App \S+ has not been deployed$/.test(line));

function kindOf(name: string, result: DokkuResult, said: readonly string[]): DokkuFailureKind {
  if (name.startsWith('git:from-archive') && isUnchanged(result)) return 'no_changes';
  // A build's own output could hold any of these lines; Dokku's verdict is the last one that it knows.
  const fits = (sign: Sign): boolean => sign.of === undefined || sign.of.test(name);
  const own = said.toReversed().flatMap((line) => signs.filter((sign) => fits(sign) && sign.says.test(line)))[0];
  if (own !== undefined && own.kind !== 'build_failed') return own.kind;
  const all = withoutColours(`${result.stdout}\n${result.stderr}`);
  if (!RUNS_FOREIGN.test(name) && /no space left on device/i.test(all)) return 'disk_full';
  return own?.kind ?? foreignSigns.find((sign) => fits(sign) && !RUNS_FOREIGN.test(name) && sign.says.test(all))?.kind ?? 'unknown';
}

/** The exact end of `git:from-archive` on equal files: a build that failed cannot end like this, since Dokku speaks after it. */
const isUnchanged = (result: DokkuResult): boolean =>
  result.exitCode === 1 && /(?:^|\n) !     No changes detected, skipping git commit\n !     Call 'ps:rebuild' on app [^\n]*\n*$/.test(result.stdout);

/** Dokku's own warnings and errors; for deploys it sends them to stdout. */
const dokkuLines = ({ stdout, stderr }: DokkuResult): readonly string[] =>
  withoutColours(`${stdout}\n${stderr}`)
    .split(/\r?\n/)
    .filter((line) => line.startsWith(' !     '))
    .map((line) => line.slice(7).trim())
    .filter((line) => line !== '' && !line.startsWith('No web listeners specified for '));

function detailOf(command: Pick<DokkuCommand, 'showsSecrets'>, { stdout, stderr }: DokkuResult, said: readonly string[]): string | null {
  if (!command.showsSecrets && said.length > 0) return said.at(-1) ?? null;
  const shown = withoutColours(command.showsSecrets ? stderr : `${stdout}\n${stderr}`);
  const lines = shown
    .split(/\r?\n/)
    .map((line) => line.replace(/^ !     /, '').trim())
    .filter((line) => line !== '');
  return lines.findLast((line) => /^(?:tar|curl|pg_restore|fatal|error)\b.*:/i.test(line)) ?? lines.at(-1) ?? null;
}
