"""Bots: the project's own tests.py, played by `otree test` in this process's memory.

The database's address is taken away before oTree is imported, so that no live data can be touched whatever the project
does. oTree's bots need the package `requests` (6.0 bots/bot.py), which few projects list: where it is missing, it comes
from the folder that ARBORETUM_BOT_PACKAGES names, after everything that the project brought.
"""
import os
import sys


def prepare(words):
    """argv and environment as `otree test CONFIG [PARTICIPANTS] [--export=FOLDER]` wants them."""
    os.environ.pop('DATABASE_URL', None)
    packages = os.environ.pop('ARBORETUM_BOT_PACKAGES', '')
    if packages:
        sys.path.append(packages)
    config, participants, folder = (list(words) + ['', '', ''])[:3]
    # An option is what begins with a hyphen: a config's name cannot pass as one.
    sys.argv = ['otree', 'test'] + (['--export=' + folder] if folder else []) + ['--', config]
    if participants:
        sys.argv.append(participants)


def play():
    """Run them; raises what the first failing bot raised."""
    from otree.main import execute_from_command_line

    execute_from_command_line()
