// Every check of the preflight fails for what it is about, and passes when that is put right.

import { describe, expect, it } from 'vitest';
import type { CheckResult } from '../../contracts/system-check.ts';
import { recruitmentSchema, type Recruitment } from '../../contracts/recruiting.ts';
import type { PreflightFacts } from '../../domain/preflight-facts.ts';
import { costOf } from '../../domain/mturk-money.ts';
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
const settings = "SESSION_CONFIGS = [dict(name='study', app_sequence=['study'])]\nADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')\n";
const template = '<crowd-form><a class="btn otree-link">Open</a><crowd-input name="completion_code"></crowd-input></crowd-form>';
const goodSource = (): Map<string, string> =>
  new Map([
    ['settings.py', settings],
    ['requirements.txt', 'otree==6.0.15\n'],
    ['_templates/global/t.html', template],
    ['study/__init__.py', 'class C(BaseConstants):\n    PLAYERS_PER_GROUP = None\n\npage_sequence = [Work, Goodbye]\n'],
    ['study/Goodbye.html', '<p>Your completion code: {{ participant.code }}</p>{{ next_button }}\n<script>location.href = js_vars.completionlink</script>'],
  ]);
const requirement = (more: object): object => ({ QualificationTypeId: '3AWO', Comparator: 'DoesNotExist', ...more });
const goodHit = {
  title: 'Trust among strangers',
  description: 'Two short games',
  keywords: ['bonus', 'game'],
  frame_height: 500,
  template: 'global/t.html',
  minutes_allotted_per_assignment: 60,
  expiration_hours: 168,
  qualification_requirements: [requirement({})],
  grant_qualification_id: '3AWO',
};
/** A session config whose settings for MTurk are otherwise; `undefined` takes one away. */
function offering(hit: object | null, offer: object = {}): { configs: PreflightFacts['configs'] } {
  const whole = hit && Object.fromEntries(Object.entries({ ...goodHit, ...hit }).filter(([, value]) => value !== undefined));
  return { configs: [{ name: 'study', appSequence: ['study'], mturk: { hit: whole, participationFee: 1.5, currency: 'USD', ...offer } }] };
}
const two = (hit: object | null) => [
  ...offering(goodHit).configs,
  { name: 'other', appSequence: ['study'], mturk: { hit, participationFee: 1, currency: 'USD' } },
];
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
  ...offering({}),
  otreeVersion: '6.0.15',
  listedRoom: kind === 'lab' ? room({ labels: labels(24), usesSecureUrls: true }) : room(),
  open: { code: 'abc123', started: 0 },
  otree: {
    tables: { dialect: 'postgresql', gaps: [] },
    sessions: [{ code: 'abc123', config: 'study', participants: 40, isDemo: false, isMturk: true, isWhole: true }],
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
const sessions = (participants: number, isWhole = true, isMturk = true) => [{ code: 'abc123', config: 'study', participants, isDemo: false, isMturk, isWhole }];
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
  ['https', 'lab', 'the lab’s own network has none', { instance: { url: 'http://trust.lab.example' } }, 'not-here', 'no encryption'],
  ['https', 'lab', 'the certificate of the lab’s address ends', { visited: { status: 200, certificateDays: 0.5 } }, 'bad', '0 more'],
  [
    'consent',
    'prolific',
    'settings.py does not name it',
    { source: withSource({ 'study/__init__.py': 'player.participant.consent = player.consent\npage_sequence = [Work]\n' }) },
    'bad',
    'lacks consent',
  ],
  [
    'consent',
    'lab',
    'the list names other fields only',
    { source: withSource({ 'study/Goodbye.html': '{{ participant.consent }}', 'settings.py': "PARTICIPANT_FIELDS = [\n    'age',\n]\nX = ['consent']\n" }) },
    'bad',
    'lacks consent',
  ],
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
  [
    'groups',
    'mturk',
    'code groups also those who never come',
    { source: withSource({ 'study/__init__.py': 'subsession.group_randomly()\npage_sequence = [Work]' }) },
    'attention',
    'into groups',
  ],
  ['memory', 'mturk', 'twice as many places need more', { people: 6000, instance: { memoryMib: 500 } }, 'bad', '90 of 500'],
  ['mturk-button', 'mturk', 'the last page has none', { source: withSource({ 'study/Goodbye.html': '<p>Thanks</p>' }) }, 'bad', 'no next_button'],
  ['mturk-button', 'mturk', 'it tells no code', { source: withSource({ 'study/Goodbye.html': '{% next_button %}' }) }, 'attention', 'no completion code'],
  ['mturk-button', 'mturk', 'the page cannot be found', { source: withSource({ 'study/__init__.py': 'page_sequence = []' }) }, 'unknown', 'could not be found'],
  ['mturk-settings', 'mturk', 'there are none', offering(null), 'bad', 'no mturk_hit_settings'],
  ['mturk-settings', 'mturk', 'some are missing', offering({ frame_height: undefined, title: undefined }), 'bad', 'lacks title, frame_height'],
  ['mturk-settings', 'mturk', 'one is of an oTree of before', offering({ preview_template: 'global/MTurkPreview.html' }), 'bad', 'preview_template'],
  ['mturk-settings', 'mturk', 'the title is too long', offering({ title: 'A'.repeat(129) }), 'bad', '129 characters'],
  ['mturk-settings', 'mturk', 'the keywords are numbers', offering({ keywords: [1, 2] }), 'bad', 'keywords'],
  ['mturk-settings', 'mturk', 'the title is the example', offering({ title: 'Title for your experiment' }), 'attention', 'still the example'],
  ['mturk-settings', 'mturk', 'the frame is no number', offering({ frame_height: '500' }), 'bad', 'frame_height is 500'],
  ['mturk-settings', 'mturk', 'the frame is very low', offering({ frame_height: 50 }), 'attention', '50 pixels'],
  ['mturk-settings', 'mturk', 'nobody has chosen among several', { configs: two(goodHit) }, 'unknown', 'not known'],
  ['mturk-settings', 'mturk', 'another panel deployed it', { configs: [{ name: 'study', appSequence: ['study'] }] }, 'unknown', 'not read'],
  ['mturk-times', 'mturk', 'there is hardly time', offering({ minutes_allotted_per_assignment: 10 }), 'attention', '10 minutes'],
  ['mturk-times', 'mturk', 'a place is held for days', offering({ minutes_allotted_per_assignment: 3000 }), 'attention', '2.1 days'],
  ['mturk-times', 'mturk', 'the minutes are no number', offering({ minutes_allotted_per_assignment: 7.5 }), 'bad', '7.5'],
  ['mturk-times', 'mturk', 'it ends before it began', offering({ expiration_hours: 0 }), 'bad', 'expiration_hours is 0'],
  ['mturk-times', 'mturk', 'it is there for minutes', offering({ expiration_hours: 0.5 }), 'attention', '30 minutes'],
  ['mturk-template', 'mturk', 'the file is not there', offering({ template: 'global/other.html' }), 'bad', '_templates/global/other.html'],
  [
    'mturk-template',
    'mturk',
    'it has no link',
    { source: withSource({ '_templates/global/t.html': template.replace('otree-link', '') }) },
    'bad',
    'otree-link',
  ],
  ['mturk-template', 'mturk', 'it has no form', { source: withSource({ '_templates/global/t.html': '<a class="otree-link">Open</a>' }) }, 'bad', 'no form'],
  [
    'mturk-template',
    'mturk',
    'it asks for no code',
    { source: withSource({ '_templates/global/t.html': template.replace('completion_code', 'remark') }) },
    'attention',
    'no completion_code',
  ],
  ['mturk-template', 'mturk', 'the code may not be seen', { source: new Map() }, 'unknown', 'cannot be seen'],
  [
    'mturk-qualifications',
    'mturk',
    'they are written as boto had them',
    offering({ qualification_requirements: ['LocaleRequirement()'] }),
    'bad',
    'before boto3',
  ],
  ['mturk-qualifications', 'mturk', 'they are no list', offering({ qualification_requirements: requirement({}) }), 'bad', 'no list'],
  [
    'mturk-qualifications',
    'mturk',
    'the comparator is unknown',
    offering({ qualification_requirements: [requirement({ Comparator: 'Equals' })] }),
    'bad',
    'Equals',
  ],
  ['mturk-qualifications', 'mturk', 'a key is misspelt', offering({ qualification_requirements: [requirement({ LocaleValue: 'US' })] }), 'bad', 'LocaleValue'],
  [
    'mturk-qualifications',
    'mturk',
    'a place lacks its countries',
    offering({ qualification_requirements: [requirement({ QualificationTypeId: '00000000000000000071', Comparator: 'EqualTo' })] }),
    'bad',
    'LocaleValues',
  ],
  [
    'mturk-qualifications',
    'mturk',
    'a number is missing',
    offering({ qualification_requirements: [requirement({ Comparator: 'EqualTo' })] }),
    'bad',
    'IntegerValues',
  ],
  [
    'mturk-qualifications',
    'mturk',
    'there is a number too many',
    offering({ qualification_requirements: [requirement({ IntegerValues: [1] })] }),
    'bad',
    'takes no value',
  ],
  [
    'mturk-qualifications',
    'mturk',
    'an id is missing',
    offering({ qualification_requirements: [{ Comparator: 'Exists' }] }),
    'bad',
    'lacks QualificationTypeId',
  ],
  ['mturk-retakes', 'mturk', 'the qualification is a placeholder', offering({ grant_qualification_id: 'YOUR_QUALIFICATION_ID_HERE' }), 'bad', 'placeholder'],
  [
    'mturk-retakes',
    'mturk',
    'nobody is given one, nor asked',
    offering({ grant_qualification_id: undefined, qualification_requirements: [] }),
    'attention',
    'twice',
  ],
  ['mturk-retakes', 'mturk', 'one is asked for that nobody is given', offering({ grant_qualification_id: undefined }), 'attention', 'nobody is given it'],
  ['mturk-retakes', 'mturk', 'its DoesNotExist is missing', offering({ qualification_requirements: [] }), 'attention', 'none is asked'],
  ['mturk-retakes', 'mturk', 'another one is asked for', offering({ grant_qualification_id: '4BXP' }), 'attention', 'none is asked'],
  ['mturk-money', 'mturk', 'the project pays in euros', offering({}, { currency: 'EUR' }), 'bad', 'EUR'],
  ['mturk-money', 'mturk', 'the reward is nothing', offering({}, { participationFee: 0 }), 'bad', '$0.00'],
  ['mturk-money', 'mturk', 'the reward is no number', offering({}, { participationFee: null }), 'bad', 'no number'],
  ['mturk-money', 'mturk', 'nobody has said how many', { people: null }, 'attention', '$1.50 each'],
  ['mturk-package', 'mturk', 'an older oTree lacks boto3', { otreeVersion: '5.9.6' }, 'bad', 'boto3'],
  ['mturk-keys', 'mturk', 'one is missing', { instance: { variables: ['AWS_ACCESS_KEY_ID'] } }, 'bad', 'AWS_SECRET_ACCESS_KEY'],
  ['mturk-places', 'mturk', 'the session was made for a lab', { otree: { sessions: sessions(40, true, false) } }, 'bad', 'no session for MTurk'],
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
    expect(of('lab')).not.toContain('completion');
    expect(of('lab')).toContain('secure-links');
    expect(of('prolific')).toContain('completion');
    expect(of('mturk')).not.toContain('room');
    expect(of('sona')).not.toContain('mturk-button');
  });

  it('has every check in the red table', () => {
    expect([...new Set(wrong.map(([id]) => id))].toSorted()).toEqual(preflightChecks.map(({ id }) => id).toSorted());
  });

  it('judges for MTurk the session config that was chosen, or the only one that has settings', () => {
    const chosen = { kind: 'mturk', settings: { expectedPeople: 20, sessionConfig: 'other' } };
    const recruitment = recruitmentSchema.parse(chosen);
    expect(find('mturk-settings', changed('mturk', { configs: two(null) })).result).toBe('good');
    expect(find('mturk-settings', changed('mturk', { configs: two(null), recruitment })).seen).toBe('other has no mturk_hit_settings.');
  });

  it('reckons the total of a HIT with MTurk’s fees, to the cent', () => {
    expect(find('mturk-money', ready('mturk')).seen).toBe('20 workers × $1.50 = $30.00, and MTurk’s fee of 40 %: $12.00. In all $42.00.');
    expect(find('mturk-money', changed('mturk', { people: 9 })).seen).toContain('9 workers × $1.50 = $13.50, and MTurk’s fee of 20 %: $2.70. In all $16.20.');
    expect(costOf(2, 5)).toEqual({ rewardCents: 2, rewardsCents: 10, feeCents: 5, feePercent: 20 });
  });

  it('is content with boto3 for an older oTree, and with an empty list of requirements', () => {
    const older = (line: string) => find('mturk-package', changed('mturk', { otreeVersion: '5.9.6', source: withSource({ 'requirements.txt': line }) })).result;
    expect([older('otree[mturk]==5.9.6'), older('boto3'), older('# otree[mturk]')]).toEqual(['good', 'good', 'bad']);
    expect(find('mturk-qualifications', changed('mturk', offering({ qualification_requirements: [] }))).result).toBe('good');
    const us = [{ QualificationTypeId: '00000000000000000071', Comparator: 'EqualTo', LocaleValues: [{ Country: 'US' }] }];
    expect(find('mturk-qualifications', changed('mturk', offering({ qualification_requirements: us }))).result).toBe('good');
  });

  it('is content with consent that settings.py names, on one line or several, or that is kept in participant.vars', () => {
    const result = (settingsOf: string, line: string) =>
      find('consent', changed('prolific', { source: withSource({ 'settings.py': settingsOf, 'study/__init__.py': line }) })).result;
    expect(result("PARTICIPANT_FIELDS = ['age', 'consent']\n", 'participant.consent = True')).toBe('good');
    expect(result('PARTICIPANT_FIELDS = [\n    "age",\n    "consent",\n]\n', 'participant.consent = True')).toBe('good');
    expect(result("# PARTICIPANT_FIELDS = ['consent']\n", 'participant.consent = True')).toBe('bad');
    expect(result('', "participant.vars['consent'] = True")).toBe('good');
  });

  it('takes what is commented out for not there', () => {
    const source = withSource({ 'settings.py': "# ADMIN_PASSWORD = 'made by the panel'\n" });
    expect(find('password', changed('lab', { source })).result).toBe('good');
  });
});
