// What a lab downloads for the computers of a room: shortcuts, a table of links, a sheet to print.

import { z } from 'zod';
import { kioskFiles, kioskSystems } from '../../domain/kiosk.ts';
import { linksTable, roomLinks } from '../../domain/seat-links.ts';
import { zipArchive } from '../../domain/zip-archive.ts';
import { endpoint, type AnyEndpoint } from '../endpoint.ts';
import { sheetUrl } from '../lobby.ts';
import { seatSheet } from '../seat-sheet.ts';

/** Of a room without labels, which has no seats of its own. */
const countQuery = z.object({ count: z.coerce.number().int().min(1).max(1000).default(24) });
const shortcutsQuery = countQuery.extend({ system: z.enum(kioskSystems) });
const path = '/instances/:name/rooms/:room';

export const seatFileRoutes: readonly AnyEndpoint[] = [
  endpoint({
    method: 'get',
    path: `${path}/shortcuts`,
    action: 'instance.operate',
    summary: 'A .zip with a kiosk shortcut for each seat, for Windows, macOS or Linux',
    query: shortcutsQuery,
    response: 'file',
    run: async ({ ctx, instance, params, query, response }) => {
      const { room, seats } = await roomLinks(ctx, instance, { room: params['room'] ?? '', count: query.count });
      const file = zipArchive(kioskFiles(query.system, room.name, seats));
      response.attachment(`${instance.name}-lobby-${query.system}.zip`).type('application/zip').send(file);
    },
  }),
  endpoint({
    method: 'get',
    path: `${path}/links`,
    action: 'instance.operate',
    summary: 'A .csv with the address of each seat, in the Lobby and in oTree',
    query: countQuery,
    response: 'file',
    run: async ({ ctx, instance, params, query, response }) => {
      const links = await roomLinks(ctx, instance, { room: params['room'] ?? '', count: query.count });
      response.attachment(`${instance.name}-seats.csv`).type('text/csv; charset=utf-8').send(linksTable(links));
    },
  }),
  endpoint({
    method: 'get',
    path: `${path}/sheet`,
    action: 'instance.operate',
    summary: 'A page to print with a QR code for each seat',
    query: countQuery,
    response: 'file',
    run: async ({ ctx, instance, params, query, response }) => {
      const links = await roomLinks(ctx, instance, { room: params['room'] ?? '', count: query.count });
      response.set('Content-Security-Policy', "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'");
      response.type('html').send(await seatSheet(links, { instance: instance.name, stylesheet: sheetUrl }));
    },
  }),
];
