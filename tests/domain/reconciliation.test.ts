// Prolific's export: what is refused, who is matched, and a bonus file that is right to the cent.

import { describe, expect, it } from 'vitest';
import { AppError } from '../../contracts/errors.ts';
import type { SessionMoney } from '../../contracts/reconciliation.ts';
import { recruitmentSchema } from '../../contracts/recruiting.ts';
import { centsOf, inUnits } from '../../domain/money.ts';
import { readExport } from '../../domain/prolific-export.ts';
import { reconcile } from '../../domain/reconciliation.ts';

const study = '671b8ae84509b9a624b95e13';
const header =
  'Submission id,Participant id,Status,Custom study tncs accepted at,Started at,Completed at,Reviewed at,Archived at,Time taken,Completion code,Age';
/** An id as Prolific writes it, 24 characters. */
const id = (number: number): string => String(number).padStart(24, '5e9088a8a4b6ed018b450000');
const row = (number: number, { status = 'AWAITING REVIEW', seconds = '300', code = 'C1DONE', person = id(number) } = {}): string =>
  `s${number},${person},${status},Not Applicable,2026-10-25T12:27:09.179000Z,,,,${seconds},${code},25`;
const file = (...rows: string[]): Buffer => Buffer.from(`\uFEFF${[header, ...rows].join('\r\n')}\r\n`);
const read = (content: Buffer | string, filename = 'prolific_export.csv', studyId: string | null = null) =>
  readExport(Buffer.from(content), { filename, studyId });

/** The sentence with which something is refused. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError && error.code === 'file_refused') return error.message;
    throw error;
  }
  return 'was not refused';
}

describe('a file that is not Prolific’s export is refused with a sentence', () => {
  it.each([
    ['nothing', '', 'empty'],
    ['no rows', `${header}\n`, 'no submissions'],
    ['another table', 'name,age\nAda,36\n', 'no column “Submission id” and “Participant id” and “Status”'],
    ['a column twice', 'Submission id,Participant id,Status,status\ns1,5e9088a8,APPROVED,x\n', 'twice'],
    ['rows of unequal length', `${header}\ns1,${id(1)}\n`, 'do not all have the same columns'],
    ['a submission twice', file(row(1), row(1)), 'stands in lines 2 and 3'],
    ['a formula in a column that nobody reads', file(row(1).replace(/25$/, '"=HYPERLINK(""http://evil"")"')), 'Line 2 holds a formula'],
    ['an id that is none', file(row(1, { person: 'ada@lab.example' })), 'is not an id of Prolific'],
    ['a status that is none', file(row(1, { status: '42' })), 'is not a status'],
    ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 255]), 'not a text file'],
    ['UTF-16', Buffer.from(`\uFEFF${header}`, 'utf16le'), 'Unicode text'],
    ['more than 5 MB', Buffer.alloc(5 * 1024 * 1024 + 1, 'a'), 'larger than 5 MB'],
  ])('%s', (_what, content, sentence) => {
    expect(refusal(() => read(content as Buffer))).toContain(sentence);
  });

  it('the export of another study is told by its name', () => {
    const name = `prolific_export_${study}.csv`;
    expect(refusal(() => read(file(row(1)), name, 'a'.repeat(24)))).toContain(`export of study ${study}`);
    expect(read(file(row(1)), name, study)).toHaveLength(1);
  });

  it('answers that only look like formulas, and the columns of older exports, are taken', () => {
    expect(read(file(row(1).replace(/25$/, '-3')), 'x.csv')).toHaveLength(1);
    expect(read('session_id,participant_id,status,time_taken,entered_code\ns1,5e9088a8,APPROVED,61.4,C1\n')).toEqual([
      { id: 's1', participantId: '5e9088a8', status: 'APPROVED', seconds: 61, code: 'C1' },
    ]);
  });
});

const prolific = recruitmentSchema.parse({ kind: 'prolific', settings: { done: 'C1DONE', noConsent: 'C2NO' } });
type Person = SessionMoney['people'][number];
const person = (label: string, payoff = '1.37', isFinished = true): Person => ({
  label,
  hasStarted: true,
  isFinished,
  pageIndex: isFinished ? 3 : 2,
  maxPageIndex: 3,
  payoff,
});
const session = (...people: Person[]): SessionMoney => ({ sessionCode: 'abcd1234', currency: 'GBP', participationFee: '1.5', people });
const held = (content: Buffer, people: Person[], withFee = false) =>
  reconcile({ submissions: read(content), session: session(...people), recruitment: prolific, withFee });
const remarksOf = (view: ReturnType<typeof held>): Record<string, readonly string[]> =>
  Object.fromEntries(view.people.map(({ id: who, remarks }) => [who, remarks]));

describe('people of the file and of the session', () => {
  it('are told apart: both, missing on either side, doubled, finished without submitting, submitted without finishing, another code', () => {
    const view = held(
      file(
        row(1),
        row(2),
        row(3, { status: 'RETURNED', code: '' }),
        row(4),
        row(6, { code: 'NOCODE' }),
        row(70, { person: id(7), status: 'APPROVED' }),
        row(71, { person: id(7) }),
        row(80, { person: id(8), status: 'RETURNED', code: '' }),
        row(81, { person: id(8) }),
        row(9, { status: 'TIMED-OUT', code: '' }),
      ),
      [person(id(1)), person(id(3)), person(id(4), '0', false), person(id(5)), person(id(6)), person(id(7)), person(id(8)), person('test_x')],
    );
    expect(remarksOf(view)).toEqual({
      [id(1)]: [],
      [id(2)]: ['missing-in-session'],
      [id(3)]: ['finished-not-submitted'],
      [id(4)]: ['submitted-not-finished'],
      [id(5)]: ['missing-in-file'],
      [id(6)]: ['other-code'],
      [id(7)]: ['doubled'],
      [id(8)]: [],
      [id(9)]: [],
    });
    expect(view.counts).toEqual({ both: 6, inFile: 8, inSession: 7, tests: 1 });
    // Who finished and submitted, once: not the doubled one, nobody unfinished, no made-up person.
    expect(view.bonus).toEqual({ text: [1, 6, 8].map((number) => `${id(number)},1.37\n`).join(''), people: 3, total: '4.11' });
    expect(view.medianSeconds).toBe(300);
  });

  it('who did not consent may end on any page, and gets no fee', () => {
    const view = held(file(row(1), row(2, { code: 'C2NO' })), [person(id(1)), person(id(2), '0', false)], true);
    expect(remarksOf(view)[id(2)]).toEqual([]);
    expect(view.people.map(({ outcome, bonus }) => [outcome, bonus])).toEqual([
      ['done', '2.87'],
      ['noConsent', null],
    ]);
  });

  it('a file of another study is refused, by its people or by its codes', () => {
    expect(refusal(() => held(file(row(1)), [person(id(2))]))).toContain('None of the 1 submissions');
    expect(refusal(() => held(file(row(1, { code: 'OTHER' })), [person(id(1))]))).toContain('was not entered here (“OTHER”)');
  });
});

describe('money', () => {
  it.each([
    ['0.1', '0.10'],
    ['1.005', '1.01'],
    ['2.675', '2.68'],
    ['0.285', '0.29'],
    ['10', '10.00'],
    ['-0.5', '-0.50'],
    ['123456789012345.67', '123456789012345.67'],
    [String(1e-7), '0.00'],
  ])('%s is %s', (amount, text) => {
    expect(inUnits(centsOf(amount))).toBe(text);
  });

  it('adds up without losing a cent', () => {
    const people = Array.from({ length: 100 }, (_, index) => person(id(index + 1), '0.1'));
    expect(held(file(...people.map((_, index) => row(index + 1))), people).bonus.total).toBe('10.00');
    expect(() => centsOf('a lot')).toThrow(RangeError);
  });
});
