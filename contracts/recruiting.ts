// How people are recruited for a room: lab, Prolific, MTurk, Sona, own link; what each needs, and the links that follow from it.

import { z } from 'zod';
import { roomNameSchema } from './rooms.ts';

export const recruitmentKinds = ['lab', 'prolific', 'mturk', 'sona', 'link'] as const;
export type RecruitmentKind = (typeof recruitmentKinds)[number];

/** How somebody's participation can end; each may have a completion link of its own. */
export const outcomes = ['done', 'screenedOut', 'noPartner', 'timedOut', 'noConsent'] as const;
export type Outcome = (typeof outcomes)[number];

/** Outcome → name of the session config field that holds its link; the environment variable has the same name in capital letters. */
export const outcomeFields = {
  done: 'completionlink',
  screenedOut: 'screenedoutlink',
  noPartner: 'nopartnerlink',
  timedOut: 'timedoutlink',
  noConsent: 'noconsentlink',
} as const satisfies Record<Outcome, string>;

/** What Prolific asks for at the end of a study; the code follows. @see https://docs.prolific.com/api-reference/studies/the-study-object */
export const prolificCompletion = 'https://app.prolific.com/submissions/complete?cc=';

/** Room of a row in `recruitment` whose sessions are made outside rooms. */
export const noRoom = '';

const emptyAsNull = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (typeof value === 'string' && value.trim() === '' ? null : value), schema.nullable()).default(null);

const webAddress = z
  .string()
  .trim()
  .max(500, 'At most 500 characters.')
  .refine((text) => isWebAddress(text), 'Write a whole address, beginning with https://');

/** Prolific shows a code and a link that ends in it; people paste either. Another site's link stays as it is. */
const codeOrLink = z
  .string()
  .trim()
  .transform((text) => codeInLink(text) ?? text)
  .pipe(
    z
      .string()
      .max(500, 'At most 500 characters.')
      .refine(
        (text) => /^[A-Za-z0-9_-]{1,100}$/.test(text) || isWebAddress(text),
        'Paste the code, or the whole completion link: https://app.prolific.com/submissions/complete?cc=…',
      ),
  );

/** Flat beside the other settings, so that a remark stands at its field. */
const perOutcome = <S extends z.ZodType>(schema: S) => ({
  done: emptyAsNull(schema),
  screenedOut: emptyAsNull(schema),
  noPartner: emptyAsNull(schema),
  timedOut: emptyAsNull(schema),
  noConsent: emptyAsNull(schema),
});

const plan = {
  /** How many people are to take part; null: not said yet. */
  expectedPeople: emptyAsNull(z.coerce.number({ error: 'A whole number.' }).int('A whole number.').min(1, 'At least 1.').max(2000, 'At most 2,000.')),
  /** When the study opens, ISO with zone; null: not said. */
  startsAt: emptyAsNull(z.iso.datetime({ offset: true, error: 'A date and a time.' })),
};

export const labSettingsSchema = z.strictObject({ ...plan });
export const prolificSettingsSchema = z.strictObject({
  ...plan,
  /** A code of Prolific's, or a whole link of another site. */
  ...perOutcome(codeOrLink),
  /** Whether `STUDY_ID` and `SESSION_ID` stand in the entry link, too. */
  passesIds: z.boolean().default(false),
  /** oTree 6: go past oTree's own welcome page, one click less. */
  skipsWelcomePage: z.boolean().default(false),
  /** Prolific's id of the study, 24 characters; tells another study's CSV from this one's. */
  studyId: emptyAsNull(
    z
      .string()
      .trim()
      .regex(/^[a-f0-9]{24}$/, 'The 24 letters and digits behind /studies/ in Prolific’s address.'),
  ),
});
export const mturkSettingsSchema = z.strictObject({
  ...plan,
  mode: z.enum(['sandbox', 'live']).default('sandbox'),
  /** The session config that is published; null: the only one, or not chosen yet. */
  sessionConfig: emptyAsNull(z.string().trim().max(200)),
});
export const sonaSettingsSchema = z.strictObject({
  ...plan,
  /** Sona's completion URL without the survey code. */
  creditUrl: emptyAsNull(
    webAddress
      .refine(
        (text) => /[?&]experiment_id=\d+/.test(text) && /[?&]credit_token=\w+/.test(text),
        'Paste Sona’s completion URL (client-side): it holds experiment_id= and credit_token=.',
      )
      .transform(withoutSurveyCode),
  ),
});
export const linkSettingsSchema = z.strictObject({
  ...plan,
  /** What the recruiting site replaces by the person's id, such as `{{id}}` or `[ID]`; null: everybody gets a link by hand. */
  placeholder: emptyAsNull(
    z
      .string()
      .trim()
      .max(100, 'At most 100 characters.')
      .regex(/^[^\s&#?]+$/, 'No blanks and none of & # ?'),
  ),
  ...perOutcome(webAddress),
});

const choices = [
  z.strictObject({ kind: z.literal('lab'), settings: labSettingsSchema.prefault({}) }),
  z.strictObject({ kind: z.literal('prolific'), settings: prolificSettingsSchema.prefault({}) }),
  z.strictObject({ kind: z.literal('mturk'), settings: mturkSettingsSchema.prefault({}) }),
  z.strictObject({ kind: z.literal('sona'), settings: sonaSettingsSchema.prefault({}) }),
  z.strictObject({ kind: z.literal('link'), settings: linkSettingsSchema.prefault({}) }),
] as const;

/** A kind with its settings: what a row of `recruitment` holds. */
export const recruitmentSchema = z.discriminatedUnion('kind', choices);
export type Recruitment = z.infer<typeof recruitmentSchema>;

/** Body of `PUT /instances/{name}/recruiting`: `room` empty for MTurk only. */
export const putRecruitmentSchema = z
  .strictObject({
    room: z.union([z.literal(noRoom), roomNameSchema]),
    recruitment: recruitmentSchema,
    /** `updatedAt` as it was when editing began, null when nothing was chosen yet. */
    since: z.string().nullable(),
  })
  .refine(({ room, recruitment }) => (room === noRoom) === (recruitment.kind === 'mturk'), {
    path: ['room'],
    message: 'Choose a room. Only sessions for MTurk are made outside rooms.',
  });
export type PutRecruitment = z.infer<typeof putRecruitmentSchema>;

/** The link at the end of each outcome that has one. Sona's ends in `survey_code=`: the experiment puts the label behind it. */
export function completionLinks(recruitment: Recruitment): Partial<Record<Outcome, string>> {
  if (recruitment.kind === 'sona') {
    const { creditUrl } = recruitment.settings;
    return creditUrl === null ? {} : { done: `${creditUrl}&survey_code=` };
  }
  if (recruitment.kind !== 'prolific' && recruitment.kind !== 'link') return {};
  return Object.fromEntries(
    outcomes.flatMap((outcome) => {
      const value = recruitment.settings[outcome];
      if (value === null) return [];
      return [[outcome, isWebAddress(value) ? value : prolificCompletion + encodeURIComponent(value)]];
    }),
  );
}

/** Session config field → link, for the outcomes that have one. */
export const sessionFieldsOf = (recruitment: Recruitment): Record<string, string> =>
  Object.fromEntries(Object.entries(completionLinks(recruitment)).map(([outcome, link]) => [outcomeFields[outcome as Outcome], link]));

/** The address of a room in oTree. @param address the instance's, without a slash at its end */
export const roomAddress = (address: string, room: string): string => `${address}/room/${encodeURIComponent(room)}`;

/**
 * What is pasted into the recruiting site: placeholders stand as that site writes them, so nothing is escaped.
 * Null where people come by other ways: the lab's Lobby, MTurk's own frame.
 */
export function entryLink(recruitment: Recruitment, address: string, room: string): string | null {
  const begin = `${roomAddress(address, room)}?participant_label=`;
  if (recruitment.kind === 'prolific') {
    const { passesIds, skipsWelcomePage } = recruitment.settings;
    const ids = passesIds ? '&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}' : '';
    return `${begin}{{%PROLIFIC_PID%}}${ids}${skipsWelcomePage ? '&welcome_page_ok=1' : ''}`;
  }
  if (recruitment.kind === 'sona') return `${begin}%SURVEY_CODE%`;
  if (recruitment.kind === 'link') return begin + (recruitment.settings.placeholder ?? '');
  return null;
}

/** Whether people come with ids that nobody knows before, so that the room has to take any label. */
export const needsAnyLabel = (kind: RecruitmentKind): boolean => kind === 'prolific' || kind === 'sona' || kind === 'link';

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '';
}

function codeInLink(text: string): string | null {
  const found = /^https?:\/\/app\.prolific\.(?:com|co)\/submissions\/complete\/?\?cc=([A-Za-z0-9_-]+)$/.exec(text);
  return found?.[1] ?? null;
}

function withoutSurveyCode(text: string): string {
  return text.replace(/&survey_code=[^&]*$/, '');
}
