// A backup by hand, with a note about why.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { startJobSchema, type StartJob } from '../../contracts/jobs.ts';
import { useForm } from '../form.ts';
import { listActions } from '../instance-actions.ts';
import { useStartJob } from '../jobs.ts';
import { Dialog } from './Dialog.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

export function BackUp({ instance }: { instance: InstanceView }): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const action = listActions(instance).find(({ kind }) => kind === 'back-up');
  if (!action) return null;
  return (
    <span className="act">
      <Button type="button" basic disabled={action.whyNot !== null} aria-describedby="why-no-backup" onClick={() => setAsked(true)}>
        <Glyph name={action.icon} /> Back up…
      </Button>
      <small id="why-no-backup" className="quiet">
        {action.whyNot}
      </small>
      {isAsked && <BackUpDialog instance={instance} onClose={() => setAsked(false)} />}
    </span>
  );
}

function BackUpDialog({ instance, onClose }: { instance: InstanceView; onClose: () => void }): ReactNode {
  const start = useStartJob(instance.name);
  const form = useForm({
    schema: startJobSchema,
    initial: { note: '' },
    toBody: ({ note }) => ({ kind: 'back-up', ...(note.trim() === '' ? {} : { note: note.trim() }) }),
    send: (body: StartJob) => start.mutateAsync(body),
    onDone: onClose,
  });
  return (
    <Dialog title={`Back up ${instance.name}`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <p>The experiment goes on meanwhile. The backup is restored once on trial and stays until somebody deletes it.</p>
          <TextField form={form} name="note" label="Note" term="backup" hint="For example: after session 3. You may leave it empty." isFirst />
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Back up" onCancel={onClose} />
      </form>
    </Dialog>
  );
}
