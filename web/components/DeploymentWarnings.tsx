// What deployed but is worth a look: in full for the version that runs, folded for those before it.

import type { ReactNode } from 'react';
import type { DeploymentView } from '../../contracts/instances.ts';
import { countOf } from '../numbers.ts';
import { Glyph } from './Glyph.tsx';
import { Sentence } from './Sentence.tsx';

export function DeploymentWarnings({ deployment }: { deployment: Pick<DeploymentView, 'number' | 'warnings' | 'isCurrent'> }): ReactNode {
  const { number, warnings, isCurrent } = deployment;
  if (warnings.length === 0) return null;
  const list = (
    <ul className="warnings" aria-label={`Warnings of deployment ${number}`}>
      {warnings.map((sentence) => (
        <li key={sentence}>
          <span className="tone-amber">
            <Glyph name="exclamation triangle" /> <span className="said">Warning:</span>
          </span>{' '}
          <Sentence text={sentence} />
        </li>
      ))}
    </ul>
  );
  if (isCurrent) return list;
  return (
    <details className="fold">
      <summary>{countOf(warnings.length, 'warning')}</summary>
      {list}
    </details>
  );
}
