// The seats of a room, live: from an empty chair to the last page of the experiment.

import type { ReactNode } from 'react';
import { seatStates, type SeatMap, type SeatView } from '../../contracts/seats.ts';
import { seatLooks } from '../looks.ts';
import { describeAgo } from '../times.ts';
import { useTens } from '../clock.ts';
import { Glyph } from './Glyph.tsx';

export function RoomSeats({ map }: { map: SeatMap }): ReactNode {
  if (map.seats.length === 0) return <p className="quiet">Nobody has opened this Lobby yet. Open its address on the computers of the room.</p>;
  return (
    <>
      <SeatCounts map={map} />
      <ul className="seats" aria-label={`Seats of ${map.room}`}>
        {map.seats.map((seat) => (
          <Seat key={seat.label} seat={seat} />
        ))}
      </ul>
    </>
  );
}

/** "18 of 24 ready": whoever went on was ready before. */
function describeReady({ counts, seats }: Pick<SeatMap, 'counts' | 'seats'>): string {
  return `${counts.ready + counts.forwarded + counts['in-room'] + counts.playing + counts.finished} of ${seats.length} ready`;
}

function SeatCounts({ map }: { map: SeatMap }): ReactNode {
  return (
    <p className="seat-counts" role="status">
      <strong>{describeReady(map)}</strong>
      {seatStates
        .filter((state) => map.counts[state] > 0)
        .map((state) => (
          <span key={state} className={`sign tone-${seatLooks[state].tone}`}>
            <Glyph name={seatLooks[state].icon} />
            {map.counts[state]} {seatLooks[state].word}
          </span>
        ))}
    </p>
  );
}

function Seat({ seat }: { seat: SeatView }): ReactNode {
  const look = seatLooks[seat.state];
  const nowMs = useTens();
  const since = seat.readyAt ?? seat.openedAt;
  return (
    <li className={`seat seat-${seat.state} tone-${look.tone}`} title={since === null ? look.word : `${look.word}, since ${describeAgo(since, nowMs)}`}>
      <strong>{seat.label}</strong>
      <span>
        <Glyph name={look.icon} />
        {seat.progress === null ? look.word : `page ${seat.progress}`}
      </span>
    </li>
  );
}
