// What has to be filled in on another site: the field in that site's own words, what to put there, a button that copies it.

import type { ReactNode } from 'react';
import { CopyButton } from './CopyButton.tsx';

export type PasteStep = {
  /** As the other site calls it. */
  readonly field: string;
  /** Text to paste; left out, the remark says what to choose. */
  readonly text?: string;
  readonly remark?: ReactNode;
};

export function PasteList({ steps }: { steps: readonly PasteStep[] }): ReactNode {
  return (
    <ol className="paste-list">
      {steps.map(({ field, text, remark }) => (
        <li key={field}>
          <strong>{field}</strong>
          {text !== undefined && (
            <div className="remote">
              <code>{text}</code>
              <CopyButton text={text} what={field} />
            </div>
          )}
          {remark !== undefined && <p className="quiet">{remark}</p>}
        </li>
      ))}
    </ol>
  );
}
