// A labelled choice of a form: the browser's own list, which works with a thumb and with a screen reader.

import type { ReactNode } from 'react';
import type { Form, Values } from '../form.ts';
import { FieldFrame, type FieldWords } from './FieldFrame.tsx';

type Option = { readonly value: string; readonly text: string };
type Props<V extends Values> = FieldWords & { form: Form<V>; name: keyof V & string; options: readonly Option[] };

export function Choice<V extends Values>({ form, name, options, ...words }: Props<V>): ReactNode {
  return (
    <FieldFrame {...words} remark={form.remark(name)}>
      {(marks) => (
        <select {...marks} name={name} value={form.values[name]} onChange={(event) => form.set(name, event.target.value)}>
          {options.map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </FieldFrame>
  );
}
