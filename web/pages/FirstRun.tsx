// The page behind the one-time link of the first start: it makes the first manager.

import { useState, type ReactNode } from 'react';
import { Link, Navigate, useSearchParams } from 'react-router';
import { firstRunSchema, meSchema } from '../../contracts/people.ts';
import { request } from '../api.ts';
import { Doorway } from '../components/Doorway.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { PersonFields } from '../components/PersonFields.tsx';
import { useForm } from '../form.ts';
import { useMe, usePanel, useWelcome } from '../panel.ts';
import { useTitle } from '../title.ts';

export function FirstRun(): ReactNode {
  useTitle('Welcome');
  const [search] = useSearchParams();
  const token = search.get('token') ?? '';
  const panel = usePanel();
  const me = useMe();
  const welcome = useWelcome();
  /** Whoever was signed in before is only in the wrong place here. */
  const [isNew, setIsNew] = useState(false);
  const form = useForm({
    schema: firstRunSchema,
    initial: { name: '', userName: '', email: '', password: '' },
    toBody: (values) => ({ ...values, token }),
    send: (body) => request(meSchema, '/first-run', { method: 'POST', body }),
    onDone: (made) => {
      setIsNew(true);
      welcome(made);
    },
  });
  if (me.data) return <Navigate replace to={isNew ? '/first-run/platform' : '/'} />;
  if (token === '' || panel.data?.needsFirstManager === false) {
    return (
      <Doorway title={panel.data?.needsFirstManager === false ? 'There is a lab manager already' : 'This link is not complete'}>
        <p>
          {panel.data?.needsFirstManager === false
            ? 'The link of the first start has done its work.'
            : 'Open the whole link that the start of the panel printed in its terminal.'}
        </p>
        <Link className="ui primary button" to="/sign-in">
          Sign in
        </Link>
      </Doorway>
    );
  }
  return (
    <Doorway title="Welcome. Who manages this lab?">
      <p className="quiet">Step 1 of 2.</p>
      <p>You become the first lab manager: you create instances and accounts for others, and may do everything on every instance.</p>
      <form className="ui form" onSubmit={form.submit}>
        <PersonFields form={form} />
        <SubmitBar form={form} verb="Create my account" />
      </form>
    </Doorway>
  );
}
