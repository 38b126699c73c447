// The reader's own account: who one is, changing the password, signing out.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Button } from 'semantic-ui-react';
import { changePasswordSchema, changeProfileSchema, meSchema, type Me } from '../../contracts/people.ts';
import { request, send } from '../api.ts';
import { Fact, FactGroup, FactList } from '../components/Facts.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { useMe, useSignOut, useWelcome } from '../panel.ts';
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
          <Fact name="Role">{person.role === 'manager' ? 'lab manager' : 'experimenter'}</Fact>
          <Fact name="SSH keys">
            <Link to="/keys">{me.sshKeys === 0 ? 'none yet, add one' : countOf(me.sshKeys, 'key')}</Link>
          </Fact>
        </FactList>
        <Button type="button" basic onClick={signOut} loading={isPending} disabled={isPending}>
          Sign out
        </Button>
      </FactGroup>
      <FactGroup title="Profile">
        <ProfileForm person={person} />
      </FactGroup>
      <FactGroup title="Change password">
        <PasswordForm />
      </FactGroup>
    </div>
  );
}

function ProfileForm({ person }: { person: Me['person'] }): ReactNode {
  const welcome = useWelcome();
  const form = useForm({
    schema: changeProfileSchema.required({ name: true, userName: true, email: true }),
    initial: { name: person.name, userName: person.userName, email: person.email, present: '' },
    toBody: ({ present, ...values }) => (present === '' ? values : { ...values, present }),
    send: (body) => request(meSchema, '/me', { method: 'PATCH', body }),
    onDone: (me) => {
      welcome(me);
      form.set('present', '');
      showToast('Your profile is saved.');
    },
  });
  const { name, userName, email } = form.values;
  const isOtherAddress = email.trim().toLowerCase() !== person.email;
  const isChanged = isOtherAddress || name.trim() !== person.name || userName.trim().toLowerCase() !== person.userName;
  return (
    <form className="ui form" onSubmit={form.submit}>
      <TextField form={form} name="name" label="Name" autoComplete="name" hint="As colleagues see it." />
      <TextField form={form} name="userName" label="User name" autoComplete="username" isCode hint="You sign in with it, or with your e-mail address." />
      <TextField form={form} name="email" label="E-mail address" type="email" autoComplete="email" />
      {isOtherAddress && (
        <TextField
          form={form}
          name="present"
          label="Present password"
          type="password"
          autoComplete="current-password"
          hint="Links to a new password go to your e-mail address, so changing it needs your password."
        />
      )}
      <SubmitBar form={form} verb="Save profile" isReady={isChanged} />
    </form>
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
