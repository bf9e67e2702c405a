#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A hundred thousand peers on one device: added, found, dumped whole and in
# order, taken up and down, removed, each in bounded time; and the memory is
# there again afterwards.
#
#   a [wg0, 100000 peers] -- eth0 ------- eth0 -- [wg0] b
#
# The bounds are many times what it takes: they are for what grows faster than
# the number of peers.
#
# spec 2.4, 6, 7.4-7.6
# env: uml
# timeout: 400
. "$(dirname "$0")/../lib.sh"

# The kernel's own module takes minutes for a new key and for a deletion.
ours || skip_all "for our module only"
two_peers 4
N=100000

# within SECONDS CMD...
within()
{
	local limit=$1 start=$EPOCHREALTIME took
	shift
	"$@"
	took=$(ms_since "$start")
	echo "$* took $took ms"
	[ "$took" -le $((limit * SCALE * 1000)) ]
}

available() { awk '/^MemAvailable/ { print $2 }' /proc/meminfo; }

# All in one process, which has a thousand peers in mind at a time.
cat > "$TMP/many.py" <<'P'
import sys, time
from genl import *
N = int(sys.argv[1]) if len(sys.argv) > 1 else 0
def prefix_of(n):
    return "10.%d.%d.%d/32" % (n >> 16, n >> 8 & 255, n & 255)
def add(g, count):
    for at in range(0, count, 500):
        err = g.call(attr(D_IFNAME, "wg0") + peers(*[
            peer(key(n), nest(P_ALLOWED, allowed(prefix_of(n)))) for n in range(at, min(at + 500, count))]))
        assert not err, (at, name(err))
def count(g):
    """How many peers a dump shows; each must be the one that is next."""
    n, end = 0, None
    g.begin("wg0")
    while end is None:
        blocks, cut, end = g.more()
        assert not cut
        for block in blocks:
            for kind, data in split(block):
                if kind != D_PEERS:
                    continue
                for _, one in split(data):
                    who = one[4:36]
                    if n < N:
                        assert who == key(n), (n, who)
                    n += 1
    assert end == 0
    return n
P

many()
{
	local save=$PYDIR
	PYDIR=$TMP:$PYDIR nl a "$@" < <(echo "from many import *"; cat)
	PYDIR=$save
}

added()
{
	available > "$TMP/memory"
	# The real one comes last.
	wgc a set wg0 peer "${PUB[b]}" remove
	many "$N" <<'P'
add(g, N)
P
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32 endpoint 10.0.0.2:1002
	echo "$((($(< "$TMP/memory") - $(available)) / (N / 1000))) bytes a peer"
}

dumped()
{
	many "$N" <<'P'
c.equal("peers", count(g), N + 1)
P
}

traffic() { pings a 192.168.241.2 5; }

# One peer more or less does not cost more than it would with few of them.
single()
{
	many "$N" <<'P'
begin = time.monotonic()
for n in range(1000):
    k = key(N + n)
    c.equal("set", name(g.call(W + peers(peer(k, nest(P_ALLOWED, allowed("11.0.%d.%d/32" % (n >> 8, n & 255))))))), "0")
took = time.monotonic() - begin
print("1000 additions took", took)
c.true("fast", took < 10)
c.equal("removed", name(g.call(W + peers(*[peer(key(N + n), u32(P_FLAGS, 1)) for n in range(1000)]))), "0")
P
}

down_up()
{
	ip -n "$PFX-a" link set dev wg0 down
	ip -n "$PFX-a" link set dev wg0 up
}

changed() { wgc a set wg0 fwmark 1; wgc a set wg0 private-key "$TMP/b.key"; wgc a set wg0 private-key "$TMP/a.key" fwmark 0; }

removed()
{
	many "$N" <<'P'
c.equal("removed", name(g.call(W + u32(D_FLAGS, 1))), "0")
c.equal("peers", count(Genl()), 0)
P
}

# What is freed after a grace period comes back a little later.
memory_back()
{
	back() { [ "$(available)" -gt $(($(< "$TMP/memory") - 20000)) ] || { available; return 1; }; }
	cat "$TMP/memory"
	wait_for 20 back
	available
}

again_and_delete()
{
	many "$N" <<'P'
add(g, N)
P
	ip -n "$PFX-a" link del wg0
	memory_back
}

subtest "added" within 60 added
subtest "dumped whole and in order" within 30 dumped
subtest "traffic to the last of them" traffic
subtest "one more and one less" single
subtest "down and up" within 30 down_up
subtest "mark and identity" within 60 changed
subtest "removed at once" within 30 removed
subtest "the memory is back" memory_back
subtest "the device is deleted with all of them" within 120 again_and_delete
finish
