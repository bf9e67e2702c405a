#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Wrong netlink requests: the errno of each, the order of effects without
# rollback, and who may ask.
#
#   a [wg0] alone
#
# spec 7.1-7.7
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

ns_add a
key a
wg_dev a wg0 a 1001
ip -n "$PFX-a" link add dummy0 type dummy 2> /dev/null || :

lookup()
{
	nl a <<'P'
ifindex = struct.unpack("=I", g.get("wg0")[0][D_IFINDEX])[0]
e("by name", W, "0")
e("by index", u32(D_IFINDEX, ifindex), "0")
e("neither", b"", "EBADR")
e("both", W + u32(D_IFINDEX, ifindex), "EBADR")
e("no such name", attr(D_IFNAME, "wg9"), "ENODEV")
e("no such index", u32(D_IFINDEX, 99999), "ENODEV")
e("not ours", attr(D_IFNAME, "lo"), "EOPNOTSUPP")
for what, want in ((b"", errno.EBADR), (attr(D_IFNAME, "wg9"), errno.ENODEV),
                   (attr(D_IFNAME, "lo"), errno.EOPNOTSUPP)):
    try:
        g.dump_once(GET, what)
        c.true("dump refused", False)
    except OSError as x:
        c.equal("dump", name(x.errno), name(want))
c.equal("GET without dump", name(g.call(W, cmd=GET)), "EOPNOTSUPP")
c.equal("unknown command", name(g.call(W, cmd=7)), "EOPNOTSUPP")
P
}

attributes()
{
	nl a <<'P'
e("unknown type", W + u32(9, 1), "EINVAL")
e("type zero", W + u32(0, 1), "EINVAL")
e("port of 4 bytes", W + u32(D_PORT, 1), "EINVAL")
e("port of 1 byte", W + u8(D_PORT, 1), "EINVAL")
e("mark of 2 bytes", W + u16(D_FWMARK, 1), "EINVAL")
e("flags of 1 byte", W + u8(D_FLAGS, 0), "EINVAL")
e("private key of 31", W + attr(D_PRIVATE, bytes(31)), "ERANGE")
e("private key of 33", W + attr(D_PRIVATE, bytes(33)), "ERANGE")
e("public key of 31", W + attr(D_PUBLIC, bytes(31)), "ERANGE")
e("public key is ignored", W + attr(D_PUBLIC, key(1)), "0")
e("name without end", attr(D_IFNAME, b"a" * 16), "EINVAL", "ERANGE")
e("name too long", attr(D_IFNAME, "wireguard-wireguard"), "EINVAL", "ERANGE")
e("peers not nested", W + attr(D_PEERS, b""), "EINVAL")
e("peer not nested", W + nest(D_PEERS, attr(0, attr(P_PUBLIC, key(1)))), "EINVAL")
e("device flags unknown", W + u32(D_FLAGS, 2), "EOPNOTSUPP", "EINVAL")
if OURS:
    e("device flags unknown (mask)", W + u32(D_FLAGS, 0x80000000), "EINVAL")
c.equal("peers created", len(g.get("wg0")[1]), 0)
# truncated: the attribute is longer than the message
e("attribute too long", W + struct.pack("=HH", 400, D_PRIVATE) + bytes(32), "EINVAL")
P
}

peer_attributes()
{
	nl a <<'P'
def p(what, *want):
    e(what[0], W + peers(nest(0, *what[1:])), *want)
K = attr(P_PUBLIC, key(1))
p(("no key", u16(P_KEEPALIVE, 1)), "EINVAL")
p(("key of 31", attr(P_PUBLIC, bytes(31))), "ERANGE")
p(("psk of 33", K, attr(P_PSK, bytes(33))), "ERANGE")
p(("endpoint of 15", K, attr(P_ENDPOINT, bytes(15))), "ERANGE")
p(("keepalive of 4", K, u32(P_KEEPALIVE, 1)), "EINVAL")
p(("unknown type", K, u32(11, 1)), "EINVAL")
p(("unknown flags", K, u32(P_FLAGS, 8)), "EOPNOTSUPP", "EINVAL")
p(("version 2", K, u32(P_VERSION, 2)), "EPFNOSUPPORT")
c.equal("peers created", len(g.get("wg0")[1]), 0)
p(("update only, unknown", K, u32(P_FLAGS, 4)), "0")
p(("remove, unknown", K, u32(P_FLAGS, 1)), "0")
p(("our own key", attr(P_PUBLIC, g.get("wg0")[0][D_PUBLIC])), "0")
c.equal("peers created", len(g.get("wg0")[1]), 0)
p(("version 1", K, u32(P_VERSION, 1)), "0")
c.equal("peers", list(g.get("wg0")[1]), [key(1)])
# An endpoint whose length and family do not agree is ignored.
p(("endpoint of 28 for IPv4", K, attr(P_ENDPOINT, sockaddr4("10.0.0.9", 9) + bytes(12))), "0")
p(("endpoint of 16, family 99", K, attr(P_ENDPOINT, struct.pack("=H", 99) + bytes(14))), "0")
c.true("no endpoint", P_ENDPOINT not in g.get("wg0")[1][key(1)][0])
p(("endpoint", K, attr(P_ENDPOINT, sockaddr4("10.0.0.9", 9))), "0")
c.equal("endpoint", g.get("wg0")[1][key(1)][0][P_ENDPOINT], sockaddr4("10.0.0.9", 9))
e("remove", W + peers(peer(key(1), u32(P_FLAGS, 1))), "0")
P
}

allowed_attributes()
{
	nl a <<'P'
F4, A4, C32 = u16(A_FAMILY, 2), attr(A_ADDR, bytes([10, 0, 0, 1])), u8(A_CIDR, 32)
A6 = attr(A_ADDR, bytes(16))
def a(what, *want):
    e(what[0], W + peers(peer(key(1), nest(P_ALLOWED, nest(0, *what[1:])))), *want)
a(("no family", A4, C32), "EINVAL")
a(("no address", F4, C32), "EINVAL")
a(("no cidr", F4, A4), "EINVAL")
a(("cidr 33", F4, A4, u8(A_CIDR, 33)), "EINVAL")
a(("address of 3", F4, attr(A_ADDR, bytes(3)), C32), "ERANGE")
a(("IPv6 address, family 4", F4, A6, C32), "EINVAL")
a(("IPv4 address, family 6", u16(A_FAMILY, 10), A4, C32), "EINVAL")
a(("family 99", u16(A_FAMILY, 99), A4, C32), "EINVAL")
a(("cidr 129", u16(A_FAMILY, 10), A6, u8(A_CIDR, 129)), "EINVAL")
a(("cidr of 4 bytes", F4, A4, u32(A_CIDR, 32)), "EINVAL")
a(("unknown type", F4, A4, C32, u32(5, 0)), "EINVAL")
if OURS:
    a(("unknown flags", F4, A4, C32, u32(A_FLAGS, 2)), "EINVAL")
    a(("flags zero", F4, A4, C32, u32(A_FLAGS, 0)), "0")
a(("good", F4, A4, C32), "0")
c.equal("allowed", g.get("wg0")[1][key(1)][1], ["10.0.0.1/32"])
e("remove", W + peers(peer(key(1), u32(P_FLAGS, 1))), "0")
P
}

# No rollback: what stands before the error has happened.
order()
{
	nl a <<'P'
e("second of three peers is wrong", W + u32(D_FWMARK, 77) + peers(
    peer(key(1), nest(P_ALLOWED, allowed("10.0.0.1/32"))),
    peer(key(2), u32(P_VERSION, 5)),
    peer(key(3))), "EPFNOSUPPORT")
d, found, _ = g.get("wg0")
c.equal("mark", struct.unpack("=I", d[D_FWMARK])[0], 77)
c.equal("peers", list(found), [key(1)])
e("second of three allowed IPs is wrong", W + peers(peer(key(1), u32(P_FLAGS, 2), nest(P_ALLOWED,
    allowed("10.0.0.5/32"), nest(0, u16(A_FAMILY, 2)), allowed("10.0.0.6/32")),
    u16(P_KEEPALIVE, 9))), "EINVAL")
f, ips = g.get("wg0")[1][key(1)]
c.equal("allowed", ips, ["10.0.0.5/32"])
c.equal("keepalive", struct.unpack("=H", f[P_KEEPALIVE])[0], 0)
e("replace all", W + u32(D_FLAGS, 1) + peers(peer(key(4))), "0")
c.equal("peers", list(g.get("wg0")[1]), [key(4)])
e("same key twice in one request", W + peers(peer(key(5), nest(P_ALLOWED, allowed("10.0.1.0/24"))),
    peer(key(5), nest(P_ALLOWED, allowed("10.0.2.0/24")))), "0")
c.equal("allowed", g.get("wg0")[1][key(5)][1], ["10.0.1.0/24", "10.0.2.0/24"])
# A full 64 KB nest
big = [allowed("10.%d.%d.0/24" % (i >> 8, i & 255)) for i in range(1900)]
e("a large request", W + peers(peer(key(6), nest(P_ALLOWED, *big))), "0")
c.equal("allowed", len(g.get("wg0")[1][key(6)][1]), 1900)
e("clear", W + u32(D_FLAGS, 1) + u32(D_FWMARK, 0), "0")
P
}

privilege()
{
	nl a <<'P'
import os
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
u = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
u.bind((0, 0))
g.sock = u
e("set by nobody", W + u32(D_FWMARK, 1), "EPERM")
try:
    g.get("wg0")
    c.true("dump refused", False)
except OSError as x:
    c.equal("dump by nobody", name(x.errno), "EPERM")
P
}

# Random bytes after a genuine head: any errno will do, no crash, no change.
noise()
{
	nl a <<'P'
import os, random
seed = struct.unpack("I", os.urandom(4))[0]
print("seed", seed)
r = random.Random(seed)
def rnd(depth=0):
    out = b""
    for _ in range(r.randrange(1, 5)):
        kind = r.randrange(0, 14) | (NESTED if r.random() < 0.5 else 0)
        body = rnd(depth + 1) if depth < 4 and r.random() < 0.6 else r.randbytes(r.choice((0, 1, 2, 4, 8, 16, 28, 32, 33)))
        out += attr(kind, body[:60000])
    return out
for _ in range(400):
    # D_PRIVATE, port and mark stay out: the state is compared afterwards
    g.call(W + peers(nest(0, rnd())) if r.random() < 0.7 else W + nest(D_PEERS, rnd()))
    g.call(rnd())
g.call(W + u32(D_FLAGS, 1))
c.equal("peers", len(g.get("wg0")[1]), 0)
P
}

subtest "which device" lookup
subtest "device attributes" attributes
subtest "peer attributes" peer_attributes
subtest "allowed IP attributes" allowed_attributes
subtest "order of effects, no rollback" order
subtest "only the administrator may ask" privilege
subtest "random attributes" noise
finish
