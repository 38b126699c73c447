// Rooms of an instance: the Lobby's address, who is there, and the oTree session of the room.

import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { Button, Segment } from 'semantic-ui-react';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { seatMapSchema, type SeatMap } from '../../contracts/seats.ts';
import { instanceApi } from '../addresses.ts';
import { request } from '../api.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { ClearLobby } from '../components/ClearLobby.tsx';
import { CreateSession } from '../components/CreateSession.tsx';
import { EditRoom } from '../components/EditRoom.tsx';
import { RemoveRoom } from '../components/RemoveRoom.tsx';
import { LobbyAddress, RoomOrigin, RoomWords } from '../components/RoomFacts.tsx';
import { RoomFiles } from '../components/RoomFiles.tsx';
import { RoomSeats } from '../components/RoomSeats.tsx';
import { preflightPlace } from '../preflight.ts';
import { isDeployed } from '../instance-actions.ts';
import { useIsLive } from '../live.tsx';
import { TermLink } from '../components/TermLink.tsx';
import { useTab } from '../tab.ts';

type Asked = { what: 'edit' | 'remove'; room: string } | { what: 'new' } | null;

export function InstanceRooms(): ReactNode {
  const { instance } = useTab();
  const [asked, setAsked] = useState<Asked>(null);
  const room = asked && asked.what !== 'new' ? instance.rooms.find(({ name }) => name === asked.room) : undefined;
  const close = (): void => setAsked(null);
  const mayChange = canOnInstance(instance.standing, 'instance.change');
  const add = mayChange && (
    <Button type="button" primary={instance.rooms.length === 0} basic={instance.rooms.length > 0} onClick={() => setAsked({ what: 'new' })}>
      New room…
    </Button>
  );
  return (
    <>
      {instance.rooms.length === 0 ? (
        <NoRooms instance={instance} add={add} />
      ) : (
        <>
          <div className="rooms-head">
            <p className="quiet">
              Open a room’s Lobby on the computers of the lab. Whoever sits down clicks “I am ready”; only then does oTree count that computer.
              <TermLink term="lobby" />
            </p>
            {add}
          </div>
          {instance.rooms.map((one) => (
            <Room key={one.name} instance={instance} room={one} ask={setAsked} />
          ))}
        </>
      )}
      {asked?.what === 'new' && <EditRoom instance={instance} room={null} onClose={close} />}
      {asked?.what === 'edit' && room && <EditRoom instance={instance} room={room} onClose={close} />}
      {asked?.what === 'remove' && room && <RemoveRoom instance={instance} room={room} onClose={close} />}
    </>
  );
}

function NoRooms({ instance, add }: { instance: InstanceView; add: ReactNode }): ReactNode {
  return (
    <Empty title="There is no room yet">
      <p>
        A room has a fixed address, labels for its seats, and a Lobby where participants say that they are ready.{' '}
        {isDeployed(instance) ? 'Rooms in the project’s settings.py appear here, too.' : 'You can prepare rooms now; they are there when your first push runs.'}
      </p>
      {add}
    </Empty>
  );
}

function Room({ instance, room, ask }: { instance: InstanceView; room: RoomView; ask: (asked: Asked) => void }): ReactNode {
  const seats = useSeats(instance, room);
  const mayOperate = canOnInstance(instance.standing, 'instance.operate');
  const mayChange = canOnInstance(instance.standing, 'instance.change');
  return (
    <Segment as="section" className="fact-group room" aria-label={`Room ${room.displayName}`}>
      <header>
        <h2>{room.displayName}</h2>
        <RoomWords room={room} />
        <RoomOrigin room={room} />
      </header>
      <p>
        <LobbyAddress room={room} />
      </p>
      <Answer query={seats}>{(map) => <RoomSeats map={map} />}</Answer>
      <p>
        <Link to={preflightPlace(instance.name, room.name)}>Ready for participants?</Link>
      </p>
      <div className="room-acts">
        {mayOperate && seats.data?.seats.some(({ state }) => state !== 'away') && <ClearLobby instance={instance} room={room} />}
        {mayChange && (
          <Button type="button" basic compact aria-label={`Edit room… ${room.displayName}`} onClick={() => ask({ what: 'edit', room: room.name })}>
            Edit room…
          </Button>
        )}
        {mayChange && room.edited && (
          <Button type="button" basic compact aria-label={`Remove room… ${room.displayName}`} onClick={() => ask({ what: 'remove', room: room.name })}>
            Remove room…
          </Button>
        )}
      </div>
      {mayOperate && <RoomFiles instance={instance} room={room} />}
      {mayOperate && <CreateSession instance={instance} room={room} readyCount={seats.data ? countReady(seats.data) : 0} />}
    </Segment>
  );
}

/** Who would take part in a session that is made now: those who play or have finished are in another one. */
const countReady = ({ counts }: SeatMap): number => counts.ready + counts.forwarded + counts['in-room'];

/** The socket sends what changes; the page asks, too, in case it does not come. */
function useSeats(instance: InstanceView, room: RoomView): UseQueryResult<SeatMap> {
  const isLive = useIsLive();
  return useQuery({
    queryKey: ['seats', instance.id, room.name],
    queryFn: ({ signal }) => request(seatMapSchema, instanceApi(instance.name, `/rooms/${encodeURIComponent(room.name)}/seats`), { signal }),
    refetchInterval: isLive ? 10_000 : 2_000,
  });
}
