// What was told in this tab: vanished messages and ended jobs, to be read again under the bell.

import type { JobView } from '../contracts/jobs.ts';
import { isJobOver } from '../contracts/states.ts';

export type Notification = {
  readonly id: string;
  readonly at: string;
  readonly text: string;
  readonly tone: 'moss' | 'brick' | 'stone';
  /** Page that tells more. */
  readonly to: string | null;
  readonly isSeen: boolean;
};

const kept = 30;
const place = 'arboretum.notifications';
const listeners = new Set<() => void>();
let notifications = restore();

/** The list with this one first; what is there already under the same id stays as it is. */
export const withNotification = (list: readonly Notification[], next: Notification): readonly Notification[] =>
  list.some(({ id }) => id === next.id) ? list : [next, ...list].slice(0, kept);

/** What an ended job says, null while it is not over. */
export function notificationOf(job: JobView): Notification | null {
  if (!isJobOver(job.state)) return null;
  const where = job.instanceName === null ? '' : `${job.instanceName}: `;
  const endings = { succeeded: 'done', cancelled: 'cancelled', failed: job.error?.sentence ?? 'failed' } as const;
  const state = job.state as keyof typeof endings;
  const tone = state === 'succeeded' ? 'moss' : state === 'failed' ? 'brick' : 'stone';
  return { id: job.id, at: job.endedAt ?? job.createdAt, text: `${where}${job.title} — ${endings[state]}`, tone, to: `/jobs/${job.id}`, isSeen: false };
}

/** Adds a note and tells the bell. */
export function notify(next: Notification): void {
  change(withNotification(notifications, next));
}

export const readNotifications = (): readonly Notification[] => notifications;

export const markSeen = (): void => change(notifications.map((one) => (one.isSeen ? one : { ...one, isSeen: true })));

/** Whoever signs in next in this tab does not read it. */
export const forgetNotifications = (): void => change([]);

export function onNotifications(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(next: readonly Notification[]): void {
  notifications = next;
  try {
    sessionStorage.setItem(place, JSON.stringify(next));
  } catch {
    // A browser that keeps nothing still shows what came since the page was loaded.
  }
  for (const listener of listeners) listener();
}

function restore(): readonly Notification[] {
  try {
    const stored: unknown = JSON.parse(globalThis.sessionStorage?.getItem(place) ?? '[]');
    return Array.isArray(stored) ? (stored as Notification[]) : [];
  } catch {
    return [];
  }
}
