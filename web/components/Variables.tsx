// The environment variables of an experiment: names in the open, values hidden until somebody asks for one.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { EnvironmentView } from '../../contracts/environment.ts';
import { readVariable, useChangeEnvironment } from '../environment.ts';
import { showToast } from '../toasts.ts';
import { Ago } from './Ago.tsx';
import { CopyButton } from './CopyButton.tsx';
import { Dialog } from './Dialog.tsx';
import { Glyph } from './Glyph.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { PasteVariables, SetVariable } from './VariableForms.tsx';

type Variable = EnvironmentView['variables'][number];
type Props = { instanceName: string; environment: EnvironmentView };

export function Variables({ instanceName, environment }: Props): ReactNode {
  const [asked, setAsked] = useState<{ kind: 'set' | 'paste' | 'remove'; name: string } | null>(null);
  const close = (): void => setAsked(null);
  return (
    <>
      <p>
        For keys and addresses that do not belong into git: the experiment reads them with <code>os.environ</code>. Values are stored encrypted and never stand
        in a log.
      </p>
      {environment.variables.length === 0 && <p className="quiet">No variables yet.</p>}
      <ul className="plain-list">
        {environment.variables.map((variable) => (
          <li key={variable.name}>
            <VariableRow
              instanceName={instanceName}
              variable={variable}
              onSet={() => setAsked({ kind: 'set', name: variable.name })}
              onRemove={() => setAsked({ kind: 'remove', name: variable.name })}
            />
          </li>
        ))}
      </ul>
      <p className="after-list button-row">
        <Button type="button" basic onClick={() => setAsked({ kind: 'set', name: '' })}>
          <Glyph name="plus" /> Add a variable…
        </Button>
        <Button type="button" basic onClick={() => setAsked({ kind: 'paste', name: '' })}>
          Paste several lines…
        </Button>
      </p>
      {asked?.kind === 'set' && <SetVariable instanceName={instanceName} name={asked.name} onClose={close} />}
      {asked?.kind === 'paste' && <PasteVariables instanceName={instanceName} known={environment.variables.map(({ name }) => name)} onClose={close} />}
      {asked?.kind === 'remove' && <RemoveVariable instanceName={instanceName} name={asked.name} onClose={close} />}
    </>
  );
}

type RowProps = { instanceName: string; variable: Variable; onSet: () => void; onRemove: () => void };

function VariableRow({ instanceName, variable, onSet, onRemove }: RowProps): ReactNode {
  const [shown, setShown] = useState<string | null>(null);
  const { name } = variable;
  const read = (): Promise<string> => readVariable(instanceName, name);
  const toggle = (): void => {
    if (shown !== null) return setShown(null);
    read().then(setShown, (error: unknown) => showToast(error instanceof Error ? error.message : 'The value could not be read.', 'brick'));
  };
  return (
    <div className="person-row">
      <span>
        <code>{name}</code> {shown === null && <span aria-label="hidden">••••••••</span>}
        <span className="block quiet">
          set by {variable.updatedByName} <Ago at={variable.updatedAt} />
        </span>
        {shown !== null && <pre className="variable-value">{shown === '' ? '(empty)' : shown}</pre>}
      </span>
      <span>
        <Button
          type="button"
          basic
          compact
          icon
          aria-label={`${shown === null ? 'Show' : 'Hide'} ${name}`}
          title={shown === null ? 'Show' : 'Hide'}
          onClick={toggle}
        >
          <Glyph name={shown === null ? 'eye outline' : 'eye slash outline'} />
        </Button>
        <CopyButton what={name} text={read} />
        <Button type="button" basic compact size="small" aria-label={`Change ${name}`} onClick={onSet}>
          Change…
        </Button>
        <Button type="button" basic compact size="small" aria-label={`Remove ${name}`} onClick={onRemove}>
          Remove…
        </Button>
      </span>
    </div>
  );
}

function RemoveVariable({ instanceName, name, onClose }: { instanceName: string; name: string; onClose: () => void }): ReactNode {
  const change = useChangeEnvironment(instanceName);
  return (
    <Dialog title={`Remove ${name}?`} isDangerous onClose={onClose}>
      <div className="content">
        <p>The value is gone for good. The experiment has it until its next start.</p>
        {change.error && <ProblemMessage error={change.error} />}
      </div>
      <div className="actions">
        <Button type="button" basic data-first-focus onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="button"
          negative
          loading={change.isPending}
          disabled={change.isPending}
          onClick={() => change.mutate({ remove: [name] }, { onSuccess: onClose })}
        >
          Remove
        </Button>
      </div>
    </Dialog>
  );
}
