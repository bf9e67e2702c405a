# SPDX-License-Identifier: GPL-2.0
"""Prints the WireGuard datagrams of a capture (pcap, Ethernet, IPv4), one a line:

    SECONDS FROM TO KIND INDEX LENGTH

FROM and TO are address:port.  KIND is initiation, response, cookie, keepalive
or data.  INDEX is the sender's in an initiation, else the receiver's."""
import socket
import struct
import sys

KINDS = {1: "initiation", 2: "response", 3: "cookie", 4: "data"}


def frames(file):
    """Time and bytes of each frame."""
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}[file.read(24)[:4]]
    while True:
        head = file.read(16)
        if len(head) < 16:
            return
        sec, usec, kept, _ = struct.unpack(order + "4I", head)
        yield sec + usec / 1e6, file.read(kept)


def main(path):
    for when, frame in frames(open(path, "rb")):
        if frame[12:14] != b"\x08\x00" or frame[23] != 17:
            continue
        udp = 14 + (frame[14] & 15) * 4
        ports = struct.unpack("!HH", frame[udp:udp + 4])
        ends = ["%s:%d" % (socket.inet_ntoa(frame[i:i + 4]), port)
                for i, port in zip((26, 30), ports)]
        msg = frame[udp + 8:]
        if len(msg) < 32 or msg[0] not in KINDS:
            continue
        kind = "keepalive" if msg[0] == 4 and len(msg) == 32 else KINDS[msg[0]]
        index, = struct.unpack_from("<I", msg, 8 if kind == "response" else 4)
        print("%.6f" % when, *ends, kind, "%08x" % index, len(msg))


main(sys.argv[1])
