// Every check of the preflight fails for what it is about, and passes when that is put right.

import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../contracts/system-check.ts';
import { recruitmentSchema, type Recruitment } from '../../contracts/recruiting.ts';
import type { PreflightFacts } from '../../domain/preflight-facts.ts';
import { judgePreflight, preflightChecks } from '../../domain/preflight.ts';
import type { ListedRoom } from '../../domain/rooms.ts';

type Kind = Recruitment['kind'];
type Changes = {
  readonly [Name in keyof PreflightFacts]?: PreflightFacts[Name] extends object | null
    ? Partial<NonNullable<PreflightFacts[Name]>> | null
    : PreflightFacts[Name];
};

const now = new Date('2026-11-21T12:00:00Z');
const code = 'C1A2B3D4';
const hit =
  "mturk_hit_settings=dict(title='T', description='D', frame_height=700, template='global/t.html', minutes_allotted_per_assignment=60, expiration_hours=168, keywords='k'";
const settings = (more = ''): string =>
  `SESSION_CONFIGS = [dict(name='study', app_sequence=['study'], ${more})]\nADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')\n`;
const goodSource = (): Map<string, string> =>
  new Map([
    [
      'settings.py',
      settings(`${hit}, grant_qualification_id='3AWO', qualification_requirements=[{'QualificationTypeId': '3AWO', 'Comparator': 'DoesNotExist'}])`),
    ],
    ['study/__init__.py', 'class C(BaseConstants):\n    PLAYERS_PER_GROUP = None\n\npage_sequence = [Work, Goodbye]\n'],
    ['study/Goodbye.html', '{{ next_button }}\n<script>location.href = js_vars.completionlink</script>'],
  ]);
const room = (changes: Partial<ListedRoom> = {}): ListedRoom => ({
  name: 'lab',
  displayName: 'Room 114',
  labels: null,
  usesSecureUrls: false,
  hasWelcomePage: false,
  problem: null,
  edited: null,
  ...changes,
});
const labels = (count: number): string[] => Array.from({ length: count }, (_, index) => `s${index + 1}`);

const recruitmentOf: Readonly<Record<Kind, Recruitment>> = {
  lab: recruitmentSchema.parse({ kind: 'lab', settings: { expectedPeople: 20 } }),
  prolific: recruitmentSchema.parse({ kind: 'prolific', settings: { expectedPeople: 20, done: code } }),
  mturk: recruitmentSchema.parse({ kind: 'mturk', settings: { expectedPeople: 20 } }),
  sona: recruitmentSchema.parse({
    kind: 'sona',
    settings: { expectedPeople: 20, creditUrl: 'https://lab.sona-systems.com/c.aspx?experiment_id=7&credit_token=abc' },
  }),
  link: recruitmentSchema.parse({ kind: 'link', settings: { expectedPeople: 20, done: 'https://panel.org/done?code=K7' } }),
};

/** An instance that is ready in every respect. */
const ready = (kind: Kind): PreflightFacts => ({
  kind,
  room: kind === 'mturk' ? '' : 'lab',
  recruitment: recruitmentOf[kind],
  people: 20,
  instance: {
    name: 'trust',
    state: 'running',
    authLevel: 'STUDY',
    isProduction: true,
    memoryBytes: 90 * 1024 ** 2,
    memoryMib: 512,
    diskBytes: 1024 ** 2,
    diskMib: 1024,
    rows: 120,
    lastParticipantAt: new Date('2026-11-20T12:00:00Z'),
    variables: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    url: 'https://trust.lab.example',
  },
  adminPassword: 'made by the panel',
  deployment: { currentCommit: 'a'.repeat(40), newest: { commit: 'a'.repeat(40), state: 'succeeded' }, headCommit: 'a'.repeat(40) },
  configs: [{ name: 'study', appSequence: ['study'] }],
  listedRoom: kind === 'lab' ? room({ labels: labels(24), usesSecureUrls: true }) : room(),
  open: { code: 'abc123', started: 0 },
  otree: {
    tables: { dialect: 'postgresql', gaps: [] },
    sessions: [{ code: 'abc123', config: 'study', participants: 40, isDemo: false, isWhole: true }],
    link: { opens: true, wrongOpens: false },
  },
  visited: { status: 200, certificateDays: 80 },
  completion: { status: 200, certificateDays: 80 },
  mail: { server: 'smtp.lab.example:587', problem: null },
  bots: { canPlay: true, last: { state: 'succeeded', failed: [], played: ['study'] } },
  lastBackupAt: new Date('2026-11-21T10:00:00Z'),
  machine: { availableMib: 4000, freeDiskMib: 50_000 },
  source: goodSource(),
  now,
});

const isPlain = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;

/** One level deep: what is not named stays as in an instance that is ready. */
function changed(kind: Kind, changes: Changes): PreflightFacts {
  const facts: Record<string, unknown> = { ...ready(kind) };
  for (const [name, value] of Object.entries(changes)) {
    facts[name] = isPlain(value) ? Object.assign({}, facts[name], value) : value;
  }
  return facts as PreflightFacts;
}

const find = (id: string, facts: PreflightFacts) => {
  const finding = judgePreflight(facts).find((one) => one.id === id);
  if (!finding) throw new Error(`no check ${id}`);
  return finding;
};
const withSource = (files: Readonly<Record<string, string>>): Map<string, string> => new Map([...goodSource(), ...Object.entries(files)]);
const sessions = (participants: number, isWhole = true) => [{ code: 'abc123', config: 'study', participants, isDemo: false, isWhole }];
const prolific = (settingsOf: object): Recruitment => recruitmentSchema.parse({ kind: 'prolific', settings: settingsOf });

/** Check, kind, what is wrong, the result, and a word of the sentence. */
const wrong: readonly (readonly [string, Kind, string, Changes, CheckResult, string])[] = [
  ['runs', 'lab', 'it is stopped', { instance: { state: 'stopped' } }, 'bad', 'stopped'],
  ['runs', 'lab', 'it has crashed', { instance: { state: 'crashed' } }, 'bad', 'crashed'],
  ['commit', 'lab', 'nothing was deployed', { deployment: { currentCommit: null } }, 'bad', 'No version'],
  ['commit', 'lab', 'the newest push failed', { deployment: { newest: { commit: 'b'.repeat(40), state: 'failed' } } }, 'bad', 'bbbbbbb'],
  ['commit', 'lab', 'a deployment is under way', { deployment: { newest: { commit: 'b'.repeat(40), state: 'building' } } }, 'attention', 'being deployed'],
  ['commit', 'lab', 'an older version was brought back', { deployment: { headCommit: 'c'.repeat(40) } }, 'attention', 'ccccccc'],
  [
    'models',
    'lab',
    'a column is missing',
    { otree: { tables: { dialect: 'postgresql', gaps: [{ kind: 'missing', table: 'study_player', column: 'prolific_id' }] } } },
    'bad',
    'prolific_id',
  ],
  ['models', 'lab', 'oTree cannot be asked', { otree: null }, 'unknown', 'could not be asked'],
  ['bots', 'lab', 'none have played this version', { bots: { last: null } }, 'attention', 'No bots'],
  ['bots', 'lab', 'they got stuck', { bots: { last: { state: 'failed', failed: ['study'], played: ['study'] } } }, 'bad', 'did not get through study'],
  ['bots', 'lab', 'they cannot be played here', { bots: { canPlay: false } }, 'not-here', 'platform'],
  ['production', 'lab', 'debug information is on', { instance: { isProduction: false } }, 'bad', 'on'],
  ['auth-level', 'lab', 'demos are open', { instance: { authLevel: 'DEMO' } }, 'bad', 'DEMO'],
  ['auth-level', 'lab', 'everything is open', { instance: { authLevel: '' } }, 'bad', 'No auth level'],
  [
    'password',
    'lab',
    'it stands in settings.py',
    { adminPassword: 'secret words', source: withSource({ 'settings.py': "ADMIN_PASSWORD = 'secret words'\n" }) },
    'bad',
    'settings.py',
  ],
  ['password', 'lab', 'it is well known', { adminPassword: 'mypassword' }, 'bad', 'well known'],
  ['database', 'lab', 'it is SQLite', { otree: { tables: { dialect: 'sqlite', gaps: [] } } }, 'bad', 'sqlite'],
  ['room', 'lab', 'there is none', { listedRoom: null }, 'bad', 'no room'],
  ['room', 'lab', 'its label file is missing', { listedRoom: { problem: 'The label file is missing.' } }, 'bad', 'label file'],
  ['labels', 'lab', 'there are fewer than people', { listedRoom: { labels: labels(5) } }, 'bad', '5 labels for 20'],
  ['labels', 'lab', 'there are none', { listedRoom: { labels: null } }, 'attention', 'no labels'],
  ['labels', 'prolific', 'only those of a list come in', { listedRoom: { labels: labels(5) } }, 'bad', 'only its 5 labels'],
  ['labels', 'sona', 'links are secure', { listedRoom: { labels: labels(5), usesSecureUrls: true } }, 'bad', 'secure links'],
  ['secure-links', 'lab', 'they do not open the room', { otree: { link: { opens: false, wrongOpens: false } } }, 'bad', 'does not take'],
  ['secure-links', 'lab', 'any link opens it', { otree: { link: { opens: true, wrongOpens: true } } }, 'bad', 'wrong end'],
  ['session', 'lab', 'there is none', { open: null }, 'bad', 'no session'],
  ['session', 'prolific', 'it is too small', { otree: { sessions: sessions(10) } }, 'bad', '10 places'],
  ['session', 'prolific', 'its making broke off', { otree: { sessions: sessions(40, false) } }, 'bad', 'broke off'],
  ['session', 'prolific', 'people of before have its places', { open: { code: 'abc123', started: 30 } }, 'attention', '30 of them taken'],
  [
    'groups',
    'lab',
    'people are no multiple of the group',
    { people: 21, source: withSource({ 'study/__init__.py': 'players_per_group = 2\npage_sequence = [Work]' }) },
    'bad',
    'groups of 2',
  ],
  [
    'groups',
    'prolific',
    'people wait for each other online',
    { source: withSource({ 'study/__init__.py': 'class Match(WaitPage):\n    pass\npage_sequence = [Match]' }) },
    'attention',
    'wait for each other',
  ],
  ['groups', 'lab', 'nobody knows what will be played', { configs: [], open: null }, 'unknown', 'not known'],
  ['address', 'lab', 'nobody answers', { visited: { reason: 'nobody listens there' } }, 'bad', 'nobody listens'],
  ['address', 'lab', 'another page answers', { visited: { status: 502, certificateDays: null } }, 'bad', '502'],
  ['https', 'prolific', 'there is no encryption', { instance: { url: 'http://trust.lab.example' } }, 'bad', 'no encryption'],
  ['https', 'mturk', 'the certificate ends tomorrow', { visited: { status: 200, certificateDays: 1.2 } }, 'bad', '1 more'],
  ['https', 'prolific', 'the certificate was not renewed', { visited: { status: 200, certificateDays: 12 } }, 'attention', '12 more'],
  ['completion', 'prolific', 'no code was entered', { recruitment: prolific({}) }, 'bad', 'no completion link'],
  ['completion', 'prolific', 'it is a placeholder', { recruitment: prolific({ done: 'YOUR_CODE' }) }, 'bad', 'placeholder'],
  ['completion', 'link', 'it leads to an error', { completion: { status: 404, certificateDays: 9 } }, 'bad', '404'],
  ['completion', 'prolific', 'it cannot be opened from here', { completion: { reason: 'there was no answer' } }, 'attention', 'could not be opened'],
  [
    'completion-used',
    'prolific',
    'the code holds another one',
    { source: withSource({ 'study/Goodbye.html': 'https://app.prolific.com/submissions/complete?cc=OTHER9' }) },
    'bad',
    'OTHER9',
  ],
  [
    'completion-used',
    'prolific',
    'nothing in the code uses it',
    { source: withSource({ 'study/Goodbye.html': '<p>Thanks</p>' }) },
    'attention',
    'no completionlink',
  ],
  ['mail', 'lab', 'the server refuses', { mail: { problem: 'the mail server does not answer' } }, 'attention', 'does not answer'],
  ['mail', 'lab', 'there is no server', { mail: { server: null } }, 'not-here', 'no mails'],
  ['people', 'lab', 'nobody has said', { people: null }, 'attention', 'how many'],
  ['people', 'lab', 'there are more than one oTree takes', { people: 900 }, 'bad', '300 to 400'],
  ['people', 'prolific', 'there are more than may come at once', { people: 900 }, 'attention', '300 to 400'],
  ['people', 'lab', 'there are nearly too many', { people: 350 }, 'attention', '350'],
  ['memory', 'lab', 'its share does not do', { instance: { memoryBytes: 500 * 1024 ** 2 } }, 'bad', '500 of 512'],
  ['memory', 'lab', 'the machine has none left', { machine: { availableMib: 20, freeDiskMib: 50_000 } }, 'bad', '20 MiB left'],
  ['memory', 'lab', 'it is not known', { instance: { memoryBytes: null } }, 'unknown', 'not known'],
  ['disk', 'lab', 'its share is full', { instance: { diskBytes: 1000 * 1024 ** 2 } }, 'bad', '1,000 of 1,024'],
  ['disk', 'lab', 'the machine’s is full', { machine: { availableMib: 4000, freeDiskMib: 300 } }, 'bad', '300 MiB'],
  ['backup', 'lab', 'there is none', { lastBackupAt: null }, 'bad', 'no backup'],
  ['backup', 'lab', 'people took part after it', { instance: { lastParticipantAt: now } }, 'attention', 'after the last backup'],
  ['mturk-button', 'mturk', 'the last page has none', { source: withSource({ 'study/Goodbye.html': '<p>Thanks</p>' }) }, 'bad', 'no next_button'],
  ['mturk-button', 'mturk', 'the page cannot be found', { source: withSource({ 'study/__init__.py': 'page_sequence = []' }) }, 'unknown', 'could not be found'],
  ['mturk-settings', 'mturk', 'there are none', { source: withSource({ 'settings.py': settings() }) }, 'bad', 'no mturk_hit_settings'],
  [
    'mturk-settings',
    'mturk',
    'some are missing',
    { source: withSource({ 'settings.py': settings("mturk_hit_settings=dict(title='T')") }) },
    'bad',
    'frame_height',
  ],
  [
    'mturk-settings',
    'mturk',
    'the qualification is a placeholder',
    { source: withSource({ 'settings.py': settings(`${hit}, grant_qualification_id='YOUR_QUALIFICATION_ID_HERE')`) }) },
    'bad',
    'placeholder',
  ],
  ['mturk-settings', 'mturk', 'people can come twice', { source: withSource({ 'settings.py': settings(`${hit})`) }) }, 'attention', 'twice'],
  ['mturk-keys', 'mturk', 'one is missing', { instance: { variables: ['AWS_ACCESS_KEY_ID'] } }, 'bad', 'AWS_SECRET_ACCESS_KEY'],
  ['mturk-places', 'mturk', 'there are no spares', { otree: { sessions: sessions(39) } }, 'bad', '40 places'],
];

describe.each(preflightChecks.map(({ id, title }) => [id, title] as const))('the check “%s” (%s)', (id) => {
  it.each(wrong.filter(([check]) => check === id))('%s is red for %s when %s', (check, kind, _what, changes, result, words) => {
    const finding = find(check, changed(kind, changes));
    expect([finding.result, finding.seen]).toEqual([result, expect.stringContaining(words)]);
    // Whatever needs somebody says what to do.
    if (result === 'bad') expect(finding.fix).not.toBeNull();
  });

  it('is green when that is put right', () => {
    const [kinds] = preflightChecks.filter((check) => check.id === id).map((check) => check.kinds ?? (['lab', 'prolific'] as const));
    for (const kind of kinds ?? []) expect([kind, find(id, ready(kind))]).toEqual([kind, expect.objectContaining({ result: 'good', fix: null })]);
  });
});

describe('a look', () => {
  it('asks of each kind only what it is about', () => {
    const of = (kind: Kind): string[] => judgePreflight(ready(kind)).map(({ id }) => id);
    expect(of('lab')).not.toContain('https');
    expect(of('lab')).toContain('secure-links');
    expect(of('prolific')).toContain('completion');
    expect(of('mturk')).not.toContain('room');
    expect(of('sona')).not.toContain('mturk-button');
  });

  it('has every check in the red table', () => {
    expect([...new Set(wrong.map(([id]) => id))].toSorted()).toEqual(preflightChecks.map(({ id }) => id).toSorted());
  });

  it('takes what is commented out for not there', () => {
    const source = withSource({ 'settings.py': "# ADMIN_PASSWORD = 'made by the panel'\n" });
    expect(find('password', changed('lab', { source })).result).toBe('good');
  });
});
