// Checks of one group: the result, what was seen, what it means, what to do, and a text for the IT department where it can help.

import type { ReactNode } from 'react';
import { needingCare, type Checked } from '../../contracts/system-check.ts';
import { checkLooks } from '../system-check.ts';
import { CheckEntry, checkAnchor } from './CheckEntry.tsx';
import { CopyButton } from './CopyButton.tsx';
import { FactGroup } from './Facts.tsx';
import { Sign } from './Sign.tsx';

export function CheckList({ title, checks }: { title: string; checks: readonly Checked[] }): ReactNode {
  return (
    <FactGroup title={title}>
      <ul className="checks">
        {checks.map((check) => (
          <CheckEntry key={check.id} check={check}>
            {check.request !== null && <Request title={check.title} text={check.request} />}
          </CheckEntry>
        ))}
      </ul>
    </FactGroup>
  );
}

const Request = ({ title, text }: { title: string; text: string }): ReactNode => (
  <p className="for-it">
    <span>
      <strong>For the IT department:</strong> {text}
    </span>
    <CopyButton text={text} what={`the text about “${title}”`} />
  </p>
);

/** What needs somebody's care, worst first, each with a way to its place below. */
export function CareList({ checks }: { checks: readonly Checked[] }): ReactNode {
  const open = needingCare(checks);
  const hidden = checks.filter(({ result }) => result === 'unknown').length;
  return (
    <FactGroup title="What needs care">
      {open.length === 0 ? (
        <p>{hidden === 0 ? 'Nothing. Everything that was looked at is well.' : 'Nothing of what can be seen from here.'}</p>
      ) : (
        <ul className="checks short">
          {open.map((check) => (
            <li key={check.id}>
              <Sign look={checkLooks[check.result]} />
              <div>
                <a href={`#${checkAnchor(check)}`}>{check.title}</a>: {check.seen} <span className="quiet">{check.means}</span>
              </div>
            </li>
          ))}
        </ul>
      )}
      {hidden > 0 && <p className="quiet">{hidden === 1 ? 'One thing' : `${hidden} things`} cannot be seen from inside; below stands how to find out.</p>}
    </FactGroup>
  );
}
