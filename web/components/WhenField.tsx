// A labelled field for a date and a time, in the reader's own zone.

import type { ReactNode } from 'react';
import type { Form, Values } from '../form.ts';
import { FieldFrame, type FieldWords } from './FieldFrame.tsx';

type Props<V extends Values> = FieldWords & { form: Form<V>; name: keyof V & string };

export function WhenField<V extends Values>({ form, name, ...words }: Props<V>): ReactNode {
  return (
    <FieldFrame {...words} remark={form.remark(name)}>
      {(marks) => (
        <div className="ui fluid input">
          <input
            {...marks}
            name={name}
            type="datetime-local"
            value={form.values[name]}
            onChange={(event) => form.set(name, event.target.value)}
            onBlur={() => form.leave(name)}
          />
        </div>
      )}
    </FieldFrame>
  );
}
