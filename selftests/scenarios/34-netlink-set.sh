#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every attribute of a request in every shape: lengths, nesting, order, what it
# does and what an error leaves behind.  26 has one wrong request of each kind;
# this goes through all of them.
#
#   a [wg0] alone
#
# spec 7.1, 7.2, 7.5-7.7
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

ns_add a
key a
wg_dev a wg0 a 1001

# What the kernel's list of families says about ours.
family()
{
	nl a <<'P'
f = Genl.__new__(Genl)
f.__dict__.update(g.__dict__, family=16)
info = dict(split(f.dump_once(3, attr(2, "wireguard"), flags=REQUEST)[0]))
word = lambda k: struct.unpack("=I", info[k])[0]
c.equal("version", word(3), 1)
c.equal("bytes of header", word(4), 0)
c.equal("multicast groups", 7 in info, False)
ops = {struct.unpack("=I", dict(split(o))[1])[0]: struct.unpack("=I", dict(split(o))[2])[0]
       for _, o in split(info[6])}
# UNS_ADMIN_PERM 16, HASPOL 8, DUMP 4, DO 2
c.equal("commands", ops, {GET: 16 + 8 + 4, SET: 16 + 8 + 2})
if OURS:
    c.equal("highest attribute", word(5), D_PEERS)
# Neither the version in the header nor its reserved bytes matter.
g.seq += 1
for version, reserved in ((0, 0), (2, 0), (1, 0xffff)):
    body = struct.pack("=BBH", SET, version, reserved) + W
    g.sock.send(struct.pack("=IHHII", 16 + len(body), g.family, REQUEST | ACK, g.seq, 0) + body)
    c.equal("header %d %x" % (version, reserved), [b[:4] for _, _, b in g.messages()], [bytes(4)])
P
}

# Each attribute that has a length: nothing, one byte less, one more, and as a nest.
lengths()
{
	nl a <<'P'
def check(where, wrap, kind, size, exact):
    for n in (0, size - 1, size + 1):
        if n < size or exact != "min":
            want = "ERANGE" if exact else "EINVAL"
            e("%s %d of %d bytes" % (where, kind, n), wrap(attr(kind, bytes(n))), want)
    e("%s %d as a nest" % (where, kind), wrap(attr(kind | NESTED, bytes(size))), "EINVAL")
device = lambda a: W + a
for kind, size, exact in ((D_IFINDEX, 4, ""), (D_FLAGS, 4, ""), (D_PORT, 2, ""), (D_FWMARK, 4, ""),
                          (D_PRIVATE, 32, "key"), (D_PUBLIC, 32, "key")):
    check("device", device, kind, size, exact)
K = attr(P_PUBLIC, key(1))
one = lambda a: W + peers(nest(0, K, a))
check("peer", lambda a: W + peers(nest(0, a)), P_PUBLIC, 32, "key")
for kind, size, exact in ((P_PSK, 32, "key"), (P_FLAGS, 4, ""), (P_ENDPOINT, 16, "min"),
                          (P_KEEPALIVE, 2, ""), (P_HANDSHAKE, 16, "key"), (P_RX, 8, ""), (P_TX, 8, ""),
                          (P_VERSION, 4, "")):
    check("peer", one, kind, size, exact)
F4, A4, C32 = u16(A_FAMILY, 2), attr(A_ADDR, bytes([10, 0, 0, 1])), u8(A_CIDR, 32)
ip = lambda a: one(nest(P_ALLOWED, nest(0, F4, A4, C32, a)))
for kind, size, exact in ((A_FAMILY, 2, ""), (A_ADDR, 4, "min"), (A_CIDR, 1, "")) + (((A_FLAGS, 4, ""),) if OURS else ()):
    check("allowed IP", ip, kind, size, exact)
for kind in (0, 5, 6, 0x3fff):
    e("allowed IP, type %d" % kind, ip(u32(kind, 0)), "EINVAL")
for kind in (0, 11, 12, 0x3fff):
    e("peer, type %d" % kind, one(u32(kind, 0)), "EINVAL")
for kind in (0, 9, 10, 0x3fff):
    e("device, type %d" % kind, W + u32(kind, 0), "EINVAL")
# The kernel's own 6.12 looks into a nest when its turn comes.
if OURS:
    c.equal("peers created on the way", g.get("wg0")[1], {})
# IPADDR may be longer than 4 for the policy, but not for either family.
for n in (5, 8, 15, 17, 32):
    for family in (2, 10):
        e("address of %d, family %d" % (n, family),
          one(nest(P_ALLOWED, nest(0, u16(A_FAMILY, family), attr(A_ADDR, bytes(n)), C32))), "EINVAL")
# What only a dump has to say is taken and ignored.
e("read-only attributes", one(attr(P_HANDSHAKE, b"\xff" * 16) + attr(P_RX, b"\xff" * 8) + attr(P_TX, b"\xff" * 8)), "0")
f = g.get("wg0")[1][key(1)][0]
c.equal("they had no effect", (f[P_HANDSHAKE], f[P_RX], f[P_TX]), (bytes(16), bytes(8), bytes(8)))
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

names()
{
	nl a <<'P'
e("no byte", attr(D_IFNAME, b""), "EINVAL")
e("empty", attr(D_IFNAME, ""), "ENODEV")
e("15 characters", attr(D_IFNAME, "w" * 15), "ENODEV")
e("16 characters and an end", attr(D_IFNAME, "w" * 16), "EINVAL")
e("16 characters, no end", attr(D_IFNAME, b"w" * 16), "EINVAL")
e("no end", attr(D_IFNAME, b"wg0"), "EINVAL")
e("something short behind the end", attr(D_IFNAME, b"wg0\0wg1"), "0")
e("something long behind the end", attr(D_IFNAME, b"wg0\0" + b"x" * 13), "ERANGE")
e("index 0", u32(D_IFINDEX, 0), "ENODEV")
e("index -1", u32(D_IFINDEX, 0xffffffff), "ENODEV")
# The same for both commands; a dump knows no attribute that SET does not.
for what, want in ((attr(D_IFNAME, b"wg0"), errno.EINVAL), (attr(D_IFNAME, b"wg0\0" + b"x" * 13), errno.ERANGE),
                   (u32(D_IFINDEX, 0), errno.ENODEV), (W + u32(D_IFINDEX, 1), errno.EBADR),
                   (W + u32(9, 0), errno.EINVAL), (W + u8(D_PORT, 0), errno.EINVAL),
                   (W + attr(D_PRIVATE, bytes(3)), errno.ERANGE)):
    try:
        g.dump_once(GET, what)
        c.true("dump of %s refused" % what, False)
    except OSError as x:
        c.equal("dump of %s" % what, name(x.errno), name(want))
# What it knows but has no use for does no harm.
c.equal("dump with a mark", len(g.dump_once(GET, W + u32(D_FWMARK, 9))), 1)
c.equal("mark", g.get("wg0")[0][D_FWMARK], bytes(4))
P
}

# Nests: their flag, their inner type, nothing in them, an attribute twice.
nesting()
{
	nl a <<'P'
K = attr(P_PUBLIC, key(1))
def count(want):
    c.equal("peers", sorted(g.get("wg0")[1]), want)
    e("clear", W + u32(D_FLAGS, 1), "0")
e("no peers in the nest", W + peers(), "0")
count([])
e("an entry without anything", W + peers(nest(0)), "EINVAL")
e("the same without the flag", W + peers(attr(0)), "EINVAL")
e("the entry's type does not matter", W + peers(nest(77, K)), "0")
count([key(1)])
e("peers without the flag", W + attr(D_PEERS, nest(0, K)), "EINVAL")
e("allowed IPs without the flag", W + peers(nest(0, K, attr(P_ALLOWED, b""))), "EINVAL")
e("an allowed IP without the flag", W + peers(nest(0, K, nest(P_ALLOWED, attr(0, allowed("10.0.0.1/32")[4:])))), "EINVAL")
e("a last allowed IP of nothing", W + peers(nest(0, K, nest(P_ALLOWED, nest(0)))), "EINVAL")
e("clear", W + u32(D_FLAGS, 1), "0")
e("no allowed IPs in the nest", W + peers(nest(0, K, nest(P_ALLOWED))), "0")
count([key(1)])
# Of two the last one counts.
e("peers twice", W + peers(peer(key(1))) + peers(peer(key(2))), "0")
count([key(2)])
e("a key twice", W + peers(nest(0, K, attr(P_PUBLIC, key(3)))), "0")
count([key(3)])
e("mark twice", W + u32(D_FWMARK, 5) + u32(D_FWMARK, 6), "0")
c.equal("mark", g.get("wg0")[0][D_FWMARK], struct.pack("=I", 6))
e("mark off", W + u32(D_FWMARK, 0), "0")
e("bytes behind the last attribute", W + b"\1\2\3", "EINVAL")
e("bytes behind the last one of a peer", W + peers(nest(0, K, b"\1\2")), "EINVAL")
e("a length below 4", W + struct.pack("=HH", 3, D_PORT) + bytes(4), "EINVAL")
if OURS:
    count([])
# An entry that ends behind its nest is none.
e("clear", W + u32(D_FLAGS, 1), "0")
e("an entry beyond its nest", W + attr(D_PEERS | NESTED, struct.pack("=HH", 200, NESTED) + K), "0")
count([])
e("depth without end", W + peers(nest(0, K, nest(P_ALLOWED, nest(0, nest(A_ADDR, nest(0)))))), "EINVAL")
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

# What the policy knows is refused before anything is done, wherever it stands
# (on the kernel's own 6.12 that holds outside of nests only); what only the
# semantics know, when its turn comes.
policy_first()
{
	nl a <<'P'
def untouched(what):
    d, found, _ = g.get("wg0")
    if OURS:
        c.equal(what, (d[D_FWMARK], list(found)), (bytes(4), []))
    e("clear", W + u32(D_FWMARK, 0) + u32(D_FLAGS, 1), "0")
for what, wrong, want in (("port", u32(D_PORT, 0), "EINVAL"), ("key", attr(D_PRIVATE, bytes(31)), "ERANGE"),
                          ("type", u32(9, 0), "EINVAL")):
    e("wrong " + what, W + u32(D_FWMARK, 99) + peers(peer(key(1))) + wrong, want)
    d, found, _ = g.get("wg0")
    c.equal(what, (d[D_FWMARK], list(found)), (bytes(4), []))
head = W + u32(D_FWMARK, 99)
good = peer(key(1))
ip = nest(P_ALLOWED, nest(0, u16(A_FAMILY, 2), attr(A_ADDR, bytes(3)), u8(A_CIDR, 32)))
for what, last, want in (("a short key", nest(0, attr(P_PUBLIC, bytes(31))), ("ERANGE",)),
                         ("an unknown type", peer(key(2), u32(11, 0)), ("EINVAL",)),
                         ("a short address", peer(key(2), ip), ("ERANGE",)),
                         ("a short endpoint", peer(key(2), attr(P_ENDPOINT, bytes(15))), ("ERANGE",))):
    e(what + " in the second peer", head + peers(good, last), *want)
    untouched(what)
if OURS:
    for what, last in (("peer flags", peer(key(2), u32(P_FLAGS, 8))),
                       ("allowed IP flags", peer(key(2), nest(P_ALLOWED, allowed("10.0.0.1/32", 2))))):
        e("unknown " + what, head + peers(good, last), "EINVAL")
        untouched(what)
    for bit in range(1, 32):
        e("device flag %d" % bit, head + u32(D_FLAGS, 1 << bit), "EINVAL")
        e("allowed IP flag %d" % bit, head + peers(peer(key(2), nest(P_ALLOWED, allowed("10.0.0.1/32", 1 << bit)))), "EINVAL")
    for bit in range(3, 32):
        e("peer flag %d" % bit, head + peers(peer(key(2), u32(P_FLAGS, 1 << bit))), "EINVAL")
    untouched("single flags")
else:
    for bit in range(1, 32):
        e("device flag %d" % bit, head + u32(D_FLAGS, 1 << bit), "EOPNOTSUPP")
    c.equal("mark", g.get("wg0")[0][D_FWMARK], bytes(4))
    for bit in range(3, 32):
        e("peer flag %d" % bit, W + peers(peer(key(2), u32(P_FLAGS, 1 << bit))), "EOPNOTSUPP")
    e("clear", W + u32(D_FLAGS, 1), "0")
for version in (0, 2, 0xffffffff):
    e("version %d" % version, head + peers(good, peer(key(2), u32(P_VERSION, version))), "EPFNOSUPPORT")
d, found, _ = g.get("wg0")
c.equal("what stood before it", (d[D_FWMARK], list(found)), (struct.pack("=I", 99), [key(1)]))
e("clear", W + u32(D_FWMARK, 0) + u32(D_FLAGS, 1), "0")
P
}

# Ports: free, in use by one family only, the same, none; and that nothing of
# the old one is lost when the new one cannot be had.
ports()
{
	nl a <<'P'
def sockets():
    out = []
    for f in "udp", "udp6":
        for line in open("/proc/net/" + f).read().splitlines()[1:]:
            w = line.split()
            out.append((f, int(w[1].rsplit(":", 1)[1], 16), w[9]))
    return sorted(out)
port = lambda: struct.unpack("=H", g.get("wg0")[0][D_PORT])[0]
e("port", W + u16(D_PORT, 2001), "0")
mine = sockets()
c.equal("one socket for each family", [s[:2] for s in mine], [("udp", 2001), ("udp6", 2001)])
e("the same", W + u16(D_PORT, 2001), "0")
c.equal("the same sockets", sockets(), mine)
for family, option in ((socket.AF_INET, None), (socket.AF_INET6, 1)):
    busy = socket.socket(family, socket.SOCK_DGRAM)
    if option:
        busy.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    busy.bind(("", 2002))
    before = sockets()
    # The mark comes first and stays; key and peers come later and do not.
    was = g.get("wg0")
    e("port in use", W + u16(D_PORT, 2002) + u32(D_FWMARK, family) + attr(D_PRIVATE, b"\7" * 32) +
      u32(D_FLAGS, 1) + peers(peer(key(1))), "EADDRINUSE")
    d, found, _ = g.get("wg0")
    c.equal("port", port(), 2001)
    c.equal("sockets", sockets(), before)
    c.equal("mark", struct.unpack("=I", d[D_FWMARK])[0], family)
    c.equal("key and peers", (d[D_PRIVATE], list(found)), (was[0][D_PRIVATE], []))
    busy.close()
e("mark off", W + u32(D_FWMARK, 0), "0")
# A failing port comes before the removal of the peers.
busy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
busy.bind(("", 2002))
e("peer", W + peers(peer(key(1))), "0")
e("port in use, replace", W + u16(D_PORT, 2002) + u32(D_FLAGS, 1), "EADDRINUSE")
c.equal("peers", list(g.get("wg0")[1]), [key(1)])
e("clear", W + u32(D_FLAGS, 1), "0")
# 0 is any; it is drawn anew each time the stored one is not 0.
drawn = set()
for _ in range(8):
    e("any port", W + u16(D_PORT, 0), "0")
    drawn.add(port())
    c.equal("bound", [s[1] for s in sockets() if s[1] != 2002], [port()] * 2)
c.true("drawn: %s" % drawn, len(drawn) > 2 and 0 not in drawn)
busy.close()
e("the highest", W + u16(D_PORT, 65535), "0")
c.equal("port", port(), 65535)
P
	ip -n "$PFX-a" link set dev wg0 down
	nl a <<'P'
port = lambda: struct.unpack("=H", g.get("wg0")[0][D_PORT])[0]
busy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
busy.bind(("", 2003))
e("down: in use is not known yet", W + u16(D_PORT, 2003), "0")
c.equal("stored", port(), 2003)
e("down: 0", W + u16(D_PORT, 0), "0")
c.equal("stored", port(), 0)
e("down: key, mark, peers", W + u32(D_FWMARK, 3) + peers(peer(key(1), u16(P_KEEPALIVE, 5),
  attr(P_ENDPOINT, sockaddr4("10.0.0.9", 9)))), "0")
c.equal("down: no keepalive", g.get("wg0")[1][key(1)][0][P_TX], bytes(8))
e("clear", W + u32(D_FWMARK, 0) + u32(D_FLAGS, 1), "0")
P
	ip -n "$PFX-a" link set dev wg0 up
	[ "$(wgc a show wg0 listen-port)" != 0 ]
}

marks()
{
	nl a <<'P'
for mark in (1, 0x7fffffff, 0x80000000, 0xffffffff, 0):
    e("mark", W + u32(D_FWMARK, mark), "0")
    c.equal("mark", struct.unpack("=I", g.get("wg0")[0][D_FWMARK])[0], mark)
P
}

# Private keys are clamped, zero removes, and the key comes before the peers.
keys()
{
	nl a "$(< "$TMP/a.key")" "${PUB[a]}" <<'P'
mine, public = b64(sys.argv[1]), b64(sys.argv[2])
e("with a public key that does not fit", W + attr(D_PRIVATE, mine) + attr(D_PUBLIC, key(9)), "0")
d = g.get("wg0")[0]
c.equal("pair", (d[D_PRIVATE], d[D_PUBLIC]), (mine, public))
raw = bytes([mine[0] | 7]) + mine[1:31] + bytes([mine[31] | 0x80])
c.true("not clamped", raw != mine)
e("not clamped", W + attr(D_PRIVATE, raw), "0")
d = g.get("wg0")[0]
c.equal("clamped", (d[D_PRIVATE], d[D_PUBLIC]), (mine, public))
# Our own key as a peer is passed over, the next one is not, whatever it holds.
e("own key", W + peers(peer(public, nest(P_ALLOWED, nest(0))), peer(key(1))), "0")
c.equal("peers", list(g.get("wg0")[1]), [key(1)])
e("own key, update only and remove", W + peers(peer(public, u32(P_FLAGS, 4)), peer(public, u32(P_FLAGS, 1))), "0")
# First the key: what was our own before is a peer now.
e("new key and the old one as peer", W + attr(D_PRIVATE, b"\x40" * 32) + peers(peer(public)), "0")
d, found, _ = g.get("wg0")
c.equal("peers", list(found), [key(1), public])
# Back again: the peer with that key goes, and cannot be made in the same request.
e("old key, and as a peer", W + attr(D_PRIVATE, mine) + peers(peer(public)), "0")
d, found, _ = g.get("wg0")
c.equal("peers", list(found), [key(1)])
e("none", W + attr(D_PRIVATE, bytes(32)), "0")
d, found, _ = g.get("wg0")
c.equal("no key is shown", (D_PRIVATE in d, D_PUBLIC in d), (False, False))
e("without a key nobody is ourselves", W + peers(peer(public)), "0")
c.equal("peers", list(g.get("wg0")[1]), [key(1), public])
e("zero again", W + attr(D_PRIVATE, bytes(32)), "0")
# The public key of zeros is a name like any other.
e("a peer of zeros", W + peers(peer(bytes(32))), "0")
c.equal("peers", list(g.get("wg0")[1]), [key(1), public, bytes(32)])
e("key and no peers", W + u32(D_FLAGS, 1) + attr(D_PRIVATE, mine), "0")
c.equal("peers", g.get("wg0")[1], {})
P
}

# Peer flags alone and together.
peer_flags()
{
	nl a <<'P'
A = nest(P_ALLOWED, allowed("10.0.0.1/32"))
B = nest(P_ALLOWED, allowed("10.0.0.2/32"))
BAD = nest(P_ALLOWED, nest(0, u16(A_FAMILY, 99)))
def p(what, *parts, want="0"):
    e(what, W + peers(peer(key(1), *parts)), want)
def ips(want):
    found = g.get("wg0")[1]
    c.equal("allowed", found[key(1)][1] if key(1) in found else None, want)
for flags in (1, 4, 5, 6, 7):
    p("unknown, flags %d" % flags, u32(P_FLAGS, flags), BAD)
    ips(None)
p("unknown and wrong version", u32(P_FLAGS, 1), u32(P_VERSION, 2), want="EPFNOSUPPORT")
p("unknown, replace", u32(P_FLAGS, 2), A)
ips(["10.0.0.1/32"])
p("add", B)
ips(["10.0.0.1/32", "10.0.0.2/32"])
p("update only", u32(P_FLAGS, 4), nest(P_ALLOWED, allowed("10.0.0.1/32")))
ips(["10.0.0.2/32", "10.0.0.1/32"])
p("replace", u32(P_FLAGS, 6), B)
ips(["10.0.0.2/32"])
p("replace by nothing", u32(P_FLAGS, 2))
ips([])
p("flags 0", u32(P_FLAGS, 0), A)
ips(["10.0.0.1/32"])
# Remove looks at nothing else, and goes first.
p("remove, update, replace", u32(P_FLAGS, 7), BAD, attr(P_PSK, b"\1" * 32))
ips(None)
e("remove and make again", W + peers(peer(key(1), A), peer(key(1), u32(P_FLAGS, 1)), peer(key(1), B)), "0")
ips(["10.0.0.2/32"])
# The new one stands at the end.
e("another", W + peers(peer(key(2))), "0")
e("again", W + peers(peer(key(1), u32(P_FLAGS, 1)), peer(key(1))), "0")
c.equal("order", list(g.get("wg0")[1]), [key(2), key(1)])
# Its prefixes do not come back with the key.
ips([])
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

# What one peer holds, and what an error in its allowed IPs leaves.
peer_values()
{
	nl a <<'P'
def p(what, *parts, want="0"):
    e(what, W + peers(peer(key(1), *parts)), want)
def field(kind):
    return g.get("wg0")[1][key(1)][0].get(kind)
p("nothing")
c.equal("preshared key", field(P_PSK), bytes(32))
c.equal("keepalive", field(P_KEEPALIVE), bytes(2))
c.equal("version", field(P_VERSION), struct.pack("=I", 1))
c.equal("endpoint", field(P_ENDPOINT), None)
p("preshared key", attr(P_PSK, b"\5" * 32))
c.equal("preshared key", field(P_PSK), b"\5" * 32)
p("nothing")
c.equal("preshared key", field(P_PSK), b"\5" * 32)
p("no preshared key", attr(P_PSK, bytes(32)))
c.equal("preshared key", field(P_PSK), bytes(32))
for interval in (1, 65535, 0):
    p("keepalive", u16(P_KEEPALIVE, interval))
    c.equal("keepalive", field(P_KEEPALIVE), struct.pack("=H", interval))
four, six = sockaddr4("10.1.2.3", 65535), sockaddr6("fd00::7", 1, 0, 9)
for what, good in (("IPv4", four), ("IPv6", six), ("no port", sockaddr4("10.1.2.3", 0)),
                   ("IPv4 mapped", sockaddr6("::ffff:10.0.0.1", 5)), ("any", sockaddr4("0.0.0.0", 7))):
    p(what, attr(P_ENDPOINT, good))
    c.equal(what, field(P_ENDPOINT), good)
p("a scope is kept", attr(P_ENDPOINT, sockaddr6("fe80::1", 7, 0, 3)))
c.equal("scope", field(P_ENDPOINT)[24:], struct.pack("=I", 3))
# What is no endpoint is passed over, but nothing else of that peer.
n = 0
for bad in (four + bytes(1), four + bytes(12), six[:16], six[:27], six + bytes(1), six + bytes(100),
            struct.pack("=H", 0) + bytes(14), struct.pack("=H", 1) + bytes(26), bytes(16), bytes(128)):
    n += 1
    p("%d bytes of family %d" % (len(bad), bad[0]), attr(P_ENDPOINT, bad), u16(P_KEEPALIVE, 0), attr(P_PSK, bytes([n]) * 32))
    c.equal("said", "Endpoint ignored" in g.text, OURS)
    c.equal("endpoint", field(P_ENDPOINT)[:8], sockaddr6("fe80::1", 7)[:8])
    c.equal("the rest", field(P_PSK), bytes([n]) * 32)
# In this order: key, endpoint, allowed IPs, keepalive.
p("wrong allowed IP", attr(P_PSK, b"\6" * 32), attr(P_ENDPOINT, four), u16(P_KEEPALIVE, 77), u32(P_FLAGS, 2),
  nest(P_ALLOWED, allowed("10.0.0.1/32"), nest(0, u16(A_FAMILY, 2)), allowed("10.0.0.2/32")), want="EINVAL")
f, ips = g.get("wg0")[1][key(1)]
c.equal("key, endpoint, allowed IPs, keepalive", (f[P_PSK], f[P_ENDPOINT], ips, f[P_KEEPALIVE]),
        (b"\6" * 32, four, ["10.0.0.1/32"], bytes(2)))
# A new one that fails half way is there.
e("new, wrong allowed IP", W + peers(peer(key(2), nest(P_ALLOWED, nest(0, u16(A_FAMILY, 2)))), peer(key(3))), "EINVAL")
c.equal("peers", list(g.get("wg0")[1]), [key(1), key(2)])
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

# An interval that appears while the device is up starts a handshake at once;
# another interval does not.
keepalive_now()
{
	nl a <<'P'
E = attr(P_ENDPOINT, sockaddr4("127.0.0.1", 9))
def sent():
    return struct.unpack("=Q", g.get("wg0")[1][key(1)][0][P_TX])[0]
e("peer", W + peers(peer(key(1), E)), "0")
c.equal("sent before", sent(), 0)
e("interval", W + peers(peer(key(1), u16(P_KEEPALIVE, 600))), "0")
import time
end = time.monotonic() + 10
while sent() == 0 and time.monotonic() < end:
    time.sleep(0.02)
c.equal("an initiation", sent(), 148)
e("another", W + peers(peer(key(2), E, u16(P_KEEPALIVE, 0))), "0")
c.equal("sent with 0", struct.unpack("=Q", g.get("wg0")[1][key(2)][0][P_TX])[0], 0)
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

# Each dump has its attributes in the same order and shape.
shape()
{
	nl a "$(< "$TMP/a.key")" <<'P'
e("key", W + attr(D_PRIVATE, b64(sys.argv[1])) + u32(D_FLAGS, 1), "0")
g.send(GET, W, REQUEST | ACK | DUMP)
got = list(g.messages())
c.equal("one message and the end", [(k, f & 0xfff) for k, f, _ in got], [(g.family, MULTI), (DONE, MULTI)])
c.equal("the end", got[1][2][:4], bytes(4))
c.equal("command, version", got[0][2][:4], bytes([GET, 1, 0, 0]))
kinds = lambda data: [k for k, _ in split(data) if k]
c.equal("device, no peers", kinds(got[0][2][4:]), [D_PORT, D_FWMARK, D_IFINDEX, D_IFNAME, D_PRIVATE, D_PUBLIC])
e("peers", W + attr(D_PRIVATE, bytes(32)) + peers(
    peer(key(1)), peer(key(2), attr(P_ENDPOINT, sockaddr4("10.0.0.1", 1)), nest(P_ALLOWED, allowed("10.0.0.1/32"))),
    peer(key(3), attr(P_ENDPOINT, sockaddr6("fd00::1", 1)), nest(P_ALLOWED, allowed("fd00::1/128")))), "0")
block = g.dump_once(GET, W)[0]
c.equal("device, no key", kinds(block), [D_PORT, D_FWMARK, D_IFINDEX, D_IFNAME, D_PEERS])
common = [P_PUBLIC, P_PSK, P_HANDSHAKE, P_KEEPALIVE, P_TX, P_RX, P_VERSION]
found = split(dict(split(block))[D_PEERS])
c.equal("inner types", [k for k, _ in found], [0, 0, 0])
c.equal("peers", [kinds(p) for _, p in found], [common, common + [P_ENDPOINT, P_ALLOWED], common + [P_ENDPOINT, P_ALLOWED]])
sizes = {k: len(v) for k, v in split(found[2][1]) if k}
c.equal("sizes", [sizes[k] for k in common], [32, 32, 16, 2, 8, 8, 4])
c.equal("sizes of endpoints", [len(dict(split(p))[P_ENDPOINT]) for _, p in found[1:]], [16, 28])
for _, one in found[1:]:
    for _, ip in split(dict(split(one))[P_ALLOWED]):
        c.equal("allowed IP", [k for k, _ in split(ip)], [A_CIDR, A_FAMILY, A_ADDR])
# The flag of a nest is set on each of them.
raw = lambda data: struct.unpack("=H", data[2:4])[0]
at = block.index(struct.pack("=H", D_PEERS | NESTED))
c.equal("flags of nests", (raw(block[at - 2:]), raw(block[at + 2:])), (D_PEERS | NESTED, NESTED))
e("clear", W + u32(D_FLAGS, 1) + attr(D_PRIVATE, b64(sys.argv[1])), "0")
P
}

# Errors in words: each refusal of ours says something.
words()
{
	ours || skip "needs our module"
	nl a <<'P'
def says(payload, *words):
    g.call(payload)
    c.true("%s: %r" % (words, g.text), all(w in g.text for w in words))
says(b"", "index or a name")
says(attr(D_IFNAME, "nope"), "No such interface")
says(attr(D_IFNAME, "lo"), "Not a WireGuard interface")
busy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
busy.bind(("", 2004))
says(W + u16(D_PORT, 2004), "in use")
says(W + peers(nest(0)), "public key")
says(W + peers(peer(key(1), u32(P_VERSION, 3))), "version")
def ip(*parts):
    return W + peers(peer(key(1), nest(P_ALLOWED, nest(0, *parts))))
F, A, M = u16(A_FAMILY, 2), attr(A_ADDR, bytes(4)), u8(A_CIDR, 32)
says(ip(F, A), "family, address and prefix length")
says(ip(u16(A_FAMILY, 1), A, M), "IPv4 or IPv6")
says(ip(F, attr(A_ADDR, bytes(16)), M), "wrong length for its family")
says(ip(F, A, u8(A_CIDR, 33)), "exceeds 32")
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

subtest "the family and its commands" family
subtest "each attribute in each wrong length" lengths
subtest "interface names and indices" names
subtest "nests" nesting
subtest "policy before any effect, semantics in order" policy_first
subtest "ports" ports
subtest "marks" marks
subtest "private keys" keys
subtest "peer flags" peer_flags
subtest "values of a peer" peer_values
subtest "an interval that appears sends at once" keepalive_now
subtest "shape of a dump" shape
subtest "errors in words" words
finish
