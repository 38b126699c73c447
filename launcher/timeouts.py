"""oTree's timeout worker, talking to its server over the Unix socket.

Seams, alike in oTree 5.4 - 6.0 tasks.py: `Worker(port).listen()`, `Worker.base_url`, and `urllib.request.urlopen` as
the only way in which it sends.
"""
import ctypes
import http.client
import os
import signal
import socket
import urllib.request

HOST = 'otree.invalid'
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def listen(path):
    """Work until killed; dies with its parent."""
    die_with_parent()
    urllib.request.install_opener(urllib.request.build_opener(UnixHandler(path)))
    import otree.main

    otree.main.setup()
    from otree.tasks import Worker

    worker = Worker(0)
    worker.base_url = 'http://' + HOST
    worker.listen()


class UnixHandler(urllib.request.HTTPHandler):
    """Sends what is for our own server into its socket; redirects to other hosts go where they point."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def http_open(self, request):
        if request.host != HOST:
            return super().http_open(request)

        def connect(host, **options):
            return UnixConnection(self._path, host, **options)

        return self.do_open(connect, request)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, host, **options):
        super().__init__(host, **options)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def die_with_parent():
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
