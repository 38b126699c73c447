// What a dangerous act would do, said with the facts of this moment.

import type { BackupView } from '../contracts/backups.ts';
import type { DeploymentView, InstanceView } from '../contracts/instances.ts';
import { moveWords, type MovePlatform } from '../contracts/moving.ts';
import { countOf } from './numbers.ts';
import { describeAgo } from './times.ts';

export type ConfirmedKind = 'stop' | 'restart' | 'set-environment' | 'reset-database' | 'delete';
export type Consequences = {
  readonly title: string;
  readonly verb: string;
  /** What is the case now: people, rows, backup. */
  readonly facts: string;
  readonly sentences: readonly string[];
  /** The reader has to type the instance's name. */
  readonly needsName: boolean;
  readonly isDangerous: boolean;
};

type Facts = Pick<InstanceView, 'name' | 'now' | 'lastDeployedAt'>;

const guardedByBackup = 'A backup is taken first and checked; without it nothing is deleted.';

export function describeConsequences(kind: ConfirmedKind, instance: Facts, nowMs: number): Consequences {
  const facts = describeFacts(instance, nowMs);
  const { name } = instance;
  if (kind === 'stop') {
    return {
      title: `Stop ${name}?`,
      verb: 'Stop',
      facts,
      sentences: ['Participants see a short “not running” page until you start it again.', 'The data stay as they are.'],
      needsName: false,
      isDangerous: false,
    };
  }
  if (kind === 'restart' || kind === 'set-environment') {
    return {
      title: kind === 'restart' ? `Restart ${name}?` : `Restart ${name} to apply the changes?`,
      verb: 'Restart',
      facts,
      sentences: ['Pages wait for a few seconds, then go on where they were.', 'The data stay as they are.'],
      needsName: false,
      isDangerous: false,
    };
  }
  if (kind === 'reset-database') {
    return {
      title: `Reset the database of ${name}?`,
      verb: 'Reset database',
      facts,
      sentences: ['All sessions, participants and answers are removed from this instance, and it starts again with an empty database.', guardedByBackup],
      needsName: true,
      isDangerous: true,
    };
  }
  return {
    title: `Delete ${name}?`,
    verb: 'Delete',
    facts,
    sentences: [
      'The experiment stops, and its address, git repository and database go away.',
      ...(instance.lastDeployedAt === null ? [] : [guardedByBackup, 'The last backup is kept for 30 days.']),
    ],
    needsName: true,
    isDangerous: true,
  };
}

/** What restoring a backup would replace, from what is there now and what is in the backup. */
export function describeRestore(instance: Facts & Pick<InstanceView, 'git'>, backup: BackupView, nowMs: number): Consequences {
  const { now, git } = instance;
  const currentCommit = git.current?.commit ?? null;
  const isOtherProject = backup.commit !== null && currentCommit !== null && backup.commit !== currentCommit;
  const isUnknown = backup.commit === null && currentCommit !== null;
  return {
    title: `Restore the backup taken ${describeAgo(backup.createdAt, nowMs)} into ${instance.name}?`,
    verb: 'Restore this backup',
    facts: describeFacts(instance, nowMs),
    sentences: [
      `Now: ${describeContent(now.sessions, now.rows)}. In the backup (${backup.note === '' ? backup.reason : `“${backup.note}”`}): ${describeContent(backup.sessions, backup.rows)}.`,
      'What is there now is replaced. It is backed up first and checked; without that backup nothing is changed.',
      'The experiment stops for a moment, and every seat of the Lobby is free again.',
      ...(isOtherProject
        ? [
            `Careful: this backup was made with version ${backup.commit?.slice(0, 7)}, and ${currentCommit.slice(0, 7)} is deployed. If their tables differ, pages fail until you roll back.`,
          ]
        : []),
      ...(isUnknown ? ['It is not known with which version of the project this backup was made. If the tables differ, pages fail.'] : []),
    ],
    needsName: true,
    isDangerous: true,
  };
}

/** What going back to a version does. */
export function describeRollBack(instance: Facts & Pick<InstanceView, 'git' | 'intent'>, to: DeploymentView, nowMs: number): Consequences {
  const from = instance.git.current;
  return {
    title: `Bring back version ${to.commit.slice(0, 7)}?`,
    verb: 'Roll back',
    facts: describeFacts(instance, nowMs),
    sentences: [
      `“${to.message.split('\n', 1)[0] ?? ''}” of ${describeAgo(to.createdAt, nowMs)}${from === null ? '' : ` takes the place of ${from.commit.slice(0, 7)}`}. Nothing is built; it takes a few seconds.`,
      'The data stay as they are. Its tables are compared with them first: if they do not fit, nothing is changed, and you choose.',
      ...(instance.intent === 'run' ? ['If it does not answer, the version in use is started again.'] : ['The instance is stopped and stays so.']),
      'Your git branch is left alone: the next push deploys what you push.',
    ],
    needsName: false,
    isDangerous: false,
  };
}

/** What moving to another platform of this machine does. */
export function describeMove(instance: Facts & Pick<InstanceView, 'intent'>, to: MovePlatform, nowMs: number): Consequences {
  const hasProject = instance.lastDeployedAt !== null;
  const isRunning = hasProject && instance.intent === 'run';
  return {
    title: `Run ${instance.name} ${moveWords[to]}?`,
    verb: 'Move',
    facts: describeFacts(instance, nowMs),
    sentences: [
      ...(hasProject
        ? [
            'A backup is taken and checked. Then the version in use is built and tried there, while it goes on here; that may take minutes, and can be cancelled.',
          ]
        : []),
      ...(isRunning ? ['Then it stops here and starts there: pages wait for some seconds, and go on where they were.'] : []),
      ...(hasProject ? ['If it does not answer there, it goes on here as before.'] : []),
      'Data, address, passwords, rooms, links and backups stay as they are.',
      ...(hasProject ? ['The runtime log begins anew, and earlier versions can be brought back only by pushing them again.'] : []),
    ],
    needsName: false,
    isDangerous: false,
  };
}

export type DriftWay = 'reset' | 'go-on';

/** What either way out does when the tables do not fit. */
export function describeDriftChoice(instance: Facts, { way, kind, nowMs }: { way: DriftWay; kind: 'deploy' | 'roll-back'; nowMs: number }): Consequences {
  const [act, version] = kind === 'deploy' ? [`Deploy to ${instance.name}`, 'the new version'] : [`Roll ${instance.name} back`, 'the version to bring back'];
  const facts = describeFacts(instance, nowMs);
  return way === 'reset'
    ? {
        title: `${act} on an empty database?`,
        verb: 'Back up and reset',
        facts,
        sentences: [guardedByBackup, `Then all sessions, participants and answers are removed from this instance, and ${version} starts with tables that fit.`],
        needsName: true,
        isDangerous: true,
      }
    : {
        title: `${act} although the tables do not fit?`,
        verb: 'Go on without',
        facts,
        sentences: [
          `The data stay as they are, and ${version} starts on them.`,
          'Every page that needs what the tables lack answers “server error” until the database is reset.',
        ],
        needsName: false,
        isDangerous: false,
      };
}

const describeContent = (sessions: number | null, rows: number | null): string =>
  `${sessions === null ? 'sessions unknown' : countOf(sessions, 'session')}, ${rows === null ? 'rows unknown' : countOf(rows, 'row')}`;

/** "18 people are in session ab12cd34; 412 rows; last backup 2 hours ago." What is not known is said to be unknown. */
export function describeFacts({ now }: Pick<InstanceView, 'now'>, nowMs: number): string {
  const backup = now.lastBackupAt === null ? 'no backup yet' : `last backup ${describeAgo(now.lastBackupAt, nowMs)}`;
  const rows = now.rows === null ? 'number of rows unknown' : countOf(now.rows, 'row');
  return `${describePeople(now.participantsInSession, now.sessionsInUse)}; ${rows}; ${backup}.`;
}

/** @param sessions codes of the oTree sessions that they are in, where these are to be named */
export function describePeople(count: number | null, sessions: readonly string[] = []): string {
  if (count === null) return 'It is not known whether people are in a session';
  if (count === 0) return 'No one is in a session';
  const where = sessions.length === 0 ? 'a session' : sessions.length === 1 ? `session ${sessions[0]}` : `sessions ${sessions.join(', ')}`;
  return count === 1 ? `1 person is in ${where}` : `${countOf(count, 'person', 'people')} are in ${where}`;
}
