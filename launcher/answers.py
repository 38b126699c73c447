"""Whether oTree answers: the health check of a container.

    python -I -S answers.py SOCKET [SECONDS]

Exit code 0 when /login answers with 200: oTree renders it through its lock and its database session. Standard library
only, and nothing of the project: it runs every few seconds beside an experiment.
"""
import http.client
import socket
import sys


def main():
    """Ask once; ends the process."""
    path, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    connection = http.client.HTTPConnection('otree.invalid', timeout=seconds)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(seconds)
    try:
        connection.sock.connect(path)
        connection.request('GET', '/login')
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.exit('no answer: %s' % error)
    finally:
        connection.close()
    sys.exit(0 if status == 200 else 'it answers with %d' % status)


if __name__ == '__main__':
    main()
