"""The gate of one instance that may run on any host: it stands on the panel's host and in the instance's own network.

    python gate.py SOCKET ROOMS_FILE USE_FILE [DATABASE_SOCKET]

SOCKET           where the front door expects the instance: passed on to port 8000 of the one that reported last
ROOMS_FILE       the panel's rooms: the instance is told them (see `away.py`), and again when the file has changed
USE_FILE         what the instance says it uses, as JSON: {"container", "memory": BYTES, "cpu": SECONDS}, null where it says nothing
DATABASE_SOCKET  what stands behind port 5432 for the instance

One container at a time: the newest that reported is the instance. A host that was cut off may still run an older one;
it is told to end, and gets no database from here. Which reported is kept in USE_FILE.known, for a gate that takes this
one's place. Standard library only, Python 3.8 or newer; knows no secret.
"""
import asyncio
import json
import os
import signal
import socket
import sys

OTREE_PORT, DATABASE_PORT, LINE_PORT = 8000, 5432, 7001
CHUNK = 64 * 1024
# An instance that is there takes a connection at once, however busy it is; one packet may be lost.
CONNECT_SECONDS, SEEN_SECONDS, REPORT_SECONDS = 3, 2, 10
# So many containers are remembered: an older one has long been ended.
MOST_KNOWN = 1000


class Gate:
    """Everything that passes; `run` until a signal comes."""

    def __init__(self, sock, rooms_file, use_file, database=None):
        self._socket, self._rooms_file, self._use_file, self._database = sock, rooms_file, use_file, database
        self._known_file = use_file + '.known'
        self._known = read_known(self._known_file)
        self._current = self._known[-1] if self._known else None
        self._address = self._container = None
        self._line, self._told, self._number, self._seen = None, None, 0, None
        self._passing = set()

    async def run(self):
        self._reported, self._telling = asyncio.Event(), asyncio.Lock()
        stopping = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stopping.set)
        servers = [await asyncio.start_server(self._serve_line, '0.0.0.0', LINE_PORT)]
        if self._database:
            servers.append(await asyncio.start_server(self._serve_database, '0.0.0.0', DATABASE_PORT))
        remove(self._socket)
        servers.append(await asyncio.start_unix_server(self._serve_door, self._socket, backlog=1024))
        # Its folder is setgid: the group, which is the front door's, comes from there.
        os.chmod(self._socket, 0o660)
        await stopping.wait()
        for server in servers:
            server.close()
        remove(self._socket)

    async def _serve_door(self, reader, writer):
        # Rooms that were edited are known before the next request comes in.
        await self._tell_rooms()
        if self._address is None:
            writer.close()
            return
        # Not by the service's name: Swarm gives it only to what its health check has found well, after a quarter of a minute.
        await self._pass_on(reader, writer, asyncio.open_connection(self._address, OTREE_PORT))

    async def _serve_database(self, reader, writer):
        try:
            await asyncio.wait_for(self._reported.wait(), REPORT_SECONDS)
        except asyncio.TimeoutError:
            pass
        if peer_of(writer) != self._address:
            writer.close()
            return
        notice_loss(writer)
        await self._pass_on(reader, writer, asyncio.open_unix_connection(self._database))

    async def _pass_on(self, reader, writer, opening):
        # Held here for `_admit` and because asyncio does not: a task that waits for a silent host would be collected as garbage.
        task = asyncio.current_task()
        self._passing.add(task)
        try:
            await pass_on(reader, writer, opening)
        finally:
            self._passing.discard(task)

    async def _serve_line(self, reader, writer):
        try:
            report = json.loads(await asyncio.wait_for(reader.readline(), REPORT_SECONDS))
            name = str(report['id'])[:64]
            notice_loss(writer)
            if name in self._known and name != self._current:
                send(writer, {'replaced': True})
                return
            self._admit(name, writer)
            self._container = str(report['container'])[:64] if 'container' in report else None
            await self._listen(reader, writer)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, asyncio.TimeoutError):
            pass  # it reports anew; what it says is an experiment's word
        finally:
            if self._line is writer:
                self._line = None
            writer.close()

    def _admit(self, name, writer):
        before, self._line = self._line, writer
        if name != self._current:
            if before is not None:
                send(before, {'replaced': True})
            # Who waits for an answer of a host that is lost would else wait until its silence is noticed.
            for task in self._passing:
                task.cancel()
        elif before is not None:
            before.close()
        if name not in self._known:
            self._known = [*self._known, name][-MOST_KNOWN:]
            try:
                write(self._known_file, json.dumps(self._known))
            except OSError:
                pass  # a full disk keeps nobody out: it is known for as long as this gate lives
        self._current, self._address, self._told = name, peer_of(writer), None
        self._reported.set()

    async def _listen(self, reader, writer):
        telling = asyncio.ensure_future(self._tell_rooms())
        try:
            while self._line is writer:
                line = await reader.readline()
                if not line:
                    return
                said = json.loads(line)
                if 'memory' in said:
                    self._note_use(said)
                elif said.get('seen') == self._number and self._seen is not None:
                    self._seen.set()
        finally:
            telling.cancel()

    def _note_use(self, said):
        use = {'container': self._container, 'memory': amount(said['memory']), 'cpu': amount(said.get('cpu'))}
        write(self._use_file, json.dumps(use))

    async def _tell_rooms(self):
        """Hand the rooms over unless the instance has them; waits for its word, but not for long."""
        if self._line is None or stamp(self._rooms_file) == self._told:
            return
        async with self._telling:
            now = stamp(self._rooms_file)
            if self._line is None or now == self._told:
                return
            self._number, self._seen = self._number + 1, asyncio.Event()
            send(self._line, {'number': self._number, 'rooms': read(self._rooms_file)})
            try:
                await asyncio.wait_for(self._seen.wait(), SEEN_SECONDS)
                self._told = now
            except asyncio.TimeoutError:
                # Nobody else waits for it; the instance reports anew.
                self._line.close()
                self._line = None


async def pass_on(reader, writer, opening):
    """Bytes both ways until both sides have ended, or one breaks; cancelled, it drops what is still on the way."""
    sides = [writer]
    try:
        there_reader, there = await asyncio.wait_for(opening, CONNECT_SECONDS)
        sides.append(there)
        notice_loss(there)
        await asyncio.gather(pump(reader, there, writer), pump(there_reader, writer, there))
    except (OSError, asyncio.TimeoutError):
        pass  # closed below: the front door shows its own page
    except asyncio.CancelledError:
        for side in sides:
            side.transport.abort()
    finally:
        for side in sides:
            side.close()


async def pump(source, sink, source_writer):
    try:
        while True:
            data = await source.read(CHUNK)
            if not data:
                break
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
    except OSError:
        for side in (sink, source_writer):
            side.transport.abort()


def notice_loss(writer):
    """A host that is lost says no good-bye: without this, pages would wait for a quarter of an hour."""
    line = writer.get_extra_info('socket')
    if line is None or line.family == socket.AF_UNIX:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    # Milliseconds that bytes may stay unconfirmed.
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20000)


def amount(value):
    """A number that can be one of bytes or seconds, else None: a container may say anything."""
    return value if type(value) in (int, float) and 0 <= value < 2 ** 53 else None


def send(writer, message):
    writer.write(json.dumps(message).encode('utf8') + b'\n')


def peer_of(writer):
    return (writer.get_extra_info('peername') or [None])[0]


def stamp(path):
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size


def read(path):
    try:
        with open(path, encoding='utf8') as stream:
            return stream.read()
    except OSError:
        return None


def read_known(path):
    """Ids of the containers that reported, oldest first."""
    try:
        known = json.loads(read(path) or '[]') if os.path.isfile(path) else []
    except (ValueError, RecursionError):
        return []
    return known if isinstance(known, list) and all(isinstance(name, str) for name in known) else []


def write(path, text):
    """For the panel's eyes: its observer reads it."""
    part = path + '.new'
    with open(part, 'w', encoding='utf8') as stream:
        stream.write(text)
    os.replace(part, path)


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


if __name__ == '__main__':
    asyncio.run(Gate(*sys.argv[1:5]).run())
