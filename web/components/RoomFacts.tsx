// The rooms of an instance on its overview: labels, links, and the Lobby's address.

import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { instancePath } from '../addresses.ts';
import { countOf } from '../numbers.ts';
import { preflightPlace } from '../preflight.ts';
import { Ago } from './Ago.tsx';
import { CopyButton } from './CopyButton.tsx';
import { FactGroup } from './Facts.tsx';
import { Glyph } from './Glyph.tsx';

export function RoomFacts({ instance }: { instance: InstanceView }): ReactNode {
  return (
    <FactGroup title="Rooms" aside={<Link to={instancePath(instance.name, 'rooms')}>Rooms & Lobby</Link>}>
      {instance.rooms.length === 0 ? (
        <p className="quiet">There is no room yet. Make one under Rooms & Lobby, or in the project’s settings.py; each room gets a Lobby.</p>
      ) : (
        <ul className="plain-list">
          {instance.rooms.map((room) => (
            <li key={room.name}>
              <strong>{room.displayName}</strong> <RoomWords room={room} />
              <div>
                <LobbyAddress room={room} />
              </div>
              <div>
                <Link to={preflightPlace(instance.name, room.name)}>Ready for participants?</Link>
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

/** Where the room comes from: settings.py, or the panel with who and when. */
export function RoomOrigin({ room }: { room: RoomView }): ReactNode {
  if (!room.edited) return <span className="quiet block">from settings.py</span>;
  return (
    <span className="quiet block">
      edited in the panel by {room.edited.byName}, <Ago at={room.edited.at} />
      {room.edited.isReplacing && ', in place of the one in settings.py'}
    </span>
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
