"""The last steps before the command runs: limits, identity, environment, exec. No way back from here."""
import ctypes
import os
import resource
import signal
import warnings  # noqa: F401  os.execvpe imports it late, when this user may no longer read our Python

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
MIB = 1024 * 1024
UNSET_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def become(options, group, parent=None):
    """Turn this process into the confined command; `parent` is the keeper's pid when it must die with it.

    @throws OSError when the system refuses a step; only the exec itself ends the process (126, 127).
    """
    group.join()
    set_limits(options, group)
    take_identity(options)
    # The kernel forgets the death signal when credentials change, so this comes after setuid (prctl(2)).
    if parent is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    environment = environment_of(options)
    os.umask(0o007)
    if options.cwd:
        os.chdir(options.cwd)
    close_descriptors()
    for number in UNSET_SIGNALS:  # Python ignores SIGPIPE and SIGXFSZ, and exec would keep that
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    execute(options.command, environment)


def set_limits(options, group):
    limit(resource.RLIMIT_CORE, 0)
    if options.file_mib:
        limit(resource.RLIMIT_FSIZE, options.file_mib * MIB)
    if options.open_files:
        limit(resource.RLIMIT_NOFILE, options.open_files)
    if options.cpu_seconds:
        limit(resource.RLIMIT_CPU, options.cpu_seconds)
    # Counts every process and thread of the user id: useless where all instances share one.
    if options.processes and options.uid and os.geteuid() == 0:
        limit(resource.RLIMIT_NPROC, options.processes)
    # Address space is not memory: threads and allocators reserve far more than they touch.
    if options.memory_mib and not group.limits_memory:
        limit(resource.RLIMIT_AS, max(4 * options.memory_mib, options.memory_mib + 2048) * MIB)


def limit(kind, value):
    """Lower both limits to `value`, or to what is allowed already."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY and os.geteuid() != 0:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def take_identity(options):
    if not options.uid or os.geteuid() != 0:
        return
    os.setgroups([])
    os.setresgid(options.gid, options.gid, options.gid)
    os.setresuid(options.uid, options.uid, options.uid)


def environment_of(options):
    """A few fixed names, then what `--env` copies: values never stand in argv."""
    environment = {
        'PATH': PATH,
        'LANG': 'C.UTF-8',
        'HOME': options.home,
        'USER': os.path.basename(options.home.rstrip('/')) or 'arboretum',
        'PYTHONUNBUFFERED': '1',
    }
    environment.update({name: os.environ[name] for name in options.env if name in os.environ})
    return environment


def close_descriptors():
    for name in os.listdir('/proc/self/fd'):
        if int(name) > 2:
            try:
                os.close(int(name))
            except OSError:
                pass  # the descriptor of the listing itself


def execute(command, environment):
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        os.write(2, ('confine: cannot run %s: %s\n' % (command[0], error.strerror)).encode())
        os._exit(127 if missing else 126)


def prctl(option, value):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl %d was refused' % option)
