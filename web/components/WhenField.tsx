// A labelled field for a date and a time, in the reader's own zone.

import { useId, type ReactNode } from 'react';
import type { Form, Values } from '../form.ts';

type Props<V extends Values> = { form: Form<V>; name: keyof V & string; label: string; hint: string };

export function WhenField<V extends Values>({ form, name, label, hint }: Props<V>): ReactNode {
  const id = useId();
  const remark = form.remark(name);
  return (
    <div className={`field ${remark === undefined ? '' : 'error'}`}>
      <label htmlFor={id}>{label}</label>
      <div className="ui fluid input">
        <input
          id={id}
          name={name}
          type="datetime-local"
          value={form.values[name]}
          onChange={(event) => form.set(name, event.target.value)}
          onBlur={() => form.leave(name)}
          aria-invalid={remark !== undefined}
          aria-describedby={`${id}-hint ${id}-remark`}
        />
      </div>
      <p className="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p className="remark" id={`${id}-remark`} role="alert">
        {remark}
      </p>
    </div>
  );
}
