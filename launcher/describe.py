"""What a project offers, from its settings alone: no app is imported and no database is touched.

The rules about rooms and labels are oTree's own, from 6.0 room.py. Experimenters' code may print what it likes: ours
is the last line of stdout.
"""
import json
import math
import os
import platform
import re
import sys

from arboretum_launcher.problems import ProjectProblem
from arboretum_launcher.project_settings import load_settings

NAME = re.compile(r'^[a-zA-Z0-9_]+$')  # oTree 6.0 common.py validate_alphanumeric


def print_description(config):
    """Print `ARBORETUM-DESCRIBE {json}` and end the process. @throws ProjectProblem and what settings.py raises"""
    settings = load_settings()
    description = {
        'otreeVersion': sys.modules['otree'].__version__,
        'pythonVersion': platform.python_version(),
        'adminUsername': settings.ADMIN_USERNAME,
        'sessionConfigs': describe_configs(settings),
        'rooms': describe_rooms(settings),
        # OTREE_ADMIN_PASSWORD holds ours while settings.py runs: another value comes from the file itself.
        'hardCodedPassword': getattr(sys.modules['settings'], 'ADMIN_PASSWORD', None)
        not in (None, '', config['adminPassword']),
    }
    line = json.dumps(description)
    sys.stderr.flush()
    sys.stdout.write('\nARBORETUM-DESCRIBE %s\n' % line)
    sys.stdout.flush()
    os._exit(0)  # nothing may print behind it


def describe_configs(settings):
    defaults = getattr(settings, 'SESSION_CONFIG_DEFAULTS', {})
    whole = [{**defaults, **config} for config in settings.SESSION_CONFIGS]
    return [{**describe_config(config), 'mturk': describe_mturk(config, settings)} for config in whole]


def describe_config(config):
    """Keys that oTree itself asks for (6.0 session.py SessionConfig)."""
    name = config.get('name')
    for key in ('name', 'app_sequence', 'num_demo_participants'):
        if key not in config:
            raise ProjectProblem(
                'settings_invalid', 'The session config %r in SESSION_CONFIGS lacks %s.' % (name, key), 'settings.py'
            )
    return {
        'name': name,
        'displayName': str(config.get('display_name') or name),
        'appSequence': list(config['app_sequence']),
        'numDemoParticipants': config['num_demo_participants'],
    }


def describe_mturk(config, settings):
    """What oTree would send to MTurk for this config (6.0 views/mturk.py MTurkCreateHIT); whether it is right is judged elsewhere."""
    try:
        fee = float(config.get('participation_fee', 0))
    except (TypeError, ValueError):
        fee = None
    return {
        'hit': plain(config['mturk_hit_settings']) if 'mturk_hit_settings' in config else None,
        'participationFee': fee if fee is None or math.isfinite(fee) else None,
        'currency': str(getattr(settings, 'REAL_WORLD_CURRENCY_CODE', '')),
    }


def plain(value, depth=0):
    """As JSON has it, within bounds; what JSON has not is told as Python writes it."""
    if isinstance(value, dict) and depth < 6:
        return {str(key)[:100]: plain(one, depth + 1) for key, one in list(value.items())[:50]}
    if isinstance(value, (list, tuple)) and depth < 6:
        return [plain(one, depth + 1) for one in list(value)[:50]]
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return (value if isinstance(value, str) else repr(value))[:4000]


def describe_rooms(settings):
    return [describe_room(room) for room in getattr(settings, 'ROOMS', [])]


def describe_room(room):
    """One room as the lobby needs it; `problem` is there only when oTree would refuse or fail."""
    path = room.get('participant_label_file')
    described = {
        'name': str(room.get('name')),
        'displayName': str(room.get('display_name') or room.get('name')),
        'labels': None,
        'usesSecureUrls': bool(path and room.get('use_secure_urls')),
        'hasWelcomePage': bool(room.get('welcome_page')),
    }
    problem = room_problem(room)
    if path:
        described['labels'], label_problem = read_labels(path)
        problem = problem or label_problem
    if problem:
        described['problem'] = problem
    return described


def room_problem(room):
    """What stops oTree at its start (6.0 room.py get_room_dict and the constructors it calls)."""
    known = {'name', 'display_name'}
    if room.get('participant_label_file'):
        known |= {'participant_label_file', 'use_secure_urls'}
    elif room.get('use_secure_urls'):
        return 'A room with use_secure_urls needs a participant_label_file.'
    if int(sys.modules['otree'].__version__.split('.')[0]) >= 6:
        known.add('welcome_page')
    missing = [key for key in ('name', 'display_name') if key not in room]
    if missing:
        return 'The room lacks %s.' % missing[0]
    if not NAME.match(str(room['name'])):
        return 'The room name "%s" may contain only letters, numbers and underscores.' % room['name']
    unknown = sorted(set(room) - known)
    return 'This version of oTree does not accept "%s" for this room.' % unknown[0] if unknown else None


def read_labels(path):
    """(labels, problem) by the rules of oTree 6.0 room.py get_participant_labels: white space parts, copies count once."""
    try:
        with open(path, encoding='utf8') as stream:
            text = stream.read()
    except FileNotFoundError:
        return [], 'The label file %s does not exist.' % path
    except UnicodeDecodeError:
        return [], 'The label file %s is not saved as UTF-8.' % path
    except OSError as error:
        return [], 'The label file %s cannot be read: %s.' % (path, error.strerror)
    if text.startswith('\ufeff'):
        return [], 'The label file %s begins with a byte order mark: save it as UTF-8 without BOM.' % path
    labels = list(dict.fromkeys(text.split()))
    bad = [label for label in labels if not NAME.match(label)]
    if bad:
        return [], 'The label "%s" in %s may contain only letters, numbers and underscores.' % (bad[0], path)
    return labels, None
