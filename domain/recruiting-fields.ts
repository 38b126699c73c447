// Completion links on their way into an experiment: from the rows of recruitment to session config fields and environment.

import { recruitmentSchema, sessionFieldsOf, type Recruitment } from '../contracts/recruiting.ts';
import type { Recruitment as Row } from '../prisma/client/client.ts';

/** What must be known of a row. */
export type RecruitmentRow = Pick<Row, 'room' | 'kind' | 'settings' | 'updatedAt'>;

/** A field of the session config, its link, and the room whose recruitment it comes from. */
export type FieldOfRoom = { readonly field: string; readonly link: string; readonly room: string };

/** Null: another version wrote it and it cannot be read. */
export function readRecruitment({ kind, settings }: Pick<Row, 'kind' | 'settings'>): Recruitment | null {
  const read = recruitmentSchema.safeParse({ kind, settings });
  return read.success ? read.data : null;
}

/**
 * What a session gets that is made in oTree's own admin, where no room of the panel is known: of every field the link
 * that was saved last, whichever room it is of.
 */
export function instanceFields(rows: readonly RecruitmentRow[]): readonly FieldOfRoom[] {
  const fields = new Map<string, FieldOfRoom>();
  for (const row of rows.toSorted((one, other) => one.updatedAt.getTime() - other.updatedAt.getTime())) {
    const recruitment = readRecruitment(row);
    if (!recruitment) continue;
    for (const [field, link] of Object.entries(sessionFieldsOf(recruitment))) fields.set(field, { field, link, room: row.room });
  }
  return [...fields.values()];
}

/** The same as `{ field: link }`. */
export const sessionFieldsOfInstance = (rows: readonly RecruitmentRow[]): Record<string, string> =>
  Object.fromEntries(instanceFields(rows).map(({ field, link }) => [field, link]));
