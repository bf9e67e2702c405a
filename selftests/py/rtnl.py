# SPDX-License-Identifier: GPL-2.0
"""Network namespaces and links at the speed of system calls: what ip(8) would
do with a process for each step.  A namespace lives as long as its object, which
holds all sockets that were made in it."""
import ctypes
import errno
import os
import socket
import struct
import time

from genl import *

NEWNET = 0x40000000
NEWLINK, DELLINK, GETLINK, NEWADDR = 16, 17, 18, 20
CREATE = 0x400
IFNAME, LINKINFO, NET_NS_FD = 3, 18, 28
IFF_UP = 1

libc = ctypes.CDLL(None, use_errno=True)


def setns(fd):
    if libc.setns(fd, NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Ns:
    """A new network namespace, its netlink sockets, and whatever is `keep`ed."""

    def __init__(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if libc.unshare(NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self.route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            self.genl = Genl()
        finally:
            setns(home)
            os.close(home)
        self.kept = [self.route, self.genl.sock]
        self.link("lo", up=True)

    def socket(self, *kind):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        setns(self.fd)
        try:
            sock = socket.socket(*kind)
        finally:
            setns(home)
            os.close(home)
        self.kept.append(sock)
        return sock

    def close(self):
        """Nothing of ours holds the namespace any more."""
        for sock in self.kept:
            sock.close()
        os.close(self.fd)
        self.kept, self.fd = [], -1

    def ask(self, kind, body, flags=0):
        """The errno of one request."""
        self.route.send(struct.pack("=IHHII", 16 + len(body), kind,
                                    REQUEST | ACK | flags, 1, 0) + body)
        while True:
            data = self.route.recv(1 << 16)
            length, kind, _, seq, _ = struct.unpack("=IHHII", data[:16])
            if kind == 2 and seq == 1:
                return -struct.unpack("=i", data[16:20])[0]

    def link(self, name, up=None, to=None):
        """Changes a link: up or down, or moved to another namespace."""
        more = attr(IFNAME, name)
        if to is not None:
            more += u32(NET_NS_FD, to.fd)
        change = 0 if up is None else IFF_UP
        return self.ask(NEWLINK, struct.pack("=BxHiII", 0, 0, 0, IFF_UP if up else 0,
                                             change) + more)

    def add(self, name, kind, to=None, info=b""):
        more = attr(IFNAME, name)
        if to is not None:
            more += u32(NET_NS_FD, to.fd)
        more += nest(LINKINFO, attr(1, kind.encode()), info)
        return self.ask(NEWLINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + more, CREATE)

    def delete(self, name):
        return self.ask(DELLINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0) +
                        attr(IFNAME, name))

    def index(self, name):
        """Of a link, or 0."""
        return self.info(name)[0]

    def info(self, name):
        """(index, flags) of a link, zeros without it."""
        body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attr(IFNAME, name)
        self.route.send(struct.pack("=IHHII", 16 + len(body), GETLINK, REQUEST, 2, 0) + body)
        while True:
            data = self.route.recv(1 << 16)
            _, kind, _, seq, _ = struct.unpack("=IHHII", data[:16])
            if seq != 2:
                continue
            if kind != NEWLINK:
                return 0, 0
            return struct.unpack("=BxHiI", data[16:28])[2:4]

    def address(self, name, ip, bits):
        """An IPv4 address on a link."""
        body = struct.pack("=BBBBi", socket.AF_INET, bits, 0, 0, self.index(name))
        four = socket.inet_aton(ip)
        return self.ask(NEWADDR, body + attr(1, four) + attr(2, four), CREATE)

    def veth(self, name, other, other_name):
        """A cable, both ends up."""
        end = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attr(IFNAME, other_name)
        end += u32(NET_NS_FD, other.fd)
        err = self.add(name, "veth", info=nest(2, attr(1 | 0x8000, end)))
        return err or self.link(name, up=True) or other.link(other_name, up=True)

    def wg(self, name, **what):
        """Sets attributes of a WireGuard device; returns the errno."""
        more = attr(D_IFNAME, name)
        if "key" in what:
            more += attr(D_PRIVATE, b64(what["key"]))
        if "port" in what:
            more += u16(D_PORT, what["port"])
        if "fwmark" in what:
            more += u32(D_FWMARK, what["fwmark"])
        if "peer" in what:
            who, prefix, *at = what["peer"]
            parts = [u32(P_FLAGS, 2), nest(P_ALLOWED, allowed(prefix))]
            if at:
                parts.append(attr(P_ENDPOINT, sockaddr4(*at[0])))
            if len(at) > 1:
                parts.append(u16(P_KEEPALIVE, at[1]))
            more += peers(peer(b64(who), *parts))
        if "remove" in what:
            more += peers(peer(b64(what["remove"]), u32(P_FLAGS, 1)))
        return self.genl.call(more)


def done(err, *fine):
    """A request must have succeeded, or failed as expected."""
    assert err == 0 or err in fine, errno.errorcode.get(err, err)


def until(true, seconds=30):
    """Polls for a condition; the limit is only there to fail at all."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


__all__ = [n for n in dir() if not n.startswith("_")]
