// Reading Prolific's CSV export ("Download summary"), and refusing what is not one, with a sentence.

import { parse } from 'csv-parse/sync';
import { AppError } from '../contracts/errors.ts';
import { maxExportBytes } from '../contracts/reconciliation.ts';

/** One submission: a row of the export. */
export type Submission = {
  readonly id: string;
  readonly participantId: string;
  readonly status: string;
  /** By Prolific's clock; null when it does not say. */
  readonly seconds: number | null;
  readonly code: string;
};

/** Column in today's export and in older ones, as compared: small letters and underscores. */
const columns = {
  id: ['submission_id', 'session_id'],
  participantId: ['participant_id'],
  status: ['status'],
  seconds: ['time_taken'],
  code: ['completion_code', 'entered_code'],
} as const;
const needed = ['id', 'participantId', 'status'] as const;
const names: Readonly<Record<(typeof needed)[number], string>> = { id: 'Submission id', participantId: 'Participant id', status: 'Status' };

const maxRows = 20_000;
const again = 'On the study’s page in Prolific, choose “Download summary”, and upload that file as it is.';

const refuse = (reason: string, hint = again): AppError => new AppError('file_refused', { reason, hint });

/**
 * The submissions of an export, in its order. The file is only read; cells of other columns are not even kept.
 * @param expected `studyId` from the settings, null when nobody entered one
 * @throws file_refused
 */
export function readExport(content: Buffer, { filename, studyId }: { filename: string; studyId: string | null }): Submission[] {
  refuseOtherStudy(filename, studyId);
  const rows = readRows(readText(content));
  const [header, ...body] = rows;
  if (!header) throw refuse('This file is empty.');
  const at = findColumns(header);
  if (body.length === 0) throw refuse('This file has no submissions, only a first line.', 'Export it again when people have taken part.');
  const submissions = body.map((row, index) => readSubmission(row, { at, line: index + 2 }));
  refuseDoubled(submissions);
  return submissions;
}

/** Prolific names the file `prolific_export_STUDY.csv`. */
function refuseOtherStudy(filename: string, studyId: string | null): void {
  const inName = /prolific_export_([a-f0-9]{24})/.exec(filename)?.[1];
  if (studyId === null || inName === undefined || inName === studyId) return;
  throw refuse(`This is the export of study ${inName}; the one entered here is ${studyId}.`, 'Choose the other file, or correct the study’s id above.');
}

function readText(content: Buffer): string {
  if (content.length > maxExportBytes) throw refuse(`This file is larger than ${maxExportBytes / 1024 / 1024} MB; an export of Prolific is not.`);
  if (content.length === 0) throw refuse('This file is empty.');
  if (content.subarray(0, 2).equals(Buffer.from([0xff, 0xfe])) || content.subarray(0, 2).equals(Buffer.from([0xfe, 0xff])))
    throw refuse('This file was saved as “Unicode text” by another program.');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    if (!text.includes('\0')) return text;
  } catch {
    // said below
  }
  throw refuse('This is not a text file, so it is no CSV.');
}

function readRows(text: string): string[][] {
  try {
    const rows: string[][] = parse(text, { bom: true, skip_empty_lines: true, relax_column_count: false, to: maxRows + 2 });
    if (rows.length > maxRows + 1) throw refuse(`This file has more than ${maxRows} lines.`);
    refuseFormulas(rows);
    return rows;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refuse('The lines of this file do not all have the same columns, so it is not a CSV file as Prolific writes it.');
  }
}

/** A spreadsheet would run such a cell; Prolific writes none. A number with a sign is a number, and “- none” is an answer. */
function refuseFormulas(rows: readonly (readonly string[])[]): void {
  for (const [index, row] of rows.entries()) {
    const cell = row.find((text) => /^(?:[=@\t\r]|[+-][A-Za-z("'=@])/.test(text));
    if (cell !== undefined) throw refuse(`Line ${index + 1} holds a formula (“${cell.slice(0, 30)}”), which Prolific does not write.`);
  }
}

type Columns = { readonly [Name in keyof typeof columns]: number };

function findColumns(header: readonly string[]): Columns {
  const plain = header.map((name) => name.trim().toLowerCase().replaceAll(/[ _]+/g, '_'));
  const find = (name: keyof typeof columns): number => {
    const known: readonly string[] = columns[name];
    const places = plain.flatMap((text, index) => (known.includes(text) ? [index] : []));
    if (places.length > 1) throw refuse(`The column “${header[places[1] ?? 0]}” stands in this file twice.`);
    return places[0] ?? -1;
  };
  const at: Columns = { id: find('id'), participantId: find('participantId'), status: find('status'), seconds: find('seconds'), code: find('code') };
  const missing = needed.filter((name) => at[name] === -1).map((name) => `“${names[name]}”`);
  if (missing.length > 0) throw refuse(`This file has no column ${missing.join(' and ')}, so it is not Prolific’s export.`);
  return at;
}

function readSubmission(row: readonly string[], { at, line }: { at: Columns; line: number }): Submission {
  const cell = (name: keyof Columns): string => (row[at[name]] ?? '').trim();
  const participantId = cell('participantId');
  if (!/^[A-Za-z0-9_]{4,64}$/.test(participantId)) throw refuse(`Line ${line}: “${participantId.slice(0, 40)}” is not an id of Prolific.`);
  if (cell('id') === '') throw refuse(`Line ${line} has no submission id.`);
  const status = cell('status').toUpperCase();
  if (!/^[A-Z][A-Z _-]{2,40}$/.test(status)) throw refuse(`Line ${line}: “${cell('status').slice(0, 40)}” is not a status of Prolific.`);
  const seconds = /^\d+(\.\d+)?$/.test(cell('seconds')) ? Math.round(Number(cell('seconds'))) : null;
  return { id: cell('id'), participantId, status: status.replaceAll('_', ' '), seconds, code: cell('code') };
}

function refuseDoubled(submissions: readonly Submission[]): void {
  const lines = new Map<string, number>();
  for (const [index, { id }] of submissions.entries()) {
    const first = lines.get(id);
    if (first !== undefined) throw refuse(`Submission ${id} stands in lines ${first} and ${index + 2}: every submission stands in an export once.`);
    lines.set(id, index + 2);
  }
}
