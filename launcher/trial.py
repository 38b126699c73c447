"""A trial inside a container: the server starts on a private socket until it answers once, and is ended again.

Beside it runs `check`, which costs a second and needs neither the socket nor the database. Exit code 0 when /login
answered, with what `check` found as the last line on stdout; otherwise what `serve` left, with its last line on stderr.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from arboretum_launcher.timeouts import HOST, UnixConnection

LIMIT_SECONDS = 60
ANSWER_SECONDS = 5
END_SECONDS = 5
PAUSE_SECONDS = 0.1
CHECKED = 'ARBORETUM-CHECK '


def run(start, path):
    """Try the project with the configuration at `path`, by the `start.py` at `start`; returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = tempfile.mkdtemp(prefix='arboretum-')  # 0700
    started = []
    try:
        config = private_config(folder, path)
        deadline = time.monotonic() + LIMIT_SECONDS
        server = begin(started, [sys.executable, start, config, 'serve'])
        with open(os.path.join(folder, 'check'), 'w+', encoding='utf8') as output:
            check = begin(started, [sys.executable, start, config, 'check'], stdout=output, stderr=subprocess.DEVNULL)
            code = wait_for_answer(server, os.path.join(folder, 'otree.sock'), deadline)
            found = finding(check, output, deadline) if code == 0 else ''
    finally:
        for process in started:
            end(process)
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(found)
    return code


def private_config(folder, path):
    with open(path, encoding='utf8') as stream:
        config = json.load(stream)
    config.pop('port', None)
    config['socket'] = os.path.join(folder, 'otree.sock')
    private = os.path.join(folder, 'env.json')
    with open(private, 'w', encoding='utf8') as stream:
        json.dump(config, stream)
    return private


def begin(started, command, **streams):
    # A session of its own: the timeout worker is in it, and ends with it.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **streams)
    started.append(process)
    return process


def wait_for_answer(server, path, deadline):
    """0 once /login answers 200; the server's exit code when it ended before; 1 when the time is over."""
    while time.monotonic() < deadline:
        code = server.poll()
        if code is not None:
            return 128 - code if code < 0 else code or 1
        if answers(path):
            return 0
        time.sleep(PAUSE_SECONDS)
    sys.stderr.write('oTree failed to answer GET /login within %d s.\n' % LIMIT_SECONDS)
    return 1


def answers(path):
    connection = UnixConnection(path, HOST, timeout=ANSWER_SECONDS)
    try:
        connection.request('GET', '/login')
        return connection.getresponse().status == 200
    except (OSError, ValueError):
        return False
    finally:
        connection.close()


def finding(check, output, deadline):
    """The line of `check`; nothing when it failed: what else is wrong with a page is no news."""
    try:
        code = check.wait(max(1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return ''
    output.seek(0)
    lines = [line for line in output.read().splitlines() if line.startswith(CHECKED)]
    return '\n%s\n' % lines[-1] if code == 0 and lines else ''


def end(process):
    """Ask the process to end, and kill what is left of its session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass  # nobody is left
    process.wait()
