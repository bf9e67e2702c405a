# SPDX-License-Identifier: GPL-2.0
"""One UDP datagram of 4016 bytes comes from a tap device as UFO: the segments
that its virtio header announces are for the network only.

    ufo.py PORT
"""
import fcntl
import os
import socket
import struct
import subprocess
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 0x2, 0x1000, 0x4000
NEEDS_CSUM, GSO_UDP = 1, 3


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def main():
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH14x", b"tap0", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    subprocess.check_call("ip link set dev tap0 up; ip addr add 10.9.0.1/24 dev tap0", shell=True)
    link = subprocess.check_output(["ip", "-o", "link", "show", "tap0"], text=True)
    mac = bytes.fromhex(link.split("link/ether ")[1].split()[0].replace(":", ""))
    data = struct.pack("<IIQ", 4, 0x12345678, 0) + bytes(4000)
    length = 8 + len(data)
    ends = socket.inet_aton("10.9.0.2") + socket.inet_aton("10.9.0.1")
    pseudo = ends + struct.pack("!BBH", 0, 17, length)
    udp = struct.pack("!HHHH", 5555, int(sys.argv[1]), length, checksum(pseudo)) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, 17, 0) + ends
    head = head[:10] + struct.pack("!H", ~checksum(head) & 0xffff) + head[12:]
    virtio = struct.pack("<BBHHHH", NEEDS_CSUM, GSO_UDP, 42, 1480, 34, 6)
    os.write(tap, virtio + mac + b"\x02\0\0\0\0\x01\x08\0" + head + udp)


main()
