#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hostile handshakes: wrong mac1, strangers, low-order keys, replayed and old
# initiations, responses twice, for others, or too late.
#
#   a: peer in Python 10.0.0.1:4001 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 1.5-1.7, 2.2, 5.2
# quick: uml
# timeout: 180
. "$(dirname "$0")/../lib.sh"

two_ns
key py stranger
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32

py()
{
	{
		printf 'import sys, time, os\nfrom noise import *\n'
		printf 'p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002), ("10.0.0.1", 4001))\n'
		cat
	} > "$TMP/script.py"
	PYTHONPATH=$PYDIR on a "$PY" "$TMP/script.py" "$(< "$TMP/py.key")" "${PUB[b]}" "$@"
}

grew() { ! ours || [ "$(drops b wg0 "$1")" -ge "$2" ] || { on b ethtool -S wg0; return 1; }; }
unknown() { equal "endpoint at b" "$(peer_field b wg0 py endpoint)" "(none)"; }

bad_mac1()
{
	py <<'P'
good = p.initiation()
for at in (8, 60, 100, 116, 131):
    w.send(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
assert w.recv(0.4) is None, "answered"
P
	unknown
	grew bad_mac1 5
}

strangers()
{
	py "$(< "$TMP/stranger.key")" <<'P'
s = Peer(sys.argv[3], sys.argv[2])
w.send(s.initiation())                              # a key nobody configured
w.send(p.initiation(static=s.public))               # claims one key, proves another
w.send(s.initiation(static=p.public))
assert w.recv(0.4) is None, "answered"
P
	unknown
	! ours || grew unknown_key 2
}

# Low-order points as ephemeral key, and as a configured peer's static key
low_order()
{
	py <<'P'
points = (bytes(32), b"\1" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))
for e in points:
    w.send(p.initiation(ephemeral=e))
assert w.recv(0.4) is None, "answered"
P
	unknown
	grew low_order 7
	# A peer whose key is zero may exist; handshakes with it do not.
	local zero=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= tx
	wgc b set wg0 peer $zero endpoint 10.0.0.1:4001 allowed-ips 192.168.241.66/32
	tx=$(dev_stat b wg0 tx_packets)
	no_reach b 192.168.241.66
	equal "datagrams to a low-order key" "$(dev_stat b wg0 tx_packets)" "$tx"
	wgc b set wg0 peer $zero remove
}

replayed_initiation()
{
	py <<'P'
first = p.initiation()
w.send(first)
assert w.recv_kind(2), "no response to a genuine initiation"
time.sleep(0.05)
w.send(first)
w.send(first)
assert w.recv(0.4) is None, "a replayed initiation was answered"
# older stamp, other keys: refused as well
w.send(p.initiation(stamp=tai64n(-60)))
assert w.recv(0.4) is None, "an old initiation was answered"
# a newer one is taken
w.session(p)
w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
assert w.recv_kind(4)
P
	equal "endpoint at b" "$(peer_field b wg0 py endpoint)" 10.0.0.1:4001
	grew old_timestamp 3
}

# A replay from elsewhere does not take the endpoint along.
replay_elsewhere()
{
	py <<'P'
msg = p.initiation()
w.send(msg)
m2 = w.recv_kind(2)
assert m2
p.response(m2)
d = p.data(echo("192.168.241.77", "192.168.241.2"))
w.send(d)
assert w.recv_kind(4)
o = Wire(("10.0.0.2", 1002), ("10.0.0.1", 4999))
time.sleep(0.05)
o.send(msg)
o.send(d)
assert o.recv(0.3) is None
P
	equal "endpoint at b" "$(peer_field b wg0 py endpoint)" 10.0.0.1:4001
}

too_fast()
{
	py <<'P'
time.sleep(0.05)
# Stamps differ, but both arrive within 20 ms: one answer. If b is late with the
# second there are two; not each time.
for n in range(5):
    a = p.initiation(stamp=tai64n(0.2 * n + 0.1))
    b = p.initiation(stamp=tai64n(0.2 * n + 0.2))
    w.send(a)
    w.send(b)
    assert w.recv_kind(2), "no answer at all"
    if not w.recv_kind(2, 0.4):
        break
else:
    assert False, "two answers"
time.sleep(1.3)                 # later subtests must not be older
P
}

# b initiates; one response gives one session, the second one nothing.
response_twice()
{
	wgc b set wg0 peer "${PUB[py]}" remove
	wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32 endpoint 10.0.0.1:4001
	bg b ping -n -q -c 60 -i 0.3 192.168.241.77 > /dev/null
	py <<'P'
# The first may have come before this socket was there, the next comes 5 s later.
m1 = w.recv_kind(1, 12)
assert m1, "no initiation"
first = p.accept(m1)
# wrong ones before: for another index, from a low-order key, broken
other = Peer(sys.argv[1], sys.argv[2])
for bad in (other.accept(m1[:4] + b"\0\1\2\3" + m1[8:]),
            other.accept(m1, ephemeral=bytes(32)),
            first[:50] + bytes([first[50] ^ 1]) + first[51:]):
    w.send(bad)
w.send(first)
data = w.recv_kind(4)
assert data, "no data after the response"
p.open(data)
second = Peer(sys.argv[1], sys.argv[2])
w.send(first)                   # the same again
w.send(second.accept(m1))       # another valid one for the same initiation
for _ in range(3):
    data = w.recv_kind(4)
    assert data, "the session died"
    p.open(data)                # still the first session's key and index
P
	bg_end "$BG"
	has_handshake b wg0 py
}

subtest "wrong mac1" bad_mac1
subtest "strangers and impostors" strangers
subtest "low-order keys" low_order
subtest "replayed and old initiations" replayed_initiation
subtest "a replay from elsewhere" replay_elsewhere
subtest "two initiations within 20 ms" too_fast
subtest "one initiation gives one session" response_twice
finish
