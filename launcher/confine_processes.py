"""Who is running: finding and ending the processes of a user id, a process group, a family. Reads /proc only."""
import os
import signal
import time

WAIT_SECONDS = 5


class StillRunning(Exception):
    """Processes survived SIGKILL for five seconds (usually: blocked on a dead disk)."""


def kill_uid(uid):
    """End every process that runs under `uid`; needs root. @throws StillRunning"""
    def shoot():
        # kill(-1) as that user reaches all of its processes at one instant: a fork bomb cannot run away from it.
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setresuid(uid, uid, uid)
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    end(lambda: [pid for pid in list_pids() if runs_under(pid, uid)], shoot)


def kill_family(uid=None):
    """End what is left of this run except the caller: its process group, its descendants, and all of `uid`.

    Descendants that made a session of their own are found because the caller is their subreaper.
    """
    own, group = os.getpid(), os.getpgrp()

    def left():
        stats = {pid: read_stat(pid) for pid in list_pids()}
        parents = {pid: stat['parent'] for pid, stat in stats.items() if stat}
        return [
            pid for pid, stat in stats.items()
            if stat and pid != own
            and (stat['group'] == group or descends(pid, own, parents) or (uid and runs_under(pid, uid)))
        ]

    end(left)


def write_pid_file(path):
    """Record this process group: id, start of its leader (clock ticks since boot), boot."""
    temporary = '%s.%d' % (path, os.getpid())
    with open(temporary, 'w') as stream:
        stream.write('%d %d %s\n' % (os.getpgrp(), read_stat(os.getpid())['start'], boot_id()))
    os.replace(temporary, path)


def kill_recorded_group(path):
    """End the group that `write_pid_file` recorded, if it is still that one. @throws StillRunning

    A leader with another start time is a stranger with a used number. A leader that is gone left its number reserved
    for its group as long as a member lives (Linux, alloc_pid), so younger members of our own user are ours.
    """
    try:
        with open(path) as stream:
            group, start, boot = stream.read().split()
    except (OSError, ValueError):
        return
    group, start = int(group), int(start)
    leader = read_stat(group)
    if boot != boot_id() or group == os.getpgrp() or (leader and leader['start'] != start):
        return

    def left():
        stats = {pid: read_stat(pid) for pid in list_pids() if runs_under(pid, os.geteuid())}
        return [pid for pid, stat in stats.items() if stat and stat['group'] == group and stat['start'] >= start]

    end(left)


def end(find, shoot=None):
    """SIGKILL what `find` lists until it lists nothing."""
    deadline = time.monotonic() + WAIT_SECONDS
    pause = 0.005
    while True:
        pids = find()
        if not pids:
            reap()
            return
        if time.monotonic() > deadline:
            raise StillRunning('processes %s do not end.' % ', '.join(map(str, pids[:5])))
        if shoot:
            shoot()
        for pid in [] if shoot else pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def reap():
    """Collect children that ended meanwhile (as a subreaper we get strangers, too)."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def list_pids():
    return [int(name) for name in os.listdir('/proc') if name.isdigit()]


def read_stat(pid):
    """State, parent, group and start of a live process; None when it is gone or a zombie. Source: proc(5)."""
    try:
        with open('/proc/%d/stat' % pid, errors='replace') as stream:
            fields = stream.read().rpartition(')')[2].split()
    except OSError:
        return None
    if fields[0] in 'ZX':
        return None
    return {'parent': int(fields[1]), 'group': int(fields[2]), 'start': int(fields[19])}


def runs_under(pid, uid):
    """True when any of the four user ids is `uid` and the process lives; /proc's owner lies for undumpable ones."""
    try:
        with open('/proc/%d/status' % pid, errors='replace') as stream:
            lines = dict(line.split(':', 1) for line in stream if ':' in line)
    except OSError:
        return False
    return str(uid) in lines.get('Uid', '').split() and lines.get('State', ' Z').split()[0] not in ('Z', 'X')


def descends(pid, ancestor, parents):
    while pid in parents:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def boot_id():
    with open('/proc/sys/kernel/random/boot_id') as stream:
        return stream.read().strip()
