// Who may come in, and what an error shows: each choice says what a visitor can then do.

import { useId, useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { AuthLevel, EnvironmentView } from '../../contracts/environment.ts';
import { useChangeEnvironment } from '../environment.ts';
import { showToast } from '../toasts.ts';
import { ProblemMessage } from './ProblemMessage.tsx';
import { TermLink, type Term } from './TermLink.tsx';

type Choice<V> = { readonly value: V; readonly name: string; readonly means: string; readonly isOpen?: boolean };

const levels: readonly Choice<AuthLevel>[] = [
  {
    value: 'STUDY',
    name: 'STUDY',
    means: 'Participants come in by their own links and rooms. Everything else asks for the admin password. Right for real sessions.',
  },
  {
    value: 'DEMO',
    name: 'DEMO',
    means: 'Anybody who knows the address may also start a demo session and play all its seats. Data and sessions ask for the password.',
  },
  {
    value: '',
    name: 'none',
    means: 'Anybody who knows the address is admin: may create sessions, read and download all data. Only for a trial without data.',
    isOpen: true,
  },
];
const errors: readonly Choice<boolean>[] = [
  { value: true, name: 'Production', means: 'A participant sees “Application error”. The error itself stands on the overview of this instance.' },
  {
    value: false,
    name: 'Debug',
    means: 'A participant sees the whole error with your code and the values in it, and debug information below every page.',
    isOpen: true,
  },
];

export function SafetyForm({ instanceName, environment }: { instanceName: string; environment: EnvironmentView }): ReactNode {
  const change = useChangeEnvironment(instanceName);
  const [authLevel, setAuthLevel] = useState(environment.authLevel);
  const [isProduction, setProduction] = useState(environment.isProduction);
  const isChanged = authLevel !== environment.authLevel || isProduction !== environment.isProduction;
  return (
    <form
      className="ui form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!change.isPending) change.mutate({ authLevel, isProduction }, { onSuccess: () => showToast('Saved.') });
      }}
    >
      <Choices name="Who may come in" term="auth-level" choices={levels} chosen={authLevel} onChoose={setAuthLevel} />
      <Choices name="What an error shows" term="production" choices={errors} chosen={isProduction} onChoose={setProduction} />
      {change.error && <ProblemMessage error={change.error} />}
      <Button type="submit" primary loading={change.isPending} disabled={!isChanged || change.isPending}>
        Save
      </Button>
    </form>
  );
}

type ChoicesProps<V> = { name: string; term: Term; choices: readonly Choice<V>[]; chosen: V; onChoose: (value: V) => void };

function Choices<V extends string | boolean>({ name, term, choices, chosen, onChoose }: ChoicesProps<V>): ReactNode {
  const id = useId();
  return (
    <fieldset className="choices" aria-label={name}>
      <legend>
        {name}
        <TermLink term={term} />
      </legend>
      {choices.map((choice) => (
        <div key={choice.name} className="choice">
          <input
            id={`${id}-${choice.name}`}
            type="radio"
            name={name}
            aria-describedby={`${id}-${choice.name}-means`}
            checked={choice.value === chosen}
            onChange={() => onChoose(choice.value)}
          />
          <label htmlFor={`${id}-${choice.name}`}>{choice.name}</label>
          <span id={`${id}-${choice.name}-means`} className={choice.isOpen ? 'tone-amber' : 'quiet'}>
            {choice.means}
          </span>
        </div>
      ))}
    </fieldset>
  );
}
