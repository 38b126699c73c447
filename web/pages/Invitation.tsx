// The page behind a one-time link: choose a password and be signed in.

import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import type { z } from 'zod';
import { acceptLinkSchema, linkOwnerSchema, meSchema } from '../../contracts/people.ts';
import { ApiError, request } from '../api.ts';
import { Answer } from '../components/Answer.tsx';
import { Doorway } from '../components/Doorway.tsx';
import { SubmitBar } from '../components/SubmitBar.tsx';
import { TextField } from '../components/TextField.tsx';
import { useForm } from '../form.ts';
import { useMe, useWelcome } from '../panel.ts';
import { useTitle } from '../title.ts';

type Owner = z.infer<typeof linkOwnerSchema>;

/** The token stands behind the `#`, which no server and no log ever sees. */
const readToken = (): string => new URLSearchParams(window.location.hash.slice(1)).get('token') ?? '';

export function Invitation(): ReactNode {
  useTitle('Welcome');
  const [token] = useState(readToken);
  // Whoever is signed in already has a token that every unsafe request must carry; `me` brings it.
  const me = useMe();
  const owner = useLinkOwner(token, me.isFetched);
  if (token === '' || (owner.error instanceof ApiError && owner.error.code === 'link_dead')) return <DeadLink isComplete={token !== ''} />;
  const isReset = owner.data?.purpose === 'password_reset';
  return (
    <Doorway title={owner.data === undefined ? 'Welcome' : isReset ? 'Choose a new password' : `Welcome, ${owner.data.name}`}>
      <Answer query={owner}>{(found) => <PasswordForm token={token} owner={found} />}</Answer>
    </Doorway>
  );
}

/** Asked once: afterwards the form tells whether the link still works. */
const useLinkOwner = (token: string, isReady: boolean): UseQueryResult<Owner> =>
  useQuery({
    queryKey: ['link-owner', token],
    queryFn: ({ signal }) => request(linkOwnerSchema, '/invitation/owner', { method: 'POST', body: { token }, signal }),
    enabled: token !== '' && isReady,
    staleTime: Infinity,
    gcTime: 0,
  });

function DeadLink({ isComplete }: { isComplete: boolean }): ReactNode {
  return (
    <Doorway title={isComplete ? 'This link does not work any more' : 'This link is not complete'}>
      <p>
        {isComplete
          ? 'It has been used, it has run out, or a newer one was made. Have you chosen your password already? Then sign in.'
          : 'Copy the whole link, from http to its last letter, into the address bar.'}
      </p>
      <p>
        <Link to="/sign-in">Sign in</Link> · <Link to="/forgotten-password">Forgotten your password?</Link>
      </p>
    </Doorway>
  );
}

function PasswordForm({ token, owner }: { token: string; owner: Owner }): ReactNode {
  const welcome = useWelcome();
  const signedIn = useMe().data?.person;
  const navigate = useNavigate();
  const form = useForm({
    schema: acceptLinkSchema,
    initial: { password: '' },
    toBody: ({ password }) => ({ token, password }),
    send: (body) => request(meSchema, '/invitation', { method: 'POST', body }),
    onDone: (me) => {
      welcome(me);
      void navigate('/', { replace: true });
    },
  });
  return (
    <form className="ui form" onSubmit={form.submit}>
      <p>
        You sign in as <strong>{owner.userName}</strong>.
      </p>
      {signedIn && signedIn.userName !== owner.userName && (
        <p className="tone-amber">In this browser {signedIn.name} is signed in just now. That sign-in ends when you go on.</p>
      )}
      {/* so that the browser keeps the password under the right name */}
      <input type="text" name="username" autoComplete="username" value={owner.userName} readOnly hidden />
      <TextField
        form={form}
        name="password"
        label="Password"
        type="password"
        autoComplete="new-password"
        isFirst
        hint="At least 10 characters. Several words are fine."
      />
      <SubmitBar form={form} verb="Choose password and sign in" />
    </form>
  );
}
