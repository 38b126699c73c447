"""Memory of the processes that work in this container's project: the server and what it started, without whoever asks."""
import os


def resident_bytes(project_dir):
    """Resident bytes, summed (pages that two of them share count twice, as in `ps`). @see proc(5), /proc/pid/statm"""
    page = os.sysconf('SC_PAGE_SIZE')
    return sum(pages_of(pid) * page for pid in os.listdir('/proc') if pid.isdigit() and works_in(pid, project_dir))


def works_in(pid, folder):
    try:
        return int(pid) != os.getpid() and os.path.realpath('/proc/%s/cwd' % pid) == os.path.realpath(folder)
    except OSError:  # it has ended, or belongs to somebody else
        return False


def pages_of(pid):
    try:
        with open('/proc/%s/statm' % pid, encoding='ascii') as stream:
            return int(stream.read().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
