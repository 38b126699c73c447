"""An instance on another host than the panel's: it reports to its gate, and is told the panel's rooms by it.

Lines of JSON, over the instance's own network. From here: {"id", "container"} first, {"seen": NUMBER} when rooms were
written, {"memory": BYTES, "cpu": SECONDS or null} every few seconds. From the gate: {"number", "rooms": TEXT or null},
and {"replaced": true} when a newer container of the same instance has reported: then this one ends, because two must
never write to one database.
"""
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time

from arboretum_launcher import memory, processor
from arboretum_launcher.watch import say

FIRST_SECONDS, PAUSE_SECONDS = 60, 0.5
USE_SECONDS = 5
GRACE_SECONDS = 8


def follow(gate, rooms_file, project_dir):
    """Report to `gate` (HOST:PORT), write the first rooms, and keep them right; ends the process without an answer."""
    line = Line(gate, rooms_file, project_dir)
    deadline = time.monotonic() + FIRST_SECONDS
    while not line.open():
        if time.monotonic() > deadline:
            sys.exit('the gate on the panel’s host cannot be reached at %s: is UDP port 4789 open between the hosts?' % gate)
        time.sleep(PAUSE_SECONDS)
    threading.Thread(target=line.keep, name='gate', daemon=True).start()


class Line:
    def __init__(self, gate, rooms_file, project_dir):
        host, _, port = gate.rpartition(':')
        self._place, self._rooms_file, self._project_dir = (host, int(port)), rooms_file, project_dir
        self._id = secrets.token_hex(16)
        self._stream = self._writer = None
        self._sending = threading.Lock()

    def open(self):
        """Connect, report, and take the first rooms; returns whether that went well."""
        try:
            connection = socket.create_connection(self._place, timeout=5)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            self._writer, self._stream = connection, connection.makefile('r', encoding='utf8', newline='\n')
            connection.settimeout(15)
            # An engine gives a container the beginning of its id as its host name: by it the panel knows whose numbers these are.
            self._send({'id': self._id, 'container': socket.gethostname()})
            if not self._take():
                return False
            connection.settimeout(None)
            return True
        except (OSError, ValueError):
            return False

    def keep(self):
        threading.Thread(target=self._tell_use, name='gate-use', daemon=True).start()
        while True:
            try:
                while self._take():
                    pass
            except (OSError, ValueError):
                pass  # the gate is started anew now and then
            self._writer.close()
            while not self.open():
                time.sleep(PAUSE_SECONDS)

    def _take(self):
        """One message of the gate; False at its end."""
        text = self._stream.readline()
        if not text:
            return False
        said = json.loads(text)
        if said.get('replaced'):
            say('this instance was started on another host; the one here ends')
            end_after(GRACE_SECONDS)
            os.kill(os.getpid(), signal.SIGTERM)
            return True
        self._write(said.get('rooms'))
        self._send({'seen': said['number']})
        return True

    def _write(self, rooms):
        if rooms is None:
            if os.path.exists(self._rooms_file):
                os.unlink(self._rooms_file)
            return
        part = self._rooms_file + '.new'
        with open(part, 'w', encoding='utf8') as stream:
            stream.write(rooms)
        os.replace(part, self._rooms_file)

    def _tell_use(self):
        while True:
            try:
                self._send({'memory': memory.resident_bytes(self._project_dir) + own_bytes(), 'cpu': processor.used_seconds()})
            except (OSError, ValueError):
                pass  # told again
            time.sleep(USE_SECONDS)

    def _send(self, message):
        with self._sending:
            self._writer.sendall(json.dumps(message).encode('utf8') + b'\n')


def end_after(seconds):
    """The first process of a container hears no SIGTERM before it has a handler for it."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()


def own_bytes():
    return memory.pages_of(os.getpid()) * os.sysconf('SC_PAGE_SIZE')
