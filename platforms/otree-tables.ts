// What oTree's own tables say about the people in an instance; read-only, in one short query.

import pg from 'pg';
import type { ParticipantRow } from './platform.ts';
import { type DatabaseAddress, withClient } from './postgres.ts';

const MAX_ROWS = 5000;
/** Undefined table or column: nothing was deployed yet, or the tables are those of another oTree. */
const NO_TABLES = new Set(['42P01', '42703']);

type Row = { session: string; room: string | null; label: string | null; page: number; last: number; visited: boolean; seen: number | null };

/** Participants of sessions that are not demos, newest session first. @see oTree 6.0 models/participant.py, models_concrete.py */
export async function readParticipants(address: DatabaseAddress): Promise<ParticipantRow[]> {
  return await withClient(address, async (client) => {
    try {
      await client.query("SET statement_timeout = '2s'; SET default_transaction_read_only = on");
      const found = await client.query<Row>(
        `SELECT s.code AS session, r.room_name AS room, p.label, coalesce(p._index_in_pages, 0) AS page, coalesce(p._max_page_index, 0) AS last,
                coalesce(p.visited, false) AS visited, p._last_page_timestamp AS seen
           FROM otree_participant p JOIN otree_session s ON s.id = p.session_id LEFT JOIN otree_roomtosession r ON r.session_id = s.id
          WHERE NOT coalesce(s.is_demo, false) ORDER BY s.id DESC, p.id LIMIT ${MAX_ROWS}`,
      );
      return found.rows.map(presentRow);
    } catch (error) {
      if (error instanceof pg.DatabaseError && NO_TABLES.has(error.code ?? '')) return [];
      throw error;
    }
  });
}

const presentRow = ({ session, room, label, page, last, visited, seen }: Row): ParticipantRow => ({
  sessionCode: session,
  room,
  label,
  pageIndex: page,
  maxPageIndex: last,
  hasStarted: visited,
  // On the last page: experiments end with a thank-you page that has no button, so nobody ever gets behind it.
  isFinished: last > 0 && page >= last,
  lastPageAt: seen === null ? null : new Date(Number(seen) * 1000),
});
