#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hostile datagrams: malformed, wrong type, truncated, oversized, forged and
# replayed data.  Nothing answers, nothing changes, each drop has its reason.
#
#   a: peer in Python 10.0.0.1 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 1.2, 2.8, 5.1, 5.6
# timeout: 180
. "$(dirname "$0")/../lib.sh"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32

# py: a script with `p` (peer), `w` (wire); its counters are read by `state`
py()
{
	{
		printf 'import sys, time, os\nfrom noise import *\n'
		printf 'p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002))\n'
		cat
	} > "$TMP/script.py"
	PYTHONPATH=$PYDIR on a "$PY" "$TMP/script.py" "$(< "$TMP/py.key")" "${PUB[b]}"
}

state()
{
	wgc b show wg0 dump | cut -f1-4,6-
	on b cat /proc/net/dev | awk '/wg0:/'
}

# count REASON: the counter of our module; nothing elsewhere
count() { if ours; then drops b wg0 "$1"; else echo 0; fi; }

# grew REASON BEFORE BY
grew() { ! ours || equal "drop_$1" "$(drops b wg0 "$1")" $(($2 + $3)); }

malformed()
{
	local before
	before=$(count malformed)
	state > "$TMP/before"
	py <<'P'
# lengths off by one and far off, types that do not exist, reserved bytes set
n = 0
for kind, length in ((1, 147), (1, 149), (1, 4), (2, 91), (2, 93), (3, 63), (3, 65),
                     (4, 31), (4, 16), (4, 4), (0, 148), (5, 32), (255, 148), (4, 1), (1, 1)):
    w.send((bytes([kind, 0, 0, 0]) + os.urandom(200))[:length])
    n += 1
for reserved in (b"\1\1\0\0", b"\4\0\1\0", b"\2\0\0\1", b"\0\0\0\1"):
    w.send(reserved + os.urandom(144))
    n += 1
w.send(b"")
n += 1
w.send(os.urandom(65507))
w.send(b"\1\0\0\0" + os.urandom(60000))
n += 2
assert n == 22
assert w.recv(0.5) is None, "something answered"
P
	state | diff "$TMP/before" -
	grew malformed "$before" 22
}

unknown_index()
{
	local before
	before=$(count unknown_index)
	state > "$TMP/before"
	py <<'P'
for i in range(20):
    w.send(struct.pack("<IIQ", 4, i * 0x01010101, i) + os.urandom(16 * (i + 1)))
w.send(b"\4\0\0\0" + os.urandom(65507 - 4))
assert w.recv(0.3) is None
P
	state | diff "$TMP/before" -
	grew unknown_index "$before" 21
}

# Datagrams of a live session with anything but the tag right
bad_tag()
{
	local before
	before=$(count bad_tag)
	py <<'P'
w.session(p)
good = echo("192.168.241.77", "192.168.241.2")
w.send(p.data(good))
assert w.recv_kind(4)
bad = p.data(good)                      # counter used up: sent only broken
for at in (16, 40, len(bad) - 1):
    w.send(bad[:at] + bytes([bad[at] ^ 1]) + bad[at + 1:])
w.send(bad[:-1])                        # truncated
w.send(bad + b"\0")                     # longer
w.send(bad[:8] + struct.pack("<Q", 99) + bad[16:])    # another counter
w.send(struct.pack("<IIQ", 4, p.their, 1 << 40) + os.urandom(16))
assert w.recv_kind(4, 0.5) is None, "a forgery was answered"
# Forgeries moved no window: the genuine one passes, so do small counters.
w.send(bad)
assert w.recv_kind(4), "the genuine datagram was refused"
w.send(p.data(good))
assert w.recv_kind(4)
P
	grew bad_tag "$before" 7
}

replayed()
{
	local before
	before=$(count replay)
	py <<'P'
time.sleep(0.03)
w.session(p)
def ask(counter=None):
    msg = p.data(echo("192.168.241.77", "192.168.241.2"), counter)
    w.send(msg)
    return msg
def answered(limit=None):
    return w.recv_kind(4, limit) is not None
first = ask(1)
assert answered()
w.send(first)
assert not answered(0.3), "a replay was answered"
ask(10000)
assert answered()
ask(10000 - 8000)                       # old, still inside the window
assert answered(), "an old datagram inside the window was refused"
ask(10000 - 8000)
assert not answered(0.3), "a replay inside the window was answered"
ask(10000 - 8130)                       # one beyond, with words of 64 bit
assert not answered(0.3), "a datagram beyond the window was answered"
ask(9999)
ask(9998)
assert answered() and answered()
# out of order in one burst: each of 64 exactly once
burst = [p.data(echo("192.168.241.77", "192.168.241.2", i), 20000 + i) for i in range(64)]
for msg in reversed(burst):
    w.send(msg)
seen = set()
while len(seen) < 64:
    got = w.recv_kind(4)
    assert got, "only %d of 64" % len(seen)
    inner = p.open(got)
    seq = struct.unpack("!H", inner[26:28])[0]
    assert seq not in seen
    seen.add(seq)
for msg in burst:
    w.send(msg)
assert not answered(0.3)
P
	grew replay "$before" 67
}

limit_counter()
{
	py <<'P'
time.sleep(0.03)
w.session(p)
def ask(counter):
    w.send(p.data(echo("192.168.241.77", "192.168.241.2"), counter))
    return w.recv_kind(4, 0.5) is not None
top = (1 << 64) - 1
assert not ask(top), "the highest counter was accepted"
assert not ask(top - 8129 + 1), "a counter at the limit was accepted"
assert ask(5), "the session is dead"
P
}

# Inner packets of every length and garbage under a valid tag
inner_garbage()
{
	py <<'P'
time.sleep(0.03)
w.session(p)
for n in list(range(1, 70)) + [1400, 8000, 60000]:
    w.send(p.data(os.urandom(n)))
    w.send(p.data((b"\x45" + os.urandom(n))[:n]))
    w.send(p.data((b"\x60" + os.urandom(n))[:n]))
w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
assert w.recv_kind(4), "the session is dead"
P
}

cookie_unasked()
{
	state > "$TMP/before"
	py <<'P'
for i in range(5):
    w.send(struct.pack("<II", 3, i) + os.urandom(56))
assert w.recv(0.3) is None
P
	state | diff "$TMP/before" -
}

still_alive()
{
	py <<'P'
time.sleep(0.03)
w.session(p)
w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
assert w.recv_kind(4)
P
}

subtest "malformed, wrong length, unknown type" malformed
subtest "data for an unknown index" unknown_index
subtest "forged data of a live session" bad_tag
subtest "replays and the window" replayed
subtest "counters at the limit" limit_counter
subtest "garbage inside" inner_garbage
subtest "cookie replies nobody asked for" cookie_unasked
subtest "a genuine peer gets through" still_alive
finish
