// Pages without a template are found before a participant finds them.

import { expect, test, vi } from 'vitest';
import { Instance, marked } from './instance.ts';
import { pythonWith } from './venv.ts';

vi.setConfig({ testTimeout: 120_000 });
type Files = Record<string, string | Buffer | null>;

/** No database is asked, so it need not exist. */
const missing = (files: Files, python = pythonWith('6.0.15')): unknown => {
  const { code, stdout, stderr } = new Instance({ python, project: 'tests/projects/lab-games', files, databaseUrl: 'postgresql://nobody@localhost/none' }).run(
    'check',
  );
  expect(code, stderr).toBe(0);
  return marked(stdout, 'ARBORETUM-CHECK')['missingTemplates'];
};

test.each(['6.0.15', '5.11.5'] as const)('a good project lacks none, a broken one is named (oTree %s)', (version) => {
  expect(missing({}, pythonWith(version))).toEqual([]);
  expect(missing({ 'survey/Thanks.html': null }, pythonWith(version))).toEqual([
    { app: 'survey', page: 'Thanks', template: 'survey/Thanks.html', there: null },
  ]);
});

test('a template_name counts, and a page that finds its template in a way of its own is left alone', () => {
  const app = `from otree.api import *
class C(BaseConstants):
    NAME_IN_URL = 'survey'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1
class Subsession(BaseSubsession): pass
class Group(BaseGroup): pass
class Player(BasePlayer): pass
class Elsewhere(Page):
    template_name = 'survey/Thanks.html'
class Nowhere(Page):
    template_name = 'survey/thanks.html'
class Wait(WaitPage): pass
class Special(Page):
    def get_template_name(self):
        return 'survey/Thanks.html'
page_sequence = [Elsewhere, Nowhere, Wait, Special]
`;
  expect(missing({ 'survey/__init__.py': app })).toEqual([{ app: 'survey', page: 'Nowhere', template: 'survey/thanks.html', there: 'survey/Thanks.html' }]);
});
