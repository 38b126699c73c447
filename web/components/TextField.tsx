// One labelled field of a form, with its hint and its remark.

import { useId, useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { Form, Values } from '../form.ts';
import { Glyph } from './Glyph.tsx';
import { TermLink, type Term } from './TermLink.tsx';

type Props<V extends Values> = {
  form: Form<V>;
  name: keyof V & string;
  label: string;
  hint?: ReactNode;
  type?: 'text' | 'password' | 'email' | 'number';
  autoComplete?: string;
  /** More than one row makes a text area. */
  rows?: number;
  /** For names, keys and other text that is not prose. */
  isCode?: boolean;
  isFirst?: boolean;
  /** Heading of docs/glossary.md that explains the word, as its anchor: `deploy-branch`. */
  term?: Term;
};

export function TextField<V extends Values>(props: Props<V>): ReactNode {
  const { form, name, label, hint, type = 'text', rows = 1, isCode = false, isFirst = false } = props;
  const id = useId();
  const [isShown, setShown] = useState(false);
  const remark = form.remark(name);
  const shared = {
    id,
    name,
    value: form.values[name],
    onBlur: () => form.leave(name),
    'aria-invalid': remark !== undefined,
    'aria-describedby': `${id}-hint ${id}-remark`,
    autoComplete: props.autoComplete ?? 'off',
    ...(isFirst ? { 'data-first-focus': true, autoFocus: true } : {}),
    ...(isCode ? { className: 'code', spellCheck: false, autoCapitalize: 'none' } : {}),
  };
  return (
    <div className={`field ${remark === undefined ? '' : 'error'}`}>
      <label htmlFor={id}>{label}</label>
      {props.term && <TermLink term={props.term} />}
      {rows > 1 ? (
        <textarea {...shared} rows={rows} onChange={(event) => form.set(name, event.target.value)} />
      ) : (
        <div className="ui fluid action input">
          <input
            {...shared}
            type={isShown ? 'text' : type}
            {...(type === 'number' ? { min: 1, inputMode: 'numeric' } : {})}
            onChange={(event) => form.set(name, event.target.value)}
          />
          {type === 'password' && (
            <Button
              type="button"
              basic
              icon
              aria-pressed={isShown}
              aria-label={isShown ? 'Hide what is typed' : 'Show what is typed'}
              onClick={() => setShown(!isShown)}
            >
              <Glyph name={isShown ? 'eye slash outline' : 'eye outline'} />
            </Button>
          )}
        </div>
      )}
      <p className="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p className="remark" id={`${id}-remark`} role="alert">
        {remark}
      </p>
    </div>
  );
}
