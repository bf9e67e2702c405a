# SPDX-License-Identifier: GPL-2.0
"""Processes of idle priority send large packets of no known protocol past the
queue discipline, until the device is gone. The checksum that each of them asks
for is summed up between the checks and the transmission, which takes long.

    late.py DEVICE PROCESSES
"""
import errno
import os
import socket
import struct
import sys

SOL_PACKET, VNET_HDR, QDISC_BYPASS, ETH_P_8021Q, NEEDS_CSUM = 263, 15, 20, 0x8100, 1


def send(device):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(SOL_PACKET, QDISC_BYPASS, 1)
    sock.setsockopt(SOL_PACKET, VNET_HDR, 1)
    packet = struct.pack("<BBHHHH", NEEDS_CSUM, 0, 0, 0, 40, 16) + bytes(60000)
    while True:
        try:
            sock.sendto(packet, (device, ETH_P_8021Q))
        except OSError as e:
            if e.errno != errno.EPROTONOSUPPORT:
                return


def main():
    for _ in range(int(sys.argv[2])):
        if not os.fork():
            send(sys.argv[1])
            os._exit(0)
    for _ in range(int(sys.argv[2])):
        os.wait()


main()
