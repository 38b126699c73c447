// The links to imprint and privacy on participants' pages, in their language.

import type { LegalPageName } from '../contracts/legal.ts';

const words: Readonly<Record<string, Readonly<Record<LegalPageName, string>>>> = {
  en: { imprint: 'Imprint', privacy: 'Privacy' },
  de: { imprint: 'Impressum', privacy: 'Datenschutz' },
  fr: { imprint: 'Mentions légales', privacy: 'Confidentialité' },
  es: { imprint: 'Aviso legal', privacy: 'Privacidad' },
  it: { imprint: 'Note legali', privacy: 'Privacy' },
  nl: { imprint: 'Colofon', privacy: 'Privacy' },
};

/** Addresses and words of the pages that have a text; English where a language is not known. */
export const legalLinks = (names: readonly LegalPageName[], language: string): { readonly href: string; readonly text: string }[] =>
  names.map((name) => ({ href: `/legal/${name}`, text: (words[language] ?? words['en'])?.[name] ?? name }));
