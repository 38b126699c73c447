// The frame of the pages before somebody is at home: one card in the middle.

import type { ReactNode } from 'react';
import { Segment } from 'semantic-ui-react';
import { usePanel } from '../panel.ts';
import { Glyph } from './Glyph.tsx';
import { LegalLinks } from './LegalLinks.tsx';
import { Notices } from './Notices.tsx';

type Props = { title: string; /** For more than a form of a few fields. */ isWide?: boolean; children: ReactNode };

export function Doorway({ title, isWide = false, children }: Props): ReactNode {
  const panel = usePanel().data;
  return (
    <>
      <Notices />
      <main className={isWide ? 'doorway wide' : 'doorway'}>
        <p className="brand">
          <Glyph name="tree" />
          {panel?.name ?? 'Arboretum'}
        </p>
        <Segment>
          <h1 className="ui header">{title}</h1>
          {children}
        </Segment>
        <LegalLinks />
        {panel && !panel.isHttps && (
          <p className="quiet">
            <Glyph name="lock open" /> This page comes by http, not encrypted.
          </p>
        )}
      </main>
    </>
  );
}
