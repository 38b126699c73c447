// Rooms of an instance: the Lobby's address, who is there, and the oTree session of the room.

import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Segment } from 'semantic-ui-react';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { canOnInstance } from '../../contracts/roles.ts';
import { seatMapSchema, type SeatMap } from '../../contracts/seats.ts';
import { instanceApi } from '../addresses.ts';
import { request } from '../api.ts';
import { Answer, Empty } from '../components/Answer.tsx';
import { ClearLobby } from '../components/ClearLobby.tsx';
import { CreateSession } from '../components/CreateSession.tsx';
import { LobbyAddress, RoomWords } from '../components/RoomFacts.tsx';
import { RoomSeats } from '../components/RoomSeats.tsx';
import { isDeployed } from '../instance-actions.ts';
import { useIsLive } from '../live.tsx';
import { useTab } from '../tab.ts';

export function InstanceRooms(): ReactNode {
  const { instance } = useTab();
  if (instance.rooms.length === 0) return <NoRooms instance={instance} />;
  return (
    <>
      <p className="quiet">Open a room’s Lobby on the computers of the lab. Whoever sits down clicks “I am ready”; only then does oTree count that computer.</p>
      {instance.rooms.map((room) => (
        <Room key={room.name} instance={instance} room={room} />
      ))}
    </>
  );
}

function NoRooms({ instance }: { instance: InstanceView }): ReactNode {
  return (
    <Empty title={isDeployed(instance) ? 'This project has no rooms' : 'Rooms come with your project'}>
      <p>
        {isDeployed(instance)
          ? 'Add ROOMS to settings.py and push again: each room gets a Lobby, where participants say that they are ready.'
          : 'Push a project first. Each room of its settings.py gets a Lobby, where participants say that they are ready.'}
      </p>
    </Empty>
  );
}

function Room({ instance, room }: { instance: InstanceView; room: RoomView }): ReactNode {
  const seats = useSeats(instance, room);
  return (
    <Segment as="section" className="fact-group room" aria-label={`Room ${room.displayName}`}>
      <header>
        <h2>{room.displayName}</h2>
        <RoomWords room={room} />
      </header>
      <p>
        <LobbyAddress room={room} />
      </p>
      <Answer query={seats}>{(map) => <RoomSeats map={map} />}</Answer>
      {canOnInstance(instance.standing, 'instance.operate') && seats.data?.seats.some(({ state }) => state !== 'away') && (
        <ClearLobby instance={instance} room={room} />
      )}
      {canOnInstance(instance.standing, 'instance.operate') && <CreateSession instance={instance} room={room} readyCount={seats.data?.counts.ready ?? 0} />}
    </Segment>
  );
}

/** The socket sends what changes; the page asks, too, in case it does not come. */
function useSeats(instance: InstanceView, room: RoomView): UseQueryResult<SeatMap> {
  const isLive = useIsLive();
  return useQuery({
    queryKey: ['seats', instance.id, room.name],
    queryFn: ({ signal }) => request(seatMapSchema, instanceApi(instance.name, `/rooms/${encodeURIComponent(room.name)}/seats`), { signal }),
    refetchInterval: isLive ? 10_000 : 2_000,
  });
}
