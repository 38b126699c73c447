// Signing in, and back to where one wanted to go.

import type { ReactNode } from 'react';
import { Link, Navigate, useSearchParams } from 'react-router';
import { Message } from 'semantic-ui-react';
import { meSchema, signInSchema } from '../../contracts/people.ts';
import { readBack } from '../addresses.ts';
import { request } from '../api.ts';
import { Doorway } from '../components/Doorway.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { useMe, usePanel, useWelcome } from '../panel.ts';
import { useTitle } from '../title.ts';

export function SignIn(): ReactNode {
  useTitle('Sign in');
  const [search] = useSearchParams();
  const me = useMe();
  const panel = usePanel().data;
  const form = useForm({
    schema: signInSchema,
    initial: { login: '', password: '' },
    send: (body) => request(meSchema, '/session', { method: 'POST', body }),
    onDone: useWelcome(),
  });
  if (me.data) return <Navigate replace to={readBack(search.get('back'))} />;
  return (
    <Doorway title="Sign in">
      {panel?.needsFirstManager && (
        <Message warning>
          <Message.Header>There is no lab manager yet.</Message.Header>
          <p>Open the one-time link that the start of the panel printed in its terminal.</p>
        </Message>
      )}
      <form className="ui form" onSubmit={form.submit}>
        <TextField form={form} name="login" label="User name or e-mail address" autoComplete="username" isFirst />
        <TextField form={form} name="password" label="Password" type="password" autoComplete="current-password" />
        <SubmitBar form={form} verb="Sign in" />
      </form>
      <p className="after-form">
        <Link to="/forgotten-password">Forgotten your password?</Link>
      </p>
    </Doorway>
  );
}
