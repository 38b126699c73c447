// Commands to type into a terminal, with one button that copies all of them.

import type { ReactNode } from 'react';
import { CopyButton } from './CopyButton.tsx';

export function Commands({ lines, what }: { lines: readonly string[]; what: string }): ReactNode {
  return (
    <div className="commands">
      <pre aria-label={what}>{lines.join('\n')}</pre>
      <CopyButton text={`${lines.join('\n')}\n`} what={what} />
    </div>
  );
}
