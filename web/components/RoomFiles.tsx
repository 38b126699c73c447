// What a lab downloads for the computers of a room: shortcuts, a sheet with QR codes, a table of links.

import { useId, useState, type ReactNode } from 'react';
import type { InstanceView, RoomView } from '../../contracts/instances.ts';
import { roomApi } from '../rooms.ts';
import { Glyph } from './Glyph.tsx';

const systems = [
  { system: 'windows', name: 'Windows' },
  { system: 'macos', name: 'macOS' },
  { system: 'linux', name: 'Linux' },
] as const;

export function RoomFiles({ instance, room }: { instance: InstanceView; room: RoomView }): ReactNode {
  const id = useId();
  const [count, setCount] = useState('24');
  const number = Number.isInteger(Number(count)) && Number(count) >= 1 && Number(count) <= 1000 ? Number(count) : 24;
  const seats = room.labels === null ? `count=${number}` : '';
  const address = (what: string, query = ''): string => `/api/v1${roomApi(instance.name, room.name, `/${what}?${[query, seats].filter(Boolean).join('&')}`)}`;
  return (
    <details className="fold room-files">
      <summary>Shortcuts, QR codes and links for the computers</summary>
      {room.labels === null && (
        <div className="field ui form">
          <label htmlFor={`${id}-count`}>For how many seats</label>
          <input id={`${id}-count`} type="number" min={1} max={1000} value={count} onChange={(event) => setCount(event.target.value)} />
        </div>
      )}
      <ul className="plain-list">
        <li>
          <strong>Kiosk shortcuts</strong>, one file for each seat, in a .zip:{' '}
          {systems.map(({ system, name }) => (
            <a key={system} className="file-link" href={address('shortcuts', `system=${system}`)} download>
              {name}
            </a>
          ))}
          <span className="block quiet">They open the seat’s page over the whole screen in Chrome, Chromium or Edge. Nothing has to be installed.</span>
        </li>
        <li>
          <a className="file-link" href={address('sheet')} target="_blank" rel="noopener">
            <Glyph name="qrcode" />
            Sheet to print ↗
          </a>
          <span className="block quiet">A card with a QR code for each seat, for phones and tablets.</span>
        </li>
        <li>
          <a className="file-link" href={address('links')} download>
            <Glyph name="table" />
            Table of links (.csv)
          </a>
          <span className="block quiet">Each seat with its address in the Lobby and in oTree.</span>
        </li>
      </ul>
    </details>
  );
}
