from os import environ

SESSION_CONFIGS = [
    dict(
        name='effort',
        display_name='A short task',
        app_sequence=['consent', 'work', 'finish'],
        num_demo_participants=3,
        completionlink='https://app.prolific.com/submissions/complete?cc=PLACEHOLDER',
    ),
]

SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=0.01, participation_fee=1.50, doc='')

ROOMS = [
    dict(name='study', display_name='The study', participant_label_file='_rooms/study.txt', use_secure_urls=True),
]

PARTICIPANT_FIELDS = ['consent']
SESSION_FIELDS = []

LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'GBP'
USE_POINTS = True

ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')

DEMO_PAGE_INTRO_HTML = 'A study of people who come from Prolific.'

SECRET_KEY = 'the-same-in-every-copy-of-the-study'
