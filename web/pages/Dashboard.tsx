// All instances that the reader may see: cards or table, searched, filtered, sorted and paged in the address.

import type { ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { Button } from 'semantic-ui-react';
import type { InstanceList } from '../../contracts/instances.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { DashboardEmpty } from '../components/DashboardEmpty.tsx';
import { DashboardTools } from '../components/DashboardTools.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { InstanceCards, InstanceTable } from '../components/InstanceCard.tsx';
import { Pager } from '../components/Pager.tsx';
import { useInstances } from '../instances.ts';
import { queryOf, readWish } from '../instance-filter.ts';
import { countOf } from '../numbers.ts';
import { useMay } from '../panel.ts';
import { useRemembered } from '../remembered.ts';
import { useTitle } from '../title.ts';

export function Dashboard(): ReactNode {
  useTitle('Instances');
  const [search] = useSearchParams();
  const instances = useInstances(queryOf(readWish(search)));
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
      <Answer query={instances}>{(list) => (list.visible === 0 ? <DashboardEmpty /> : <Chosen list={list} />)}</Answer>
    </>
  );
}

function Chosen({ list }: { list: InstanceList }): ReactNode {
  const [, setSearch] = useSearchParams();
  const [view, setView] = useRemembered('dashboard-view', ['cards', 'table'] as const);
  const turn = (page: number): void => {
    setSearch((old) => {
      const next = new URLSearchParams(old);
      next.set('page', String(page));
      return next;
    });
    window.scrollTo({ top: 0 });
  };
  return (
    <>
      <DashboardTools list={list} view={view} setView={setView} />
      {list.total === 0 ? (
        <Empty title="No instance fits">
          <p>
            <Link to="/">Show all {list.visible}</Link>
          </p>
        </Empty>
      ) : view === 'cards' ? (
        <InstanceCards instances={list.instances} />
      ) : (
        <InstanceTable instances={list.instances} />
      )}
      {list.pages > 1 && <p className="quiet">{countOf(list.total, 'instance')} in all.</p>}
      <Pager page={list.page} pages={list.pages} name="Pages of instances" onPage={turn} />
    </>
  );
}
