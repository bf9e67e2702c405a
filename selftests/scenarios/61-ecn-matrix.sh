#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every combination of inner and outer ECN, in both directions and in both
# families inside and outside; the DSCP of either side stays on its side.
#
#   a: peer in Python 10.0.0.1, fd00:aa::1 ------- eth0 .2 -- [wg0] b
#
# spec 2.9, 4.6, 5.5
# quick: uml
# timeout: 60
. "$(dirname "$0")/../lib.sh"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32,fd00:241::77/128
cat > "$TMP/py.head" <<'P'
p, outer = Peer(sys.argv[1], sys.argv[2]), sys.argv[3]
P
py_serve a
run() { py "$(< "$TMP/py.key")" "${PUB[b]}" "$@"; }

# What comes in: 4 outer by 4 inner marks, with DSCP on both sides
inward()
{
	run "$1" <<'P'
time.sleep(0.03)
w = Anywhere((outer, 1002))
w.session(p)

def combined(inner, outer):
    if inner in (0, 3):
        return inner            # a mark for who cannot read it is ignored
    if outer == 3:
        return 3
    return 1 if (inner, outer) == (2, 1) else inner

for mine, theirs, level, ask, number in (
        ("192.168.241.77", "192.168.241.2", 0, 13, 1), ("fd00:241::77", "fd00:241::2", 41, 66, 67)):
    with ns("b"):
        s = socket.socket(family(mine), socket.SOCK_DGRAM)
    s.setsockopt(level, ask, 1)
    s.bind((theirs, 7000))
    s.settimeout(5)
    want, got = {}, {}
    for o in range(4):
        for i in range(4):
            for dscp in 0xb8, 0x20:
                w.mark(o | dscp)
                tos = i | (0x28 if dscp == 0xb8 else 0)
                w.send(p.data(udp(mine, theirs, bytes([o, tos]), 7, 7000, tos=tos)))
                want[o, tos] = tos & 0xfc | combined(i, o)
    while len(got) < len(want):
        data, cmsgs, _, _ = s.recvmsg(100, 64)
        got[data[0], data[1]] = cmsgs[0][2][0]
    bad = {k: (got[k], want[k]) for k in want if got[k] != want[k]}
    assert not bad, "%s, (outer, inner): (got, wanted) %s" % (mine, bad)
P
}

# What goes out: CE leaves as ECT(0), DSCP does not leave, inside all is as it was
outward()
{
	run "$1" <<'P'
time.sleep(0.03)
w = Anywhere((outer, 1002))
w.session(p)
for mine, theirs, level, number in (("192.168.241.77", "192.168.241.2", 0, 1),
                                    ("fd00:241::77", "fd00:241::2", 41, 67)):
    with ns("b"):
        s = socket.socket(family(mine), socket.SOCK_DGRAM)
    for tos in 0, 1, 2, 3, 0xb8, 0xb9, 0xba, 0xbb, 0xff, 0x04, 0xe3:
        s.setsockopt(level, number, tos)
        s.sendto(b"t%d" % tos, (mine, 7001))
        while True:
            msg = w.recv_kind(4)
            assert msg, "nothing came"
            plain = p.open(msg)
            if plain and dissect(plain).proto == UDP:
                break
        f = dissect(plain)
        assert f.tos == tos and f.good, "inner TOS %#x became %#x" % (tos, f.tos)
        wanted = 2 if tos & 3 == 3 else tos & 3
        assert w.tos == wanted, "inner TOS %#x left as %#x" % (tos, w.tos)
P
}

# Initiation, response, keepalive
messages()
{
	run "$1" <<'P'
time.sleep(0.03)
w = Anywhere((outer, 1002))
w.send(p.initiation())
m2 = w.recv_kind(2)
assert m2 and w.tos == 0x88, "response: %r" % w.tos
p.response(m2)
w.send(p.data(b""))
# A change from off to on sends a keepalive at once.
sh("b", "$WG set wg0 peer %s persistent-keepalive 0" % base64.b64encode(p.public).decode())
sh("b", "$WG set wg0 peer %s persistent-keepalive 60" % base64.b64encode(p.public).decode())
msg = w.recv_kind(4)
assert msg and len(msg) == 32 and w.tos == 0, "keepalive: %r" % w.tos
# Without a session it asks for one.
sh("b", "ip link set dev wg0 down; ip link set dev wg0 up")
m1 = w.recv_kind(1)
assert m1 and w.tos == 0x88, "initiation: %r" % w.tos
p.accept(m1)
sh("b", "$WG set wg0 peer %s persistent-keepalive 0; ip addr replace fd00:241::2/64 dev wg0" %
   base64.b64encode(p.public).decode())
P
}

subtest "handshakes are AF41, keepalives plain, IPv4" messages 10.0.0.2
subtest "handshakes are AF41, keepalives plain, IPv6" messages fd00:aa::2
subtest "what comes in by IPv4, all 16 combinations" inward 10.0.0.2
subtest "what comes in by IPv6, all 16 combinations" inward fd00:aa::2
subtest "what goes out by IPv4" outward 10.0.0.2
subtest "what goes out by IPv6" outward fd00:aa::2
finish
