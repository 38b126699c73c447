// A forgotten password: a link by mail, or the way to a lab manager.

import { useState, type ReactNode } from 'react';
import { Link, Navigate } from 'react-router';
import { forgottenPasswordSchema } from '../../contracts/people.ts';
import { send } from '../api.ts';
import { Loading } from '../components/Answer.tsx';
import { Doorway } from '../components/Doorway.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { useMe, usePanel } from '../panel.ts';
import { useTitle } from '../title.ts';

export function ForgottenPassword(): ReactNode {
  useTitle('Forgotten password');
  const panel = usePanel().data;
  const me = useMe();
  if (me.data) return <Navigate replace to="/account" />;
  return (
    <Doorway title="Forgotten password">
      {panel === undefined ? <Loading /> : panel.hasMail ? <AskForm /> : <p>Ask a lab manager: they can give you a link to choose a new password.</p>}
      <p className="after-form">
        <Link to="/sign-in">‹ Sign in</Link>
      </p>
    </Doorway>
  );
}

function AskForm(): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const form = useForm({
    schema: forgottenPasswordSchema,
    initial: { login: '' },
    send: (body) => send('/forgotten-password', { method: 'POST', body }),
    onDone: () => setAsked(true),
  });
  if (isAsked)
    return (
      <p role="status">
        If there is an account of this name, a mail with a link is on its way to its address. The link works for one hour. Nothing there? Look among unwanted
        mails, or ask a lab manager.
      </p>
    );
  return (
    <form className="ui form" onSubmit={form.submit}>
      <TextField
        form={form}
        name="login"
        label="User name or e-mail address"
        autoComplete="username"
        isFirst
        hint="You get a mail with a link to choose a new password."
      />
      <SubmitBar form={form} verb="Send me a link" />
    </form>
  );
}
