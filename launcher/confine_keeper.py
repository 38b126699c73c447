"""The small parent of one instance: writes its log, passes signals on, and leaves nothing running when it ends."""
import os
import selectors
import signal
import time

from arboretum_launcher import confine_child, confine_processes
from arboretum_launcher.confine_log import RotatingLog

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h: orphans of the family come to us
F_SETPIPE_SZ = 1031  # linux/fcntl.h
DRAIN_SECONDS = 1
FLOOD_PAUSE_SECONDS = 0.004  # reads at most 60 MB/s then; unpaused, a flood costs the keeper a whole core (measured)


def keep(options, group):
    """Run the command until it ends; returns its exit code, or 128 + signal."""
    confine_child.prctl(PR_SET_CHILD_SUBREAPER, 1)
    wake, signals = catch_signals()
    reader, child = start_child(options, group)
    log = RotatingLog(options.log, options.log_mib, options.log_files)
    log.say('started as process %d; %s' % (child, group.report or 'no limits'))
    status = follow(child, reader, wake, signals, log, options.grace)
    end_the_rest(options, log)
    drain(reader, log)
    code = exit_code(status)
    log.say(farewell(status, group, options))
    log.close()
    group.remove()
    return code


def catch_signals():
    """Signals become bytes in a pipe and names in a list, so that one loop sees everything."""
    wake, write = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    arrived = []
    for number in FORWARDED:
        signal.signal(number, lambda number, frame: arrived.append(number))
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return wake, arrived


def start_child(options, group):
    reader, writer = os.pipe()
    enlarge(reader)
    keeper = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            signal.set_wakeup_fd(-1)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            confine_child.become(options, group, keeper)
        except BaseException as error:
            os.write(2, ('confine: %s\n' % error).encode())
        finally:
            os._exit(71)
    os.close(writer)
    os.set_blocking(reader, False)
    # The keeper's own stdout and stderr are supervisord's pipes: nothing may depend on them after this point. Its stdin is
    # one, too, and stays open: supervisord 4.3 does not see that nobody reads a pipe (POLLERR) whose number it still
    # polls for a process of before, and would spin on it with half a core for as long as the instance runs.
    silence = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(silence, number)
    return reader, child


def follow(child, reader, wake, signals, log, grace):
    """Copy output and pass on signals until the child has ended; returns its wait status."""
    selector = selectors.DefaultSelector()
    selector.register(wake, selectors.EVENT_READ)
    selector.register(reader, selectors.EVENT_READ)
    deadline = None
    while True:
        status = wait(child)
        if status is not None:
            return status
        while signals:
            send(child, signals.pop(0))
            deadline = deadline or time.monotonic() + grace
        if deadline and time.monotonic() >= deadline:
            send(child, signal.SIGKILL)
        for key, _ in selector.select(timeout(deadline)):
            if key.fd == wake:
                empty(wake)
            elif not copy(reader, log):
                selector.unregister(reader)
        log.tick()


def wait(child):
    """The child's status, None while it lives; strangers that came to us as subreaper are collected, too."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid in (0, child):
            return status if pid else None


def copy(reader, log):
    """One piece of output into the log; False at its end."""
    try:
        data = os.read(reader, 256 * 1024)
    except BlockingIOError:
        return True
    if data:
        log.feed(data)
    if log.is_flooded():
        time.sleep(FLOOD_PAUSE_SECONDS)
    return bool(data)


def end_the_rest(options, log):
    """oTree's timeout child survives its parent otherwise (measured, oTree 6.0.15)."""
    try:
        confine_processes.kill_family(options.uid if os.geteuid() == 0 else None)
    except confine_processes.StillRunning as error:
        log.say(str(error))


def drain(reader, log):
    """What still stands in the pipe after everybody has ended."""
    deadline = time.monotonic() + DRAIN_SECONDS
    selector = selectors.DefaultSelector()
    selector.register(reader, selectors.EVENT_READ)
    while time.monotonic() < deadline and selector.select(0) and copy(reader, log):
        pass


def timeout(deadline):
    return 1 if deadline is None else min(1, max(0.05, deadline - time.monotonic()))


def send(child, number):
    try:
        os.kill(child, number)
    except ProcessLookupError:
        pass


def empty(wake):
    try:
        while os.read(wake, 512):
            pass
    except BlockingIOError:
        pass


def enlarge(pipe):
    """Room for a burst while the disk is slow; 1 MiB is what Linux allows without privileges."""
    try:
        import fcntl
        fcntl.fcntl(pipe, F_SETPIPE_SZ, 1024 * 1024)
    except OSError:
        pass


def exit_code(status):
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def farewell(status, group, options):
    if group.ran_out_of_memory():
        return 'out of memory: the limit of %s MiB was reached' % options.memory_mib
    if os.WIFSIGNALED(status):
        return 'ended by %s' % signal.Signals(os.WTERMSIG(status)).name
    return 'ended with exit code %d' % os.WEXITSTATUS(status)
