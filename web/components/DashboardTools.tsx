// Above the instances: search, whose, state, owner, order, cards or table.

import { useId, type ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { instanceSorts, type InstanceList } from '../../contracts/instances.ts';
import { stateLooks } from '../../contracts/states.ts';
import { readWish, sortWords } from '../instance-filter.ts';
import { Glyph } from './Glyph.tsx';
import { ToggleButton } from './ToggleButton.tsx';

type View = 'cards' | 'table';
type Props = { list: InstanceList; view: View; setView: (view: View) => void };
type Put = (key: string, value: string | null) => void;

const whose = [
  ['all', 'All'],
  ['mine', 'Mine'],
  ['shared', 'Shared'],
] as const;

export function DashboardTools({ list, view, setView }: Props): ReactNode {
  const [search, setSearch] = useSearchParams();
  const wish = readWish(search);
  const put: Put = (key, value) =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old);
        // another choice begins on its first page
        next.delete('page');
        if (value === null || value === '') next.delete(key);
        else next.set(key, value);
        return next;
      },
      { replace: true, preventScrollReset: true },
    );
  return (
    <search className="tools">
      <div className="ui left icon input">
        <Glyph name="search" />
        <input type="search" aria-label="Search instances" placeholder="Search" value={wish.words} onChange={(event) => put('q', event.target.value)} />
      </div>
      <div className="ui buttons" role="group" aria-label="Whose">
        {whose.map(([filter, label]) => (
          <ToggleButton key={filter} isOn={wish.filter === filter} onClick={() => put('of', filter === 'all' ? null : filter)} label={label} />
        ))}
      </div>
      <Filters list={list} put={put} />
      <span className="spring" />
      <Order put={put} />
      <div className="ui buttons" role="group" aria-label="Shown as">
        <ToggleButton isOn={view === 'cards'} onClick={() => setView('cards')} label="Cards" icon="th large" />
        <ToggleButton isOn={view === 'table'} onClick={() => setView('table')} label="Table" icon="bars" />
      </div>
    </search>
  );
}

function Filters({ list, put }: { list: InstanceList; put: Put }): ReactNode {
  const wish = readWish(useSearchParams()[0]);
  const states = list.states.map(({ state, count }) => ({ value: state, text: `${stateLooks[state].word} (${count})` }));
  const owners = list.owners.map(({ id, name, count }) => ({ value: id, text: `${name} (${count})` }));
  const isLost = wish.state !== null && !list.states.some(({ state }) => state === wish.state);
  return (
    <>
      <Select
        name="State"
        value={wish.state ?? ''}
        none="Any state"
        options={isLost && wish.state !== null ? [...states, { value: wish.state, text: `${stateLooks[wish.state].word} (0)` }] : states}
        onChoose={(value) => put('state', value)}
      />
      {owners.length > 1 && <Select name="Owner" value={wish.ownerId ?? ''} none="Any owner" options={owners} onChoose={(value) => put('owner', value)} />}
    </>
  );
}

function Order({ put }: { put: Put }): ReactNode {
  const { sort, isReversed } = readWish(useSearchParams()[0]);
  return (
    <>
      <Select
        name="Sort by"
        value={sort}
        options={instanceSorts.map((value) => ({ value, text: `Sort: ${sortWords[value]}` }))}
        onChoose={(value) => put('sort', value === 'name' ? null : value)}
      />
      <ToggleButton isOn={isReversed} onClick={() => put('order', isReversed ? null : 'reversed')} label="Other way round" icon="sort" />
    </>
  );
}

type Option = { readonly value: string; readonly text: string };
type SelectProps = { name: string; value: string; none?: string; options: readonly Option[]; onChoose: (value: string) => void };

function Select({ name, value, none, options, onChoose }: SelectProps): ReactNode {
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="said">
        {name}
      </label>
      <select id={id} className="lone" title={name} value={value} onChange={(event) => onChoose(event.target.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </>
  );
}
