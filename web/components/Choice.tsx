// A labelled choice of a form: the browser's own list, which works with a thumb and with a screen reader.

import { useId, type ReactNode } from 'react';
import type { Form, Values } from '../form.ts';
import { TermLink, type Term } from './TermLink.tsx';

type Option = { readonly value: string; readonly text: string };
type Props<V extends Values> = { form: Form<V>; name: keyof V & string; label: string; options: readonly Option[]; hint?: ReactNode; term?: Term };

export function Choice<V extends Values>({ form, name, label, options, hint, term }: Props<V>): ReactNode {
  const id = useId();
  const remark = form.remark(name);
  return (
    <div className={`field ${remark === undefined ? '' : 'error'}`}>
      <label htmlFor={id}>{label}</label>
      {term && <TermLink term={term} />}
      <select
        id={id}
        name={name}
        value={form.values[name]}
        onChange={(event) => form.set(name, event.target.value)}
        aria-invalid={remark !== undefined}
        aria-describedby={`${id}-hint ${id}-remark`}
      >
        {options.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <p className="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p className="remark" id={`${id}-remark`} role="alert">
        {remark}
      </p>
    </div>
  );
}
