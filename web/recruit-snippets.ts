// Lines to paste into a project, for its last page, its labels and its consent.

import type { Recruitment } from '../contracts/recruiting.ts';

export type Snippet = { readonly name: string; readonly about: string; readonly file: string; readonly lines: readonly string[] };

/** The last page sends people back by the link that was entered; Sona wants the label behind it. */
export function lastPageSnippets(recruitment: Recruitment): readonly Snippet[] {
  const link = "player.session.config['completionlink']";
  const whole = recruitment.kind === 'sona' ? `${link} + player.participant.label` : link;
  return [
    {
      name: 'The last page, Python',
      about: 'In __init__.py of the last app, in its last page.',
      file: '__init__.py',
      lines: ['class Goodbye(Page):', '    @staticmethod', '    def js_vars(player):', `        return dict(completionlink=${whole})`],
    },
    {
      name: 'The last page, HTML',
      about: 'In the template of that page. It needs no next button.',
      file: 'Goodbye.html',
      lines: [
        '{{ block content }}',
        '<p>Thank you. You are taken back; if not, <a id="back" href="#">click here</a>.</p>',
        '{{ endblock }}',
        '{{ block scripts }}',
        '<script>',
        "  document.getElementById('back').href = js_vars.completionlink;",
        '  window.location.href = js_vars.completionlink;',
        '</script>',
        '{{ endblock }}',
      ],
    },
  ];
}

/** Keeping the id in the data, one page after consent. */
export const labelSnippet: Snippet = {
  name: 'The id in your own data',
  about: 'oTree keeps it as participant.label in any case. Copy it into a field of yours one page after consent, not before.',
  file: '__init__.py',
  lines: [
    'class Player(BasePlayer):',
    '    prolific_id = models.StringField(blank=True)',
    '',
    'class Instructions(Page):',
    '    @staticmethod',
    '    def before_next_page(player, timeout_happened):',
    "        player.prolific_id = player.participant.label or ''",
  ],
};

/** Who does not consent goes to the last app. */
export const consentSnippets: readonly Snippet[] = [
  {
    name: 'No consent, the consent page',
    about: 'Who refuses skips to the last app of the app sequence.',
    file: 'consent/__init__.py',
    lines: [
      'class Consent(Page):',
      "    form_model = 'player'",
      "    form_fields = ['consent']",
      '',
      '    @staticmethod',
      '    def before_next_page(player, timeout_happened):',
      '        player.participant.consent = player.consent',
      '',
      '    @staticmethod',
      '    def app_after_this_page(player, upcoming_apps):',
      '        if not player.consent:',
      '            return upcoming_apps[-1]',
    ],
  },
  {
    name: 'No consent, settings.py',
    about: 'Without this line oTree stops at participant.consent.',
    file: 'settings.py',
    lines: ["PARTICIPANT_FIELDS = ['consent']"],
  },
];
