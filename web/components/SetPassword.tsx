// The dialog that sets the password of oTree's admin page.

import type { ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { startJobSchema, type JobView, type StartJob } from '../../contracts/jobs.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { describePeople } from '../consequences.ts';
import { useForm } from '../form.ts';
import { isDeployed } from '../instance-actions.ts';
import { useStartJob } from '../jobs.ts';
import { makePassword } from '../passwords.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

type Props = { instance: InstanceView; onClose: () => void; onStarted: (job: JobView) => void };

export function SetPassword({ instance, onClose, onStarted }: Props): ReactNode {
  const start = useStartJob(instance.name);
  const form = useForm({
    schema: startJobSchema,
    initial: { password: '', reason: '' },
    toBody: ({ password, reason }) => ({ kind: 'set-admin-password', password, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) }),
    send: (body: StartJob) => start.mutateAsync(body),
    onDone: onStarted,
  });
  const needsReason = (instance.now.participantsInSession ?? 0) > 0 || form.problem?.code === 'people_in_session';
  return (
    <Dialog title={`Set the admin password of ${instance.name}`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p>
            {isDeployed(instance)
              ? `The experiment restarts for a few seconds; data and room links stay as they are. ${describePeople(instance.now.participantsInSession)}.`
              : 'It holds from the first push on.'}
          </p>
          <TextField
            form={form}
            name="password"
            type="password"
            label="New password"
            term="admin-password"
            autoComplete="new-password"
            isFirst
            isCode
            hint="8 to 100 characters, no spaces. You share it with whoever runs sessions."
          />
          <Button type="button" basic onClick={() => form.set('password', makePassword())}>
            Make a strong one
          </Button>
          {needsReason && (
            <TextField form={form} name="reason" label="Why now?" hint="The experiment restarts while people play. The reason is kept with the job." />
          )}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions
          form={form}
          verb="Set password"
          isReady={form.values.password !== '' && (!needsReason || form.values.reason.trim() !== '')}
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}
