// Short messages at the edge of the page: they tell, then they go; the bell keeps them.

import { notify } from './notifications.ts';

export type Toast = { readonly id: number; readonly text: string; readonly tone: 'moss' | 'brick' };

const shownMs = { moss: 6_000, brick: 12_000 };
let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

const change = (next: readonly Toast[]): void => {
  toasts = next;
  for (const listener of listeners) listener();
};

/** Shows a message for a few seconds; it is read aloud by screen readers. */
export function showToast(text: string, tone: Toast['tone'] = 'moss'): void {
  const toast: Toast = { id: (lastId += 1), text, tone };
  notify({ id: `toast-${Date.now()}-${toast.id}`, at: new Date().toISOString(), text, tone, to: null, isSeen: tone === 'moss' });
  change([...toasts.filter((other) => other.text !== text), toast]);
  window.setTimeout(() => dismissToast(toast.id), shownMs[tone]);
}

export const dismissToast = (id: number): void => change(toasts.filter((toast) => toast.id !== id));

export const readToasts = (): readonly Toast[] => toasts;

export const onToasts = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
