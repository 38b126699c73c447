// Recruiting: one kind for each room, everything to paste ready, tried, and held against what came back.

import type { ReactNode } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { InstanceView } from '../../contracts/instances.ts';
import { needsAnyLabel, noRoom } from '../../contracts/recruiting.ts';
import type { RecruitingView, RoomRecruitment } from '../../contracts/recruiting-view.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { instancePath } from '../addresses.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { OpenDoor } from '../components/OpenDoor.tsx';
import { Reconciliation } from '../components/Reconciliation.tsx';
import { RecruitForm } from '../components/RecruitForm.tsx';
import { RecruitLinks } from '../components/RecruitLinks.tsx';
import { RecruitSession } from '../components/RecruitSession.tsx';
import { RecruitSite } from '../components/RecruitSite.tsx';
import { RecruitSource } from '../components/RecruitSource.tsx';
import { ReturnedPeople } from '../components/ReturnedPeople.tsx';
import { TestClickPanel } from '../components/TestClickPanel.tsx';
import { kindWords, useRecruiting } from '../recruiting.ts';
import { useTab } from '../tab.ts';

/** Stands for MTurk's sessions, which are in no room; no room can have this name. */
const outsideName = '-mturk';

export function InstanceRecruit(): ReactNode {
  const { instance } = useTab();
  if (!canOnInstance(instance.standing, 'instance.operate'))
    return (
      <Empty title="Recruiting is for those who run the sessions">
        <p>Ask the owner to let you operate this instance.</p>
      </Empty>
    );
  return <Known instance={instance} />;
}

function Known({ instance }: { instance: InstanceView }): ReactNode {
  const query = useRecruiting(instance.name, instance.job !== null);
  const [search] = useSearchParams();
  return (
    <Answer query={query}>
      {(view) => {
        const wanted = search.get('room');
        const room = wanted === outsideName ? view.outside : (view.rooms.find((one) => one.room === wanted) ?? view.rooms[0]);
        return (
          <div className="recruit">
            <RoomPicker view={view} shown={room ?? null} />
            {room ? <Room key={room.room} instance={instance} view={view} room={room} /> : <NoRoom instance={instance} />}
          </div>
        );
      }}
    </Answer>
  );
}

function RoomPicker({ view, shown }: { view: RecruitingView; shown: RoomRecruitment | null }): ReactNode {
  const choices = [
    ...view.rooms.map((room) => ({ key: room.room, room, name: room.displayName })),
    { key: outsideName, room: view.outside, name: 'MTurk, outside rooms' },
  ];
  return (
    <nav className="room-picker" aria-label="Room">
      {choices.map(({ key, room, name }) => (
        <Link key={key} to={`?room=${encodeURIComponent(key)}`} replace preventScrollReset {...(room === shown ? { 'aria-current': 'true' as const } : {})}>
          {name}
          {room.recruitment && room.room !== noRoom && <span className="quiet"> · {kindWords[room.recruitment.kind].name}</span>}
        </Link>
      ))}
    </nav>
  );
}

function NoRoom({ instance }: { instance: InstanceView }): ReactNode {
  return (
    <Empty title="There is no room yet">
      <p>
        People who are recruited come to a room, whose link stays the same from session to session. Make one under{' '}
        <Link to={instancePath(instance.name, 'rooms')}>Rooms & Lobby</Link>: one that takes any label.
      </p>
    </Empty>
  );
}

function Room({ instance, view, room }: { instance: InstanceView; view: RecruitingView; room: RoomRecruitment }): ReactNode {
  const { recruitment } = room;
  const otreeMajor = Number(view.otreeVersion?.split('.')[0] ?? 0);
  const byLink = recruitment !== null && needsAnyLabel(recruitment.kind);
  return (
    <>
      {byLink && room.labelCount !== null && <OpenDoor instance={instance} room={room} />}
      <RecruitForm instance={instance} room={room} otreeMajor={otreeMajor} />
      {recruitment && <RecruitSite instance={instance} view={view} room={room} recruitment={recruitment} />}
      {recruitment && <RecruitLinks instance={instance} view={view} room={room} />}
      {recruitment && room.room !== noRoom && <RecruitSession instance={instance} room={room.room} expected={recruitment.settings.expectedPeople} />}
      {byLink && <TestClickPanel instance={instance} room={room.room} />}
      {byLink && <RecruitSource source={view.source} recruitment={recruitment} />}
      {byLink && <ReturnedPeople instance={instance} room={room.room} />}
      {recruitment?.kind === 'prolific' && <Reconciliation instance={instance} room={room.room} sessionCode={room.sessionCode} />}
    </>
  );
}
