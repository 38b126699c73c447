"""The running server: oTree's application in uvicorn on its Unix socket, and the timeout worker beside it.

Seams: oTree 6.0 main.py `setup()` (5.4 - 6.0 alike) and cli/prodserver1of2.py `run_uvicorn`, whose Config is repeated
here; uvicorn 0.13.4 server.py `startup`, `handle_exit`, `run(sockets=)`.
Without `port` there is no TCP port at all: neighbours on the machine could talk to it past the front door. Only a
container has one: its network is its own, and the host's nginx reaches it in no other way.
"""
import os
import socket
import time

from arboretum_launcher import exports, prefix, prefix_check, rooms
from arboretum_launcher.watch import TimeoutWatch, say


def serve(config, timeout_command):
    """Serve until a signal comes; returns then. Raises what oTree or the project raises while starting."""
    import otree.main

    if config.get('gate'):
        from arboretum_launcher import away
        away.follow(config['gate'], config['roomsFile'], config['projectDir'])
    rooms.install(config.get('roomsFile') or '')
    otree.main.setup()
    exports.install()
    app = below_path(config['pathPrefix']) if config.get('pathPrefix') else 'otree.asgi:app'
    listeners = [bind(config['socket'])]
    if config.get('port'):
        listeners += bind_port(config['port'])
    if config.get('port') or config.get('isInContainer'):
        # Nobody else writes a line for each start into a container's log.
        say('started in a container')
    try:
        run(app, listeners, TimeoutWatch(timeout_command))
    finally:
        remove(config['socket'])


def below_path(path):
    import otree.asgi  # what the project's pages raise while they are imported is not the path's fault

    try:
        return prefix.apply(path)
    except prefix.SeamMissing as error:
        prefix_check.refuse(error)


def run(app, listeners, watch):
    from uvicorn.main import Config, Server

    class InstanceServer(Server):
        async def startup(self, sockets=None):
            if isinstance(app, prefix.Prefixed):
                await prefix_check.verify(app, app.prefix)
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
        Config(app, log_level='info', log_config=None, workers=1, ws='websockets')
    )
    server.asked_at = 0.0
    try:
        server.run(sockets=listeners)
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


def bind_port(port):
    """Every IPv4 address, and every IPv6 address where the network has such; they do not listen yet, either."""
    listeners = []
    for family, address in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
        except OSError:
            if family == socket.AF_INET:
                raise
            continue
        listeners.append(listener)
    return listeners


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
