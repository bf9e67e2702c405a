# SPDX-License-Identifier: GPL-2.0
"""Attaches to a control group a program that drops all its members receive.

    cgdrop.py DIRECTORY
"""
import ctypes
import os
import struct
import sys

SYS_BPF, PROG_LOAD, PROG_ATTACH, CGROUP_SKB, INET_INGRESS = 321, 5, 8, 8, 0
LIBC = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buf = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    result = LIBC.syscall(SYS_BPF, command, buf, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def main():
    # r0 = 0; exit
    program = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 0, 0x95, 0, 0, 0), 16)
    licence = ctypes.create_string_buffer(b"GPL")
    loaded = bpf(PROG_LOAD, struct.pack("<IIQQ", CGROUP_SKB, 2, ctypes.addressof(program),
                                        ctypes.addressof(licence)))
    group = os.open(sys.argv[1], os.O_RDONLY)
    bpf(PROG_ATTACH, struct.pack("<IIII", group, loaded, INET_INGRESS, 0))


main()
