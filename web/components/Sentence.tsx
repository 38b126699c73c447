// A sentence in which names of files and commands stand between backquotes, as a terminal shows it.

import type { ReactNode } from 'react';

/** What stands between backquotes is set as code. */
export function Sentence({ text }: { text: string }): ReactNode {
  return <>{text.split('`').map((piece, at) => (at % 2 === 1 ? <code key={at}>{piece}</code> : piece))}</>;
}
