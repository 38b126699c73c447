"""What an experiment may do to its neighbours: one of these, chosen by MISCHIEF, in a thread once its server answers."""
import json
import os
import socket
import subprocess
import sys
import threading
import time

SOCKET = '/run/arboretum/socket/otree.sock'


def begin():
    """Not in the timeout worker, and not while the project is tried or described: there nothing answers at that socket."""
    work = globals().get(os.environ.get('MISCHIEF', ''))
    if work is not None and sys.argv[1:2] == ['prodserver']:
        threading.Thread(target=once_it_serves, args=(work,), daemon=True).start()


def once_it_serves(work):
    while not answers():
        time.sleep(0.2)
    time.sleep(1)
    work()


def answers():
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(SOCKET)
            line.sendall(b'GET /login HTTP/1.0\r\n\r\n')
            return b' 200 ' in line.recv(64)
    except OSError:
        return False


def listen():
    listener = socket.create_server(('0.0.0.0', 9999))
    print('LISTENING', flush=True)
    while True:
        one, _ = listener.accept()
        one.sendall(b'neighbour')
        one.close()


def reach():
    """What is said at each of the places."""
    said = []
    for host, port in json.loads(os.environ['PLACES']):
        try:
            with socket.create_connection((host, port), 3) as line:
                line.settimeout(3)
                said.append(line.recv(9).decode())
        except OSError as error:
            said.append(str(error))
    print('OUT %s' % json.dumps(said), flush=True)


def probe():
    import probe_from_inside
    probe_from_inside.run()


def hog():
    block = bytearray(400 * 1024 * 1024)
    print(len(block))


def bomb():
    while True:
        try:
            subprocess.Popen(['/bin/sleep', '600'], start_new_session=True)
        except OSError:
            time.sleep(0.05)


def hoard():
    written = 0
    try:
        with open('/tmp/heap', 'wb', 0) as heap:
            while written < 400:
                written += heap.write(b'x' * 1048576) // 1048576
    except OSError as error:
        print('HOARDED', written, error.strerror, flush=True)


def end():
    print('RuntimeError: the pool is empty', flush=True)
    os._exit(7)


def compute():
    for _ in range(int(os.environ['BUSY'])):
        subprocess.Popen([sys.executable, '-I', '-S', '-c', 'while True: pass'])


def connect():
    """As many connections to its own database as it gets; they stay."""
    import psycopg2
    kept = []
    try:
        while len(kept) < 200:
            kept.append(psycopg2.connect(os.environ['DATABASE_URL']))
    except psycopg2.Error as error:
        print('CONNECTED %d %s' % (len(kept), str(error).strip()), flush=True)
        time.sleep(100000)
