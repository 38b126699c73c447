// Which actions a page offers, and what it says before dangerous ones.

import { describe, expect, it } from 'vitest';
import type { BackupView } from '../../contracts/backups.ts';
import type { DeploymentView, InstanceView } from '../../contracts/instances.ts';
import { describeConsequences, describeDriftChoice, describeFacts, describeMove, describeRestore, describeRollBack } from '../../web/consequences.ts';
import { listActions } from '../../web/instance-actions.ts';

const nowMs = Date.parse('2024-05-01T12:00:00Z');
type Facts = Parameters<typeof listActions>[0];
const running: Facts = { standing: 'owner', state: 'running', intent: 'run', job: null, lastDeployedAt: '2024-05-01T11:00:00Z' };
const whyNot = (facts: Facts): Record<string, string | null> => Object.fromEntries(listActions(facts).map(({ kind, whyNot: why }) => [kind, why]));

const now = (change: Partial<InstanceView['now']> = {}): InstanceView['now'] => ({
  databaseBytes: 9_400_000,
  rows: 412,
  participantsInSession: 18,
  sessions: 3,
  sessionsInUse: [],
  lastBackupAt: '2024-05-01T10:00:00Z',
  webProcesses: 1,
  restarts: 0,
  ...change,
});

describe('listActions', () => {
  it('offers delete to a manager only', () => {
    expect(listActions(running).map(({ kind }) => kind)).not.toContain('delete');
    expect(listActions({ ...running, standing: 'manager' }).map(({ kind }) => kind)).toContain('delete');
  });

  it('offers nothing to somebody who may only look', () => {
    expect(listActions({ ...running, standing: 'view' })).toEqual([]);
  });

  it('says why start has to wait while it runs, and why restart has to wait while it is stopped', () => {
    expect(whyNot(running)).toMatchObject({ start: 'It is running.', stop: null, restart: null });
    expect(whyNot({ ...running, state: 'stopped', intent: 'stop' })).toMatchObject({
      start: null,
      stop: 'It is stopped.',
      restart: 'It is stopped. Start it.',
    });
  });

  it('lets the password be set before the first push, and nothing that needs an experiment', () => {
    const waiting = whyNot({ ...running, standing: 'manager', state: 'waiting', lastDeployedAt: null });
    expect(waiting['set-admin-password']).toBeNull();
    expect(waiting['delete']).toBeNull();
    expect(waiting['reset-database']).toMatch(/Push a project first/);
  });

  it('leaves only delete for an instance that was not fully created', () => {
    const failed = whyNot({ ...running, standing: 'manager', state: 'failed', lastDeployedAt: null });
    expect(Object.keys(failed).filter((kind) => failed[kind] === null)).toEqual(['delete']);
  });
});

describe('consequences', () => {
  it('names people, rows and the age of the last backup', () => {
    expect(describeFacts({ now: now() }, nowMs)).toBe('18 people are in a session; 412 rows; last backup 2 hours ago.');
  });

  it('names the sessions that people are in', () => {
    const facts = (participantsInSession: number, ...sessionsInUse: string[]): string =>
      describeFacts({ now: now({ participantsInSession, sessionsInUse }) }, nowMs);
    expect(facts(18, 'ab12cd34')).toBe('18 people are in session ab12cd34; 412 rows; last backup 2 hours ago.');
    expect(facts(1, 'ab12cd34', 'ef56')).toMatch(/^1 person is in sessions ab12cd34, ef56;/);
  });

  it('say what either way out of tables that do not fit does, with the name asked for before a reset', () => {
    const instance = { name: 'study', now: now(), lastDeployedAt: null };
    const ask = (way: 'reset' | 'go-on', kind: 'deploy' | 'roll-back') => describeDriftChoice(instance, { way, kind, nowMs });
    expect(ask('reset', 'deploy')).toMatchObject({ title: 'Deploy to study on an empty database?', needsName: true, isDangerous: true });
    const back = ask('go-on', 'roll-back');
    expect(back).toMatchObject({ title: 'Roll study back although the tables do not fit?', needsName: false });
    expect(back.sentences.join(' ')).toContain('the version to bring back starts on them. Every page that needs what the tables lack answers “server error”');
  });

  it('says what is not known instead of zero', () => {
    const facts = describeFacts({ now: now({ participantsInSession: null, rows: null, lastBackupAt: null }) }, nowMs);
    expect(facts).toBe('It is not known whether people are in a session; number of rows unknown; no backup yet.');
  });

  it('asks for the name before a reset and a delete, not before a stop', () => {
    const instance = { name: 'trust-game', lastDeployedAt: running.lastDeployedAt, now: now() };
    expect(describeConsequences('reset-database', instance, nowMs)).toMatchObject({ needsName: true, isDangerous: true });
    expect(describeConsequences('delete', instance, nowMs).sentences).toContain('A backup is taken first and checked; without it nothing is deleted.');
    expect(describeConsequences('stop', instance, nowMs).needsName).toBe(false);
  });

  it('promises no backup of an instance that never had data', () => {
    const instance = { name: 'empty', lastDeployedAt: null, now: now({ rows: null }) };
    expect(describeConsequences('delete', instance, nowMs).sentences.join(' ')).not.toMatch(/backup/);
  });

  const backup: BackupView = {
    id: 'b',
    reason: 'by hand',
    note: 'after session 3',
    commit: 'a'.repeat(40),
    createdByName: 'Ada',
    sizeBytes: 5,
    sha256: 'x',
    rowCounts: {},
    rows: 300,
    sessions: 2,
    participants: 40,
    verifiedAt: null,
    createdAt: new Date(nowMs - 2 * 24 * 3_600_000).toISOString(),
  };
  const deployment: DeploymentView = {
    id: 'd',
    number: 3,
    commit: 'b'.repeat(40),
    message: 'Fewer rounds',
    author: 'Ada',
    branch: 'main',
    state: 'succeeded',
    source: 'push',
    otreeVersion: '6.0.15',
    createdByName: 'Ada',
    createdAt: backup.createdAt,
    endedAt: null,
    jobId: null,
    isCurrent: true,
    canRollBack: false,
    warnings: [],
  };
  const git = { remoteUrl: '', deployBranch: null, current: deployment };

  it('of a restore say what is there, what is in the backup, and that another version made it', () => {
    const instance = { name: 'trust-game', lastDeployedAt: running.lastDeployedAt, now: now(), git };
    const about = describeRestore(instance, backup, nowMs);
    expect(about).toMatchObject({ needsName: true, isDangerous: true, facts: '18 people are in a session; 412 rows; last backup 2 hours ago.' });
    expect(about.sentences[0]).toMatch(/^Now: .*412 rows\. In the backup \(“after session 3”\): 2 sessions, 300 rows\.$/);
    expect(about.sentences.join(' ')).toContain('this backup was made with version aaaaaaa, and bbbbbbb is deployed');
    expect(describeRestore(instance, { ...backup, commit: deployment.commit }, nowMs).sentences.join(' ')).not.toContain('Careful');
    expect(describeRestore(instance, { ...backup, commit: null }, nowMs).sentences.join(' ')).toContain('not known with which version');
  });

  it('of a move say what stays, what does not, and that nothing stops when nothing runs', () => {
    const instance = { name: 'trust-game', lastDeployedAt: running.lastDeployedAt, now: now(), intent: 'run' as const };
    const about = describeMove(instance, 'swarm', nowMs);
    expect(about).toMatchObject({ title: 'Run trust-game in a container?', needsName: false, isDangerous: false });
    expect(about.facts).toContain('18 people are in a session');
    expect(about.sentences.join(' ')).toMatch(
      /backup is taken.*Then it stops here and starts there.*goes on here as before.*links and backups stay.*log begins anew/,
    );
    expect(describeMove({ ...instance, intent: 'stop' }, 'local', nowMs).sentences.join(' ')).not.toContain('stops here');
    expect(describeMove({ ...instance, lastDeployedAt: null }, 'swarm', nowMs).sentences).toEqual([
      'Data, address, passwords, rooms, links and backups stay as they are.',
    ]);
  });

  it('of a roll back say which version takes the place of which, and that a stopped instance stays stopped', () => {
    const instance = { name: 'trust-game', lastDeployedAt: running.lastDeployedAt, now: now(), git, intent: 'stop' as const };
    const about = describeRollBack(instance, { ...deployment, commit: 'c'.repeat(40), message: 'First' }, nowMs);
    expect(about.title).toBe('Bring back version ccccccc?');
    expect(about.sentences.join(' ')).toMatch(/“First” of 2 days ago takes the place of bbbbbbb\. .*stopped and stays so/);
  });
});
