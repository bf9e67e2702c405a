# SPDX-License-Identifier: GPL-2.0
"""Netlink requests that were valid before something was changed in them: a tree
of attributes is built, one to four mutations go over it, and the bytes are
sent.  Everything depends on the seed only."""
import copy
import random

from genl import *


class Node:
    """An attribute: its data are bytes, or a list of Nodes if it is a nest."""

    def __init__(self, kind, data, flags=0):
        self.kind, self.data, self.flags = kind, data, flags
        self.length = None      # what its head says, None for the truth

    def pack(self):
        body = b"".join(n.pack() for n in self.data) \
            if isinstance(self.data, list) else self.data
        body = body[:65000]
        length = 4 + len(body) if self.length is None else self.length
        return struct.pack("=HH", length & 0xffff, self.kind | self.flags) + \
            body + bytes(-len(body) % 4)


def nested(kind, nodes):
    return Node(kind, nodes, NESTED)


class Fuzz:
    def __init__(self, seed, device):
        self.r = random.Random(seed)
        self.device = device

    def number(self, size):
        r = self.r
        value = r.choice((0, 1, 2, 3, 4, 7, 255, 65535, 1 << 31, 0xffffffff,
                          r.getrandbits(32)))
        return (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def bytes(self):
        return self.r.randbytes(self.r.choice((0, 1, 2, 3, 4, 5, 8, 15, 16, 17, 27,
                                               28, 29, 31, 32, 33, 64, 200)))

    def allowed(self):
        r = self.r
        four = r.random() < 0.5
        out = [Node(A_FAMILY, struct.pack("=H", 2 if four else 10)),
               Node(A_ADDR, r.randbytes(4 if four else 16)),
               Node(A_CIDR, bytes([r.randrange(33 if four else 129)]))]
        if r.random() < 0.3:
            out.append(Node(A_FLAGS, struct.pack("=I", r.randrange(2))))
        return nested(0, out)

    def peer(self):
        r = self.r
        out = [Node(P_PUBLIC, key(r.randrange(12)))]
        for node in (Node(P_PSK, r.randbytes(32)),
                     Node(P_FLAGS, struct.pack("=I", r.randrange(8))),
                     Node(P_ENDPOINT, sockaddr4("10.0.0.9", r.randrange(65536))),
                     Node(P_ENDPOINT, sockaddr6("fd00:aa::9", r.randrange(65536))),
                     Node(P_KEEPALIVE, struct.pack("=H", r.randrange(100))),
                     Node(P_VERSION, struct.pack("=I", 1)),
                     nested(P_ALLOWED, [self.allowed() for _ in range(r.randrange(6))])):
            if r.random() < 0.5:
                out.append(node)
        return nested(0, out)

    def request(self):
        r = self.r
        out = [Node(D_IFNAME, self.device.encode() + b"\0")]
        for node in (Node(D_PRIVATE, r.randbytes(32)),
                     Node(D_FLAGS, struct.pack("=I", r.randrange(2))),
                     Node(D_PORT, struct.pack("=H", r.choice((0, 1001, 2000)))),
                     Node(D_FWMARK, self.number(4))):
            if r.random() < 0.15:
                out.append(node)
        out.append(nested(D_PEERS, [self.peer() for _ in range(r.randrange(5))]))
        return out

    def lists(self, nodes):
        """Every list of attributes in the tree."""
        yield nodes
        for n in nodes:
            if isinstance(n.data, list):
                yield from self.lists(n.data)

    def mutate(self, nodes):
        r = self.r
        where = r.choice([x for x in self.lists(nodes) if x] or [nodes])
        if not where:
            where.append(Node(self.r.randrange(20), self.bytes()))
        at = r.randrange(len(where))
        node = where[at]
        what = r.randrange(12)
        if what == 0:
            node.kind = r.randrange(14)
        elif what == 1:
            node.flags = r.choice((0, NESTED, 0x4000, 0xc000))
        elif what == 2:
            node.length = r.choice((0, 1, 3, 4, 5, 6, 8, 20, 36, 200, 65532, 65535))
        elif what == 3:
            node.data = self.bytes()
        elif what == 4 and isinstance(node.data, bytes) and node.data:
            node.data = self.number(len(node.data))[:len(node.data)]
        elif what == 5:
            del where[at]
        elif what == 6:
            where.insert(r.randrange(len(where) + 1), copy.deepcopy(node))
        elif what == 7:
            r.shuffle(where)
        elif what == 8:
            where[at] = nested(node.kind, [node])
        elif what == 9:
            where[at:at + 1] = node.data if isinstance(node.data, list) else []
        elif what == 10:
            where[at] = copy.deepcopy(r.choice([n for x in self.lists(nodes) for n in x]))
        else:
            where.insert(at, Node(r.choice((0, 5, 9, 11, 100, 0x3fff)), self.bytes()))

    def message(self):
        """(command, flags, attributes) of the next request."""
        r = self.r
        cmd, flags = SET, REQUEST | ACK
        if r.random() < 0.15:
            cmd = r.choice((GET, GET, GET, 2, 255))
            flags |= r.choice((0, DUMP, DUMP, 0x100))
        nodes = self.request()
        for _ in range(r.randrange(5)):
            self.mutate(nodes)
            if sum(len(x) for x in self.lists(nodes)) > 2000:
                break
        data = b"".join(n.pack() for n in nodes)
        if r.random() < 0.1:
            data = data[:r.randrange(len(data) + 1)]
        if data and r.random() < 0.1:
            at = r.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ (1 << r.randrange(8))]) + data[at + 1:]
        return cmd, flags, data[:60000]


def whole(data):
    """Attributes of a dump, each of which must have its true length."""
    at = 0
    while at < len(data):
        length = struct.unpack("=H", data[at:at + 2])[0]
        assert 4 <= length <= len(data) - at, (at, length, len(data))
        at += (length + 3) & ~3
    return split(data)


def check_dump(blocks):
    """Whatever has been asked for, a dump is well formed."""
    for block in blocks:
        for kind, data in whole(block):
            if kind != D_PEERS:
                continue
            for _, one in whole(data):
                fields = dict(whole(one))
                assert len(fields[P_PUBLIC]) == 32
                for _, ip in whole(fields.get(P_ALLOWED, b"")):
                    f = dict(whole(ip))
                    family = struct.unpack("=H", f[A_FAMILY])[0]
                    size = {2: 4, 10: 16}[family]
                    assert len(f[A_ADDR]) == size and f[A_CIDR][0] <= 8 * size


def run(seed, device, count):
    """Sends what a seed gives; returns how many requests were accepted. The
    device must answer afterwards."""
    fuzz, g, good = Fuzz(seed, device), Genl(), 0
    for _ in range(count):
        cmd, flags, data = fuzz.message()
        g.send(cmd, data, flags)
        sent = g.seq
        # One that is certainly answered, if not the one before.
        g.send(SET, attr(D_IFNAME, device), REQUEST | ACK)
        done = False
        while not done:
            got = g.sock.recv(g.size)
            while len(got) >= 16:
                length, kind, _, seq, _ = struct.unpack("=IHHII", got[:16])
                if kind in (ERROR, DONE):
                    ok = got[16:20] == bytes(4)
                    good += seq == sent and ok
                    if seq == g.seq:
                        assert ok, "a good request was refused"
                        done = True
                got = got[(length + 3) & ~3:]
        # A dump that is still going on is read to its end.
        if cmd == GET and flags & DUMP:
            g = Genl()
    check_dump(g.dump_once(GET, attr(D_IFNAME, device)))
    return good
