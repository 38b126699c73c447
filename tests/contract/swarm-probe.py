"""What an experiment could try from inside its container: every line a name and what came of it, as one JSON line in the log."""
import ctypes
import glob
import json
import os
import socket
import subprocess

# Filled in by the test.
WANTED = json.loads(os.environ.get('PROBE', '{}'))


def attempt(work):
    try:
        return 'REACHED %s' % (work() or '',)
    except BaseException as error:
        return '%s: %s' % (type(error).__name__, str(error).strip().splitlines()[0] if str(error).strip() else '')


def tcp(host, port):
    return lambda: '%s:%d' % socket.create_connection((host, port), 2).getpeername()[:2]


def unix(path):
    def work():
        one = socket.socket(socket.AF_UNIX)
        one.connect(path)
    return work


def database(name):
    def work():
        import psycopg2
        address = os.environ['DATABASE_URL'].split('/')
        rest = address[-1].partition('?')[2]
        # The query is the socket's folder, with slashes in it as %2F.
        psycopg2.connect('/'.join(address[:-1] + [name + ('?' + rest if rest else '')])).close()
    return work


def write(path):
    def work():
        with open(path, 'a') as stream:
            stream.write('x')
    return work


def read(path):
    return lambda: str(len(open(path).read()))


def call(name, *arguments):
    def work():
        libc = ctypes.CDLL(None, use_errno=True)
        if getattr(libc, name)(*arguments) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return work


def other_processes():
    """Those of other containers and of the host: in here there are only our own, the kernel's threads and init included."""
    names = [open(path).read().split('\0')[0] for path in glob.glob('/proc/[0-9]*/cmdline')]
    foreign = [name for name in names if name and 'python' not in name and 'setpriv' not in name]
    if not foreign:
        raise PermissionError('only its own %d processes are to be seen' % len(names))
    return foreign


def setuid_program():
    """What a file with the setuid bit would give: nothing, for no new privileges are to be had."""
    status = open('/proc/self/status').read()
    if 'NoNewPrivs:\t1' not in status or 'CapBnd:\t0000000000000000' not in status:
        return status
    raise PermissionError('no new privileges, no capabilities')


def run():
    host = WANTED
    tries = {
        'the neighbour, by its address': tcp(host['neighbour'], host['neighbourPort']),
        'the neighbour, by its name': lambda: socket.gethostbyname(host['neighbourName']),
        'this machine, by the bridge': tcp('172.17.0.1', host['hostPort']),
        'this machine, by its own address': tcp(host['hostAddress'], host['hostPort']),
        'the cloud’s metadata': tcp('169.254.169.254', 80),
        'the internet': tcp('1.1.1.1', 443),
        'a name in the internet': lambda: socket.gethostbyname('example.org'),
        'Redis': unix(host['redis']),
        'the Docker socket': unix(host['docker']),
        'the usual Docker socket': unix('/var/run/docker.sock'),
        'the database of the neighbour': database(host['neighbourDatabase']),
        'the database of the panel': database(host['panelDatabase']),
        'the neighbour’s socket': unix(host['neighbourSocket']),
        'the panel’s folder': lambda: os.listdir(host['dataDir']),
        'writing into its project': write('/app/project/settings.py'),
        'writing into its packages': write('/app/venv/x'),
        'writing into the launcher': write('/app/launcher/start.py'),
        'writing into the system': write('/etc/passwd'),
        'writing into its rooms': write('/run/arboretum/rooms/rooms.json'),
        'writing into its settings': write('/run/secrets/env.json'),
        'the kernel’s settings': write('/proc/sys/kernel/core_pattern'),
        'its own limits': write(glob.glob('/sys/fs/cgroup/memory/memory.limit_in_bytes')[0] if glob.glob('/sys/fs/cgroup/memory/memory.limit_in_bytes') else '/sys/fs/cgroup/memory.max'),
        'becoming root': lambda: os.setuid(0),
        'mounting': call('mount', b'none', b'/tmp', b'tmpfs', 0, None),
        'a user namespace': call('unshare', 0x10000000),
        'raw packets': lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
        'a device': lambda: os.mknod('/tmp/disk', 0o60600, os.makedev(8, 0)),
        'other processes': other_processes,
        'new privileges': setuid_program,
        'the password file of shadows': read('/etc/shadow'),
        'its own database': database(host['ownDatabase']),
    }
    for name, place, port in host['further']:
        tries[name] = tcp(place, port)
    print('PROBE %s' % json.dumps({name: attempt(work) for name, work in tries.items()}), flush=True)
