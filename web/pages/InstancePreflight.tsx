// “Ready for participants?”: a look at everything that a study in one room needs, to be put right, kept and printed.

import { useId, type ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import { Button, Message } from 'semantic-ui-react';
import type { InstanceView } from '../../contracts/instances.ts';
import { preflightGroups, type Finding, type Preflight, type PreflightList } from '../../contracts/preflight.ts';
import { recruitmentKinds, type RecruitmentKind } from '../../contracts/recruiting.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { instancePath } from '../addresses.ts';
import { Ago } from '../components/Ago.tsx';
import { Answer, Empty, Loading } from '../components/Answer.tsx';
import { checkAnchor } from '../components/CheckEntry.tsx';
import { DataTable, type Column } from '../components/DataTable.tsx';
import { FactGroup } from '../components/Facts.tsx';
import { Findings } from '../components/Findings.tsx';
import { Glyph } from '../components/Glyph.tsx';
import { ProblemMessage } from '../components/ProblemMessage.tsx';
import { Sign } from '../components/Sign.tsx';
import { isDeployed } from '../instance-actions.ts';
import { countFindings, describeVerdict, kindWords, useKeepLook, useKeptLook, useKeptLooks, useLook, type Wish } from '../preflight.ts';
import { checkLooks } from '../system-check.ts';
import { useTab } from '../tab.ts';
import { describeExactly } from '../times.ts';
import { showToast } from '../toasts.ts';

export function InstancePreflight(): ReactNode {
  const { instance } = useTab();
  const [search] = useSearchParams();
  const keptId = search.get('look');
  if (!isDeployed(instance))
    return (
      <Empty title="Nothing has been deployed yet">
        <p>Push a project first; then this page looks whether everything is ready for participants.</p>
      </Empty>
    );
  if (keptId !== null) return <Kept instance={instance} id={keptId} />;
  if (!canOnInstance(instance.standing, 'instance.operate')) return <KeptLooks instance={instance} />;
  return <Now instance={instance} />;
}

/** What the address of this page says, so that a look can be linked to. */
function useWish(instance: InstanceView): [Wish, (change: Partial<Record<'room' | 'kind' | 'people', string>>) => void] {
  const [search, setSearch] = useSearchParams();
  const kind = recruitmentKinds.find((one) => one === search.get('kind')) ?? null;
  const people = Number(search.get('people') ?? '');
  const wish = { room: search.get('room') ?? instance.rooms[0]?.name ?? '', kind, people: Number.isInteger(people) && people > 0 ? people : null };
  const change = (next: Partial<Record<'room' | 'kind' | 'people', string>>): void => {
    const all = { room: wish.room, ...(kind === null ? {} : { kind }), ...(wish.people === null ? {} : { people: String(wish.people) }), ...next };
    setSearch(Object.fromEntries(Object.entries(all).filter(([name, value]) => name === 'room' || value !== '')), { replace: true });
  };
  return [wish, change];
}

function Now({ instance }: { instance: InstanceView }): ReactNode {
  const [wish, change] = useWish(instance);
  const look = useLook(instance, wish);
  const keep = useKeepLook(instance.name);
  const keepIt = (): void => keep.mutate(wish, { onSuccess: () => showToast('This look is kept.') });
  return (
    <>
      <Choices instance={instance} wish={wish} shown={look.data ?? null} change={change} />
      <div className="preflight-acts">
        <Button type="button" primary loading={look.isFetching} disabled={look.isFetching || instance.job !== null} onClick={() => void look.refetch()}>
          Look again
        </Button>
        <Button type="button" basic loading={keep.isPending} disabled={keep.isPending || look.data === undefined} onClick={keepIt}>
          <Glyph name="save outline" /> Keep this look
        </Button>
        <PrintButton />
      </div>
      {keep.error && <ProblemMessage error={keep.error} onRetry={keepIt} />}
      {look.error && <ProblemMessage error={look.error} onRetry={() => void look.refetch()} />}
      {look.data ? <Found instance={instance} look={look.data} isPresent /> : !look.error && <Loading what={waiting(instance)} />}
      <KeptLooks instance={instance} />
    </>
  );
}

const waiting = ({ job }: InstanceView): string =>
  job === null ? 'Looking at version, room, addresses and data. This takes some seconds.' : 'A job is under way; the look begins when it has ended.';

type ChoiceProps = { instance: InstanceView; wish: Wish; shown: Preflight | null; change: ReturnType<typeof useWish>[1] };

function Choices({ instance, wish, shown, change }: ChoiceProps): ReactNode {
  const [room, kind, people] = [useId(), useId(), useId()];
  return (
    <div className="preflight-choices ui form">
      <span className="field">
        <label htmlFor={room}>Room</label>
        <select id={room} value={wish.room} onChange={(event) => change({ room: event.target.value, kind: '', people: '' })}>
          {instance.rooms.map(({ name, displayName }) => (
            <option key={name} value={name}>
              {displayName}
            </option>
          ))}
          <option value="">outside rooms (MTurk)</option>
        </select>
      </span>
      <span className="field">
        <label htmlFor={kind}>People come from</label>
        <select id={kind} value={shown?.kind ?? wish.kind ?? 'lab'} onChange={(event) => change({ kind: event.target.value })}>
          {recruitmentKinds.map((one: RecruitmentKind) => (
            <option key={one} value={one}>
              {kindWords[one]}
            </option>
          ))}
        </select>
      </span>
      <span className="field">
        <label htmlFor={people}>People expected</label>
        <input
          id={people}
          type="number"
          min={1}
          max={2000}
          defaultValue={wish.people ?? shown?.people ?? ''}
          key={`${wish.room} ${shown?.people ?? ''}`}
          onBlur={(event) => change({ people: event.target.value })}
          onKeyDown={(event) => event.key === 'Enter' && change({ people: event.currentTarget.value })}
        />
      </span>
    </div>
  );
}

const PrintButton = (): ReactNode => (
  <Button type="button" basic onClick={() => window.print()}>
    <Glyph name="print" /> Print
  </Button>
);

function Found({ instance, look, isPresent }: { instance: InstanceView; look: Preflight; isPresent: boolean }): ReactNode {
  const { ask } = useTab();
  const counts = countFindings(look.findings);
  const room = instance.rooms.find(({ name }) => name === look.room)?.displayName ?? (look.room === '' ? 'outside rooms' : look.room);
  return (
    <>
      <Message role="status" positive={counts.bad + counts.attention === 0} warning={counts.bad === 0 && counts.attention > 0} negative={counts.bad > 0}>
        <Message.Header>{describeVerdict(counts)}</Message.Header>
        <p>
          {instance.name}, {room}, {kindWords[look.kind]}
          {look.people === null ? '' : `, ${look.people} people`}. Commit <code>{look.commit?.slice(0, 7) ?? 'none'}</code>, looked at{' '}
          {describeExactly(look.lookedAt)} by {look.byName}.
        </p>
        <Needs findings={look.findings} />
      </Message>
      {Object.entries(preflightGroups).map(([group, title]) => (
        <Findings key={group} title={title} findings={look.findings.filter((one) => one.group === group)} acting={isPresent ? { instance, ask } : null} />
      ))}
    </>
  );
}

/** What needs somebody, worst first, each with a way to its place below. */
function Needs({ findings }: { findings: readonly Finding[] }): ReactNode {
  const open = (['bad', 'attention'] as const).flatMap((result) => findings.filter((one) => one.result === result));
  return (
    <ul className="checks short">
      {open.map(({ id, title, result, seen }) => (
        <li key={id}>
          <Sign look={checkLooks[result]} />
          <div>
            <a href={`#${checkAnchor({ id })}`}>{title}</a>: {seen}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Kept({ instance, id }: { instance: InstanceView; id: string }): ReactNode {
  const look = useKeptLook(instance.name, id);
  return (
    <>
      <div className="preflight-acts">
        <Link to={instancePath(instance.name, 'preflight')}>‹ Look now</Link>
        <PrintButton />
      </div>
      <Answer query={look}>{(found) => <Found instance={instance} look={found} isPresent={false} />}</Answer>
    </>
  );
}

type KeptRow = PreflightList['looks'][number];

function KeptLooks({ instance }: { instance: InstanceView }): ReactNode {
  const looks = useKeptLooks(instance.name);
  const columns: readonly Column<KeptRow>[] = [
    { title: 'When', render: ({ lookedAt }) => <Ago at={lookedAt} /> },
    { title: 'Room', render: ({ room, kind }) => `${room === '' ? 'outside rooms' : room}, ${kindWords[kind]}` },
    { title: 'Version', render: ({ commit }) => (commit === null ? 'none' : <code title={commit}>{commit.slice(0, 7)}</code>) },
    { title: 'Found', render: (row) => describeVerdict(row) },
    { title: 'Who', render: ({ byName }) => byName },
    {
      title: 'Look',
      isTitleHidden: true,
      render: ({ id, lookedAt }) => (
        <Link to={`${instancePath(instance.name, 'preflight')}?look=${id}`} aria-label={`Open the look of ${describeExactly(lookedAt)}`}>
          Open
        </Link>
      ),
    },
  ];
  return (
    <div className="kept-looks">
      <FactGroup title="Looks that were kept">
        <Answer query={looks}>
          {(list) =>
            list.length === 0 ? (
              <p className="quiet">None yet. Keep one before a study begins: it says what was checked, when and by whom.</p>
            ) : (
              <DataTable name="Kept looks" columns={columns} rows={list} />
            )
          }
        </Answer>
      </FactGroup>
    </div>
  );
}
