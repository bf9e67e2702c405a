#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What waits for a session: how much, in which order it leaves, what happens to
# it when the session does not come.
#
#   a: peer in Python 10.0.0.1 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 2.3, 2.7, 4.2
# quick: uml
# timeout: 60
. "$(dirname "$0")/../lib.sh"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
cat > "$TMP/py.head" <<'P'
p = Peer(sys.argv[1], sys.argv[2])
key = base64.b64encode(p.public).decode()
w = Anywhere(("10.0.0.2", 1002))
w.sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)    # SO_RCVBUFFORCE
# A new peer has tried nothing yet; its first packet brings an initiation.
sh("b", "$WG set wg0 peer %s remove; $WG set wg0 peer %s endpoint 10.0.0.1:%d "
   "allowed-ips 192.168.241.77/32" % (key, key, w.sock.getsockname()[1]))
with ns("b"):
    inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

def dropped():
    return stat("b", "wg0", "tx_dropped")

def arrived():
    """Numbers of all packets that come within a moment, and a check that they
    are in the order of their nonces."""
    seen, nonces = [], []
    while True:
        msg = w.recv(0.5)
        if msg is None:
            assert nonces == list(range(len(nonces))), "nonces %r" % nonces
            return seen
        assert msg[0] == 4
        nonces.append(struct.unpack("<Q", msg[8:16])[0])
        plain = p.open(msg)
        seen.append(struct.unpack("!I", dissect(plain).data[:4])[0] if plain else None)
P
py_serve a
run() { py "$(< "$TMP/py.key")" "${PUB[b]}"; }

# 300 packets: the youngest 129 leave, in order, and no keepalive with them.
singles()
{
	run <<'P'
before = dropped()
for i in range(300):
    inner.sendto(struct.pack("!I", i) + bytes(60), ("192.168.241.77", 9))
w.send(p.accept(w.recv_kind(1)))
got = arrived()
assert got == list(range(171, 300)), got
assert dropped() - before == 171, dropped() - before
P
}

# Super-packets wait as they came: the bound is looked at before one is added, so
# that the last one is always whole.
batches()
{
	run <<'P'
inner.setsockopt(socket.IPPROTO_UDP, 103, 1000)
before = dropped()
def batch(first, count):
    inner.sendto(b"".join(struct.pack("!I", first + i) + bytes(996) for i in range(count)),
                 ("192.168.241.77", 9))
for i in range(3):
    batch(60 * i, 60)
assert dropped() == before, "two and one more is not too many"
m1 = w.recv_kind(1)
batch(180, 50)
last = 230
w.send(p.accept(m1))
got = arrived()
assert got == list(range(last - len(got), last)), got
# Before the last batch at most 128 were left: the reference drops to exactly
# that, single packets; we drop what came as one as one.
assert 50 + 60 <= len(got) <= 50 + 128, len(got)
assert dropped() - before == last - len(got)
P
}

# A keepalive is added only if nothing waits; with a packet waiting there is none.
keepalive()
{
	run <<'P'
inner.sendto(struct.pack("!I", 7), ("192.168.241.77", 9))
sh("b", "$WG set wg0 peer %s persistent-keepalive 60" % key)
w.send(p.accept(w.recv_kind(1)))
got = arrived()
assert got == [7], got
sh("b", "ip link set dev wg0 down; $WG set wg0 peer %s persistent-keepalive 0; ip link set dev wg0 up; "
   "ip addr replace 192.168.241.2/24 dev wg0; "
   "$WG set wg0 peer %s persistent-keepalive 60; $WG set wg0 peer %s persistent-keepalive 0; "
   "$WG set wg0 peer %s persistent-keepalive 60" % (key, key, key, key))
w.send(p.accept(w.recv_kind(1)))
got = arrived()
assert got == [None], "several requests are one keepalive: %r" % got
P
}

# What waits goes on down and with its peer, each packet counted once.
purged()
{
	run <<'P'
for how in "ip link set dev wg0 down; ip link set dev wg0 up; ip addr replace 192.168.241.2/24 dev wg0", \
        "$WG set wg0 peer %s remove" % key:
    before = dropped()
    for i in range(5):
        inner.sendto(struct.pack("!I", i), ("192.168.241.77", 9))
    m1 = w.recv_kind(1)
    assert dropped() == before
    sh("b", how)
    end = time.monotonic() + 5
    while dropped() - before != 5:
        assert time.monotonic() < end, "tx_dropped grew by %d" % (dropped() - before)
    w.send(p.accept(m1))
    assert w.recv(0.3) is None, "an answer to what was forgotten"
P
}

# A sender with a small buffer is not held up by what waits.
orphaned()
{
	run <<'P'
inner.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
inner.setblocking(False)
for i in range(100):
    inner.sendto(struct.pack("!I", i) + bytes(1000), ("192.168.241.77", 9))
w.send(p.accept(w.recv_kind(1)))
assert arrived() == list(range(100))
P
}

subtest "the youngest leave in their order" singles
subtest "a super-packet is added whole" batches
subtest "a keepalive only if nothing waits" keepalive
subtest "dropped on down and with the peer" purged
subtest "senders do not wait along" orphaned
finish
