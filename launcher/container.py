"""The launcher inside a container, where everything comes by the environment: what of it becomes env.json and rooms.json.

    python start.py container serve|resetdb|describe|check|try
    python start.py container rooms WORD        hands new rooms to the server that runs in this container

ARBORETUM_LAUNCH   base64 of JSON: adminPassword, secretKey, roomSecret, cookieName, and sessionFields where there are any
ARBORETUM_ROOMS    base64 of gzip of {"rooms": [...]} (see `rooms.py`); WORD is written alike
ARBORETUM_DATABASE_URL   takes the place of DATABASE_URL, as the scratch database of a trial does
PORT               what `serve` listens on, besides its socket

The project lies beside the launcher (`../project`), and so does the folder that only this user reads (`../run`).
"""
import base64
import gzip
import json
import os
import sys
import tempfile

EX_USAGE, EX_CONFIG = 64, 78
VARIABLES = ('ARBORETUM_LAUNCH', 'ARBORETUM_ROOMS', 'ARBORETUM_DATABASE_URL')

_top = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
RUN = os.path.join(_top, 'run')
ROOMS = os.path.join(RUN, 'rooms.json')


def write_config(command):
    """Write `run/env.json` from the environment; returns its path, or ends the process with a sentence.

    The variables are gone afterwards: an experiment that prints its environment must not print them by accident.
    (Whoever means to can read them all the same, as env.json is readable for the instance's own user everywhere.)
    """
    launch, rooms, database_url = [os.environ.pop(name, '') for name in VARIABLES]
    try:
        config = dict(json.loads(base64.b64decode(launch, validate=True).decode('utf8')))
    except (TypeError, ValueError):
        sys.exit(refuse('ARBORETUM_LAUNCH cannot be read.', EX_CONFIG))
    config.update(
        environment={'DATABASE_URL': database_url or os.environ.get('DATABASE_URL', '')},
        socket=os.path.join(RUN, 'otree.sock'),
        projectDir=os.path.join(_top, 'project'),
        roomsFile=ROOMS,
    )
    if command == 'serve':
        config['port'] = read_port()
    try:
        # One that is there was written by `rooms` before the container was restarted: it is newer than the variable.
        if rooms and not os.path.exists(ROOMS):
            write(ROOMS, unpack(rooms))
        return write(os.path.join(RUN, 'env.json'), json.dumps(config))
    except (OSError, ValueError) as error:
        sys.exit(refuse('the configuration cannot be written: %s.' % error, EX_CONFIG))


def replace_rooms(words):
    """Write the rooms that one word holds; the running server looks at them at its next request. Returns the exit code."""
    try:
        (word,) = words
        write(ROOMS, unpack(word))
    except ValueError:
        return refuse('start.py container rooms WORD: one word is needed, base64 of gzip of JSON.', EX_USAGE)
    except OSError as error:
        return refuse('the rooms cannot be written: %s.' % error.strerror, EX_CONFIG)
    return 0


def unpack(word):
    """The JSON text in a word. @throws ValueError when it holds no rooms"""
    try:
        text = gzip.decompress(base64.b64decode(word, validate=True)).decode('utf8')
        names = [room['name'] for room in json.loads(text)['rooms']]
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ValueError('no rooms in it (%s)' % type(error).__name__)
    if not all(isinstance(name, str) for name in names):
        raise ValueError('a room without a name')
    return text


def write(path, text):
    """A whole file or nothing, for this user's eyes alone; returns the path."""
    handle, part = tempfile.mkstemp(dir=os.path.dirname(path))  # 0600
    with os.fdopen(handle, 'w', encoding='utf8') as stream:
        stream.write(text)
    os.replace(part, path)
    return path


def read_port():
    port = os.environ.get('PORT', '')
    if not port.isdigit() or not 0 < int(port) < 65536:
        sys.exit(refuse('PORT is not set to the number of a port.', EX_CONFIG))
    return int(port)


def refuse(sentence, code):
    sys.stderr.write(sentence + '\n')
    return code
