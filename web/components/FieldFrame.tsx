// What stands around every control of a form: label, hint, remark.

import { useId, type ReactNode } from 'react';
import { TermLink, type Term } from './TermLink.tsx';

/** What a field says about itself. */
export type FieldWords = {
  label: string;
  hint?: ReactNode;
  /** Heading of docs/glossary.md that explains the word, as its anchor: `deploy-branch`. */
  term?: Term | undefined;
};

/** What the control must carry, so that it belongs to its label, its hint and its remark. */
export type ControlMarks = { id: string; 'aria-invalid': boolean; 'aria-describedby': string };

type Props = FieldWords & { remark: string | undefined; children: (marks: ControlMarks) => ReactNode };

export function FieldFrame({ label, hint, term, remark, children }: Props): ReactNode {
  const id = useId();
  return (
    <div className={`field ${remark === undefined ? '' : 'error'}`}>
      <label htmlFor={id}>{label}</label>
      {term && <TermLink term={term} />}
      {children({ id, 'aria-invalid': remark !== undefined, 'aria-describedby': `${id}-hint ${id}-remark` })}
      <p className="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p className="remark" id={`${id}-remark`} role="alert">
        {remark}
      </p>
    </div>
  );
}
