// Lines to paste into a project, folded until somebody wants them.

import type { ReactNode } from 'react';
import type { Snippet } from '../recruit-snippets.ts';
import { Commands } from './Commands.tsx';

export function Snippets({ title, snippets }: { title: string; snippets: readonly Snippet[] }): ReactNode {
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
