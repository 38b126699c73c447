// Notes about the study: plain text for each other; of two writers the second keeps what was typed and is told.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { writeNotesSchema } from '../../contracts/activity.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { useForm } from '../form.ts';
import { useWriteNotes } from '../instance-activity.ts';
import { showToast } from '../toasts.ts';
import { FactGroup } from './Facts.tsx';
import { SubmitBar } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

export function Notes({ instance }: { instance: InstanceView }): ReactNode {
  const [before, setBefore] = useState<string | null>(null);
  const mayWrite = canOnInstance(instance.standing, 'instance.write-notes');
  if (before !== null) return <NotesForm instance={instance} before={before} onBefore={setBefore} onClose={() => setBefore(null)} />;
  return (
    <FactGroup title="Notes">
      {instance.notes === '' ? (
        <p className="quiet">Nothing written down yet{mayWrite && ': dates, seats, who pays whom'}.</p>
      ) : (
        <p className="notes-text">{instance.notes}</p>
      )}
      {mayWrite && (
        <Button type="button" basic compact onClick={() => setBefore(instance.notes)}>
          {instance.notes === '' ? 'Write notes' : 'Change notes'}
        </Button>
      )}
    </FactGroup>
  );
}

type FormProps = { instance: InstanceView; before: string; onBefore: (text: string) => void; onClose: () => void };

function NotesForm({ instance, before, onBefore, onClose }: FormProps): ReactNode {
  const write = useWriteNotes(instance.name);
  const form = useForm({
    schema: writeNotesSchema,
    initial: { notes: before },
    toBody: ({ notes }) => ({ notes, before }),
    send: (body) => write.mutateAsync(body),
    onDone: () => {
      showToast('Notes saved.');
      onClose();
    },
  });
  const isBehind = instance.notes !== before && instance.notes !== form.values.notes;
  return (
    <FactGroup title="Notes">
      <form className="ui form" onSubmit={form.submit}>
        <TextField
          form={form}
          name="notes"
          label="Notes for everybody who works on this instance"
          rows={8}
          isFirst
          hint="Plain text, at most 20,000 characters."
        />
        {isBehind && (
          <div role="status">
            <p className="tone-amber">Somebody else has changed the notes. They now say:</p>
            <p className="notes-text traceback">{instance.notes === '' ? '(nothing)' : instance.notes}</p>
            <p>
              <Button type="button" basic compact onClick={() => onBefore(instance.notes)}>
                I have read it; my text replaces it
              </Button>
            </p>
          </div>
        )}
        <SubmitBar form={form} verb="Save" isReady={form.values.notes !== before} />{' '}
        <Button type="button" basic size="large" onClick={onClose}>
          Cancel
        </Button>
      </form>
    </FactGroup>
  );
}
