from os import environ

SESSION_CONFIGS = [
    dict(name='addresses', display_name='Addresses of every kind', app_sequence=['addresses'], num_demo_participants=2),
]

SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.00, participation_fee=0.00, doc='')

ROOMS = [dict(name='online', display_name='Everybody')]

LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'EUR'
USE_POINTS = False

ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = environ.get('OTREE_ADMIN_PASSWORD')

SECRET_KEY = 'the-same-in-every-copy'
