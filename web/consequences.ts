// What a dangerous act would do, said with the facts of this moment.

import type { InstanceView } from '../contracts/instances.ts';
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

/** "18 people are in a session; 412 rows; last backup 2 hours ago." What is not known is said to be unknown. */
export function describeFacts({ now }: Pick<InstanceView, 'now'>, nowMs: number): string {
  const backup = now.lastBackupAt === null ? 'no backup yet' : `last backup ${describeAgo(now.lastBackupAt, nowMs)}`;
  const rows = now.rows === null ? 'number of rows unknown' : countOf(now.rows, 'row');
  return `${describePeople(now.participantsInSession)}; ${rows}; ${backup}.`;
}

export function describePeople(count: number | null): string {
  if (count === null) return 'It is not known whether people are in a session';
  if (count === 0) return 'No one is in a session';
  return count === 1 ? '1 person is in a session' : `${countOf(count, 'person', 'people')} are in a session`;
}
