#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Dumps of many messages: where they are split, what a change between two
# messages does, and readers that begin a dump and do not read on while the
# device, its namespace or its peers go.
#
#   a [wg0] alone
#
# The kernel makes a message of a dump when the one before it is read: a reader
# that stops holds the dump where it is.
#
# spec 7.3, 7.4
# quick: uml
# timeout: 240
. "$(dirname "$0")/../lib.sh"

ns_add a
key a
wg_dev a wg0 a 1001
# As many allowed IPs as 255 nests of 512 hold, where that takes no minutes.
case $WG_ENV in
uml | uml-smp) LOTS=130560 ;;
*) LOTS=15000 ;;
esac

# Python for all subtests: fill() makes peers, each with a few allowed IPs.
cat > "$TMP/fill.py" <<'P'
from genl import *
def ips(first, count):
    return ["10.%d.%d.%d/32" % (n >> 16, n >> 8 & 255, n & 255) for n in range(first, first + count)]
def give(g, who, prefixes, at=1900):
    for i in range(0, len(prefixes), at):
        err = g.call(attr(D_IFNAME, "wg0") + peers(peer(who, nest(P_ALLOWED, *map(allowed, prefixes[i:i + at])))))
        assert not err, name(err)
def fill(g, count, each=3):
    assert not g.call(attr(D_IFNAME, "wg0") + u32(D_FLAGS, 1))
    for n in range(0, count, 100):
        err = g.call(attr(D_IFNAME, "wg0") + peers(*[
            peer(key(k), nest(P_ALLOWED, *map(allowed, ips(k * each, each)))) for k in range(n, min(count, n + 100))]))
        assert not err, name(err)
def keys(blocks):
    """Public keys in order, each once even if it is continued."""
    out = []
    for block in blocks:
        for kind, data in split(block):
            if kind == D_PEERS:
                for _, one in split(data):
                    who = dict(split(one))[P_PUBLIC]
                    if not out or out[-1] != who:
                        out.append(who)
    return out
P

py()
{
	local save=$PYDIR ns=$1
	shift
	PYDIR=$TMP:$PYDIR nl "$ns" "$@" < <(echo "from fill import *"; cat)
	PYDIR=$save
}

# One peer with very many allowed IPs between two with few: what the messages
# after the first one hold, order, and that nothing is lost or shown twice.
lots()
{
	py a "$LOTS" <<'P'
total = int(sys.argv[1])
many = ips(0, total)
e("first", W + u32(D_FLAGS, 1) + peers(peer(key(1), attr(P_PSK, b"\1" * 32), nest(P_ALLOWED, allowed("11.0.0.1/32")))), "0")
give(g, key(2), many)
e("last", W + peers(peer(key(3), nest(P_ALLOWED, allowed("11.0.0.3/32")))), "0")
d, found, blocks = g.get("wg0")
c.true("not interrupted", not g.interrupted)
c.equal("peers", list(found), [key(1), key(2), key(3)])
c.equal("allowed IPs", found[key(2)][1], many)
c.equal("of the others", (found[key(1)][1], found[key(3)][1]), (["11.0.0.1/32"], ["11.0.0.3/32"]))
c.true("messages: %d" % len(blocks), len(blocks) > total // 1500)
kinds = lambda data: [k for k, _ in split(data)]
for n, block in enumerate(blocks[1:]):
    c.equal("message %d" % (n + 1), kinds(block), [D_PEERS])
    first = split(dict(split(block))[D_PEERS])[0][1]
    c.equal("what is continued", kinds(first), [P_PUBLIC, P_ALLOWED])
    c.equal("whom", dict(split(first))[P_PUBLIC], key(2))
    if c.bad:
        break
P
}

# The first peer overflows: the device comes again with each of its messages.
first_is_split()
{
	py a <<'P'
many = ips(0, 5000)
e("clear", W + u32(D_FLAGS, 1) + u32(D_FWMARK, 6), "0")
give(g, key(1), many)
fields, found, blocks = g.get("wg0")
c.equal("allowed IPs", found[key(1)][1], many)
c.true("messages", len(blocks) > 3)
again = [D_PORT, D_FWMARK, D_IFINDEX, D_IFNAME, D_PRIVATE, D_PUBLIC, D_PEERS]
c.equal("each message", [[k for k, _ in split(b)] for b in blocks], [again] * len(blocks))
e("mark", W + u32(D_FWMARK, 0), "0")
P
}

# A small buffer gives small messages, and the same dump.
small_buffers()
{
	py a <<'P'
fill(g, 300, each=5)
whole = g.get("wg0")
c.equal("peers", list(whole[1]), [key(k) for k in range(300)])
small = Genl(size=4096)
got = small.get("wg0")
c.equal("the same", got[:2], whole[:2])
c.true("more messages: %d, %d" % (len(got[2]), len(whole[2])), len(got[2]) > len(whole[2]))
c.true("that fit", max(map(len, got[2])) < 4096)
P
}

# What is a change: each request that was let in, also one that did nothing or
# failed later on. What is refused before is none.
generations()
{
	py a <<'P'
h = Genl()
fill(g, 300)
def during(what, payload, errno, cut):
    h.begin("wg0")
    first = h.more()
    e(what, payload, errno)
    rest = h.rest()
    c.equal(what + ": interrupted", first[1] or rest[1], cut)
    c.equal(what + ": end", rest[2], 0)
    c.equal(what + ": peers", keys(first[0] + rest[0]), [key(k) for k in range(300)])
during("no change", u32(D_IFINDEX, 0), "ENODEV", False)
during("both", W + u32(D_IFINDEX, 1), "EBADR", False)
during("policy", W + u8(D_PORT, 0), "EINVAL", False)
during("nothing", W, "0", True)
during("same mark", W + u32(D_FWMARK, 0), "0", True)
during("error of the peer", W + peers(peer(key(0), u32(P_VERSION, 2))), "EPFNOSUPPORT", True)
during("key of a peer", W + peers(peer(key(299), attr(P_PSK, b"\1" * 32))), "0", True)
P
}

# Peers that go between two messages.
peers_go()
{
	py a <<'P'
h = Genl(size=4096)
def remove(*which):
    e("remove", W + peers(*[peer(key(k), u32(P_FLAGS, 1)) for k in which]), "0")
# One that has been shown and one that has not
fill(g, 300)
h.begin("wg0")
first = h.more()
shown = len(keys(first[0]))
c.true("shown at first: %d" % shown, 3 < shown < 100)
remove(0, 299)
rest = h.rest()
c.equal("cut, end", rest[1:], (True, 0))
c.equal("peers", keys(first[0] + rest[0]), [key(k) for k in range(299)])
# Each where the dump could stand: it ends there, or shows all the others
fill(g, 300)
h.begin("wg0")
first = h.more()
seen = len(keys(first[0]))
remove(*range(seen, 250))
rest = h.rest()
c.equal("cut, end", rest[1:], (True, 0))
c.true("nobody behind who is gone", not set(keys(rest[0])) & set(key(k) for k in range(250, 300)))
# All of them
fill(g, 300)
h.begin("wg0")
first = h.more()
e("all", W + u32(D_FLAGS, 1), "0")
rest = h.rest()
c.equal("cut, end", rest[1:], (True, 0))
e("all the same peers again", W + peers(*[peer(key(k)) for k in range(300)]), "0")
c.equal("a new dump", (list(h.get("wg0")[1]), h.interrupted), ([key(k) for k in range(300)], False))
# The same keys, but other peers: nothing of the old cursor may be used.
h.begin("wg0")
h.more()
e("replaced", W + u32(D_FLAGS, 1) + peers(*[peer(key(k)) for k in range(300)]), "0")
c.equal("cut, end", h.rest()[1:], (True, 0))
P
}

# A peer's allowed IPs change while it is half shown: the rest of it is left
# out, that of others is not.
allowed_change()
{
	py a <<'P'
h = Genl()
def half(what, payload):
    fill(g, 1)
    give(g, key(7), ips(1000, 4000))
    give(g, key(8), ["11.0.0.8/32"])
    h.begin("wg0")
    first = h.more()
    n = len(merged(first[0])[1][key(7)][1])
    c.true("half: %d" % n, 0 < n < 4000)
    e(what, payload, "0")
    rest = h.rest()
    c.equal("cut, end", rest[1:], (True, 0))
    got = merged(first[0] + rest[0])[1]
    shown = got[key(7)][1]
    return n, shown, got
n, shown, got = half("one more", W + peers(peer(key(7), nest(P_ALLOWED, allowed("11.0.0.7/32")))))
c.true("cut short: %d of %d" % (len(shown), n), len(shown) < 4000)
c.equal("as it was", shown, ips(1000, len(shown)))
c.equal("the next peer", got.get(key(8), (0, None))[1], ["11.0.0.8/32"])
n, shown, got = half("all go", W + peers(peer(key(7), u32(P_FLAGS, 2))))
c.equal("as it was", shown, ips(1000, len(shown)))
n, shown, got = half("the last one shown moves away", W + peers(*[
    peer(key(9), nest(P_ALLOWED, *map(allowed, ips(1000, 1500))))]))
c.equal("as it was", shown, ips(1000, len(shown)))
# Another peer's list does not matter to this one.
n, shown, got = half("of another", W + peers(peer(key(8), nest(P_ALLOWED, allowed("11.0.0.9/32")))))
# (The kernel's own module counts changes for the whole device.)
c.equal("all of it", shown, ips(1000, 4000 if OURS else len(shown)))
c.equal("the other", got[key(8)][1], ["11.0.0.8/32", "11.0.0.9/32"])
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

# Readers do not disturb each other; one socket has one dump at a time.
several_readers()
{
	py a <<'P'
fill(g, 400)
readers = [Genl() for _ in range(4)]
for r in readers:
    r.begin("wg0")
out = [[] for _ in readers]
end = [None] * 4
while None in end:
    for n, r in enumerate(readers):
        if end[n] is None:
            blocks, cut, end[n] = r.more()
            out[n] += blocks
            c.true("not cut", not cut)
c.equal("ends", end, [0] * 4)
for blocks in out:
    c.equal("peers", keys(blocks), [key(k) for k in range(400)])
r = readers[0]
r.begin("wg0")
r.send(GET, W, REQUEST | DUMP)
errors = []
while not errors:
    errors = [-struct.unpack("=i", b[:4])[0] for k, _, b in r.messages() if k == ERROR]
c.equal("a second one", name(errors[0]), "EBUSY")
P
}

# A reader in the background that has begun a dump, so that one message waits
# for it, and says later what became of it. Sets PAUSED.
paused()
{
	cat > "$TMP/paused.py" <<'P'
import os, sys
from fill import *
g = Genl()
g.begin("wg0")
open(sys.argv[1], "w").close()
what = open(sys.argv[2]).read().strip()
if what == "read":
    blocks, cut, end = g.rest()
    print(len(blocks), "more, end", name(end), flush=True)
os._exit(0)
P
	rm -f "$TMP/begun" "$TMP/go"
	mkfifo "$TMP/go"
	PYTHONPATH=$TMP:$PYDIR bg "$1" "$PY" "$TMP/paused.py" "$TMP/begun" "$TMP/go" > "$TMP/paused.out" 2>&1
	PAUSED=$BG
	wait_for 10 [ -e "$TMP/begun" ]
}

# ended read|leave WANTED: the reader goes on, or goes
ended()
{
	echo "$1" > "$TMP/go"
	wait "$PAUSED"
	equal "the reader's dump" "$(cat "$TMP/paused.out")" "$2"
}

# within SECONDS CMD...
within()
{
	local limit=$1 start=$EPOCHREALTIME
	shift
	timeout $((limit * SCALE * 4)) "$@"
	[ "$(ms_since "$start")" -le $((limit * SCALE * 1000)) ]
}

filled()
{
	py "$1" <<'P'
fill(g, 500)
P
}

# The kernel's own module lets the deletion wait for the reader.
deleted()
{
	ours || skip "waits for the reader"
	local how
	for how in read leave; do
		filled a
		paused a
		within 5 ip -n "$PFX-a" link del wg0
		if [ $how = read ]; then
			ended read "1 more, end ENODEV"
		else
			ended leave ""
		fi
		wg_dev a wg0 a 1001
	done
}

# Deleted and made again under the same number and name, filled alike.
replaced()
{
	ours || skip "waits for the reader"
	local index
	index=$(ip -n "$PFX-a" -o link show wg0 | cut -d: -f1)
	filled a
	paused a
	ip -n "$PFX-a" link del wg0
	ip -n "$PFX-a" link add wg0 index "$index" type wireguard
	wgc a set wg0 private-key "$TMP/a.key"
	filled a
	echo read > "$TMP/go"
	wait "$PAUSED"
	cat "$TMP/paused.out"
	# Of the new one nothing is shown, whoever notices.
	grep -q '^1 more, end' "$TMP/paused.out"
	# Another device that is none of ours under that number
	paused a
	ip -n "$PFX-a" link del wg0
	ip -n "$PFX-a" link add wg0 index "$index" type dummy
	ended read "1 more, end ENODEV"
	ip -n "$PFX-a" link del wg0
	wg_dev a wg0 a 1001
}

# Moved away it is not to be found; back again the dump goes on.
moved()
{
	ours || skip "goes on with the device"
	ns_add x
	filled a
	paused a
	ip -n "$PFX-a" link set dev wg0 netns "$PFX-x"
	ended read "1 more, end ENODEV"
	ip -n "$PFX-x" link set dev wg0 netns "$PFX-a"
	paused a
	ip -n "$PFX-a" link set dev wg0 netns "$PFX-x"
	ip -n "$PFX-x" link set dev wg0 netns "$PFX-a"
	echo read > "$TMP/go"
	wait "$PAUSED"
	cat "$TMP/paused.out"
	grep -q 'more, end 0$' "$TMP/paused.out"
	refute grep -q '^1 more' "$TMP/paused.out"
	ns_del x
}

# Namespaces that go: where its sockets are, and where reader and device are.
namespaces_go()
{
	ns_add x y watch
	ip -n "$PFX-y" link add wg0 type wireguard
	ip -n "$PFX-y" link set dev wg0 netns "$PFX-x"
	ip -n "$PFX-watch" link add tox type veth peer name watched netns "$PFX-x"
	filled x
	paused x
	ns_del y
	no_carrier() { ip -n "$PFX-x" -o link show wg0 | grep -q 'wg0.*state DOWN'; }
	wait_for 10 no_carrier
	ended read "3 more, end 0" || grep -q 'more, end 0$' "$TMP/paused.out"
	paused x
	ns_del x
	# Its name has gone, the reader holds it until he leaves.
	stays 1 ip -n "$PFX-watch" link show tox > /dev/null
	ended leave ""
	x_gone() { ! ip -n "$PFX-watch" link show tox > /dev/null 2>&1; }
	wait_for 20 x_gone
	ns_del watch
}

# The module stays while somebody is in it, and can go afterwards.
unloaded()
{
	[ "$(ip -o link show type wireguard | wc -l)" = 0 ] || skip "other devices"
	filled a
	paused a
	refute rmmod wireguard
	ended leave ""
	rmmod wireguard
	modprobe wireguard
	wg_dev a wg0 a 1001
	filled a
}

# Dumps by several readers while peers and the device itself come and go.
churn()
{
	local n readers=
	ip -n "$PFX-a" link del wg0
	wg_dev a wg0 a 1001
	cat > "$TMP/churn.py" <<'P'
import time
from fill import *
g = Genl()
end = time.monotonic() + 4
count = 0
while time.monotonic() < end:
    try:
        blocks = g.dump_once(GET, attr(D_IFNAME, "wg0"))
        keys(blocks)
        count += 1
    except OSError as x:
        assert x.errno == errno.ENODEV, x
print(count, "dumps")
P
	for n in 1 2 3; do
		PYTHONPATH=$TMP:$PYDIR bg a "$PY" "$TMP/churn.py" > "$TMP/churn.$n" 2>&1
		readers="$readers $BG"
	done
	for n in 1 2 3 4; do
		filled a
		ip -n "$PFX-a" link del wg0
		ip -n "$PFX-a" link add wg0 type wireguard
	done
	filled a
	for BG in $readers; do
		wait "$BG" || { cat "$TMP"/churn.?; return 1; }
	done
	cat "$TMP"/churn.?
	[ "$(cat "$TMP"/churn.? | awk '{ n += $1 } END { print n }')" -gt 3 ]
}

subtest "one peer with $LOTS allowed IPs" lots
subtest "the first peer is split" first_is_split
subtest "small buffers" small_buffers
subtest "what counts as a change" generations
subtest "peers go between two messages" peers_go
subtest "allowed IPs change between two messages" allowed_change
subtest "several readers" several_readers
subtest "the device is deleted" deleted
subtest "the device is deleted and made again" replaced
subtest "the device moves to another namespace" moved
subtest "namespaces go" namespaces_go
subtest "the module is wanted out" unloaded
subtest "devices and peers come and go" churn
finish
