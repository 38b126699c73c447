// One check of a list: the result, what was seen, what it means, what to do; below it what its page adds.

import type { ReactNode } from 'react';
import type { CheckItem } from '../../contracts/system-check.ts';
import { checkLooks } from '../system-check.ts';
import { Sign } from './Sign.tsx';

/** The id that leads to a check on its page. */
export const checkAnchor = ({ id }: Pick<CheckItem, 'id'>): string => `check-${id}`;

export const CheckEntry = ({ check, children }: { check: CheckItem; children: ReactNode }): ReactNode => (
  <li id={checkAnchor(check)}>
    <Sign look={checkLooks[check.result]} />
    <div>
      <h3>{check.title}</h3>
      <p>
        {check.seen} <span className="quiet">{check.means}</span>
      </p>
      {check.fix !== null && (
        <p>
          <strong>What to do:</strong> {check.fix}
        </p>
      )}
      {children}
    </div>
  </li>
);
