// Above the instances: search, all or mine, state, cards or table.

import { useId, type ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { Button } from 'semantic-ui-react';
import type { InstanceSummary } from '../../contracts/instances.ts';
import { stateLooks } from '../../contracts/states.ts';
import { countStates, readFilter } from '../instance-filter.ts';
import { Glyph } from './Glyph.tsx';

type View = 'cards' | 'table';
type Props = { list: readonly InstanceSummary[]; view: View; setView: (view: View) => void };

export function DashboardTools({ list, view, setView }: Props): ReactNode {
  const [search, setSearch] = useSearchParams();
  const filter = readFilter(search);
  const put = (key: string, value: string | null): void =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old);
        if (value === null || value === '') next.delete(key);
        else next.set(key, value);
        return next;
      },
      { replace: true, preventScrollReset: true },
    );
  const id = useId();
  return (
    <search className="tools">
      <div className="ui left icon input">
        <Glyph name="search" />
        <input type="search" aria-label="Search instances" placeholder="Search" value={filter.words} onChange={(event) => put('q', event.target.value)} />
      </div>
      <div className="ui buttons" role="group" aria-label="Whose">
        <Toggle isOn={!filter.isMine} onClick={() => put('of', null)} label="All" />
        <Toggle isOn={filter.isMine} onClick={() => put('of', 'me')} label="Mine" />
      </div>
      <label htmlFor={id} className="said">
        State
      </label>
      <select id={id} className="lone" value={filter.state ?? ''} onChange={(event) => put('state', event.target.value)}>
        <option value="">Any state</option>
        {countStates(list).map(({ state, count }) => (
          <option key={state} value={state}>
            {stateLooks[state].word} ({count})
          </option>
        ))}
        {filter.state !== null && !list.some(({ state }) => state === filter.state) && (
          <option value={filter.state}>{stateLooks[filter.state].word} (0)</option>
        )}
      </select>
      <span className="spring" />
      <div className="ui buttons" role="group" aria-label="Shown as">
        <Toggle isOn={view === 'cards'} onClick={() => setView('cards')} label="Cards" icon="th large" />
        <Toggle isOn={view === 'table'} onClick={() => setView('table')} label="Table" icon="bars" />
      </div>
    </search>
  );
}

function Toggle({ isOn, onClick, label, icon }: { isOn: boolean; onClick: () => void; label: string; icon?: string }): ReactNode {
  return (
    <Button
      type="button"
      basic
      active={isOn}
      icon={icon !== undefined}
      aria-pressed={isOn}
      onClick={onClick}
      {...(icon === undefined ? {} : { 'aria-label': label, title: label })}
    >
      {icon === undefined ? label : <Glyph name={icon} />}
    </Button>
  );
}
