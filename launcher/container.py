"""The launcher inside a container, where everything comes by the environment: what of it becomes env.json and rooms.json.

    python start.py container serve|resetdb|describe|check|try
    python start.py container bots WORD         plays bots without a database; WORD is base64 of JSON, see `prepare_bots`
    python start.py container memory            how many bytes the server that runs in this container takes, and how many
                                                are free on the disk of the host that holds containers
    python start.py container rooms WORD        hands new rooms to the server that runs in this container

ARBORETUM_LAUNCH   base64 of JSON: adminPassword, secretKey, roomSecret, cookieName; pathPrefix and sessionFields if any
ARBORETUM_ROOMS    base64 of gzip of {"rooms": [...]} (see `rooms.py`); WORD is written alike
ARBORETUM_DATABASE_URL   takes the place of DATABASE_URL, as the scratch database of a trial does
PORT               what `serve` listens on, besides its socket

The project lies beside the launcher (`../project`), and so does the folder that only this user reads (`../run`).
"""
import base64
import gzip
import io
import json
import os
import shutil
import signal
import socket
import sys
import tarfile
import tempfile

EX_USAGE, EX_OVER_TIME, EX_CONFIG = 64, 75, 78
VARIABLES = ('ARBORETUM_LAUNCH', 'ARBORETUM_ROOMS', 'ARBORETUM_DATABASE_URL')

_top = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
RUN = os.path.join(_top, 'run')
ROOMS = os.path.join(RUN, 'rooms.json')
BOTS_DATA = os.path.join(RUN, 'bots')
BOT_PACKAGES = os.path.join(_top, 'bots')


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
        # Docker names a container after its id: the database can then tell how many of them are at work.
        os.environ['PGAPPNAME'] = 'arboretum-' + (os.environ.get('HOSTNAME') or socket.gethostname())
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


def prepare_bots(words):
    """The words of `start.py ENV_JSON bots` that one word holds: [CONFIG, PARTICIPANTS, wants data, seconds].

    A name of a config may hold what Dokku would read as a flag of its own, so it travels as base64. Whoever asked may be
    gone before the end: after the seconds the container ends by itself. (The first process of a container has to catch
    a signal to die of it.)
    """
    try:
        (word,) = words
        config, participants, wants_data, seconds = json.loads(base64.b64decode(word, validate=True).decode('utf8'))
    except (TypeError, ValueError):
        sys.exit(refuse('start.py container bots WORD: one word is needed, base64 of JSON.', EX_USAGE))
    signal.signal(signal.SIGALRM, lambda number, frame: os._exit(EX_OVER_TIME))
    signal.alarm(seconds)
    if os.path.isdir(BOT_PACKAGES):
        os.environ['ARBORETUM_BOT_PACKAGES'] = BOT_PACKAGES
    return [config, participants, BOTS_DATA if wants_data else '']


def print_bots_data():
    """Print what the bots did, where that is wanted, as lines of base64 of a .tar.gz: output is all that leaves a container."""
    if not os.path.isdir(BOTS_DATA):
        return
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w:gz') as archive:
        archive.add(BOTS_DATA, '.')
    shutil.rmtree(BOTS_DATA)
    sys.stdout.write('\n')
    for line in base64.encodebytes(packed.getvalue()).decode('ascii').splitlines():
        sys.stdout.write('ARBORETUM-BOTS-DATA %s\n' % line)
    sys.stdout.flush()


def print_memory():
    """Print how many bytes the server of this container takes, and how many its host has free. Returns the exit code."""
    from arboretum_launcher import memory
    disk = os.statvfs('/')  # a container's own file system is a layer on the host's disk, and tells of that one
    print(memory.resident_bytes(os.path.join(_top, 'project')), disk.f_bavail * disk.f_frsize)
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
