// Seats of a Lobby on the wire, for the experimenter's page.

import { z } from 'zod';

/**
 * `away`: nobody has opened the seat; `opened`: its page is open; `ready`: clicked, waiting for the turn; `forwarded`: sent
 * on to oTree; `in-room`: waits in oTree's room for the session; `playing`: on a page; `finished`: on the last one.
 */
export const seatStates = ['away', 'opened', 'ready', 'forwarded', 'in-room', 'playing', 'finished'] as const;
export type SeatState = (typeof seatStates)[number];

export const seatSchema = z.object({
  label: z.string(),
  state: z.enum(seatStates),
  openedAt: z.string().nullable(),
  readyAt: z.string().nullable(),
  /** Page of the experiment, once oTree has the participant: "3 of 12". */
  progress: z.string().nullable(),
});
export type SeatView = z.infer<typeof seatSchema>;

/** Whole map at first, then only what changed; a page that misses a version asks for the whole again. */
export const seatMapSchema = z.object({
  room: z.string(),
  version: z.number().int(),
  seats: z.array(seatSchema),
  counts: z.record(z.enum(seatStates), z.number().int()),
});
export type SeatMap = z.infer<typeof seatMapSchema>;
export type SeatDifference = {
  readonly room: string;
  readonly from: number;
  readonly version: number;
  readonly changed: readonly SeatView[];
  readonly counts: SeatMap['counts'];
};
