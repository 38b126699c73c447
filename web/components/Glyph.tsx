// An icon that only repeats what a word beside it says.

import type { ReactNode } from 'react';
import { spinning } from '../looks.ts';

/** Hidden from screen readers: the word carries the meaning. What is under way turns. */
export function Glyph({ name }: { name: string }): ReactNode {
  return <i aria-hidden="true" className={`${name}${spinning.has(name) ? ' turning' : ''} icon`} />;
}
