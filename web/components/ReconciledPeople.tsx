// What came of a comparison: what does not fit first, then everybody, and the bonus file.

import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { remarks, type MatchedPerson, type ReconciliationView, type Remark } from '../../contracts/reconciliation.ts';
import { countOf } from '../numbers.ts';
import { saveText } from '../save-text.ts';
import { CopyButton } from './CopyButton.tsx';
import { DataTable } from './DataTable.tsx';
import { Glyph } from './Glyph.tsx';

type Props = { view: ReconciliationView; filename: string };

export function ReconciledPeople({ view, filename }: Props): ReactNode {
  const odd = view.people.filter(({ remarks: found }) => found.length > 0);
  const [isAllShown, setAllShown] = useState(false);
  const shown = isAllShown ? view.people : odd;
  const { counts } = view;
  return (
    <div className="reconciled">
      <p role="status">
        <strong>{counts.both} in both</strong>: {counts.inFile} in Prolific’s file, {counts.inSession} in session {view.sessionCode}
        {counts.tests > 0 && `, and ${countOf(counts.tests, 'test click')} that ${counts.tests === 1 ? 'is' : 'are'} left out`}.
        {view.medianSeconds !== null && ` Half of those who submitted took less than ${minutes(view.medianSeconds)}.`}
      </p>
      {odd.length === 0 ? (
        <p className="tone-moss">
          <Glyph name="check circle" />
          Everybody fits.
        </p>
      ) : (
        <ul className="plain-list looks">
          {remarks.map((remark) => (
            <RemarkLine key={remark} remark={remark} people={odd.filter(({ remarks: found }) => found.includes(remark))} />
          ))}
        </ul>
      )}
      <Bonus view={view} filename={filename} />
      {view.people.length > odd.length && (
        <Button type="button" basic compact onClick={() => setAllShown(!isAllShown)}>
          {isAllShown ? 'Show only who does not fit' : `Show all ${view.people.length}`}
        </Button>
      )}
      {shown.length > 0 && <DataTable name="People of the file and of the session" columns={columns} rows={shown} />}
    </div>
  );
}

const remarkWords: Readonly<Record<Remark, string>> = {
  'missing-in-session': 'submitted on Prolific, but not in this session',
  'missing-in-file': 'in the session, but not in Prolific’s file',
  doubled: 'submitted more than once: no bonus before you have looked',
  'finished-not-submitted': 'finished in oTree, but did not submit on Prolific',
  'submitted-not-finished': 'submitted on Prolific, but did not finish in oTree',
  'other-code': 'gave in another completion code, or none',
};

function RemarkLine({ remark, people }: { remark: Remark; people: readonly MatchedPerson[] }): ReactNode {
  if (people.length === 0) return null;
  return (
    <li>
      <span className="tone-amber">
        <Glyph name="exclamation triangle" />
      </span>
      <strong>{people.length}</strong> {remarkWords[remark]}
    </li>
  );
}

function Bonus({ view: { bonus, currency }, filename }: Props): ReactNode {
  if (bonus.people === 0) return <p className="quiet">Nobody gets a bonus: no payoff of somebody who submitted and finished is above 0.</p>;
  return (
    <div className="bonus">
      <p>
        <strong>
          Bonus: {bonus.total} {currency} for {countOf(bonus.people, 'person', 'people')}
        </strong>
        , by oTree’s payoffs. On Prolific open More → Bulk bonus payment, paste the lines, and check the sum before you pay. Prolific’s own fee comes on top.
      </p>
      <div className="remote">
        <code>{bonus.text.split('\n', 1)[0]} …</code>
        <CopyButton text={bonus.text} what="bonus lines" />
        <Button type="button" basic compact onClick={() => saveText(filename, 'text/csv', bonus.text)}>
          <Glyph name="download" /> Bonus file
        </Button>
      </div>
    </div>
  );
}

const minutes = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')} minutes`;

const columns = [
  { title: 'Id', render: ({ id }: MatchedPerson) => <code>{id}</code> },
  { title: 'Prolific', render: ({ status }: MatchedPerson) => status?.toLowerCase() ?? '–' },
  { title: 'oTree', render: ({ isFinished, page }: MatchedPerson) => (page === null ? '–' : isFinished ? 'finished' : `page ${page.at} of ${page.of}`) },
  { title: 'Time', render: ({ seconds }: MatchedPerson) => (seconds === null ? '–' : minutes(seconds)) },
  { title: 'Bonus', render: ({ bonus }: MatchedPerson) => bonus ?? '–' },
  { title: 'Remark', render: ({ remarks: found }: MatchedPerson) => (found.length === 0 ? '–' : found.map((remark) => remarkWords[remark]).join('; ')) },
];
