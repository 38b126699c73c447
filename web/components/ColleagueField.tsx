// Choosing a colleague: managers pick from the people of the lab, everybody else types a name that they know.

import type { ReactNode } from 'react';
import type { Form } from '../form.ts';
import { useMay } from '../panel.ts';
import { usePeople } from '../people.ts';
import { Choice } from './Choice.tsx';
import { TextField } from './TextField.tsx';

type Props<V extends { login: string } & Record<string, string>> = { form: Form<V>; label: string; leaveOutIds: readonly string[] };

export function ColleagueField<V extends { login: string } & Record<string, string>>({ form, label, leaveOutIds }: Props<V>): ReactNode {
  const mayList = useMay('people.list');
  const people = usePeople(mayList);
  if (!mayList || (people.isError && people.data === undefined))
    return <TextField form={form} name="login" label={label} isCode hint="Their user name or e-mail address, exactly as they sign in." />;
  // A list from the start: a field that changes its kind would lose what was typed meanwhile.
  if (people.data === undefined) return <Choice form={form} name="login" label={label} options={[{ value: '', text: 'Loading…' }]} />;
  const options = people.data
    .filter(({ id, isDisabled }) => !isDisabled && !leaveOutIds.includes(id))
    .map(({ userName, name }) => ({ value: userName, text: `${name} (${userName})` }));
  return <Choice form={form} name="login" label={label} options={[{ value: '', text: 'Choose a person' }, ...options]} />;
}
