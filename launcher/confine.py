"""The way into confinement: the command line, and its story in order.

    python3 -I confine.py [OPTIONS] -- COMMAND ARG...

supervisord starts every instance through it, and the panel runs all foreign code through it. It needs the system's
Python (3.9 or newer) and the standard library only. With --log it stays as the parent (see `confine_keeper.py`),
without it becomes the command. It always leads a process group of its own, so `kill -PID` reaches the whole family
and never the panel.

Exit codes of its own: 64 wrong usage, 71 the system refused something (one sentence on stderr), 126 and 127 as in a
shell; otherwise the command's, or 128 + signal.
"""
import argparse
import os
import sys
import types

# `python -I` leaves this folder out of sys.path; the siblings are found as a package of their own name instead.
sys.dont_write_bytecode = True
_package = types.ModuleType('arboretum_launcher')
_package.__path__ = [os.path.dirname(os.path.realpath(__file__))]
sys.modules['arboretum_launcher'] = _package

from arboretum_launcher import confine_child, confine_keeper, confine_processes  # noqa: E402
from arboretum_launcher.confine_cgroup import ControlGroup  # noqa: E402

EX_USAGE, EX_OSERR = 64, 71


def main():
    """Read the command line, end what ran before, and start the command."""
    options = read_options()
    try:
        if os.getpgrp() != os.getpid():
            os.setpgid(0, 0)
        if options.kill_others:
            end_earlier_run(options)
        if options.pid_file:
            confine_processes.write_pid_file(options.pid_file)
        group = ControlGroup.create(options.cgroup, options.memory_mib, options.processes)
        report(group.report)
        if options.log:
            sys.exit(confine_keeper.keep(options, group))
        confine_child.become(options, group)
    except (OSError, confine_processes.StillRunning) as error:
        sys.exit(refuse(str(error)))


def end_earlier_run(options):
    if os.geteuid() == 0 and options.uid:
        confine_processes.kill_uid(options.uid)
    elif options.pid_file:
        confine_processes.kill_recorded_group(options.pid_file)


def read_options():
    parser = argparse.ArgumentParser(prog='confine.py', allow_abbrev=False)
    parser.add_argument('--uid', type=int, help='numeric user id; needs no account; root only')
    parser.add_argument('--gid', type=int, help='numeric group id (default: the user id)')
    parser.add_argument('--kill-others', action='store_true', help='first end what an earlier run left')
    parser.add_argument('--pid-file', help='where a run without root records its process group')
    parser.add_argument('--cgroup', help='group below the cgroup mount, such as arboretum/17')
    parser.add_argument('--memory-mib', type=int)
    parser.add_argument('--processes', type=int, help='processes and threads')
    parser.add_argument('--file-mib', type=int, help='largest file')
    parser.add_argument('--open-files', type=int)
    parser.add_argument('--cpu-seconds', type=int)
    parser.add_argument('--log', help='file for stdout and stderr; its folder must not be writable by the uid')
    parser.add_argument('--log-mib', type=float, default=10)
    parser.add_argument('--log-files', type=int, default=5, help='FILE, FILE.1 ... this many in all')
    parser.add_argument('--grace', type=float, default=8, help='seconds between the first signal and SIGKILL')
    parser.add_argument('--home', default='/nonexistent')
    parser.add_argument('--cwd', help='entered as the uid')
    parser.add_argument('--env', action='append', default=[], metavar='NAME', help='copied from this environment')
    own, command = split_at_dashes(sys.argv[1:])
    try:
        options = parser.parse_args(own)
    except SystemExit as error:
        sys.exit(EX_USAGE if error.code else 0)
    options.command = command
    options.gid = options.uid if options.gid is None else options.gid
    problem = usage_problem(options)
    if problem:
        sys.exit(refuse(problem, EX_USAGE))
    return options


def split_at_dashes(arguments):
    """Everything behind the first `--` belongs to the command, whatever it looks like."""
    if '--' not in arguments:
        return arguments, []
    at = arguments.index('--')
    return arguments[:at], arguments[at + 1:]


def usage_problem(options):
    if not options.command:
        return 'give the command after "--".'
    if options.uid == 0 or options.gid == 0:
        return 'refusing to confine to root.'
    if options.uid and os.geteuid() != 0 and options.uid != os.geteuid():
        return 'another user id can be taken only by root.'
    if options.kill_others and not options.pid_file and not (options.uid and os.geteuid() == 0):
        return '--kill-others needs --uid as root, or --pid-file.'
    return None


def report(line):
    """One line on stderr; nobody may be listening there."""
    if line:
        try:
            os.write(2, ('confine: %s\n' % line).encode())
        except OSError:
            pass


def refuse(sentence, code=EX_OSERR):
    report(sentence)
    return code


if __name__ == '__main__':
    main()
