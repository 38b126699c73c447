// Rooms and labels that people edit in the panel: the rules of oTree, checked where they are typed and where they arrive.

import { z } from 'zod';

/** oTree's own limit is higher; more seats than that no lab has, and a list must stay readable. */
export const maxLabels = 1000;
/** oTree keeps 100 characters of a label (6.0 models/participant.py). */
const maxLabelLength = 100;
const namePattern = /^[A-Za-z0-9_]+$/;

export type LabelProblem = { readonly line: number; readonly text: string; readonly why: string };
export type ReadLabels = { readonly labels: readonly string[]; readonly problems: readonly LabelProblem[] };

/**
 * Labels from a text with one per line, as people paste it or as a .txt or .csv file holds it: a byte order mark, CRLF,
 * quotation marks around a line, a separator at its end and empty lines are understood.
 */
export function readLabels(text: string): ReadLabels {
  const lineOf = new Map<string, number>();
  const problems: LabelProblem[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const label = raw
      .trim()
      .replace(/[,;]$/, '')
      .replace(/^"(.*)"$/, '$1')
      .trim();
    if (label === '') continue;
    const line = index + 1;
    const first = lineOf.get(label);
    const why = first === undefined ? describeWrong(label) : `it stands in line ${first} already`;
    if (why === null) lineOf.set(label, line);
    else problems.push({ line, text: label.slice(0, 40), why });
  }
  return { labels: [...lineOf.keys()], problems };
}

function describeWrong(label: string): string | null {
  if (label.length > maxLabelLength) return `it is longer than ${maxLabelLength} characters`;
  const wrong = /[^A-Za-z0-9_]/u.exec(label)?.[0];
  if (wrong === undefined) return null;
  if (wrong === ' ' || wrong === '\t') return 'it holds a space; write one label per line';
  return `it holds “${wrong}”; oTree takes only letters without accents, digits and underscores`;
}

/** "Line 3: “A-03” cannot be a label: it holds “-”; …", and how many more there are. */
export function describeProblems({ labels, problems }: ReadLabels): string | null {
  const [first, ...others] = problems;
  if (first) {
    const more = others.length === 0 ? '' : ` ${others.length} more ${others.length === 1 ? 'line is' : 'lines are'} wrong.`;
    return `Line ${first.line}: “${first.text}” cannot be a label: ${first.why}.${more}`;
  }
  return labels.length > maxLabels ? `These are ${labels.length} labels; a room takes ${maxLabels} at most.` : null;
}

/** `count` labels from a prefix and a number: `A01` … `A24`; as many digits as the last one needs, two at least. */
export function makeLabels(prefix: string, count: number): string[] {
  const digits = Math.max(2, String(count).length);
  return Array.from({ length: count }, (_, index) => prefix + String(index + 1).padStart(digits, '0'));
}

/** A room's name: part of its address in oTree and in the Lobby. */
export const roomNameSchema = z
  .string()
  .trim()
  .min(1, 'A room needs a name.')
  .max(50, 'At most 50 characters.')
  .regex(namePattern, 'Letters without accents, digits and underscores: oTree takes nothing else, not even a hyphen.');

/** The room's name as it stands in an address. */
export const roomParams = z.object({ name: roomNameSchema });

const labelTextSchema = z
  .string()
  .max(200_000, `At most ${maxLabels} labels.`)
  .superRefine((text, check) => {
    const read = readLabels(text);
    const problem = describeProblems(read) ?? (read.labels.length === 0 ? 'Write one label per line, or let the room take any label.' : null);
    if (problem !== null) check.addIssue({ code: 'custom', message: problem });
  });

/** Body of `PUT /instances/{name}/rooms/{room}`. */
export const putRoomSchema = z
  .strictObject({
    displayName: z.string().trim().min(1, 'Write what people read above the seats.').max(100, 'At most 100 characters.'),
    /** One label per line, as in oTree's label files; null: the room takes any label. */
    labels: labelTextSchema.nullable(),
    usesSecureUrls: z.boolean(),
    /** `edited.at` of the room as it was when editing began, null for a room that the panel did not have. */
    since: z.string().nullable(),
    /** Goes on although people sit on labels that would go. */
    isConfirmed: z.boolean().optional(),
  })
  .refine(({ labels, usesSecureUrls }) => labels !== null || !usesSecureUrls, {
    path: ['usesSecureUrls'],
    message: 'Secure links need labels: the link is made from the label.',
  });
export type PutRoom = z.infer<typeof putRoomSchema>;

/** What the page's form holds: the room with its name. */
export const editRoomSchema = putRoomSchema.safeExtend({ name: roomNameSchema });

/** Query of `DELETE /instances/{name}/rooms/{room}`. */
export const deleteRoomQuery = z.object({ since: z.string(), isConfirmed: z.enum(['true', 'false']).default('false') });

/** `isApplied` false: kept, and oTree knows it as soon as the background worker answers. */
export const savedRoomSchema = z.object({ name: z.string(), isApplied: z.boolean() });
