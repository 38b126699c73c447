"""A name server on the loopback address that gives every name the same address; says `ready` when it listens, and ends by a signal."""
import os
import socket

line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.bind(('127.0.0.1', 53))
# In one piece: whoever waits for it does not listen any longer.
os.write(1, b'ready\n')
while True:
    question, peer = line.recvfrom(512)
    # RFC 1035: the question as it came, one answer that points to its name, type A, class IN, 60 s, 192.0.2.7.
    head = question[:2] + b'\x81\x80' + question[4:6] + b'\x00\x01\x00\x00\x00\x00'
    line.sendto(head + question[12:] + b'\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07', peer)
