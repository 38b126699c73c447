"""The way into oTree: reads the instance's env.json, prepares the process, and runs one command.

    python start.py ENV_JSON serve|resetdb|describe|check|try  (and `timeouts`, which `serve` starts itself)
    python start.py ENV_JSON bots CONFIG [PARTICIPANTS [FOLDER]]     see `bots.py`
    python start.py container serve|resetdb|describe|check|try      and `rooms WORD`, `bots WORD`: see `container.py`

Runs with the release's Python (3.7 or newer, with oTree 5.4 - 6.0 in it), as the instance's user, and edits nothing
of the project. ENV_JSON: environment, adminPassword, secretKey, roomSecret, cookieName, socket, projectDir, and
roomsFile where the panel edits rooms (see `rooms.py`), sessionFields where completion links were entered (see
`session_fields.py`), port where it is to listen on one, too, isInContainer, gate where it may run on another host than
the panel's (see `away.py`), and pathPrefix where it lives below a path (see `prefix.py`).

Exit codes: 0 · 64 wrong usage · 65 the project has a problem · 69 the database has one · 78 env.json or oTree's
version cannot be used; 65 and 69 leave `ARBORETUM-PROBLEM {json}` as the last line on stderr. See `problems.py`.
"""
import json
import os
import sys
import types

COMMANDS = ('serve', 'resetdb', 'describe', 'check', 'try', 'timeouts', 'bots')
IN_CONTAINER = 'container'
COMMANDS_IN_CONTAINER = ('serve', 'resetdb', 'describe', 'check', 'try', 'bots', 'rooms', 'memory')
REQUIRED = ('environment', 'adminPassword', 'secretKey', 'roomSecret', 'cookieName', 'socket', 'projectDir')
EX_USAGE, EX_CONFIG = 64, 78

# The project's own modules may be called `serve` or `problems`: ours live in a package that no project has, and this
# folder leaves sys.path.
sys.dont_write_bytecode = True
_here = os.path.dirname(os.path.realpath(__file__))
_package = types.ModuleType('arboretum_launcher')
_package.__path__ = [_here]
sys.modules['arboretum_launcher'] = _package
sys.path[:] = [place for place in sys.path if os.path.realpath(place or '.') != _here]

from arboretum_launcher import problems  # noqa: E402


def main():
    """Run the command of argv; ends the process."""
    if sys.argv[1:2] == [IN_CONTAINER]:
        path, command = begin_in_container(sys.argv[2:])
    else:
        if len(sys.argv) < 3 or sys.argv[2] not in COMMANDS:
            sys.exit(refuse('start.py ENV_JSON %s' % '|'.join(COMMANDS[:5]), EX_USAGE))
        path, command = os.path.abspath(sys.argv[1]), sys.argv[2]
        if command == 'try':
            end_trial(path)
    config = read_config(path)
    prepare(config, command)
    with problems.told(config, command):
        require_otree_5()
        run(config, command, path)
    if command == 'bots' and 'arboretum_launcher.container' in sys.modules:
        sys.modules['arboretum_launcher.container'].print_bots_data()


def begin_in_container(words):
    """The path of an env.json made from the environment, and the command; what needs nothing of oTree ends here."""
    from arboretum_launcher import container
    if not words or words[0] not in COMMANDS_IN_CONTAINER:
        sys.exit(refuse('start.py %s %s' % (IN_CONTAINER, '|'.join(COMMANDS_IN_CONTAINER)), EX_USAGE))
    if words[0] == 'rooms':
        sys.exit(container.replace_rooms(words[1:]))
    if words[0] == 'memory':
        sys.exit(container.print_memory())
    if words[0] == 'bots':
        sys.argv[3:] = container.prepare_bots(words[1:])
    path = container.write_config(words[0])
    if words[0] == 'try':
        end_trial(path)
    return path, words[0]


def end_trial(path):
    from arboretum_launcher import trial
    sys.exit(trial.run(os.path.join(_here, 'start.py'), path))


def run(config, command, path):
    if command == 'describe':
        from arboretum_launcher import describe
        describe.print_description(config)
        return
    from arboretum_launcher import overrides
    overrides.apply(config)
    if command == 'serve':
        from arboretum_launcher import serve
        serve.serve(config, [sys.executable, os.path.join(_here, 'start.py'), path, 'timeouts'])
    elif command == 'check':
        from arboretum_launcher import check_pages
        check_pages.print_missing()
    elif command == 'bots':
        from arboretum_launcher import bots
        bots.play()
    elif command == 'timeouts':
        from arboretum_launcher import timeouts
        timeouts.listen(config['socket'])
    else:
        # A client that idles in a transaction would hold resetdb, and the whole server behind it, for ever.
        os.environ.setdefault('PGOPTIONS', '-c lock_timeout=10000')
        from otree.main import execute_from_command_line
        execute_from_command_line()


def read_config(path):
    try:
        with open(path, encoding='utf8') as stream:
            config = json.load(stream)
    except (OSError, ValueError) as error:
        sys.exit(refuse('env.json cannot be read: %s.' % type(error).__name__, EX_CONFIG))
    # An empty password would let everybody in: oTree compares it with what was typed.
    missing = [name for name in REQUIRED if not isinstance(config, dict) or not config.get(name)]
    if missing:
        sys.exit(refuse('env.json lacks %s.' % ', '.join(missing), EX_CONFIG))
    return config


def prepare(config, command):
    """Environment, folder, import path and argv, as oTree expects them before it is first imported."""
    os.environ.update({name: str(value) for name, value in config['environment'].items()})
    # oTree 6.0 database.py get_engine: an empty URL is a crash; settings.py: '' means debug, but other code asks `in`.
    for name in ('DATABASE_URL', 'OTREE_PRODUCTION'):
        if not os.environ.get(name):
            os.environ.pop(name, None)
    os.environ['OTREE_ADMIN_PASSWORD'] = config['adminPassword']
    # The front door is the only peer, and a Unix socket's peer has no address to list (uvicorn 0.13 proxy_headers.py).
    # In a container it is Dokku's nginx, whose address is not known beforehand; the port is not published to others.
    os.environ['FORWARDED_ALLOW_IPS'] = '*'
    os.environ.pop('OTREE_SKIP_CSRF', None)
    if command in ('serve', 'timeouts'):
        os.environ['USE_TIMEOUT_WORKER'] = '1'  # as oTree 6.0 main.py does for prodserver
    try:
        os.chdir(config['projectDir'])
    except OSError as error:
        sys.exit(refuse('the project folder cannot be entered: %s.' % error.strerror, EX_CONFIG))
    sys.path.insert(0, os.getcwd())  # oTree 6.0 settings.py
    if command == 'bots':
        from arboretum_launcher import bots
        bots.prepare(sys.argv[3:])
        return
    # oTree 6.0 main.py does `from sys import argv` on import; projects look at it, too.
    sys.argv = {'resetdb': ['otree', 'resetdb', '--noinput'], 'timeouts': ['otree', 'timeoutsubprocess', '0']}.get(
        command, ['otree', 'prodserver']
    )


def require_otree_5():
    """`otree/__init__.py` holds nothing but the version, in oTree 3 as in 6."""
    import otree
    major = otree.__version__.split('.')[0]
    if major.isdigit() and int(major) < 5:
        sys.exit(refuse('oTree %s is too old: this panel runs oTree 5.4 and newer.' % otree.__version__, EX_CONFIG))


def refuse(sentence, code):
    sys.stderr.write(sentence + '\n')
    return code


if __name__ == '__main__':
    main()
