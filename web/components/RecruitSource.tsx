// What the deployed source does with completion links, ids and consent, and lines to paste where it lacks something.

import type { ReactNode } from 'react';
import type { Recruitment } from '../../contracts/recruiting.ts';
import type { SourceLine, SourceLooks } from '../../contracts/recruiting-view.ts';
import { consentSnippets, labelSnippet, lastPageSnippets, type Snippet } from '../recruit-snippets.ts';
import { Commands } from './Commands.tsx';
import { FactGroup } from './Facts.tsx';
import { Glyph } from './Glyph.tsx';

type Props = { source: SourceLooks | null; recruitment: Recruitment };
type Look = { readonly isWell: boolean; readonly sentence: string; readonly lines: readonly SourceLine[] };

export function RecruitSource({ source, recruitment }: Props): ReactNode {
  return (
    <FactGroup title="In your project">
      {source === null ? (
        <p className="quiet">Nothing is deployed yet, or the code is not yours to see. These lines are what a project needs.</p>
      ) : (
        <>
          <p className="quiet">
            Found by searching the text of the deployed commit <code>{source.commit.slice(0, 7)}</code>; nothing was run.
          </p>
          <ul className="plain-list looks">
            {looksOf(source).map((look) => (
              <LookLine key={look.sentence} look={look} />
            ))}
          </ul>
        </>
      )}
      <Snippets title="Lines for the last page" snippets={lastPageSnippets(recruitment)} />
      <Snippets title="Lines that keep the id" snippets={[labelSnippet]} />
      <Snippets title="Lines for people who do not consent" snippets={consentSnippets} />
    </FactGroup>
  );
}

function looksOf({ readsLink, hardCoded, keepsLabel, usesConsent, hasConsentField }: SourceLooks): Look[] {
  const looks: Look[] = [
    readsLink.length > 0
      ? { isWell: true, sentence: 'The experiment uses the completion link.', lines: readsLink }
      : { isWell: false, sentence: 'Nothing in the code uses completionlink: nobody would be sent back. Paste the lines for the last page.', lines: [] },
  ];
  if (hardCoded.length > 0)
    looks.push({ isWell: false, sentence: 'A link of Prolific stands in the code itself. What is entered here does not change it.', lines: hardCoded });
  looks.push(
    keepsLabel.length > 0
      ? { isWell: true, sentence: 'The id is read from participant.label.', lines: keepsLabel }
      : { isWell: true, sentence: 'The code does not copy the id; it stands in the data as participant.label all the same.', lines: [] },
  );
  if (usesConsent.length > 0)
    looks.push(
      hasConsentField
        ? { isWell: true, sentence: 'participant.consent is used, and PARTICIPANT_FIELDS names it.', lines: usesConsent }
        : { isWell: false, sentence: 'participant.consent is used, but PARTICIPANT_FIELDS in settings.py lacks consent: the page fails.', lines: usesConsent },
    );
  return looks;
}

const shownLines = 3;

function LookLine({ look: { isWell, sentence, lines } }: { look: Look }): ReactNode {
  return (
    <li>
      <span className={isWell ? 'tone-moss' : 'tone-brick'}>
        <Glyph name={isWell ? 'check circle' : 'times circle'} />
        {isWell ? '' : 'To do: '}
      </span>
      {sentence}
      {lines.slice(0, shownLines).map(({ file, line, text }) => (
        <span key={`${file}:${line}`} className="block quiet">
          <code>
            {file}:{line} {text}
          </code>
        </span>
      ))}
      {lines.length > shownLines && <span className="block quiet">and {lines.length - shownLines} more</span>}
    </li>
  );
}

function Snippets({ title, snippets }: { title: string; snippets: readonly Snippet[] }): ReactNode {
  return (
    <details className="fold">
      <summary>{title}</summary>
      {snippets.map(({ name, about, lines }) => (
        <div key={name} className="snippet">
          <p>
            <strong>{name}.</strong> {about}
          </p>
          <Commands lines={lines} what={name} />
        </div>
      ))}
    </details>
  );
}
