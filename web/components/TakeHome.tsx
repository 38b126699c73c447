// Taking the data home: oTree's exports as files, of all sessions or of one, and which session is in none of them.

import { useId, useState, type ReactNode } from 'react';
import { Button, Message } from 'semantic-ui-react';
import type { ExportKind, ExportList, ExportSession, PageSeconds } from '../../contracts/exports.ts';
import type { InstanceView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { mayHavePeople } from '../../contracts/states.ts';
import { exportPath, useExports, usePageTimes } from '../exports.ts';
import { countOf, describeNumber } from '../numbers.ts';
import { describeDuration } from '../times.ts';
import { Answer } from './Answer.tsx';
import { DataTable, type Column } from './DataTable.tsx';
import { DownloadButton } from './DownloadButton.tsx';
import { FactGroup } from './Facts.tsx';
import { PeopleToLookAt } from './PeopleToLookAt.tsx';

export function TakeHome({ instance }: { instance: InstanceView }): ReactNode {
  const isAnswering = mayHavePeople.includes(instance.state);
  const list = useExports(instance.name, isAnswering);
  if (!canOnInstance(instance.standing, 'instance.export-data')) return null;
  return (
    <FactGroup title="Take the data home">
      {isAnswering ? (
        <Answer query={list}>
          {(found) => (found.sessions.length === 0 ? <p className="quiet">There is no session yet.</p> : <Exports instance={instance} list={found} />)}
        </Answer>
      ) : (
        <p className="quiet">oTree writes these files, and it does not run now. Start the experiment; a backup below holds the same data for the panel.</p>
      )}
    </FactGroup>
  );
}

type File = {
  readonly id: string;
  readonly what: ExportKind;
  readonly title: string;
  readonly about: string;
  readonly app?: string;
  readonly function?: string;
};

function filesOf({ apps, customs, hasChat }: ExportList, isOne: boolean): File[] {
  const whole: File[] = [
    { id: 'wide', what: 'wide', title: 'All apps', about: 'one row per person' },
    ...apps.map((app): File => ({ id: `app ${app}`, what: 'app', app, title: app, about: 'one row per person and round' })),
    ...customs.map((own): File => ({
      id: `custom ${own.app} ${own.function}`,
      what: 'custom',
      ...own,
      title: `${own.app}: ${own.function}`,
      about: 'as your project puts it together',
    })),
    { id: 'seconds', what: 'seconds', title: 'Seconds on each page', about: 'one row per person and page' },
    { id: 'page-times', what: 'page-times', title: 'Page times', about: 'when each page was left, as oTree writes it' },
    ...(hasChat ? [{ id: 'chat', what: 'chat', title: 'Chat', about: 'one row per message' } as const] : []),
  ];
  // oTree has no page times, and before 6.0 no single app, of one session alone.
  return isOne ? whole.filter(({ what }) => what === 'wide' || what === 'seconds') : whole;
}

function Exports({ instance, list }: { instance: InstanceView; list: ExportList }): ReactNode {
  const [session, setSession] = useState('');
  const [isForExcel, setForExcel] = useState(false);
  const id = useId();
  const fetching: Column<File> = {
    title: 'File',
    isTitleHidden: true,
    render: ({ what, title, id: _id, about: _about, ...wish }) => (
      <DownloadButton path={exportPath(instance.name, { what, session, isForExcel, ...wish })} name={`Download “${title}”`} />
    ),
  };
  return (
    <>
      <Broken sessions={list.sessions.filter(({ isWhole }) => !isWhole)} />
      <div className="export-choices ui form">
        <span className="field">
          <label htmlFor={id}>Sessions</label>
          <select id={id} value={session} onChange={(event) => setSession(event.target.value)}>
            <option value="">all ({describeNumber(list.sessions.length)})</option>
            {list.sessions.map((one) => (
              <option key={one.code} value={one.code}>
                {nameOf(one)}
              </option>
            ))}
          </select>
        </span>
        <label className="export-excel">
          <input type="checkbox" checked={isForExcel} onChange={(event) => setForExcel(event.target.checked)} /> for Excel (it then reads all letters rightly)
        </label>
      </div>
      <DataTable name="Exports" columns={[...columns, fetching]} rows={filesOf(list, session !== '')} />
      <PageTable instance={instance} session={session} />
    </>
  );
}

const nameOf = ({ code, label, config, participants, isDemo }: ExportSession): string =>
  `${code}${label === '' ? '' : ` ${label}`}: ${config}, ${countOf(participants, 'person', 'people')}${isDemo ? ', demo' : ''}`;

const columns: readonly Column<File>[] = [
  { title: 'Data', render: ({ title }) => title },
  { title: 'Form', render: ({ about }) => <span className="quiet">{about}</span> },
];

function Broken({ sessions }: { sessions: readonly ExportSession[] }): ReactNode {
  if (sessions.length === 0) return null;
  const codes = sessions.map(({ code }) => code).join(', ');
  return (
    <Message warning>
      <p>
        {sessions.length === 1 ? `The making of session ${codes} broke off` : `The making of these sessions broke off: ${codes}`}, so oTree cannot export{' '}
        {sessions.length === 1 ? 'it' : 'them'}. “All apps” leaves {sessions.length === 1 ? 'it' : 'them'} out and says so in the file’s name. Delete{' '}
        {sessions.length === 1 ? 'it' : 'them'} in oTree’s admin under “Sessions”; the instance’s log says why it happened.
      </p>
    </Message>
  );
}

function PageTable({ instance, session }: { instance: InstanceView; session: string }): ReactNode {
  const [isWanted, setWanted] = useState(false);
  const times = usePageTimes(instance.name, session, isWanted);
  if (!isWanted) {
    return (
      <p className="ways">
        <Button type="button" basic onClick={() => setWanted(true)}>
          Show seconds per page
        </Button>{' '}
        <small className="quiet">For pay, and to find pages where people got stuck. oTree’s pages may wait a second meanwhile.</small>
      </p>
    );
  }
  return (
    <Answer query={times}>
      {({ pages, people, medianTotal, problems }) =>
        pages.length === 0 ? (
          <p className="quiet">Nobody has left a page yet.</p>
        ) : (
          <>
            <p>
              {countOf(people, 'person', 'people')}. Half of them took {describeDuration((medianTotal ?? 0) * 1000)} or less in all, waiting included.
            </p>
            <DataTable name="Seconds per page" columns={pageColumns} rows={pages.map((page) => ({ ...page, id: `${page.app}/${page.page}` }))} />
            <PeopleToLookAt instance={instance} problems={problems} people={people} />
          </>
        )
      }
    </Answer>
  );
}

const pageColumns: readonly Column<PageSeconds & { id: string }>[] = [
  {
    title: 'Page',
    render: ({ app, page, isWaitPage }) => (
      <span className="breaks">
        {page} <small className="block quiet">{isWaitPage ? `${app}, wait page` : app}</small>
      </span>
    ),
  },
  { title: 'Visits', render: ({ visits, timeouts }) => `${describeNumber(visits)}${timeouts === 0 ? '' : `, ${describeNumber(timeouts)} ran out of time`}` },
  { title: 'Lower quartile', render: ({ lower }) => `${lower} s` },
  { title: 'Median', render: ({ median }) => <strong>{median} s</strong> },
  { title: 'Upper quartile', render: ({ upper }) => `${upper} s` },
  { title: 'Longest', render: ({ longest }) => `${longest} s` },
];
