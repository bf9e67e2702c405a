#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Under a flood of initiations: who shows no cookie, a wrong one or that of
# somebody else is sent one; who shows his is answered, but not without bound.
#
#   a: flood and peer in Python 10.0.0.1 ------- 10.0.0.2 [wg0] b
#
# Not on the debug kernel, which answers too late under a flood; 23 is.
#
# spec 1.6, 2.9, 4.9
# env: uml uml-smp qemu-[0-9]*
# quick: uml
# timeout: 400
. "$(dirname "$0")/../lib.sh"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32
cat > "$TMP/py.head" <<'P'
import json
p = Peer(sys.argv[1], sys.argv[2])
key = base64.b64encode(p.public).decode()
w = Anywhere(("10.0.0.2", 1002))
end = time.monotonic() + 300

def reply(make, kinds=(2, 3), by=w):
    """Sends what `make` makes, again and again, for a flood takes its share;
    the first answer of one of these kinds."""
    while True:
        assert time.monotonic() < end, "no answer"
        by.send(make())
        msg = by.recv(0.4)
        if msg and msg[0] in kinds:
            return msg

def mostly(make, by=w):
    """The kind of answer that most such messages get while those without mac2
    are sent a cookie: b takes breath from time to time."""
    kinds = []
    while len(kinds) < 5:
        bare = lambda: p.initiation()[:-16] + bytes(16)
        if reply(bare, by=by)[0] == 3:
            kind = reply(make, by=by)[0]
            if reply(bare, by=by)[0] == 3:
                kinds.append(kind)
    return max(kinds, key=kinds.count)

def cookie(peer=p, by=w):
    peer.cookie = None
    m1 = peer.initiation()          # a late answer must fit, too
    peer.take_cookie(reply(lambda: m1, (3,), by))
P
py_serve a
run() { py "$(< "$TMP/py.key")" "${PUB[b]}"; }

# Valid mac1, garbage inside, no mac2
cat > "$TMP/flood.py" <<'P'
import sys, os
from noise import *
w = Wire(("10.0.0.2", 1002))
key = hash_(b"mac1----", base64.b64decode(sys.argv[1]))
msgs = []
for i in range(64):
    m = struct.pack("<II", 1, i) + os.urandom(108)
    msgs.append(m + mac(key, m) + bytes(16))
send = w.sock.send
while True:
    for m in msgs:
        try:
            send(m)
        except OSError:
            pass
P

# Not under load mac2 may be anything.
calm()
{
	run <<'P'
for mac2 in bytes(16), os.urandom(16):
    time.sleep(0.03)
    w.send(p.initiation()[:-16] + mac2)
    assert w.recv_kind(2), "no response"
P
}

flood()
{
	for _ in 1 2; do PYTHONPATH=$PYDIR bg a "$PY" "$TMP/flood.py" "${PUB[b]}"; done
}

# All that b sends now are cookie replies of 64 bytes; no peer's counter has them.
counted()
{
	run <<'P'
def look():
    link = json.loads(output("b", "ip -s -j link show dev wg0"))[0]["stats64"]["tx"]
    return link["packets"], link["bytes"]
while True:
    while w.recv(0.5):
        pass
    before, peer = look(), output("b", "$WG show wg0 transfer").split()[2]
    reply(lambda: p.initiation()[:-16] + bytes(16), (3,))
    packets, size = (b - a for a, b in zip(before, look()))
    if size == 64 * packets:
        break
    # It took breath and responded.
    assert time.monotonic() < end, "%d datagrams of %d bytes" % (packets, size)
assert packets > 0
assert output("b", "$WG show wg0 transfer").split()[2] == peer
P
}

mac2()
{
	run <<'P'
m1 = p.initiation()
msg = reply(lambda: m1, (3,))
assert len(msg) == 64 and msg[:4] == b"\3\0\0\0" and w.tos == 0
p.take_cookie(msg)
other = p.cookie
for wrong in os.urandom(16), bytes(16):
    assert mostly(lambda: p.initiation()[:-16] + wrong) == 3, "answered in spite of a wrong mac2"
assert mostly(p.initiation) == 2, "another cookie in spite of mac2"
# The same address and port get the same cookie, sealed with another nonce.
nonce = msg[8:32]
while w.recv(0.5):
    pass
m1 = p.initiation()[:-16] + bytes(16)
msg = reply(lambda: m1, (3,))
p.take_cookie(msg)
assert p.cookie == other and msg[8:32] != nonce
P
}

# A cookie is for an address and a port.
others()
{
	run <<'P'
cookie()
elsewhere = Anywhere(("10.0.0.2", 1002))
assert mostly(p.initiation, elsewhere) == 3, "answered with the cookie of another port"
assert mostly(p.initiation) == 2
P
}

# The device initiates; our response needs a cookie too.
response()
{
	run <<'P'
while True:
    sh("b", "$WG set wg0 peer %s remove; $WG set wg0 peer %s endpoint 10.0.0.1:%d persistent-keepalive 25 "
       "allowed-ips 192.168.241.77/32" % (key, key, w.sock.getsockname()[1]))
    m1 = w.recv_kind(1, 20)
    assert m1, "no initiation"
    p.cookie = None
    m2 = p.accept(m1)
    msg = reply(lambda: m2, (3, 4))
    if msg[0] == 3:
        break                   # else it took breath: once more
p.take_cookie(msg)
m2 = p.accept(m1)
while True:
    msg = reply(lambda: m2, (3, 4))
    if msg[0] == 4 or msg[4:8] == m2[4:8]:
        break                   # else it answers what was sent before
assert msg[0] == 4 and p.open(msg) == b"", "the response was refused in spite of mac2"
sh("b", "$WG set wg0 peer %s persistent-keepalive 0" % key)
P
}

# Those who have a cookie are counted: 20 a second, five at once.
limited()
{
	ours || skip "needs our module's counters"
	run <<'P'
limit = lambda: int(output("b", "ethtool -S wg0 | sed -n 's/.*drop_rate_limited: //p'"))
cookie()
before, start = limit(), time.monotonic()
def garbage():
    return p.macs(struct.pack("<II", 1, 7) + os.urandom(108))
sent = 0
while limit() - before < 20:
    assert time.monotonic() < end, "%d sent, %d refused" % (sent, limit() - before)
    for i in range(50):
        w.send(garbage())
    sent += 50
    time.sleep(0.1)
P
}

subtest "mac2 without load" calm
flood
subtest "cookie replies in the counters" counted
subtest "wrong and right mac2" mac2
subtest "cookies of others" others
subtest "a response under load" response
subtest "a flood with right mac2" limited
finish
