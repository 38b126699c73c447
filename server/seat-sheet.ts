// The printable sheet of a room: a card with a QR code for each seat, to be cut out and put on the tables.

import { setImmediate as breathe } from 'node:timers/promises';
import { renderSVG } from 'uqr';
import type { RoomLinks } from '../domain/seat-links.ts';
import { html, type Html } from './lobby-page.ts';

/** Cards between two breaths: a code takes about a millisecond, and others want answers meanwhile. */
const cardsAtOnce = 20;

/** The complete page. @param stylesheet address of sheet.css */
export async function seatSheet(links: RoomLinks, place: { instance: string; stylesheet: string }): Promise<string> {
  const cards: Html[] = [];
  for (const [index, { label, address }] of links.seats.entries()) {
    if (index % cardsAtOnce === 0) await breathe();
    cards.push(
      html`<li>
        ${{ html: renderSVG(address, { border: 1, ecc: 'M' }) }}<strong>${label}</strong><span>${place.instance} · ${links.room.displayName}</span
        ><code>${address.replace(/^https?:\/\//, '')}</code>
      </li>`,
    );
  }
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Seats of ${links.room.displayName} · ${place.instance}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${place.stylesheet}" />
      </head>
      <body>
        <header>
          <h1>${links.room.displayName}</h1>
          <p>${place.instance} · ${links.seats.length} seats. Print this page (Ctrl+P or ⌘P) and cut the cards out; each code opens its seat in the Lobby.</p>
        </header>
        <main>
          <ul>
            ${cards}
          </ul>
        </main>
      </body>
    </html> `.html;
}
