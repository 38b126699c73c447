// Links to imprint and privacy, when there are such pages.

import type { ReactNode } from 'react';
import type { LegalPageName } from '../../contracts/legal.ts';
import { usePanel } from '../panel.ts';

const words: Readonly<Record<LegalPageName, string>> = { imprint: 'Imprint', privacy: 'Privacy' };

/** Ordinary links: the server writes these pages itself. */
export function LegalLinks(): ReactNode {
  const pages = usePanel().data?.legalPages ?? [];
  if (pages.length === 0) return null;
  return (
    <nav className="legal-links" aria-label="Legal pages">
      {pages.map((name) => (
        <a key={name} href={`/legal/${name}`}>
          {words[name]}
        </a>
      ))}
    </nav>
  );
}
