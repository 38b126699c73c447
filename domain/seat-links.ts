// Links to the seats of a room, for shortcuts, a table and a printed sheet.

import { lobbyUrl } from './addresses.ts';
import type { Context } from './context.ts';
import { encodePart, type SeatLink } from './kiosk.ts';
import { findRoom, otreeRoomUrl, withRooms, type ListedRoom, type LobbyInstance } from './rooms.ts';

export type RoomLinks = { readonly room: ListedRoom; readonly seats: readonly (SeatLink & { readonly otreeAddress: string })[] };

/** Every seat of the room in its order; a room without labels has as many as are wished. @throws room_unknown */
export async function roomLinks(ctx: Context, instance: Omit<LobbyInstance, 'panelRooms'>, wish: { room: string; count: number }): Promise<RoomLinks> {
  const found = await withRooms(ctx, instance);
  const room = findRoom(found, wish.room);
  const labels = room.labels ?? Array.from({ length: wish.count }, (_, index) => `seat_${index + 1}`);
  const base = lobbyUrl(ctx.config, instance.name, encodePart(room.name));
  return { room, seats: labels.map((label) => ({ label, address: `${base}/${encodePart(label)}`, otreeAddress: otreeRoomUrl(ctx, found, { room, label }) })) };
}

/**
 * A table for spreadsheets: UTF-8 with a byte order mark, CRLF, every cell in quotation marks, and no cell that a
 * spreadsheet takes for a formula (OWASP: CSV injection).
 */
export function linksTable({ seats }: RoomLinks): string {
  const cell = (text: string): string => `"${(/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const rows = [['Seat', 'Lobby', 'oTree'], ...seats.map(({ label, address, otreeAddress }) => [label, address, otreeAddress])];
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
