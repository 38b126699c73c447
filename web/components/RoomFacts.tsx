// The rooms of an instance on its overview: labels, links, and the Lobby's address.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { instancePath } from '../addresses.ts';
import { countOf } from '../numbers.ts';
import { CopyButton } from './CopyButton.tsx';
import { FactGroup } from './Facts.tsx';
import { Glyph } from './Glyph.tsx';

export function RoomFacts({ instance }: { instance: InstanceView }): ReactNode {
  return (
    <FactGroup title="Rooms" aside={<Link to={instancePath(instance.name, 'rooms')}>Rooms & Lobby</Link>}>
      {instance.rooms.length === 0 ? (
        <p className="quiet">The project has no rooms. Add ROOMS to settings.py and push again; each room gets a Lobby.</p>
      ) : (
        <ul className="plain-list">
          {instance.rooms.map((room) => (
            <li key={room.name}>
              <strong>{room.displayName}</strong> <RoomWords room={room} />
              <div>
                <LobbyAddress room={room} />
              </div>
            </li>
          ))}
        </ul>
      )}
    </FactGroup>
  );
}

/** "24 labels · secure links · session abc is open". */
export function RoomWords({ room }: { room: RoomView }): ReactNode {
  const words = [
    room.displayName === room.name ? null : room.name,
    room.labels === null ? 'no labels' : countOf(room.labels.length, 'label'),
    room.usesSecureUrls ? 'secure links' : null,
    room.hasWelcomePage ? 'own welcome page' : null,
    room.sessionCode === null ? null : `session ${room.sessionCode} is open`,
  ].filter((word) => word !== null);
  return (
    <>
      <span className="quiet">{words.join(' · ')}</span>
      {room.problem !== null && (
        <span className="block tone-brick">
          <Glyph name="times circle" />
          {room.problem}
        </span>
      )}
    </>
  );
}

export function LobbyAddress({ room }: { room: RoomView }): ReactNode {
  return (
    <span className="address">
      <a href={room.lobbyUrl} target="_blank" rel="noopener" aria-label={`Lobby of ${room.displayName}`}>
        Lobby ↗
      </a>{' '}
      <code>{room.lobbyUrl}</code> <CopyButton what={`Lobby address of ${room.displayName}`} text={room.lobbyUrl} />
    </span>
  );
}
