"""A first experiment to try the panel with: the trust game for two, played once."""
from os import environ

SESSION_CONFIGS = [
    dict(
        name='trust_game',
        display_name='Trust game',
        app_sequence=['trust_game'],
        num_demo_participants=2,
    ),
]

SESSION_CONFIG_DEFAULTS = dict(
    real_world_currency_per_point=0.10,
    participation_fee=5.00,
    doc='Two people, ten points, and a question of trust.',
)

ROOMS = [
    dict(
        name='lab',
        display_name='The laboratory',
        participant_label_file='_rooms/lab.txt',
    ),
]

PARTICIPANT_FIELDS = []
SESSION_FIELDS = []

LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'EUR'
USE_POINTS = True

ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')
SECRET_KEY = environ.get('OTREE_SECRET_KEY', 'only-for-trying-at-home')

DEMO_PAGE_INTRO_HTML = ''
