# SPDX-License-Identifier: GPL-2.0
"""Packets built byte by byte and taken apart again, and sockets in the other
namespaces of a scenario (which exports PFX and WG)."""
import contextlib
import ctypes
import json
import os
import socket
import struct
import subprocess
import time
from types import SimpleNamespace

from noise import Wire, checksum

UDP, TCP, ICMP, ICMP6 = 17, 6, 1, 58
LIBC = ctypes.CDLL(None, use_errno=True)


def netns(name):
    return "/run/netns/%s-%s" % (os.environ["PFX"], name)


@contextlib.contextmanager
def ns(name):
    """Sockets made inside belong to that namespace."""
    with open("/proc/self/ns/net") as home, open(netns(name)) as there:
        if LIBC.setns(there.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            LIBC.setns(home.fileno(), 0)


def sh(name, command):
    """A shell command in a namespace; $WG is the program."""
    subprocess.run(["nsenter", "--net=" + netns(name), "sh", "-ec", command],
                   check=True, stdin=subprocess.DEVNULL)


def output(name, command):
    return subprocess.run(["nsenter", "--net=" + netns(name), "sh", "-ec", command],
                          check=True, stdin=subprocess.DEVNULL, text=True,
                          capture_output=True).stdout.strip()


def stat(name, dev, counter):
    """One of the counters in /sys/class/net/DEV/statistics."""
    link = json.loads(output(name, "ip -s -s -j link show dev " + dev))[0]["stats64"]
    way, what = counter.split("_", 1)
    return link[way][what]


def family(text):
    return socket.AF_INET6 if ":" in text else socket.AF_INET


def raw(text):
    return socket.inet_pton(family(text), text)


def l4sum(src, dst, proto, body):
    return checksum(raw(src) + raw(dst) + struct.pack("!II", len(body), proto) + body)


def ip(src, dst, proto, body, tos=0, options=b"", frag=0, ident=1):
    """`proto` is what follows the fixed header; IPv6 extensions are in `body`."""
    if family(src) == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(body), proto, 64) + \
            raw(src) + raw(dst) + body
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, tos,
                       20 + len(options) + len(body), ident, frag, 64, proto, 0) + \
        raw(src) + raw(dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def udp_body(src, dst, data, sport=9, dport=9):
    body = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
    return body[:6] + struct.pack("!H", l4sum(src, dst, UDP, body) or 0xffff) + body[8:]


def udp(src, dst, data, sport=9, dport=9, **kw):
    return ip(src, dst, UDP, udp_body(src, dst, data, sport, dport), **kw)


def dissect(packet):
    """Fields of an IP packet; `good`: every checksum in it is right."""
    f = SimpleNamespace(version=packet[0] >> 4, good=True, ext=b"", frag=0, raw=packet)
    if f.version == 4:
        size = (packet[0] & 15) * 4
        f.tos, f.len, f.ident, f.frag, f.ttl, f.proto = \
            struct.unpack("!xBHHHBB", packet[:10])
        f.src, f.dst = (socket.inet_ntop(socket.AF_INET, packet[i:i + 4]) for i in (12, 16))
        f.ext = packet[20:size]
        f.label = 0
        f.good = checksum(packet[:size]) == 0
    else:
        first, plen, f.proto, f.ttl = struct.unpack("!IHBB", packet[:8])
        f.tos, f.label, f.len, size = first >> 20 & 255, first & 0xfffff, plen + 40, 40
        f.src, f.dst = (socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24))
        while f.proto in (0, 43, 60, 44):
            if f.proto == 44:
                f.frag = struct.unpack("!H", packet[size + 2:size + 4])[0]
            more = 8 if f.proto == 44 else (packet[size + 1] + 1) * 8
            f.ext += packet[size:size + more]
            f.proto, size = packet[size], size + more
    f.body = packet[size:f.len]
    if f.frag & (0x3fff if f.version == 4 else 0xfff9):
        return f
    if f.proto in (UDP, TCP):
        f.sport, f.dport = struct.unpack("!HH", f.body[:4])
        f.sum = struct.unpack("!H", f.body[6:8] if f.proto == UDP else f.body[16:18])[0]
        f.data = f.body[8 if f.proto == UDP else (f.body[12] >> 4) * 4:]
        f.good &= l4sum(f.src, f.dst, f.proto, f.body) == 0 and \
            (f.proto == TCP or f.sum != 0)
    return f


class Tap:
    """What passes a device: IP packets, as they are on it."""

    def __init__(self, name, dev, outgoing=False):
        with ns(name):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                      socket.htons(3))
            self.sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)    # SO_RCVBUFFORCE
            self.sock.bind((dev, 3))
        self.outgoing = outgoing

    def collect(self, count, keep=lambda f: True, timeout=5.0):
        """`count` packets that `keep` likes; all others are passed over."""
        found, end = [], time.monotonic() + timeout
        while len(found) < count:
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            try:
                packet, where = self.sock.recvfrom(1 << 17)
            except socket.timeout:
                raise AssertionError("%d of %d packets" % (len(found), count))
            if where[1] not in (0x0800, 0x86dd) or (where[2] == 4) != self.outgoing:
                continue
            f = dissect(packet)
            if keep(f):
                found.append(f)
        return found


class Anywhere(Wire):
    """A socket that is not connected: tells where a datagram came from, and
    with which TOS."""

    def __init__(self, to, port=0, timeout=5.0):
        v6 = family(to[0]) == socket.AF_INET6
        self.sock = socket.socket(family(to[0]), socket.SOCK_DGRAM)
        self.sock.setsockopt(*((41, 66, 1) if v6 else (0, 13, 1)))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.sock.bind(("", port))
        self.to, self.timeout, self.tos, self.source = to, timeout, None, None

    def mark(self, tos):
        v6 = self.sock.family == socket.AF_INET6
        self.sock.setsockopt(*((41, 67, tos) if v6 else (0, 1, tos)))

    def send(self, msg):
        self.sock.sendto(msg, self.to)

    def recv(self, timeout=None):
        self.sock.settimeout(self.timeout if timeout is None else timeout)
        try:
            msg, cmsgs, _, source = self.sock.recvmsg(65535, 64)
        except (socket.timeout, ConnectionRefusedError):
            return None
        self.source = source[0].split("%")[0]
        self.tos = cmsgs[0][2][0] if cmsgs else None
        return msg


__all__ = [n for n in dir() if not n.startswith("_")]
