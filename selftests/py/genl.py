# SPDX-License-Identifier: GPL-2.0
"""Raw generic netlink for the family `wireguard`: attributes are built by hand
so that wrong ones can be built as well (spec chapter 7)."""
import base64
import errno
import os
import socket
import struct

REQUEST, MULTI, ACK, DUMP_INTR, DUMP = 1, 2, 4, 0x10, 0x300
ACK_TLVS = 0x200
ERROR, DONE = 2, 3
NESTED = 0x8000
GET, SET = 0, 1

D_IFINDEX, D_IFNAME, D_PRIVATE, D_PUBLIC, D_FLAGS, D_PORT, D_FWMARK, D_PEERS = range(1, 9)
(P_PUBLIC, P_PSK, P_FLAGS, P_ENDPOINT, P_KEEPALIVE, P_HANDSHAKE, P_RX, P_TX,
 P_ALLOWED, P_VERSION) = range(1, 11)
A_FAMILY, A_ADDR, A_CIDR, A_FLAGS = range(1, 5)


def attr(kind, data=b""):
    if isinstance(data, str):
        data = data.encode() + b"\0"
    return (struct.pack("=HH", 4 + len(data), kind) + data +
            bytes(-len(data) % 4))


def u8(kind, v):
    return attr(kind, struct.pack("=B", v))


def u16(kind, v):
    return attr(kind, struct.pack("=H", v))


def u32(kind, v):
    return attr(kind, struct.pack("=I", v))


def nest(kind, *parts):
    return attr(kind | NESTED, b"".join(parts))


def peer(key, *parts):
    return nest(0, attr(P_PUBLIC, key), *parts)


def peers(*entries):
    return nest(D_PEERS, *entries)


def allowed(prefix, flags=None):
    ip, cidr = prefix.split("/")
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    extra = () if flags is None else (u32(A_FLAGS, flags),)
    return nest(0, u16(A_FAMILY, family),
                attr(A_ADDR, socket.inet_pton(family, ip)),
                u8(A_CIDR, int(cidr)), *extra)


def sockaddr4(ip, port):
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + \
        socket.inet_aton(ip) + bytes(8)


def sockaddr6(ip, port, flow=0, scope=0):
    return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, flow) + \
        socket.inet_pton(socket.AF_INET6, ip) + struct.pack("=I", scope)


def key(n):
    """A public key that differs for each n (any 32 bytes are one)."""
    return struct.pack("<I", n) + b"\x42" * 27 + b"\x11"


def split(data):
    """Attributes as (type, payload) pairs."""
    out = []
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        out.append((kind & 0x3FFF, data[4:length]))
        data = data[(length + 3) & ~3:]
    return out


class Genl:
    def __init__(self, family="wireguard", size=1 << 18):
        """size: of the buffer that messages are read into; the kernel makes
        them no larger than the largest that a socket has ever had."""
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        # SOL_NETLINK: errors in words (11), without the request (10)
        self.sock.setsockopt(270, 11, 1)
        self.sock.setsockopt(270, 10, 1)
        self.sock.settimeout(100)
        self.sock.bind((0, 0))
        self.seq = 0
        self.size = size
        self.text = None
        self.family = 16
        reply = self.dump_once(3, attr(2, family), flags=REQUEST)
        self.family = struct.unpack("=H", dict(split(reply[0]))[1])[0]

    def send(self, cmd, payload, flags):
        self.seq += 1
        body = struct.pack("=BBH", cmd, 1, 0) + payload
        self.sock.send(struct.pack("=IHHII", 16 + len(body), self.family, flags,
                                   self.seq, 0) + body)

    def messages(self):
        data = self.sock.recv(self.size)
        while len(data) >= 16:
            length, kind, flags, seq, _ = struct.unpack("=IHHII", data[:16])
            if seq == self.seq:
                yield kind, flags, data[16:length]
            data = data[(length + 3) & ~3:]

    def call(self, payload, cmd=SET, flags=REQUEST | ACK):
        """The errno of one request, 0 when it was carried out; what the kernel
        says to it is left in `text`."""
        self.send(cmd, payload, flags)
        while True:
            for kind, got, body in self.messages():
                if kind in (ERROR, DONE):
                    words = split(body[20:]) if got & ACK_TLVS else []
                    self.text = dict(words).get(1, b"").rstrip(b"\0").decode()
                    return -struct.unpack("=i", body[:4])[0]

    def dump_once(self, cmd, payload, flags=REQUEST | DUMP):
        """The attribute blocks of all messages of one dump."""
        self.send(cmd, payload, flags)
        out = []
        self.interrupted = False
        while True:
            for kind, got, body in self.messages():
                self.interrupted |= bool(got & DUMP_INTR)
                if kind in (ERROR, DONE):
                    err = -struct.unpack("=i", body[:4])[0]
                    if err:
                        raise OSError(err, os.strerror(err))
                    return out
                out.append(body[4:])
                if not got & MULTI:
                    return out

    def get(self, name):
        """(device attributes, {key: (attributes, [allowed])}, messages)."""
        blocks = self.dump_once(GET, attr(D_IFNAME, name))
        return merged(blocks)

    def begin(self, name):
        """Starts a dump; the kernel makes the first message and waits."""
        self.send(GET, attr(D_IFNAME, name), REQUEST | DUMP)

    def more(self):
        """Reads what one call gives of it: (blocks, interrupted, end), where
        end is None or the errno it ended with."""
        blocks, cut, end = [], False, None
        for kind, got, body in self.messages():
            cut |= bool(got & DUMP_INTR)
            if kind in (ERROR, DONE):
                end = -struct.unpack("=i", body[:4])[0]
            else:
                blocks.append(body[4:])
        return blocks, cut, end

    def rest(self):
        """Reads a dump that has begun to its end."""
        blocks, cut, end = [], False, None
        while end is None:
            new, intr, end = self.more()
            blocks += new
            cut |= intr
        return blocks, cut, end


def merged(blocks):
    """What the messages of a dump say together, as Genl.get() returns it."""
    device, found = {}, {}
    for block in blocks:
        for kind, data in split(block):
            if kind != D_PEERS:
                device[kind] = data
                continue
            for _, one in split(data):
                fields = dict(split(one))
                who = fields[P_PUBLIC]
                have = found.setdefault(who, ({}, []))
                for k, v in fields.items():
                    if k == P_ALLOWED:
                        have[1].extend(prefix(a) for _, a in split(v))
                    else:
                        have[0][k] = v
    return device, found, blocks


def prefix(data):
    f = dict(split(data))
    family = struct.unpack("=H", f[A_FAMILY])[0]
    return "%s/%d" % (socket.inet_ntop(family, f[A_ADDR]), f[A_CIDR][0])


def b64(text):
    return base64.b64decode(text)


def name(err):
    # Python calls 95 ENOTSUP, the kernel EOPNOTSUPP.
    if err == errno.EOPNOTSUPP:
        return "EOPNOTSUPP"
    return "0" if err == 0 else errno.errorcode.get(err, str(err))


class Check:
    """Prints what went wrong; `done` exits 1 when anything did."""

    def __init__(self):
        self.bad = 0

    def equal(self, what, got, want):
        if got == want:
            return
        self.bad += 1
        if isinstance(want, list):
            at = [a == b for a, b in zip(got, want)] + [False]
            at = at.index(False)
            print("%s: %d entries instead of %d, the first difference at %d: %s, %s" %
                  (what, len(got), len(want), at, got[at:at + 3], want[at:at + 3]))
        else:
            print("%s: got %.300s, wanted %.300s" % (what, got, want))

    def true(self, what, ok):
        if not ok:
            self.bad += 1
            print("%s: does not hold" % what)

    def done(self):
        raise SystemExit(1 if self.bad else 0)


__all__ = [n for n in dir() if not n.startswith("_")]
