"""Loading a project's settings through oTree, with what is missing said in a sentence.

Seam: oTree 5.4 - 6.0 settings.py: `from otree import settings` runs the project's settings.py and merges it with
oTree's defaults; nothing else is imported, no database is touched (0.1 s).
"""
import os
import sys

from arboretum_launcher.problems import ProjectProblem

REQUIRED = ('SESSION_CONFIGS', 'LANGUAGE_CODE', 'ADMIN_USERNAME')


def load_settings():
    """`otree.settings`. @throws ProjectProblem settings_missing, settings_invalid, and whatever settings.py raises"""
    if not os.path.exists('settings.py') and not os.path.exists('settings/__init__.py'):
        raise ProjectProblem('settings_missing', 'There is no settings.py in the top folder of the project.')
    try:
        from otree import settings
    except (AttributeError, NameError):
        refuse_incomplete(sys.modules.get('settings'))
        raise
    refuse_incomplete(settings)
    return settings


def refuse_incomplete(module):
    missing = [name for name in REQUIRED if module and not hasattr(module, name)]
    if missing:
        raise ProjectProblem('settings_invalid', 'settings.py does not define %s.' % missing[0], 'settings.py')
