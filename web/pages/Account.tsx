// The reader's own account: who one is, changing the password, signing out.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Button } from 'semantic-ui-react';
import { changePasswordSchema } from '../../contracts/people.ts';
import { send } from '../api.ts';
import { Fact, FactGroup, FactList } from '../components/Facts.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { useMe, useSignOut } from '../panel.ts';
import { countOf } from '../numbers.ts';
import { useTitle } from '../title.ts';
import { showToast } from '../toasts.ts';

export function Account(): ReactNode {
  useTitle('Account');
  const me = useMe().data;
  const { signOut, isPending } = useSignOut();
  if (!me) return null;
  const { person } = me;
  return (
    <div className="column">
      <h1>Account</h1>
      <FactGroup title="You">
        <FactList>
          <Fact name="Name">{person.name}</Fact>
          <Fact name="User name">{person.userName}</Fact>
          <Fact name="E-mail">{person.email}</Fact>
          <Fact name="Role">{person.role === 'manager' ? 'lab manager' : 'experimenter'}</Fact>
          <Fact name="SSH keys">
            <Link to="/keys">{me.sshKeys === 0 ? 'none yet, add one' : countOf(me.sshKeys, 'key')}</Link>
          </Fact>
        </FactList>
        <Button type="button" basic onClick={signOut} loading={isPending} disabled={isPending}>
          Sign out
        </Button>
      </FactGroup>
      <FactGroup title="Change password">
        <PasswordForm />
      </FactGroup>
    </div>
  );
}

function PasswordForm(): ReactNode {
  const form = useForm({
    schema: changePasswordSchema,
    initial: { present: '', next: '' },
    send: (body) => send('/me/password', { method: 'POST', body }),
    onDone: (_answer, clear) => {
      clear();
      showToast('Your password is changed.');
    },
  });
  return (
    <form className="ui form" onSubmit={form.submit}>
      <TextField form={form} name="present" label="Present password" type="password" autoComplete="current-password" />
      <TextField
        form={form}
        name="next"
        label="New password"
        type="password"
        autoComplete="new-password"
        hint="At least 10 characters. Several words are fine."
      />
      <SubmitBar form={form} verb="Change password" />
    </form>
  );
}
