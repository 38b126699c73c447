"""The running server: oTree's application in uvicorn on one Unix socket, and the timeout worker beside it.

Seams: oTree 6.0 main.py `setup()` (5.4 - 6.0 alike) and cli/prodserver1of2.py `run_uvicorn`, whose Config is repeated
here; uvicorn 0.13.4 server.py `startup`, `handle_exit`, `run(sockets=)`.
There is no TCP port at all: neighbours on the machine could talk to it past the front door.
"""
import os
import socket
import time

from arboretum_launcher import rooms
from arboretum_launcher.watch import TimeoutWatch


def serve(config, timeout_command):
    """Serve until a signal comes; returns then. Raises what oTree or the project raises while starting."""
    import otree.main

    rooms.install(config.get('roomsFile') or '')
    otree.main.setup()
    listener = bind(config['socket'])
    try:
        run(listener, TimeoutWatch(timeout_command))
    finally:
        remove(config['socket'])


def run(listener, watch):
    from uvicorn.main import Config, Server

    class InstanceServer(Server):
        async def startup(self, sockets=None):
            await super().startup(sockets=sockets)
            # Only now: a worker that finds the server absent throws away the page timeouts that are due.
            if not self.should_exit:
                watch.start()

        def handle_exit(self, sig, frame):
            # Keeper and supervisord both signal the group; uvicorn takes a second signal for "at once".
            now = time.monotonic()
            if self.should_exit and now - self.asked_at < 1:
                return
            self.asked_at = now
            watch.stop()
            super().handle_exit(sig, frame)

    server = InstanceServer(
        Config('otree.asgi:app', log_level='info', log_config=None, workers=1, ws='websockets')
    )
    server.asked_at = 0.0
    try:
        server.run(sockets=[listener])
    finally:
        watch.stop()
        watch.join()


def bind(path):
    """A socket that does not listen yet: the front door sees "refused", not silence, until oTree can answer."""
    remove(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    # Its folder is setgid: the group, which is the front door's, comes from there.
    os.chmod(path, 0o660)
    return listener


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
