"""The runtime log of one instance: rotation by size, a bounded rate, bounded lines. Never raises, never blocks long.

The file belongs to whom its folder belongs (the panel), so the instance can neither read around nor rewrite it.
"""
import os
import stat
import time

LINE_BYTES = 16 * 1024
RATE_BYTES = 2 * 1024 * 1024
MIB = 1024 * 1024


class RotatingLog:
    """Takes bytes as they come from the pipe and writes whole lines to `path`, `path`.1, ..."""

    def __init__(self, path, limit_mib, files, clock=time.monotonic):
        self._path, self._limit, self._files, self._clock = path, max(1, int(limit_mib * MIB)), max(1, files), clock
        self._stream, self._size = None, 0
        self._rest, self._skipping = b'', ''  # why the rest of the current line is not written: cut, dropped
        self._second, self._budget, self._dropped = clock(), RATE_BYTES, 0
        self._retry_at = 0.0

    def feed(self, data):
        """Take a piece of output; what exceeds the rate of this second is only counted."""
        self.tick()
        if self._budget <= 0:
            self._drop(data)
            return
        lines = (self._rest + data).split(b'\n')
        self._rest = lines.pop()
        kept = []
        for at, line in enumerate(lines):
            if self._budget <= 0:
                self._dropped += len(lines) - at
                self._rest, self._skipping = b'', 'dropped' if self._rest else ''
                break
            line = self._cut(line)
            if line is not None:
                kept.append(line + b'\n')
                self._budget -= len(line) + 1
        if len(self._rest) > LINE_BYTES:
            kept.append(self._begin_cut())
        self._write(b''.join(kept))

    def is_flooded(self):
        """True while this second's output is only counted."""
        return self._budget <= 0

    def say(self, sentence):
        """A line of our own, with the time: oTree's lines carry none."""
        self._finish_line()
        self._tell_dropped()
        now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        self._write(('[arboretum] %s %s\n' % (now, sentence)).encode())

    def tick(self):
        """Open a new second: fresh budget, and one line for what was dropped in the old one."""
        now = self._clock()
        if now - self._second < 1:
            return
        self._second, self._budget = now, RATE_BYTES
        self._tell_dropped()

    def close(self):
        """Write what is left, also a last line without an end."""
        self._finish_line()
        self._tell_dropped()
        self._shut()

    def _drop(self, data):
        self._dropped += data.count(b'\n')
        self._rest, self._skipping = b'', '' if data.endswith(b'\n') else 'dropped'

    def _tell_dropped(self):
        count, self._dropped = self._dropped, 0
        if count:
            self._write(b'[arboretum] %d lines dropped: the log was flooded\n' % count)

    def _cut(self, line):
        """The line as it may be written; None when its beginning was written or dropped before."""
        if self._skipping:
            self._dropped += self._skipping == 'dropped'
            self._skipping = ''
            return None
        return line if len(line) <= LINE_BYTES else line[:LINE_BYTES] + b' [cut]'

    def _begin_cut(self):
        head, self._rest = self._rest[:LINE_BYTES], b''
        if self._skipping:
            return b''
        self._skipping = 'cut'
        self._budget -= len(head)
        return head + b' [cut]\n'

    def _finish_line(self):
        rest, self._rest = self._rest, b''
        if rest and not self._skipping:
            self._write(rest[:LINE_BYTES] + b'\n')
        self._skipping = ''

    def _write(self, data):
        """A full disk or a missing folder costs lines, not the experiment; it is tried again each second."""
        if not data or self._clock() < self._retry_at:
            return
        try:
            while data:
                if self._stream is None:
                    self._open()
                written = os.write(self._stream, self._what_fits(data))
                self._size += written
                data = data[written:]
        except OSError:
            self._retry_at = self._clock() + 1
            self._shut()

    def _what_fits(self, data):
        """Whole lines up to the limit of the file, after a rotation if need be; at least one line."""
        if self._size and self._size + data.find(b'\n') + 1 > self._limit:
            self._rotate()
        end = data.rfind(b'\n', 0, self._limit - self._size) + 1
        return data[:end or data.find(b'\n') + 1 or len(data)]

    def _open(self):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        stream = os.open(self._path, flags, 0o640)
        found = os.fstat(stream)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            os.close(stream)
            raise OSError('the log is not a plain file')
        os.fchmod(stream, 0o640)
        folder = os.stat(os.path.dirname(os.path.abspath(self._path)))
        if os.geteuid() == 0:
            os.fchown(stream, folder.st_uid, folder.st_gid)
        self._stream, self._size = stream, found.st_size

    def _rotate(self):
        self._shut()
        for number in range(self._files - 1, 0, -1):
            older = self._path if number == 1 else '%s.%d' % (self._path, number - 1)
            if os.path.lexists(older):
                os.replace(older, '%s.%d' % (self._path, number))
        if self._files == 1:
            os.unlink(self._path)
        self._open()

    def _shut(self):
        if self._stream is not None:
            os.close(self._stream)
            self._stream = None
