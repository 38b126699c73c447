from os import environ

QUALIFICATION = '3AWO4KN9YO3JRSN25G0KTXS4AQW9I6'

SESSION_CONFIGS = [
    dict(
        name='decide',
        display_name='One decision',
        app_sequence=['decide'],
        num_demo_participants=2,
        mturk_hit_settings=dict(
            title='Decide about a dollar',
            description='One decision, about two minutes, with a bonus',
            keywords=['decision', 'bonus'],
            frame_height=500,
            template='global/mturk_template.html',
            minutes_allotted_per_assignment=30,
            expiration_hours=7 * 24,
            grant_qualification_id=QUALIFICATION,
            qualification_requirements=[
                {'QualificationTypeId': QUALIFICATION, 'Comparator': 'DoesNotExist'},
                {
                    'QualificationTypeId': '00000000000000000071',
                    'Comparator': 'EqualTo',
                    'LocaleValues': [{'Country': 'US'}],
                },
            ],
        ),
    ),
    dict(name='pilot', display_name='Among colleagues', app_sequence=['decide'], num_demo_participants=2),
]

SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.00, participation_fee=0.50, doc='')

LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'USD'
USE_POINTS = False

ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')

DEMO_PAGE_INTRO_HTML = 'A study of people who come from MTurk.'

SECRET_KEY = 'the-same-in-every-copy-of-the-study'
