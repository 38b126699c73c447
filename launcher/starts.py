"""A growing pause before an experiment that ends again and again is started once more, in a container.

Swarm's own pause is always the same. The times of the last starts stand beside the socket: that folder outlives the
container, and only this instance writes there. The panel removes the file when somebody starts the instance.
"""
import os
import signal
import sys
import time

FILE = 'starts'
# Starts within this time count; whoever ran for longer is well.
WINDOW_SECONDS = 600
# So many of them bring no pause.
FREE = 3
LONGEST_SECONDS = 30


def pause(folder, now=time.time, sleep=time.sleep):
    """Wait as long as the earlier starts ask for; returns the seconds. Ends the process when it is told to stop meanwhile."""
    path = os.path.join(folder, FILE)
    recent = [at for at in read(path) if now() - WINDOW_SECONDS < at <= now()]
    seconds = 0 if len(recent) < FREE else min(LONGEST_SECONDS, 2 ** (len(recent) - FREE + 1))
    if seconds:
        # The first process of a container is not ended by a signal that it does not take.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        sleep(seconds)
    write(path, recent + [now()])
    return seconds


def read(path):
    """No times where the file is missing or is not what we wrote: the experiment may write there, too."""
    try:
        with open(path, encoding='utf8') as stream:
            return [float(line) for line in stream.read(4096).split()]
    except (OSError, ValueError):
        return []


def write(path, times):
    try:
        with open(path, 'w', encoding='utf8') as stream:
            stream.write(''.join('%.0f\n' % at for at in times[-20:]))
    except OSError as error:
        sys.stderr.write('the times of the last starts cannot be written: %s\n' % error.strerror)
