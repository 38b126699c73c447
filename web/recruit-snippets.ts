// Lines to paste into a project, for its last page, its labels and its consent.

import { mturkCodeLine, mturkTemplateLines } from '../contracts/mturk.ts';
import type { Recruitment } from '../contracts/recruiting.ts';

export type Snippet = { readonly name: string; readonly about: string; readonly lines: readonly string[] };

/** The last page sends people back by the link that was entered; Sona wants the label behind it. */
export function lastPageSnippets(recruitment: Recruitment): readonly Snippet[] {
  const link = "player.session.config['completionlink']";
  const whole = recruitment.kind === 'sona' ? `${link} + player.participant.label` : link;
  return [
    {
      name: 'The last page, Python',
      about: 'In __init__.py of the last app, in its last page.',
      lines: ['class Goodbye(Page):', '    @staticmethod', '    def js_vars(player):', `        return dict(completionlink=${whole})`],
    },
    {
      name: 'The last page, HTML',
      about: 'In the template of that page. It needs no next button.',
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
    lines: ["PARTICIPANT_FIELDS = ['consent']"],
  },
];

/** What oTree 6.0 views/mturk.py reads of the session config; qualifications are written as boto3 has them. */
export const mturkSnippets: readonly Snippet[] = [
  {
    name: 'The HIT, settings.py',
    about: 'In the session config or in SESSION_CONFIG_DEFAULTS. The template is what workers see before they accept.',
    lines: [
      'mturk_hit_settings=dict(',
      "    keywords='study, short',",
      "    title='Title of your study',",
      "    description='What workers do, and how long it takes',",
      '    frame_height=600,',
      "    template='global/mturk_template.html',",
      '    minutes_allotted_per_assignment=60,',
      '    expiration_hours=7 * 24,',
      '    qualification_requirements=[],',
      '),',
    ],
  },
  {
    name: 'The template',
    about: 'In _templates/global/mturk_template.html. MTurk shows it; oTree adds the address to its link once the work is accepted.',
    lines: mturkTemplateLines,
  },
  {
    name: 'The last page',
    about: 'In the template of the last page of the last app.',
    lines: [mturkCodeLine, '{{ next_button }}'],
  },
  {
    name: 'Workers from the US only',
    about: 'An entry of qualification_requirements. The sandbox ignores it.',
    lines: ['{', "    'QualificationTypeId': '00000000000000000071',", "    'Comparator': 'EqualTo',", "    'LocaleValues': [{'Country': 'US'}],", '},'],
  },
  {
    name: 'Nobody twice',
    about: 'Make a qualification in your requester account (for a test in the sandbox, there, too) and put its id into both places.',
    lines: [
      "grant_qualification_id='YOUR_QUALIFICATION_ID',",
      'qualification_requirements=[',
      "    {'QualificationTypeId': 'YOUR_QUALIFICATION_ID', 'Comparator': 'DoesNotExist'},",
      '],',
    ],
  },
];
