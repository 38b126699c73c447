// What the bell keeps.

import { describe, expect, it } from 'vitest';
import type { JobView } from '../../contracts/jobs.ts';
import { notificationOf, withNotification, type Notification } from '../../web/notifications.ts';

const job = (fields: Partial<JobView>): JobView => ({
  id: 'j1',
  kind: 'deploy',
  title: 'Deploy',
  instanceId: 'i1',
  instanceName: 'trust-game',
  isInstanceGone: false,
  rollBackTo: null,
  deploymentId: null,
  state: 'running',
  steps: [],
  error: null,
  actorName: 'Ada',
  cancelledByName: null,
  createdAt: '2026-11-21T10:00:00.000Z',
  startedAt: null,
  endedAt: '2026-11-21T10:01:00.000Z',
  ...fields,
});
const note = (id: string): Notification => ({ id, at: '', text: id, tone: 'moss', to: null, isSeen: true });

describe('a job', () => {
  it('is told once it is over, with the instance and a way to read more', () => {
    expect(notificationOf(job({}))).toBeNull();
    expect(notificationOf(job({ state: 'succeeded' }))).toMatchObject({ text: 'trust-game: Deploy — done', tone: 'moss', to: '/jobs/j1', isSeen: false });
  });

  it('that failed says why', () => {
    const error = { code: 'settings_missing', sentence: 'There is no settings.py at the top of the project.', hint: '' };
    expect(notificationOf(job({ state: 'failed', error }))).toMatchObject({
      text: 'trust-game: Deploy — There is no settings.py at the top of the project.',
      tone: 'brick',
    });
  });

  it('that is told again, after a reconnect, does not come twice', () => {
    expect(withNotification([note('j1')], { ...note('j1'), text: 'again' })).toEqual([note('j1')]);
  });
});

it('keeps the newest thirty', () => {
  let list: readonly Notification[] = [];
  for (let number = 1; number <= 31; number += 1) list = withNotification(list, note(String(number)));
  expect(list).toHaveLength(30);
  expect(list.at(0)?.id).toBe('31');
  expect(list.at(-1)?.id).toBe('2');
});
