// What every page has to say at its top: the panel's permanent notice.

import type { ReactNode } from 'react';
import { usePanel } from '../panel.ts';
import { Glyph } from './Glyph.tsx';

export function Notices(): ReactNode {
  const notice = usePanel().data?.notice;
  if (!notice) return null;
  return (
    <aside className="notice" aria-label="Notice">
      <Glyph name="exclamation triangle" />
      {notice}
    </aside>
  );
}
