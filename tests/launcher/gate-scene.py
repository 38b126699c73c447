"""Two containers of one instance at its gate, in a network of this process's own: `gate-scene.py GATE FOLDER` prints as JSON what came to whom."""
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time

GATE, FOLDER = sys.argv[1:3]
OLD, NEW = '127.0.0.2', '127.0.0.3'
DOOR, USE = os.path.join(FOLDER, 'otree.sock'), os.path.join(FOLDER, 'memory')
BAD = ('-1', '-1e-9', '1e16', '1' + 300 * '0', '1e999', 'NaN', '-Infinity', '"3"', 'true', 'null', '[1]', '{"a": 1}')
PATIENCE = 20
# asyncio holds its tasks weakly: whatever the gate itself does not hold is gone at once.
COLLECTING = '''
import gc, runpy, sys, threading, time
def collect():
    while True:
        gc.collect()
        time.sleep(0.003)
threading.Thread(target=collect, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
'''


def raise_loopback():
    """SIOCSIFFLAGS, IFF_UP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        fcntl.ioctl(line, 0x8914, struct.pack('16sH14s', b'lo', 1, b''))


def again(work):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return work()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def serve(address):
    listener = socket.create_server((address, 8000))
    listener.settimeout(PATIENCE)
    return listener


def report(address, name):
    line = again(lambda: socket.create_connection(('127.0.0.1', 7001), PATIENCE, (address, 0)))
    line.sendall(json.dumps({'id': name, 'container': name}).encode() + b'\n')
    words = line.makefile('r')
    first = json.loads(words.readline())
    line.sendall(json.dumps({'seen': first.get('number')}).encode() + b'\n')
    return line, words


def report_late():
    late = again(lambda: socket.create_connection(('127.0.0.1', 7001), PATIENCE, (OLD, 0)))
    late.sendall(b'{"id": "old"}\n')
    return json.loads(late.makefile('r').readline())


def visit():
    visitor = socket.socket(socket.AF_UNIX)
    visitor.settimeout(PATIENCE)
    again(lambda: visitor.connect(DOOR))
    visitor.sendall(b'GET / HTTP/1.0\r\n\r\n')
    return visitor


def hear(visitor):
    try:
        return visitor.recv(64).decode()
    except ConnectionResetError:
        return ''
    except socket.timeout:
        return 'still waits'


def tell(line, words):
    line.sendall(words.encode() + b'\n')


def noted(wanted):
    """The gate's note, once it is that; else the last one."""
    note, deadline = None, time.monotonic() + PATIENCE
    while note != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
        try:
            with open(USE, encoding='utf8') as stream:
                note = json.load(stream)
        except FileNotFoundError:
            pass
    return note


def tell_nonsense(line):
    """Each beside a number that is right: what else was noted of it, and whether the line is still good at the end."""
    came = set()
    for at, bad in enumerate(BAD, 1):
        tell(line, '{"memory": %d, "cpu": %s}' % (at, bad))
        came.add(noted({'container': 'new', 'memory': at, 'cpu': None})['cpu'])
        tell(line, '{"memory": %s, "cpu": %d}' % (bad, at))
        came.add(noted({'container': 'new', 'memory': None, 'cpu': at})['memory'])
    tell(line, '{"memory": 7, "cpu": 0.5}')
    return list(came), noted({'container': 'new', 'memory': 7, 'cpu': 0.5})


def start_gate():
    return subprocess.Popen([sys.executable, '-I', '-S', '-c', COLLECTING, GATE, DOOR, os.path.join(FOLDER, 'rooms.json'), USE])


raise_loopback()
gate = start_gate()
try:
    old, new = serve(OLD), serve(NEW)
    line, words = report(OLD, 'old')
    tell(line, '{"memory": 90000000, "cpu": 1234.5}')
    before = noted({'container': 'old', 'memory': 90000000, 'cpu': 1234.5})
    waiting = visit()
    # It takes the request and never answers: its host is lost.
    silent, _ = old.accept()
    line_of_new, _ = report(NEW, 'new')
    came = {'who waited': hear(waiting), 'the old one': json.loads(words.readline())}
    visitor = visit()
    answering, _ = new.accept()
    answering.sendall(b'the new one')
    came['who comes next'] = hear(visitor)
    came['the old one, once more'] = report_late()
    came['what the old one used'], (came['what nonsense becomes'], came['what the new one uses']) = before, tell_nonsense(line_of_new)
    # What is no message at all ends the line; the container reports anew.
    for words in (60000 * '[', '["memory"]', '7'):
        tell(line_of_new, words)
        assert line_of_new.recv(1) == b'', words
        line_of_new, _ = report(NEW, 'new')
    tell(line_of_new, '{"memory": 8}')
    came['and after the line was lost'] = noted({'container': 'new', 'memory': 8, 'cpu': None})
    gate.kill()
    gate.wait()
    gate = start_gate()
    came['the old one, at a gate that was started anew'] = report_late()
    report(NEW, 'new')
    visitor = visit()
    answering, _ = new.accept()
    answering.sendall(b'the new one')
    came['who comes to that gate'] = hear(visitor)
    # So that what was collected has been said.
    time.sleep(0.2)
    print(json.dumps(came))
finally:
    gate.kill()
