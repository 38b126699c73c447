// All instances that the reader may see: cards or table, searched and filtered in the address.

import type { ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { Button } from 'semantic-ui-react';
import type { InstanceSummary } from '../../contracts/instances.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { DashboardEmpty } from '../components/DashboardEmpty.tsx';
import { DashboardTools } from '../components/DashboardTools.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { InstanceCards, InstanceTable } from '../components/InstanceCard.tsx';
import { useInstances } from '../instances.ts';
import { chooseInstances, readFilter } from '../instance-filter.ts';
import { useMay, useMe } from '../panel.ts';
import { useRemembered } from '../remembered.ts';
import { useTitle } from '../title.ts';

export function Dashboard(): ReactNode {
  useTitle('Instances');
  const instances = useInstances();
  const mayCreate = useMay('instances.create');
  return (
    <>
      <header className="page-head">
        <h1>Instances</h1>
        <span className="spring" />
        {mayCreate && (
          <Button as={Link} to="/instances/new" primary>
            <Glyph name="plus" /> New instance
          </Button>
        )}
      </header>
      <Answer query={instances}>{(list) => (list.length === 0 ? <DashboardEmpty /> : <Filtered list={list} />)}</Answer>
    </>
  );
}

function Filtered({ list }: { list: readonly InstanceSummary[] }): ReactNode {
  const [search] = useSearchParams();
  const [view, setView] = useRemembered('dashboard-view', ['cards', 'table'] as const);
  const myId = useMe().data?.person.id ?? '';
  const chosen = chooseInstances(list, readFilter(search), myId);
  return (
    <>
      <DashboardTools list={list} view={view} setView={setView} />
      {chosen.length === 0 ? (
        <Empty title="No instance fits">
          <p>
            <Link to="/">Show all {list.length}</Link>
          </p>
        </Empty>
      ) : view === 'cards' ? (
        <InstanceCards instances={chosen} />
      ) : (
        <InstanceTable instances={chosen} />
      )}
    </>
  );
}
