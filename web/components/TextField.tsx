// One labelled field of a form, with its hint and its remark.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import type { Form, Values } from '../form.ts';
import { FieldFrame, type ControlMarks, type FieldWords } from './FieldFrame.tsx';
import { Glyph } from './Glyph.tsx';

type Props<V extends Values> = FieldWords & {
  form: Form<V>;
  name: keyof V & string;
  type?: 'text' | 'password' | 'email' | 'number';
  autoComplete?: string;
  /** More than one row makes a text area. */
  rows?: number;
  /** For names, keys and other text that is not prose. */
  isCode?: boolean;
  isFirst?: boolean;
};

export const TextField = <V extends Values>(props: Props<V>): ReactNode => (
  <FieldFrame label={props.label} hint={props.hint} term={props.term} remark={props.form.remark(props.name)}>
    {(marks) => <Control {...props} marks={marks} />}
  </FieldFrame>
);

function Control<V extends Values>(props: Props<V> & { marks: ControlMarks }): ReactNode {
  const { form, name, type = 'text', rows = 1, isCode = false, isFirst = false } = props;
  const [isShown, setShown] = useState(false);
  const shared = {
    ...props.marks,
    name,
    value: form.values[name],
    onBlur: () => form.leave(name),
    autoComplete: props.autoComplete ?? 'off',
    ...(isFirst ? { 'data-first-focus': true, autoFocus: true } : {}),
    ...(isCode ? { className: 'code', spellCheck: false, autoCapitalize: 'none' } : {}),
  };
  if (rows > 1) return <textarea {...shared} rows={rows} onChange={(event) => form.set(name, event.target.value)} />;
  return (
    <div className="ui fluid action input">
      <input
        {...shared}
        type={isShown ? 'text' : type}
        {...(type === 'number' ? { min: 1, inputMode: 'numeric' } : {})}
        onChange={(event) => form.set(name, event.target.value)}
      />
      {type === 'password' && <ShowButton isShown={isShown} onClick={() => setShown(!isShown)} />}
    </div>
  );
}

const ShowButton = ({ isShown, onClick }: { isShown: boolean; onClick: () => void }): ReactNode => (
  <Button type="button" basic icon aria-label={isShown ? 'Hide what is typed' : 'Show what is typed'} onClick={onClick}>
    <Glyph name={isShown ? 'eye slash outline' : 'eye outline'} />
  </Button>
);
