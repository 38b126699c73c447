// The dialog that makes an account for a colleague.

import { useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { createPersonSchema } from '../../contracts/people.ts';
import { send } from '../api.ts';
import { useForm } from '../form.ts';
import { showToast } from '../toasts.ts';
import { Choice } from './Choice.tsx';
import { Dialog } from './Dialog.tsx';
import { PersonFields } from './PersonFields.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';

const roleOptions = [
  { value: 'experimenter', text: 'Experimenter: own instances' },
  { value: 'manager', text: 'Lab manager: everything' },
];

export function AddPerson({ onClose }: { onClose: () => void }): ReactNode {
  const client = useQueryClient();
  const form = useForm({
    schema: createPersonSchema,
    initial: { name: '', userName: '', email: '', password: '', role: 'experimenter' },
    send: async (body) => {
      await send('/users', { method: 'POST', body });
      return body.name;
    },
    onDone: (name) => {
      showToast(`${name} may sign in now. Hand over the password in person.`);
      void client.invalidateQueries({ queryKey: ['people'] });
      onClose();
    },
  });
  return (
    <Dialog title="Add a person" onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <PersonFields form={form} isForColleague />
          <Choice form={form} name="role" label="Role" options={roleOptions} />
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Add person" onCancel={onClose} />
      </form>
    </Dialog>
  );
}
