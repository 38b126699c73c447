import { expect, test, vi } from 'vitest';
import { Instance, marked } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });
const labGames = 'tests/projects/lab-games';
const setting = (lines: string) => `from os import environ
SESSION_CONFIGS = [dict(name='survey', app_sequence=['survey'], num_demo_participants=1)]
SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1, participation_fee=0, doc='')
LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'EUR'
USE_POINTS = True
ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')
SECRET_KEY = 'x'
${lines}
`;

type Files = Record<string, string | Buffer | null>;

function describeWith(files: Files, python = pythonWith('6.0.15')) {
  return new Instance({ python, project: labGames, files }).run('describe');
}

function roomsOf(lines: string, files: Files = {}): Record<string, unknown>[] {
  const { stdout } = describeWith({ 'settings.py': setting(lines), ...files });
  return marked(stdout, 'ARBORETUM-DESCRIBE')['rooms'] as Record<string, unknown>[];
}

function problemOf(files: Files): Record<string, unknown> {
  const { code, stderr } = describeWith(files);
  expect(code).toBe(65);
  return marked(stderr, 'ARBORETUM-PROBLEM');
}

test.each(['6.0.15', '5.11.5'] as const)('a good project is described from its settings alone (oTree %s)', (version) => {
  const { code, stdout } = describeWith({}, pythonWith(version));
  expect(code).toBe(0);
  const mturk = { hit: null, participationFee: 2, currency: 'EUR' };
  expect(marked(stdout, 'ARBORETUM-DESCRIBE')).toEqual({
    otreeVersion: version,
    pythonVersion: expect.stringMatching(/^3\.\d+\.\d+$/) as unknown,
    adminUsername: 'admin',
    sessionConfigs: [
      { name: 'bargain', displayName: 'Bargaining in pairs', appSequence: ['bargain', 'survey'], numDemoParticipants: 2, mturk },
      { name: 'survey', displayName: 'A short survey', appSequence: ['survey'], numDemoParticipants: 1, mturk },
    ],
    rooms: [
      {
        name: 'lab',
        displayName: 'Room 114',
        labels: ['Alice', 'Bob', 'Carol', 'Dave', 'Erin', 'Frank'],
        usesSecureUrls: true,
        hasWelcomePage: false,
      },
      { name: 'online', displayName: 'Everywhere else', labels: null, usesSecureUrls: false, hasWelcomePage: false },
    ],
    hardCodedPassword: false,
  });
});

test('what a session config would say to MTurk is told, also from the defaults, and what JSON has not as Python writes it', () => {
  const lines = `
import math
class Locale:
    def __repr__(self):
        return 'LocaleRequirement()'
SESSION_CONFIGS = [
    dict(name='own', app_sequence=['survey'], num_demo_participants=1, participation_fee='2.5', mturk_hit_settings=dict(title='Own', frame_height=math.nan)),
    dict(name='other', app_sequence=['survey'], num_demo_participants=1, participation_fee='much'),
]
SESSION_CONFIG_DEFAULTS['mturk_hit_settings'] = {'keywords': ('a', 'b'), 'qualification_requirements': [Locale(), {'LocaleValues': [{'Country': 'US'}]}]}
`;
  const { stdout } = describeWith({ 'settings.py': setting(lines) });
  const configs = marked(stdout, 'ARBORETUM-DESCRIBE')['sessionConfigs'] as { name: string; mturk: unknown }[];
  expect(configs.map(({ name, mturk }) => [name, mturk])).toEqual([
    ['own', { hit: { title: 'Own', frame_height: 'nan' }, participationFee: 2.5, currency: 'EUR' }],
    [
      'other',
      {
        hit: { keywords: ['a', 'b'], qualification_requirements: ['LocaleRequirement()', { LocaleValues: [{ Country: 'US' }] }] },
        participationFee: null,
        currency: 'EUR',
      },
    ],
  ]);
});

test('what the experiment prints, even at its exit, does not hide the description', () => {
  const noise = "import atexit\natexit.register(lambda: print('bye'))\nprint('ARBORETUM-DESCRIBE {\"rooms\": []}', end='')";
  const { stdout } = describeWith({ 'settings.py': setting(noise) });
  expect(marked(stdout, 'ARBORETUM-DESCRIBE')['adminUsername']).toBe('admin');
});

test('a password that stands in settings.py is reported', () => {
  const { stdout } = describeWith({ 'settings.py': setting("ADMIN_PASSWORD = '1234'") });
  expect(marked(stdout, 'ARBORETUM-DESCRIBE')['hardCodedPassword']).toBe(true);
});

test('a project with modules named like ours is still its own', () => {
  const files = { 'settings.py': setting('import serve, problems\nADMIN_USERNAME = serve.name'), 'problems.py': '' };
  const { stdout } = describeWith({ ...files, 'serve.py': "name = 'theirs'" });
  expect(marked(stdout, 'ARBORETUM-DESCRIBE')['adminUsername']).toBe('theirs');
});

test('a missing settings.py is named', () => {
  expect(problemOf({ 'settings.py': null })).toMatchObject({ code: 'settings_missing' });
});

test('a syntax error in settings.py is named with its line', () => {
  const problem = problemOf({ 'settings.py': 'A = 1\nROOMS = [\n' });
  expect(problem).toMatchObject({ code: 'settings_syntax', file: 'settings.py', line: 2 });
});

test('a missing import is named with its module, and where it is asked for', () => {
  const problem = problemOf({ 'settings.py': setting('import values'), 'values.py': '\nimport numpyro\n' });
  expect(problem).toMatchObject({ code: 'settings_import', module: 'numpyro', file: 'values.py', line: 2 });
});

test('an error while settings.py runs is named with its line', () => {
  const problem = problemOf({ 'settings.py': "from os import environ\nPASSWORD = environ['NOT_SET_ANYWHERE']\n" });
  expect(problem).toMatchObject({ code: 'settings_invalid', file: 'settings.py', line: 2 });
  expect(problem['message']).toContain('NOT_SET_ANYWHERE');
});

test('a setting that oTree needs is named when it is missing', () => {
  const problem = problemOf({ 'settings.py': "SESSION_CONFIGS = []\nADMIN_USERNAME = 'a'\n" });
  expect(problem).toMatchObject({ code: 'settings_invalid', message: 'settings.py does not define LANGUAGE_CODE.' });
});

test('a session config without its apps is named', () => {
  const problem = problemOf({ 'settings.py': setting("SESSION_CONFIGS = [dict(name='odd', app_sequence=[])]") });
  expect(problem['message']).toBe("The session config 'odd' in SESSION_CONFIGS lacks num_demo_participants.");
});

test.each([
  ['a hyphen', 'a-b\n', 'The label "a-b" in labels.txt may contain only letters, numbers and underscores.'],
  ['a byte order mark', '\uFEFFa\n', 'The label file labels.txt begins with a byte order mark: save it as UTF-8 without BOM.'],
  ['UTF-16', Buffer.from('\uFEFFa\n', 'utf16le'), 'The label file labels.txt is not saved as UTF-8.'],
  ['no file', null, 'The label file labels.txt does not exist.'],
])('a label file with %s is a problem of its room, not a crash', (_, content, sentence) => {
  const lines = "ROOMS = [dict(name='lab', display_name='Lab', participant_label_file='labels.txt')]";
  expect(roomsOf(lines, { 'labels.txt': content })[0]).toMatchObject({ name: 'lab', labels: [], problem: sentence });
});

test.each([
  ["dict(name='l', display_name='L', use_secure_urls=True)", 'A room with use_secure_urls needs a participant_label_file.'],
  ["dict(name='my lab', display_name='L')", 'The room name "my lab" may contain only letters, numbers and underscores.'],
  ["dict(name='l')", 'The room lacks display_name.'],
  ["dict(name='l', display_name='L', pin_code=1)", 'This version of oTree does not accept "pin_code" for this room.'],
])('a room that would stop oTree has its problem said: %s', (room, sentence) => {
  expect(roomsOf(`ROOMS = [${room}]`)[0]).toMatchObject({ problem: sentence });
});

test('a welcome page is seen', () => {
  expect(roomsOf("ROOMS = [dict(name='l', display_name='L', welcome_page='w.html')]")[0]).toMatchObject({ hasWelcomePage: true });
});
