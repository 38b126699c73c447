// The dialogs that set one variable, or many from pasted lines.

import type { ReactNode } from 'react';
import { z } from 'zod';
import { environmentLimits, variableNameSchema, whyReserved, type EnvironmentChange } from '../../contracts/environment.ts';
import { useChangeEnvironment } from '../environment.ts';
import { readLines } from '../environment-lines.ts';
import { useForm } from '../form.ts';
import { countOf } from '../numbers.ts';
import { showToast } from '../toasts.ts';
import { Dialog } from './Dialog.tsx';
import { ProblemMessage } from './ProblemMessage.tsx';
import { DialogActions } from './SubmitBar.tsx';
import { TextField } from './TextField.tsx';

const oneSchema = z.object({
  name: variableNameSchema.superRefine((name, context) => {
    const reason = whyReserved(name);
    if (reason !== null) context.addIssue({ code: 'custom', message: `${name} cannot be set here: ${reason}` });
  }),
  value: z.string().refine((value) => new TextEncoder().encode(value).length <= environmentLimits.valueBytes, 'At most 32 KiB.'),
});

/** @param name of the variable that is changed, empty for a new one */
export function SetVariable({ instanceName, name, onClose }: { instanceName: string; name: string; onClose: () => void }): ReactNode {
  const change = useChangeEnvironment(instanceName);
  const form = useForm({
    schema: oneSchema,
    initial: { name, value: '' },
    toBody: (values) => values,
    send: (variable) => change.mutateAsync({ set: [variable] }),
    onDone: () => {
      showToast('Saved.');
      onClose();
    },
  });
  return (
    <Dialog title={name === '' ? 'Add a variable' : `Change ${name}`} onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          {name === '' && (
            <TextField
              form={form}
              name="name"
              label="Name"
              term="environment-variable"
              isFirst
              isCode
              hint="Capital letters, digits and underscore, for example API_KEY."
            />
          )}
          <TextField
            form={form}
            name="value"
            label={name === '' ? 'Value' : 'New value'}
            rows={4}
            isCode
            isFirst={name !== ''}
            hint="It may have several lines."
          />
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Save" onCancel={onClose} />
      </form>
    </Dialog>
  );
}

const pasteSchema = z.object({ lines: z.string() }).transform(({ lines }, context): EnvironmentChange => {
  const { variables, remark } = readLines(lines);
  if (remark !== null) context.addIssue({ code: 'custom', path: ['lines'], message: remark });
  return { set: [...variables] };
});

export function PasteVariables({ instanceName, known, onClose }: { instanceName: string; known: readonly string[]; onClose: () => void }): ReactNode {
  const change = useChangeEnvironment(instanceName);
  const form = useForm({
    schema: pasteSchema,
    initial: { lines: '' },
    toBody: (values) => values,
    send: (body) => change.mutateAsync(body),
    onDone: () => {
      showToast('Saved.');
      onClose();
    },
  });
  const { variables } = readLines(form.values.lines);
  const replaced = variables.filter(({ name }) => known.includes(name)).map(({ name }) => name);
  return (
    <Dialog title="Paste several variables" onClose={onClose}>
      <form className="ui form" onSubmit={form.submit}>
        <div className="content">
          <TextField
            form={form}
            name="lines"
            label="Lines"
            rows={8}
            isCode
            isFirst
            hint="One KEY=value a line, as in a .env file. A value with several lines stands in double quotes."
          />
          {variables.length > 0 && (
            <p className="quiet">
              {countOf(variables.length, 'variable')}
              {replaced.length > 0 && `; replaced: ${replaced.join(', ')}`}.
            </p>
          )}
          {form.problem && <ProblemMessage error={form.problem} />}
        </div>
        <DialogActions form={form} verb="Save" isReady={variables.length > 0 || form.values.lines.trim() !== ''} onCancel={onClose} />
      </form>
    </Dialog>
  );
}
