"""What is wrong with a project, in one machine-readable line: `ARBORETUM-PROBLEM {json}`, the last on stderr.

    {"code", "file", "line", "module", "message"}     file: relative to the project, or null

describe: settings_missing, settings_syntax, settings_import, settings_invalid.
Other commands: module_missing, syntax_error, otree_check, path_not_supported, database; and settings_missing,
settings_invalid.
Anything else keeps Python's own traceback and exit code 1.
"""
import contextlib
import json
import os
import sys
import traceback

EX_PROJECT, EX_DATABASE = 65, 69
SETTINGS_CODES = {'module_missing': 'settings_import', 'syntax_error': 'settings_syntax'}
SECRETS = ('adminPassword', 'secretKey', 'roomSecret')


class ProjectProblem(Exception):
    """A problem that we found ourselves."""

    def __init__(self, code, message, file=None, line=None):
        super().__init__(message)
        self.problem = {'code': code, 'file': file, 'line': line, 'module': None, 'message': message}


@contextlib.contextmanager
def told(config, command):
    """Turn what goes wrong inside into the last line on stderr and an exit code.

    Not so for the timeout worker: it writes into the log of a server that lives on, and is started again.
    """
    try:
        yield
    except SystemExit as leave:
        if leave.code in (None, 0) or command == 'timeouts':
            raise
        if isinstance(leave.code, str):
            sys.stderr.write(leave.code + '\n')
        problem = classify_exit(leave, command)
        if not problem:
            raise
        end(problem, config)
    except Exception as error:
        traceback.print_exc()
        problem = None if command == 'timeouts' else classify(error, command)
        end(problem, config) if problem else sys.exit(1)


def end(problem, config):
    hidden = [config[name] for name in SECRETS] + [os.environ.get('DATABASE_URL', '')]
    for secret in [value for value in hidden if len(value) >= 6]:  # a shorter one would eat plain words
        problem['message'] = problem['message'].replace(secret, '[redacted]')
    sys.stdout.flush()
    sys.stderr.write('ARBORETUM-PROBLEM %s\n' % json.dumps(problem))
    sys.stderr.flush()
    # What the project registered with atexit must not write behind the last line.
    os._exit(EX_DATABASE if problem['code'] == 'database' else EX_PROJECT)


def classify_exit(leave, command):
    """oTree prints a traceback and leaves with 1 where an app cannot be imported (6.0 database.py init_orm, common.py
    get_pages_module): the error is then the context of the exit. With a sentence it leaves where a check fails.
    """
    if isinstance(leave.code, str):
        code = 'settings_invalid' if command == 'describe' or 'oTree settings' in leave.code else 'otree_check'
        return problem_of(leave, code, message=leave.code.strip())
    if leave.__context__ is not None and isinstance(leave.__context__, Exception):
        return classify(leave.__context__, command)
    if command == 'describe':
        return problem_of(leave, 'settings_invalid', message='settings.py ended the program (exit code %s).' % leave.code)
    return None


def classify(error, command):
    """The problem that an exception stands for; None when it is nobody's known one."""
    if isinstance(error, ProjectProblem):
        return error.problem
    if isinstance(error, SyntaxError):
        return settings_or(command, describe_syntax(error))
    if isinstance(error, ImportError):
        return settings_or(command, problem_of(error, 'module_missing', module=error.name))
    if is_database_error(error):
        return problem_of(error, 'database', message=str(error).strip().splitlines()[0])
    if command == 'describe' or raised_in_settings(error):
        return problem_of(error, 'settings_invalid')
    # Raised by oTree's own lines while it takes the project in: that is how its checks speak.
    if traceback.extract_tb(error.__traceback__)[-1].filename.startswith(otree_folder()):
        return problem_of(error, 'otree_check', message=str(error) or type(error).__name__)
    return None


def settings_or(command, problem):
    if command == 'describe' or problem['file'] == 'settings.py':
        problem['code'] = SETTINGS_CODES[problem['code']]
    return problem


def describe_syntax(error):
    problem = problem_of(error, 'syntax_error', message=error.msg)
    problem.update(file=relative(error.filename), line=error.lineno)
    return problem


def problem_of(error, code, module=None, message=None):
    """The problem with the last line of the project that took part in it."""
    frames = traceback.extract_tb(error.__traceback__)
    # `from otree.api import *` at the top of the first app is where oTree happens to look around, not the cause.
    own = [frame for frame in frames if relative(frame.filename) and ' otree' not in frame.line]
    if message is None:
        # str(KeyError('x')) is only 'x'.
        message = '%s: %s' % (type(error).__name__, error) if not isinstance(error, ImportError) else str(error)
    return {
        'code': code,
        'file': relative(own[-1].filename) if own else None,
        'line': own[-1].lineno if own else None,
        'module': module,
        'message': message.strip(),
    }


def raised_in_settings(error):
    """Any line of the project's settings.py in the traceback: only oTree's import of it gets there."""
    return any(relative(frame.filename) == 'settings.py' for frame in traceback.extract_tb(error.__traceback__))


def otree_folder():
    otree = sys.modules.get('otree')
    return os.path.join(os.path.dirname(otree.__file__), '') if otree else '\0'


def relative(path):
    """The path inside the project; None for everything else, such as a virtual environment within it."""
    if not path or path.startswith('<') or 'site-packages' in path:
        return None
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(os.getcwd()))
    return None if inside.startswith('..') else inside


def is_database_error(error):
    """By name, so that neither SQLAlchemy nor a driver need be importable. 1.3: sqlalchemy.exc; psycopg2."""
    kinds = {'%s.%s' % (kind.__module__.split('.')[0], kind.__name__) for kind in type(error).__mro__}
    known = {'sqlalchemy.DBAPIError', 'sqlalchemy.ArgumentError', 'sqlalchemy.NoSuchModuleError', 'psycopg2.Error'}
    return bool(kinds & known)
