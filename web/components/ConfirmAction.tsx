// The question before an act that stops or removes something: consequences first, the safe button in focus.

import type { ReactNode } from 'react';
import { startJobSchema, type JobView, type StartJob } from '../../contracts/jobs.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { useTens } from '../clock.ts';
import { describeConsequences, describePeople, type ConfirmedKind, type Consequences } from '../consequences.ts';
import { useForm } from '../form.ts';
import { useStartJob } from '../jobs.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Props = { kind: ConfirmedKind; instance: InstanceView; onClose: () => void; onStarted: (job: JobView) => void };

export function ConfirmAction({ kind, instance, onClose, onStarted }: Props): ReactNode {
  const about = describeConsequences(kind, instance, useTens());
  return <ConfirmJob about={about} instance={instance} request={{ kind }} onClose={onClose} onStarted={onStarted} />;
}

type JobProps = Omit<Props, 'kind'> & { about: Consequences; request: Readonly<Record<string, string>> & { kind: StartJob['kind'] } };

/** The same question before any job: `request` is sent with what was typed. */
export function ConfirmJob({ about, instance, request, onClose, onStarted }: JobProps): ReactNode {
  const start = useStartJob(instance.name);
  const form = useForm({
    schema: startJobSchema,
    initial: { confirm: '', reason: '' },
    toBody: ({ confirm, reason }) => ({
      ...request,
      ...(about.needsName ? { confirm: confirm.trim() } : {}),
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    }),
    send: (body: StartJob) => start.mutateAsync(body),
    onDone: onStarted,
  });
  const people = instance.now.participantsInSession ?? 0;
  const needsReason = people > 0 || form.problem?.code === 'people_in_session';
  const isNamed = !about.needsName || form.values.confirm.trim() === instance.name;
  const isReady = isNamed && (!needsReason || form.values.reason.trim() !== '');
  return (
    <Dialog title={about.title} isDangerous={about.isDangerous} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p className={people > 0 ? 'facts-now tone-amber' : 'facts-now'}>{about.facts}</p>
          {about.sentences.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {needsReason && <TextField form={form} name="reason" label="Why now?" hint={`${describePeople(people || null)}. The reason is kept with the job.`} />}
          {about.needsName && <TextField form={form} name="confirm" isCode label={`Type ${instance.name} to confirm`} />}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb={about.verb} isDangerous={about.isDangerous} isReady={isReady} isCancelFirst onCancel={onClose} />
      </form>
    </Dialog>
  );
}
