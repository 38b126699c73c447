// The dialog that changes a person: name, user name, address, role.

import { useState, type ReactNode } from 'react';
import { changePersonSchema, type PersonView } from '../../contracts/people.ts';
import { useForm } from '../form.ts';
import { useChangePerson } from '../people.ts';
import { showToast } from '../toasts.ts';
import { Choice } from './Choice.tsx';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { roleOptions } from './role-options.ts';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

export function EditPerson({ person, isSelf, onClose }: { person: PersonView; isSelf: boolean; onClose: () => void }): ReactNode {
  const change = useChangePerson();
  // The list lives on below the dialog; what counts is what the reader saw when it opened.
  const [seen] = useState(person);
  const form = useForm({
    schema: changePersonSchema.required({ name: true, userName: true, email: true }),
    initial: { name: seen.name, userName: seen.userName, email: seen.email, role: seen.role },
    toBody: (values) => ({ ...values, version: seen.version }),
    send: (body) => change.mutateAsync({ id: seen.id, ...body }),
    onDone: ({ name }) => {
      showToast(`${name} is saved.`);
      onClose();
    },
  });
  const hasOtherRole = form.values.role !== seen.role;
  return (
    <Dialog title={`Edit ${seen.name}`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <TextField form={form} name="name" label="Name" isFirst />
          <TextField form={form} name="userName" label="User name" isCode hint="Short, for signing in: small letters, digits, dot, hyphen." />
          <TextField form={form} name="email" label="E-mail address" type="email" />
          <Choice form={form} name="role" label="Role" options={roleOptions} hint={hasOtherRole ? describeRoleChange(isSelf, seen.name) : ''} />
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Save" onCancel={onClose} />
      </form>
    </Dialog>
  );
}

const describeRoleChange = (isSelf: boolean, name: string): string =>
  isSelf
    ? 'You will be signed out, and another lab manager has to give you the role back.'
    : `${name} is signed out everywhere and signs in again with the new role.`;
