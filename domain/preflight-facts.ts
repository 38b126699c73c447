// What the preflight looks at: everything is gathered once, so that each check is a plain judgement of what was seen.

import type { OtreeLook, Finding } from '../contracts/preflight.ts';
import type { Recruitment } from '../contracts/recruiting.ts';
import type { SessionConfig } from '../platforms/project.ts';
import type { ListedRoom } from './rooms.ts';

/** How an address answered, asked as somebody outside would. */
export type Visited = { readonly status: number; readonly certificateDays: number | null } | { readonly reason: string };

export type PreflightFacts = {
  readonly kind: Recruitment['kind'];
  readonly room: string;
  /** What was chosen under Recruit; null: nothing yet. */
  readonly recruitment: Recruitment | null;
  /** People expected; null: not said. */
  readonly people: number | null;
  readonly instance: {
    readonly name: string;
    readonly state: string;
    readonly authLevel: string;
    readonly isProduction: boolean;
    readonly memoryBytes: number | null;
    readonly memoryMib: number;
    readonly diskBytes: number | null;
    readonly diskMib: number;
    readonly rows: number | null;
    readonly lastParticipantAt: Date | null;
    /** Names of variables that the owner has set. */
    readonly variables: readonly string[];
    readonly url: string;
  };
  readonly adminPassword: string;
  readonly deployment: {
    readonly currentCommit: string | null;
    readonly newest: { readonly commit: string; readonly state: string } | null;
    /** Head of the branch that is deployed; null: there is none. */
    readonly headCommit: string | null;
  };
  readonly configs: readonly ChosenConfig[];
  readonly otreeVersion: string | null;
  readonly listedRoom: ListedRoom | null;
  /** Code of the session in the room, and how many of its people have begun. */
  readonly open: { readonly code: string; readonly started: number } | null;
  readonly otree: OtreeLook | null;
  readonly visited: Visited;
  /** The completion link's own answer; null: there is no link. */
  readonly completion: Visited | null;
  readonly mail: { readonly server: string | null; readonly problem: string | null };
  readonly bots: {
    readonly canPlay: boolean;
    readonly last: { readonly state: string; readonly failed: readonly string[]; readonly played: readonly string[] } | null;
  };
  readonly lastBackupAt: Date | null;
  readonly machine: { readonly availableMib: number; readonly freeDiskMib: number } | null;
  /** Text files of the commit in use: name → text. */
  readonly source: ReadonlyMap<string, string>;
  readonly now: Date;
};

export type Judgement = Pick<Finding, 'result' | 'seen' | 'means'> & Partial<Pick<Finding, 'fix' | 'act' | 'place' | 'paste'>>;

/** One check; `kinds` left out: for every kind of recruitment. */
export type PreflightCheck = Pick<Finding, 'id' | 'group' | 'title'> & {
  readonly kinds?: readonly Recruitment['kind'][];
  readonly judge: (facts: PreflightFacts) => Judgement;
};

/** A session config, as far as checks ask for it. */
export type ChosenConfig = Pick<SessionConfig, 'name' | 'appSequence' | 'mturk'>;

/** The session config that people will play: that of the room's session, for MTurk the one chosen under Recruit, else the only one there is. */
export function chosenConfig({ kind, recruitment, configs, open, otree }: PreflightFacts): ChosenConfig | null {
  if (kind === 'mturk') return publishedConfig(configs, recruitment?.kind === 'mturk' ? recruitment.settings.sessionConfig : null);
  const code = otree?.sessions?.find((session) => session.code === open?.code)?.config;
  return configs.find(({ name }) => name === code) ?? (configs.length === 1 ? (configs[0] ?? null) : null);
}

/** What is published on MTurk: what was chosen, else the only session config, or the only one that has settings for it. */
export function publishedConfig(configs: readonly ChosenConfig[], chosen: string | null): ChosenConfig | null {
  if (chosen !== null) return configs.find(({ name }) => name === chosen) ?? null;
  const [first, ...others] = configs;
  if (others.length === 0) return first ?? null;
  const [one, ...more] = configs.filter(({ mturk }) => (mturk?.hit ?? null) !== null);
  return more.length === 0 ? (one ?? null) : null;
}

/** Lines of an app's Python and templates, or of settings.py, joined. */
export const textOf = (source: ReadonlyMap<string, string>, isWanted: (file: string) => boolean): string =>
  [...source].flatMap(([file, text]) => (isWanted(file) ? [text] : [])).join('\n');

export const isOfApp =
  (app: string, ending: RegExp = /\.(py|html)$/) =>
  (file: string): boolean =>
    file.startsWith(`${app}/`) && ending.test(file);

/** Python without its comments: what is commented out is not there. */
export const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.trim().startsWith('#'))
    .join('\n');
