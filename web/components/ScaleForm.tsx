// How much an instance may use, for managers: run or not, memory, disk.

import type { ReactNode } from 'react';
import type { InstanceView } from '../../contracts/instances.ts';
import { startJobSchema, type StartJob } from '../../contracts/jobs.ts';
import { limitBounds } from '../../contracts/limits.ts';
import { describePeople } from '../consequences.ts';
import { useForm } from '../form.ts';
import { useStartJob } from '../jobs.ts';
import { describeNumber } from '../numbers.ts';
import { showToast } from '../toasts.ts';
import { Choice } from './Choice.tsx';
import { SubmitBar } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

const processes = [
  { value: '1', text: '1: run' },
  { value: '0', text: '0: do not run' },
];
/** An empty field means the panel's setting; what is no number is left to the schema's remark. */
const asLimit = (text: string): number | string | null => (text.trim() === '' ? null : /^\d+$/.test(text.trim()) ? Number(text) : text);
const written = (limit: number | null): string => (limit === null ? '' : String(limit));

export function ScaleForm({ instance }: { instance: InstanceView }): ReactNode {
  const start = useStartJob(instance.name);
  const { limits } = instance;
  const initial = { processes: instance.intent === 'run' ? '1' : '0', memoryMib: written(limits.memoryMib), diskMib: written(limits.diskMib), reason: '' };
  const form = useForm({
    schema: startJobSchema,
    initial,
    toBody: (values) => ({
      kind: 'scale',
      processes: Number(values.processes),
      memoryMib: asLimit(values.memoryMib),
      diskMib: asLimit(values.diskMib),
      ...(values.reason.trim() === '' ? {} : { reason: values.reason.trim() }),
    }),
    send: (body: StartJob) => start.mutateAsync(body),
    onDone: () => showToast('Under way: the experiment gets its new limits by a restart.'),
  });
  const needsReason = (instance.now.participantsInSession ?? 0) > 0 || form.problem?.code === 'people_in_session';
  const isChanged = (['processes', 'memoryMib', 'diskMib'] as const).some((name) => form.values[name].trim() !== initial[name]);
  return (
    <form className="ui form" onSubmit={form.submit}>
      <Choice
        form={form}
        name="processes"
        label="Web processes"
        options={processes}
        hint="oTree 5 and later runs exactly one web process, with its worker inside. A second one would not know who waits in the first, so more are not offered."
      />
      <TextField form={form} name="memoryMib" label="Memory, MiB" isCode hint={<MemoryHint instance={instance} />} />
      {instance.platform.hasDiskLimit && (
        <TextField
          form={form}
          name="diskMib"
          label="Disk for its own files, MiB"
          isCode
          hint={`Empty: ${describeNumber(limits.panelDiskMib)} as the panel sets it. ${bounds('diskMib')} An experiment that writes more is stopped and says so; its database is not counted.`}
        />
      )}
      {needsReason && (
        <TextField
          form={form}
          name="reason"
          label="Why now?"
          hint={`${describePeople(instance.now.participantsInSession)}. The reason is kept with the job.`}
        />
      )}
      <SubmitBar form={form} verb="Apply by a restart" isReady={isChanged && instance.job === null && (!needsReason || form.values.reason.trim() !== '')} />
    </form>
  );
}

const bounds = (name: keyof typeof limitBounds): string => `From ${describeNumber(limitBounds[name][0])} to ${describeNumber(limitBounds[name][1])}.`;

function MemoryHint({ instance }: { instance: InstanceView }): ReactNode {
  const { limits, platform } = instance;
  const held = platform.hasMemoryLimit
    ? 'One that needs more is ended by the machine and started again at once: “out of memory” then stands on its overview.'
    : 'This machine cannot hold the limit (it offers the panel no control groups): it is stored and holds once it can.';
  return `Empty: ${describeNumber(limits.panelMemoryMib)} as the panel sets it. ${bounds('memoryMib')} ${held}`;
}
