// An export of Prolific held against an oTree session: person by person, and the bonus file that follows.

import { stringify } from 'csv-stringify/sync';
import { AppError } from '../contracts/errors.ts';
import type { MatchedPerson, ReconciliationView, Remark, SessionMoney } from '../contracts/reconciliation.ts';
import { completionLinks, outcomes, prolificCompletion, type Outcome, type Recruitment } from '../contracts/recruiting.ts';
import { isTestLabel } from '../contracts/recruiting-view.ts';
import { centsOf, inUnits } from './money.ts';
import type { Submission } from './prolific-export.ts';

/** The person says: done. Only such submissions are paid. */
const submitted: readonly string[] = ['APPROVED', 'AWAITING REVIEW', 'PARTIALLY APPROVED', 'SCREENED OUT'];
/** Ended without a claim, or still under way. Rejected is the researcher's word about one that was handed in. */
const isOpen = ({ status }: Submission): boolean => !submitted.includes(status) && status !== 'REJECTED';

export type Match = {
  readonly submissions: readonly Submission[];
  readonly session: SessionMoney;
  /** How people are recruited, with the codes that were entered; null: nothing entered. */
  readonly recruitment: Recruitment | null;
  /** Whether the bonus holds the participation fee, too. */
  readonly withFee: boolean;
};

/**
 * Who is in both, what does not fit, and the bonus: oTree's payoff of everybody who submitted and finished, once.
 * Nobody gets a line of 0, which Prolific refuses.
 * @throws file_refused when the file is of another study: nobody in it is in the session, or it knows none of the codes
 */
export function reconcile(match: Match): ReconciliationView {
  const { session, submissions } = match;
  const real = session.people.filter(({ label, hasStarted }) => hasStarted && !isTestLabel(label));
  refuseOtherStudy(match, real);
  const byId = new Map<string, Submission[]>();
  for (const one of submissions) byId.set(one.participantId, [...(byId.get(one.participantId) ?? []), one]);
  const inSession = new Map(real.map((person) => [person.label, person]));
  const ids = [...new Set([...byId.keys(), ...inSession.keys()])].toSorted();
  const people = ids.map((id) => matchOne(match, { id, own: byId.get(id) ?? [], person: inSession.get(id) ?? null }));
  return {
    sessionCode: session.sessionCode,
    currency: session.currency,
    participationFee: inUnits(centsOf(session.participationFee)),
    people,
    counts: {
      both: people.filter(({ isInFile, isInSession }) => isInFile && isInSession).length,
      inFile: byId.size,
      inSession: real.length,
      tests: session.people.filter(({ label, hasStarted }) => hasStarted && isTestLabel(label)).length,
    },
    medianSeconds: medianOf(people.flatMap(({ isSubmitted, seconds }) => (isSubmitted && seconds !== null ? [seconds] : []))),
    bonus: bonusOf(people),
  };
}

type One = { readonly id: string; readonly own: readonly Submission[]; readonly person: SessionMoney['people'][number] | null };

function matchOne({ session, recruitment, withFee }: Match, { id, own, person }: One): MatchedPerson {
  const counting = own.filter((one) => !isOpen(one));
  // One that was handed in says more than one that was given back.
  const main = counting.find(({ status }) => submitted.includes(status)) ?? counting[0] ?? own.at(-1) ?? null;
  const isSubmitted = main !== null && submitted.includes(main.status);
  const outcome = main && outcomeOf(recruitment, main.code);
  const isFinished = person?.isFinished ?? false;
  const found: Record<Remark, boolean> = {
    'missing-in-session': person === null && isSubmitted,
    'missing-in-file': own.length === 0,
    doubled: counting.length > 1,
    'finished-not-submitted': isFinished && own.length > 0 && !isSubmitted && main?.status !== 'REJECTED',
    // Who was screened out or refused consent may rightly end on any page.
    'submitted-not-finished': person !== null && isSubmitted && !isFinished && (outcome === 'done' || outcome === null),
    'other-code': isSubmitted && outcome === null && hasCodes(recruitment),
  };
  const isPaid = isSubmitted && isFinished && !found.doubled;
  // Prolific itself pays those who were screened out; who refused consent gets no fee.
  const isFeeDue = withFee && (outcome === 'done' || outcome === null) && main?.status !== 'SCREENED OUT';
  const cents = isPaid && person ? centsOf(person.payoff) + (isFeeDue ? centsOf(session.participationFee) : 0n) : 0n;
  return {
    id,
    isInFile: own.length > 0,
    isInSession: person !== null,
    status: main?.status ?? null,
    isSubmitted,
    isFinished,
    page: person && { at: person.pageIndex, of: person.maxPageIndex },
    seconds: main?.seconds ?? null,
    outcome,
    bonus: cents > 0n ? inUnits(cents) : null,
    remarks: (Object.keys(found) as Remark[]).filter((remark) => found[remark]),
  };
}

/** The codes of Prolific's that were entered, outcome by outcome. */
function codesOf(recruitment: Recruitment | null): ReadonlyMap<string, Outcome> {
  const links = recruitment ? completionLinks(recruitment) : {};
  return new Map(
    outcomes.flatMap((outcome) => {
      const link = links[outcome];
      return link?.startsWith(prolificCompletion) ? [[decodeURIComponent(link.slice(prolificCompletion.length)), outcome] as const] : [];
    }),
  );
}

const hasCodes = (recruitment: Recruitment | null): boolean => codesOf(recruitment).size > 0;
const outcomeOf = (recruitment: Recruitment | null, code: string): Outcome | null => codesOf(recruitment).get(code) ?? null;

function refuseOtherStudy({ submissions, session, recruitment }: Match, real: SessionMoney['people']): void {
  const inSession = new Set(real.map(({ label }) => label));
  if (real.length > 0 && !submissions.some(({ participantId }) => inSession.has(participantId)))
    throw new AppError('file_refused', {
      reason: `None of the ${submissions.length} submissions in this file is of somebody in session ${session.sessionCode}: it is of another study or another session.`,
      hint: 'Choose the export of this study, or another session.',
    });
  const codes = codesOf(recruitment);
  const given = submissions.filter(({ status, code }) => submitted.includes(status) && code !== '' && code !== 'NOCODE');
  if (codes.size > 0 && given.length > 0 && !given.some(({ code }) => codes.has(code)))
    throw new AppError('file_refused', {
      reason: `Everybody in this file gave in a completion code that was not entered here (“${given[0]?.code.slice(0, 30) ?? ''}”): it is of another study.`,
      hint: 'Choose the export of this study, or correct the completion codes above.',
    });
}

/** `id,amount`, without a first line, as Prolific's “Bulk bonus payment” takes it. */
function bonusOf(people: readonly MatchedPerson[]): ReconciliationView['bonus'] {
  const paid = people.flatMap(({ id, bonus }) => (bonus === null ? [] : [[id, bonus] as const]));
  const total = paid.reduce((sum, [, bonus]) => sum + centsOf(bonus), 0n);
  return { text: stringify(paid.map((row) => [...row])), people: paid.length, total: inUnits(total) };
}

function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}
