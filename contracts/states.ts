// The states an instance and a job can be in, and which may follow which: pure, shared with the browser.

export const instanceStates = [
  'creating',
  'waiting',
  'building',
  'starting',
  'running',
  'unhealthy',
  'crashed',
  'stopping',
  'stopped',
  'deleting',
  'deleted',
  'failed',
  'unknown',
] as const;
export type InstanceState = (typeof instanceStates)[number];

/** People may be playing: it runs, or nobody can look at it just now and it most likely goes on as it was. */
export const mayHavePeople: readonly string[] = ['running', 'unhealthy', 'unknown'] satisfies InstanceState[];
/** Participants are sent there. */
export const takesPeople: readonly string[] = ['running', 'unknown'] satisfies InstanceState[];

/** Colour names of the look; never the only carrier of the meaning. */
export type Tone = 'moss' | 'amber' | 'sky' | 'brick' | 'stone';

/** What a person sees for a state: word, Semantic icon, tone. */
export const stateLooks: Readonly<Record<InstanceState, { word: string; icon: string; tone: Tone }>> = {
  creating: { word: 'being created', icon: 'circle notch', tone: 'sky' },
  waiting: { word: 'waiting for your project', icon: 'upload', tone: 'amber' },
  building: { word: 'building', icon: 'cog', tone: 'sky' },
  starting: { word: 'starting', icon: 'circle notch', tone: 'sky' },
  running: { word: 'running', icon: 'check circle', tone: 'moss' },
  unhealthy: { word: 'not answering', icon: 'exclamation triangle', tone: 'amber' },
  crashed: { word: 'crashed', icon: 'times circle', tone: 'brick' },
  stopping: { word: 'stopping', icon: 'circle notch', tone: 'sky' },
  stopped: { word: 'stopped', icon: 'stop circle outline', tone: 'stone' },
  deleting: { word: 'being deleted', icon: 'trash alternate outline', tone: 'sky' },
  deleted: { word: 'deleted', icon: 'trash', tone: 'stone' },
  failed: { word: 'not created', icon: 'times circle', tone: 'brick' },
  unknown: { word: 'unknown', icon: 'question circle outline', tone: 'stone' },
};

const next: Readonly<Record<InstanceState, readonly InstanceState[]>> = {
  creating: ['waiting', 'failed', 'deleting'],
  waiting: ['building', 'starting', 'running', 'deleting', 'unknown'],
  building: ['waiting', 'starting', 'running', 'crashed', 'stopped', 'unhealthy', 'stopping', 'deleting', 'unknown'],
  starting: ['running', 'crashed', 'unhealthy', 'stopped', 'stopping', 'building', 'deleting', 'unknown'],
  running: ['unhealthy', 'crashed', 'stopping', 'stopped', 'building', 'starting', 'deleting', 'unknown'],
  unhealthy: ['running', 'crashed', 'stopping', 'stopped', 'building', 'starting', 'deleting', 'unknown'],
  crashed: ['running', 'starting', 'unhealthy', 'building', 'stopping', 'stopped', 'deleting', 'unknown'],
  stopping: ['stopped', 'running', 'crashed', 'starting', 'unhealthy', 'deleting', 'unknown'],
  stopped: ['starting', 'building', 'running', 'crashed', 'unhealthy', 'stopping', 'deleting', 'unknown'],
  deleting: ['deleted', 'failed', 'unknown'],
  deleted: [],
  failed: ['creating', 'waiting', 'deleting'],
  unknown: ['waiting', 'building', 'starting', 'running', 'unhealthy', 'crashed', 'stopping', 'stopped', 'deleting'],
};

/** Whether an instance may go from one state to another; staying where it is is always allowed. */
export const mayFollow = (from: InstanceState, to: InstanceState): boolean => from === to || next[from].includes(to);

export const jobStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];
export const isJobOver = (state: JobState): boolean => state === 'succeeded' || state === 'failed' || state === 'cancelled';
