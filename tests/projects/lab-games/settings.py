from os import environ

SESSION_CONFIGS = [
    dict(
        name='bargain',
        display_name='Bargaining in pairs',
        app_sequence=['bargain', 'survey'],
        num_demo_participants=2,
    ),
    dict(
        name='survey',
        display_name='A short survey',
        app_sequence=['survey'],
        num_demo_participants=1,
        seconds=3,
    ),
]

SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.00, participation_fee=2.00, doc='', seconds=60)

ROOMS = [
    dict(
        name='lab',
        display_name='Room 114',
        participant_label_file='_rooms/lab.txt',
        use_secure_urls=True,
    ),
    dict(name='online', display_name='Everywhere else'),
]

PARTICIPANT_FIELDS = ['agreed']
SESSION_FIELDS = []

LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'EUR'
USE_POINTS = True

ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')

DEMO_PAGE_INTRO_HTML = 'Two experiments of a laboratory that does not exist.'

SECRET_KEY = 'the-same-in-every-copy'
