"""The watch over oTree's timeout worker: the process that moves on participants who closed their browser.

oTree 6.0 cli/prodserver1of2.py starts it once, by the name `otree` on PATH, and forgets it; a restart of PostgreSQL
kills it for good (measured), and page timeouts then silently stop. Here it is started again, and ends with the server.
"""
import subprocess
import sys
import threading
import time

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1, 15
HEALTHY_SECONDS = 30
END_SECONDS = 3


class TimeoutWatch:
    """`start` once the server answers, `stop` from a signal handler, `join` before leaving."""

    def __init__(self, command):
        self._command = command
        self._stopping = threading.Event()
        self._process = None
        # The kernel's death signal follows the thread that forked: this one lives as long as the process.
        self._thread = threading.Thread(target=self._keep_running, name='timeout-watch', daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        """Ask the worker to end and start no other; returns at once."""
        self._stopping.set()
        process = self._process
        if process and process.poll() is None:
            process.terminate()

    def join(self):
        """Wait for the worker to be gone; one that does not listen is killed."""
        if self._thread.is_alive():
            self._thread.join(END_SECONDS)
        if self._process and self._process.poll() is None:
            self._process.kill()

    def _keep_running(self):
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            started = time.monotonic()
            code = self._run_once()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            say('the timeout worker ended (exit code %s); it starts again in %d s' % (code, pause))
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _run_once(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        if self._stopping.is_set():  # `stop` came between the question and the start
            self._process.terminate()
        return self._process.wait()


def say(sentence):
    now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
    sys.stderr.write('[arboretum] %s %s\n' % (now, sentence))
