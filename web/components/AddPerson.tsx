// The dialog that makes an account for a colleague, invited or with a password.

import { useState, type ReactNode } from 'react';
import type { z } from 'zod';
import { createdPersonSchema, createPersonSchema } from '../../contracts/people.ts';
import { request } from '../api.ts';
import { useForm } from '../form.ts';
import { useRefreshPeople } from '../people.ts';
import { showToast } from '../toasts.ts';
import { Choice } from './Choice.tsx';
import { Dialog } from './Dialog.tsx';
import { HandLink } from './HandLink.tsx';
import { PersonFields } from './PersonFields.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { roleOptions } from './role-options.ts';
import { DialogActions } from './SubmitBar.tsx';

export function AddPerson({ onClose }: { onClose: () => void }): ReactNode {
  const refresh = useRefreshPeople();
  const [made, setMade] = useState<z.infer<typeof createdPersonSchema> | null>(null);
  const form = useForm({
    schema: createPersonSchema,
    initial: { name: '', userName: '', email: '', password: '', role: 'experimenter' },
    send: (body) => request(createdPersonSchema, '/users', { method: 'POST', body }),
    onDone: (person) => {
      void refresh();
      if (person.invitation) return setMade(person);
      showToast(`${person.name} may sign in now. Hand over the password in person.`);
      onClose();
    },
  });
  if (made?.invitation) return <HandLink key="link" name={made.name} email={made.email} link={made.invitation} onClose={onClose} />;
  return (
    <Dialog key="form" title="Add a person" onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <PersonFields form={form} isForColleague />
          <Choice form={form} name="role" label="Role" options={roleOptions} />
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb={form.values.password === '' ? 'Invite' : 'Add person'} onCancel={onClose} />
      </form>
    </Dialog>
  );
}
