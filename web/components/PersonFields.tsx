// The fields of a new person, shared by the first run and the People page.

import type { ReactNode } from 'react';
import type { Form } from '../form.ts';
import { TextField } from './TextField.tsx';

export type PersonValues = { name: string; userName: string; email: string; password: string };

/** For a colleague, the browser must not fill in the reader's own name and address. */
export function PersonFields<V extends PersonValues>({ form, isForColleague = false }: { form: Form<V>; isForColleague?: boolean }): ReactNode {
  const own = (hint: string): string => (isForColleague ? 'off' : hint);
  return (
    <>
      <TextField form={form} name="name" label="Name" autoComplete={own('name')} isFirst hint="As colleagues say it, for example Ada Lovelace." />
      <TextField
        form={form}
        name="userName"
        label="User name"
        autoComplete={own('username')}
        isCode
        hint="Short, for signing in: small letters, digits, dot, hyphen."
      />
      <TextField form={form} name="email" label="E-mail address" type="email" autoComplete={own('email')} />
      <TextField
        form={form}
        name="password"
        label={isForColleague ? 'Password (optional)' : 'Password'}
        type="password"
        autoComplete="new-password"
        hint={
          isForColleague
            ? 'Better left empty: the person then chooses one by a one-time link. Otherwise at least 10 characters.'
            : 'At least 10 characters. Several words are fine.'
        }
      />
    </>
  );
}
