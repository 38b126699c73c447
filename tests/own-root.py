"""Runs a program in a mount namespace whose root is this process's root: `python3 own-root.py COMMAND…`.

On a machine inside a chroot the namespace's root is another one, and what joins a container's namespace later (`docker
exec`, and with it every health check) ends up there instead of in the container. Where both are the same nothing changes.
"""
import ctypes
import os
import sys

CLONE_NEWNS, MS_REC_PRIVATE, MNT_DETACH = 0x20000, 0x4000 | 0x40000, 2
PIVOT_ROOT = {'x86_64': 155, 'aarch64': 41}
libc = ctypes.CDLL(None, use_errno=True)


def do(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def identity():
    return os.stat('/').st_dev, os.stat('/').st_ino


def take_root():
    mine, own = os.open('/', os.O_RDONLY), identity()
    namespace = os.open('/proc/self/ns/mnt', os.O_RDONLY)
    # Joining a namespace, be it one's own, goes to its root.
    do(libc.setns(namespace, CLONE_NEWNS))
    if identity() == own:
        return
    os.fchdir(mine)
    # The copy takes the working directory along.
    do(libc.unshare(CLONE_NEWNS))
    do(libc.mount(b'none', b'/', None, MS_REC_PRIVATE, None))
    do(libc.syscall(PIVOT_ROOT[os.uname().machine], b'.', b'.'))
    do(libc.umount2(b'.', MNT_DETACH))
    os.chdir('/')


if __name__ == '__main__':
    here = os.getcwd()
    take_root()
    os.chdir(here)
    os.execvp(sys.argv[1], sys.argv[1:])
