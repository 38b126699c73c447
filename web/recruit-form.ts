// What is typed into the form of a kind of recruitment, and what it means.

import type { z } from 'zod';
import {
  labSettingsSchema,
  linkSettingsSchema,
  mturkSettingsSchema,
  outcomes,
  prolificSettingsSchema,
  sonaSettingsSchema,
  type Outcome,
  type Recruitment,
  type RecruitmentKind,
} from '../contracts/recruiting.ts';

/** Every kind's fields in one: a form shows those of its kind. */
export type Typed = Record<
  'expectedPeople' | 'startsAt' | 'studyId' | 'passesIds' | 'skipsWelcomePage' | 'mode' | 'sessionConfig' | 'creditUrl' | 'placeholder' | Outcome,
  string
>;

const schemas = {
  lab: labSettingsSchema,
  prolific: prolificSettingsSchema,
  mturk: mturkSettingsSchema,
  sona: sonaSettingsSchema,
  link: linkSettingsSchema,
} as const satisfies Record<RecruitmentKind, z.ZodType>;

/** Checks the typed settings of a kind. */
export const settingsSchemaOf = (kind: RecruitmentKind): z.ZodType => schemas[kind];

const fieldsOf: Readonly<Record<RecruitmentKind, readonly (keyof Typed)[]>> = {
  lab: [],
  prolific: ['studyId', 'passesIds', 'skipsWelcomePage', ...outcomes],
  mturk: ['mode', 'sessionConfig'],
  sona: ['creditUrl'],
  link: ['placeholder', ...outcomes],
};

const empty: Typed = {
  expectedPeople: '',
  startsAt: '',
  studyId: '',
  passesIds: 'no',
  skipsWelcomePage: 'no',
  mode: 'sandbox',
  sessionConfig: '',
  creditUrl: '',
  placeholder: '',
  done: '',
  screenedOut: '',
  noPartner: '',
  timedOut: '',
  noConsent: '',
};

/** What the form shows first: what is saved for this kind, otherwise nothing. */
export function typedOf(saved: Recruitment | null, kind: RecruitmentKind): Typed {
  if (saved?.kind !== kind) return empty;
  const settings: Readonly<Record<string, unknown>> = saved.settings;
  const read = (name: keyof Typed): string => {
    const value = settings[name];
    if (typeof value === 'boolean') return value ? 'yes' : 'no';
    if (name === 'startsAt' && typeof value === 'string') return asLocal(value);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : empty[name];
  };
  return Object.fromEntries(Object.keys(empty).map((name) => [name, read(name as keyof Typed)])) as Typed;
}

/** The settings that the typed text means, not yet checked. */
export function settingsFrom(kind: RecruitmentKind, typed: Typed): Record<string, unknown> {
  const own = Object.fromEntries(
    fieldsOf[kind].map((name) => [name, name === 'passesIds' || name === 'skipsWelcomePage' ? typed[name] === 'yes' : typed[name]]),
  );
  return { ...own, expectedPeople: typed.expectedPeople, startsAt: asInstant(typed.startsAt) };
}

/** `2026-03-01T09:30` in the reader's zone, as the browser's field for a date and a time has it. */
function asLocal(instant: string): string {
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const asInstant = (local: string): string => {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
};
