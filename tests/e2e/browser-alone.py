#!/usr/bin/env python3
"""Chromium that hears nothing of this machine's network cards: `browser-alone.py ARGUMENTS…` starts ARBORETUM_TEST_CHROMIUM.

Whenever a card or an address comes or goes, Chromium ends what is being loaded (ERR_NETWORK_CHANGED). Other tests make
Docker networks all the time, and each is a card. Its way to hear of them, a raw netlink socket, is refused to it; it then
takes the network as it is. Elsewhere than on Linux nothing is changed.
"""
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
AF_NETLINK, SOCK_RAW, EAFNOSUPPORT = 16, 3, 97
# AUDIT_ARCH_* and the number of socket(2).
MACHINES = {'x86_64': (0xC000003E, 41), 'aarch64': (0xC00000B7, 198)}
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | EAFNOSUPPORT
# Offsets in struct seccomp_data.
NUMBER, ARCHITECTURE, FAMILY, KIND = 0, 4, 16, 24


class Program(ctypes.Structure):
    _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]


def refuse_netlink():
    """socket(AF_NETLINK, SOCK_RAW, …) exactly: glibc asks with SOCK_CLOEXEC, and goes on to be answered."""
    architecture, socket_call = MACHINES[os.uname().machine]
    wanted = [(ARCHITECTURE, architecture), (NUMBER, socket_call), (FAMILY, AF_NETLINK), (KIND, SOCK_RAW)]
    steps = []
    for at, (offset, value) in enumerate(wanted):
        steps += [(LOAD, 0, 0, offset), (JUMP_IF_EQUAL, 0, 2 * (len(wanted) - at) - 1, value)]
    steps += [(RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))
    program = Program(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if sys.platform == 'linux' and os.uname().machine in MACHINES:
    refuse_netlink()
chromium = os.environ['ARBORETUM_TEST_CHROMIUM']
os.execv(chromium, [chromium, *sys.argv[1:]])
