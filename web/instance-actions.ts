// What a person may ask of an instance, in words, and why not just now.

import type { InstanceView } from '../contracts/instances.ts';
import { jobKinds, type StartJob } from '../contracts/jobs.ts';
import { canOnInstance, type InstanceAction } from '../contracts/roles.ts';

/** What the menu offers; environment, limits, bots and address have forms of their own, restoring and rolling back begin at what is meant, a deployment at a push. */
export type ActionKind = Exclude<
  StartJob['kind'],
  'deploy-sample' | 'deploy' | 'set-environment' | 'scale' | 'move' | 'run-bots' | 'change-address' | 'restore' | 'roll-back'
>;
export type ActionItem = {
  readonly kind: ActionKind;
  readonly label: string;
  readonly icon: string;
  readonly isDangerous: boolean;
  readonly whyNot: string | null;
};

type Look = { label: string; icon: string; isDangerous?: boolean };
const looks: Readonly<Record<ActionKind, Look>> = {
  start: { label: 'Start', icon: 'play' },
  stop: { label: 'Stop…', icon: 'stop' },
  restart: { label: 'Restart…', icon: 'redo alternate' },
  'set-admin-password': { label: 'Set admin password…', icon: 'key' },
  'back-up': { label: 'Back up now', icon: 'archive' },
  'reset-database': { label: 'Reset database…', icon: 'eraser', isDangerous: true },
  delete: { label: 'Delete…', icon: 'trash alternate outline', isDangerous: true },
};

type Facts = Pick<InstanceView, 'standing' | 'state' | 'intent' | 'job' | 'lastDeployedAt'>;

/** The actions that this person may ever do here, in the order of the menu; `whyNot` tells why one has to wait. */
export const listActions = (instance: Facts): ActionItem[] =>
  (Object.keys(looks) as ActionKind[])
    .filter((kind) => canOnInstance(instance.standing, `instance.${kind}` satisfies InstanceAction))
    .map((kind) => ({ kind, isDangerous: false, ...looks[kind], whyNot: whyNot(kind, instance) }));

/** Whether there has ever been an experiment here that could run. */
export const isDeployed = (instance: Pick<InstanceView, 'lastDeployedAt'>): boolean => instance.lastDeployedAt !== null;

function whyNot(kind: ActionKind, instance: Facts): string | null {
  if (instance.state === 'deleting' || instance.state === 'deleted') return 'This instance is being deleted.';
  if (instance.job !== null) return `“${jobKinds[instance.job.kind]}” is under way.`;
  if (kind === 'delete') return null;
  if (instance.state === 'failed') return 'This instance was not fully created. Delete it and create it again.';
  if (kind === 'set-admin-password') return null;
  if (!isDeployed(instance)) return 'There is no experiment here yet. Push a project first.';
  if (kind === 'start' && instance.intent === 'run' && instance.state === 'running') return 'It is running.';
  if (kind === 'stop' && instance.intent === 'stop' && instance.state === 'stopped') return 'It is stopped.';
  if (kind === 'restart' && instance.state === 'stopped') return 'It is stopped. Start it.';
  return null;
}
