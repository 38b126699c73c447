// A small question mark beside a word: it opens the word's place in the glossary.

import type { ReactNode } from 'react';

/** The glossary's headings that fields link to; a test compares them with docs/glossary.md. */
export const terms = [
  'admin-password',
  'auth-level',
  'backup',
  'deploy-branch',
  'environment-variable',
  'label',
  'lobby',
  'operate-view',
  'production',
  'room',
  'secure-links',
  'session-config',
  'ssh-key',
] as const;
export type Term = (typeof terms)[number];

export function TermLink({ term }: { term: Term }): ReactNode {
  return (
    <a className="term" href={`/help/glossary#${term}`} target="_blank" rel="noopener" aria-label={`What is this: ${term.replaceAll('-', ' ')}?`}>
      ?
    </a>
  );
}
