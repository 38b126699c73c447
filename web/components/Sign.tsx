// A state as word, icon and colour, the same on every page.

import type { ReactNode } from 'react';
import { stateLooks, type InstanceState } from '../../contracts/states.ts';
import type { Look } from '../looks.ts';
import { Glyph } from './Glyph.tsx';

export function Sign({ look, word }: { look: Look; word?: string }): ReactNode {
  return (
    <span className={`sign tone-${look.tone}`}>
      <Glyph name={look.icon} />
      {word ?? look.word}
    </span>
  );
}

export function StateSign({ state }: { state: InstanceState }): ReactNode {
  return <Sign look={stateLooks[state]} />;
}
