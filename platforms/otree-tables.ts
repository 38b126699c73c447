// What oTree's own tables say about the people in an instance; read-only, in one short query over a kept connection.

import pg from 'pg';
import type { ParticipantRow } from './platform.ts';
import { explainDatabaseError, type DatabaseAddress } from './postgres.ts';

const MAX_ROWS = 5000;
/** Undefined table or column: nothing was deployed yet, or the tables are those of another oTree. */
export const NO_TABLES: ReadonlySet<string> = new Set(['42P01', '42703']);
/** Longer than the pause between two looks at a busy instance, so that only quiet ones are without a connection. */
const IDLE_MS = 10_000;

export type ParticipantAnswer = {
  session: string;
  room: string | null;
  label: string | null;
  page: number;
  last: number;
  visited: boolean;
  seen: number | null;
};
type Kept = { readonly pool: pg.Pool; readonly password: string };

/**
 * Reads participants over one connection an instance, which is kept while it is used and closed after 10 s: signing in
 * each time costs more than the question. A connection that broke is replaced at the next look.
 */
export class ParticipantReader {
  readonly #kept = new Map<string, Kept>();

  /** Participants of sessions that are not demos, newest session first. @throws database_unreachable @see oTree 6.0 models/participant.py, models_concrete.py */
  async read(address: DatabaseAddress): Promise<ParticipantRow[]> {
    const pool = this.#poolFor(address);
    try {
      const found = await pool.query<ParticipantAnswer>({ name: 'participants', text: QUESTION });
      return found.rows.map(presentRow);
    } catch (error) {
      if (error instanceof pg.DatabaseError && NO_TABLES.has(error.code ?? '')) return [];
      throw explainDatabaseError(error);
    }
  }

  /** Closes what is kept for an instance. */
  async forget(instanceId: string): Promise<void> {
    const name = `i_${instanceId}`;
    const kept = this.#kept.get(name);
    this.#kept.delete(name);
    await kept?.pool.end();
  }

  #poolFor({ host, port, database, user, password }: DatabaseAddress): pg.Pool {
    const kept = this.#kept.get(database);
    if (kept?.password === password.open()) return kept.pool;
    this.#kept.delete(database);
    void kept?.pool.end();
    const pool = new pg.Pool({
      host,
      port,
      database,
      user,
      password: password.open(),
      max: 1,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: 5000,
      allowExitOnIdle: true,
      options: '-c statement_timeout=2000 -c default_transaction_read_only=on',
    });
    pool.on('error', () => {}); // a server that goes away ends the connection; the next look makes another
    this.#kept.set(database, { pool, password: password.open() });
    return pool;
  }
}

/** One row a participant of sessions that are not demos, newest session first. */
export const QUESTION = `SELECT s.code AS session, r.room_name AS room, p.label, coalesce(p._index_in_pages, 0) AS page, coalesce(p._max_page_index, 0) AS last,
        coalesce(p.visited, false) AS visited, p._last_page_timestamp AS seen
   FROM otree_participant p JOIN otree_session s ON s.id = p.session_id LEFT JOIN otree_roomtosession r ON r.session_id = s.id
  WHERE NOT coalesce(s.is_demo, false) ORDER BY s.id DESC, p.id LIMIT ${MAX_ROWS}`;

/** A row of `QUESTION` as the interface has it. */
export const presentRow = ({ session, room, label, page, last, visited, seen }: ParticipantAnswer): ParticipantRow => ({
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
