// Experiments that run on the Dokku host without the panel: which there are, and the way to take one over.

import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Button } from 'semantic-ui-react';
import { foreignAppListSchema, type ForeignAppView } from '../../contracts/adoptions.ts';
import { request } from '../api.ts';
import { useMay } from '../panel.ts';
import { AdoptApp } from './AdoptApp.tsx';
import { Answer } from './Answer.tsx';
import { DataTable, type Column } from './DataTable.tsx';
import { FactGroup } from './Facts.tsx';

type AppList = { isPossible: boolean; apps: ForeignAppView[] };

const useForeignApps = (isEnabled: boolean): UseQueryResult<AppList> =>
  useQuery({
    queryKey: ['foreign-apps'],
    queryFn: ({ signal }) => request(foreignAppListSchema, '/foreign-apps', { signal }),
    enabled: isEnabled,
    // Each look asks the host several questions about every app.
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });

/** Nothing at all where instances run on the panel's own machine. */
export function ForeignApps(): ReactNode {
  const mayAdopt = useMay('instances.adopt');
  const query = useForeignApps(mayAdopt);
  if (!mayAdopt || query.data?.isPossible === false) return null;
  return (
    <FactGroup title="Take over an app that is on the host">
      <p>
        An experiment that runs on the Dokku host already, for example one of an oTree Manager, becomes an instance with its data, passwords, variables and
        code. The app itself is kept there, stopped.
      </p>
      <Answer query={query}>{({ apps }) => <AppTable apps={apps} />}</Answer>
    </FactGroup>
  );
}

function AppTable({ apps }: { apps: readonly ForeignAppView[] }): ReactNode {
  const [chosen, choose] = useState<ForeignAppView | null>(null);
  if (apps.length === 0) return <p className="quiet">There is no other app on the host.</p>;
  // Those that can be taken over first.
  const rows = apps.map((app) => ({ ...app, id: app.name })).toSorted((one, other) => Number(one.refusal !== null) - Number(other.refusal !== null));
  const columns: readonly Column<(typeof rows)[number]>[] = [
    { title: 'App', render: (app) => <NameAndAddresses app={app} /> },
    { title: 'What it is', render: (app) => <WhatItIs app={app} /> },
    {
      title: 'Take over',
      isTitleHidden: true,
      render: (app) =>
        app.refusal === null && (
          <Button type="button" basic onClick={() => choose(app)} aria-label={`Take over ${app.name}…`}>
            Take over…
          </Button>
        ),
    },
  ];
  return (
    <>
      <DataTable name="Apps on the host" columns={columns} rows={rows} />
      {chosen && <AdoptApp app={chosen} onClose={() => choose(null)} />}
    </>
  );
}

function NameAndAddresses({ app: { name, hostNames } }: { app: ForeignAppView }): ReactNode {
  return (
    <div className="app-name">
      <code>{name}</code>
      <div className="quiet">{hostNames.join(', ') || 'no address'}</div>
    </div>
  );
}

function WhatItIs({ app: { isOtree, isRunning, refusal } }: { app: ForeignAppView }): ReactNode {
  return (
    <>
      {isOtree ? 'oTree' : 'Something else'}, {isRunning ? 'running' : 'not running'}
      {refusal !== null && <p className="quiet">{refusal}</p>}
    </>
  );
}
