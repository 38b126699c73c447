// Word, icon and tone of what jobs, steps, deployments and seats can be.

import type { DeploymentView } from '../contracts/instances.ts';
import type { JobKind, Step } from '../contracts/jobs.ts';
import type { SeatState } from '../contracts/seats.ts';
import type { JobState, Tone } from '../contracts/states.ts';

export type Look = { readonly word: string; readonly icon: string; readonly tone: Tone };

export const jobLooks: Readonly<Record<JobState, Look>> = {
  queued: { word: 'waiting for its turn', icon: 'clock outline', tone: 'sky' },
  running: { word: 'under way', icon: 'circle notch', tone: 'sky' },
  succeeded: { word: 'succeeded', icon: 'check circle', tone: 'moss' },
  failed: { word: 'failed', icon: 'times circle', tone: 'brick' },
  cancelled: { word: 'cancelled', icon: 'ban', tone: 'stone' },
};

export const stepLooks: Readonly<Record<Step['state'], Look>> = {
  running: { word: 'under way', icon: 'circle notch', tone: 'sky' },
  succeeded: { word: 'done', icon: 'check', tone: 'moss' },
  failed: { word: 'failed', icon: 'times', tone: 'brick' },
};

export const deploymentLooks: Readonly<Record<DeploymentView['state'], Look>> = {
  waiting: { word: 'waiting for its turn', icon: 'clock outline', tone: 'sky' },
  building: { word: 'building', icon: 'cog', tone: 'sky' },
  succeeded: { word: 'succeeded', icon: 'check circle', tone: 'moss' },
  failed: { word: 'failed', icon: 'times circle', tone: 'brick' },
  cancelled: { word: 'cancelled', icon: 'ban', tone: 'stone' },
};

export const seatLooks: Readonly<Record<SeatState, Look>> = {
  away: { word: 'away', icon: 'circle outline', tone: 'stone' },
  opened: { word: 'opened', icon: 'desktop', tone: 'amber' },
  ready: { word: 'ready', icon: 'check circle', tone: 'moss' },
  forwarded: { word: 'on the way', icon: 'arrow right', tone: 'sky' },
  'in-room': { word: 'in the room', icon: 'sign in alternate', tone: 'sky' },
  playing: { word: 'playing', icon: 'play', tone: 'moss' },
  finished: { word: 'finished', icon: 'flag checkered', tone: 'stone' },
};

export const jobIcons: Readonly<Record<JobKind, string>> = {
  'set-environment': 'sliders horizontal',
  'run-bots': 'robot',
  scale: 'microchip',
  move: 'dolly',
  'change-address': 'map signs',
  'give-up-address': 'unlink',
  'create-instance': 'plus',
  adopt: 'sign in alternate',
  deploy: 'upload',
  start: 'play',
  stop: 'stop',
  restart: 'redo alternate',
  'set-admin-password': 'key',
  'reset-database': 'eraser',
  'back-up': 'archive',
  restore: 'history',
  'roll-back': 'undo alternate',
  delete: 'trash alternate outline',
  'create-course': 'graduation cap',
  'delete-course': 'trash alternate outline',
  'issue-certificate': 'certificate',
};

/** Tones that turn while something is going on. */
export const spinning = new Set(['circle notch', 'cog']);
