#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No memory: each allocation of each configuration step fails once, then
# allocations fail at random under handshakes and traffic. Nothing may be half
# done afterwards, nothing leak, and the tunnel works again at once.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 7.5, 4.7
# env: uml-kasan qemu-debug
# timeout: 300
# cpus: 2
. "$(dirname "$0")/../lib.sh"

FAULTS=/sys/kernel/debug
[ -e /proc/self/fail-nth ] || skip_all "kernel without fault injection"
[ -d $FAULTS/failslab ] || skip_all "no failslab"

# faults KEY VALUE: for both injectors
faults()
{
	local dir
	for dir in failslab fail_page_alloc; do
		[ ! -e "$FAULTS/$dir/$1" ] || echo "$2" > "$FAULTS/$dir/$1"
	done
}

# No words in the log: those look like complaints.
faults verbose 0
faults task-filter N
faults ignore-gfp-highmem 0
faults min-order 0

# Opening a file takes memory: these stay open.
exec 6> $FAULTS/failslab/probability 7> $FAULTS/fail_page_alloc/probability
probability()
{
	echo "$1" >&6
	echo "$1" >&7
}
probability 0

# nl: Python on standard input, in namespace a
nl()
{
	{
		cat <<'P'
import sys
from genl import *

c, g = Check(), Genl()
rt = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
nth = os.open("/proc/self/fail-nth", os.O_RDWR)
IFF_UP = 1
W = attr(D_IFNAME, "wg0")
# What a system call says when there is no memory. ENFILE is a socket's word.
NO_MEMORY = (errno.ENOMEM, errno.ENOBUFS, errno.ENFILE)


def link(kind, flags=0, change=0, index=0, *attrs, more=0):
    body = struct.pack("=BxHiII", 0, 0, index, flags, change) + b"".join(attrs)
    rt.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | ACK | more, 1, 0) +
            body)
    reply = rt.recv(1 << 16)
    return -struct.unpack("=i", reply[16:20])[0]


def index():
    try:
        return socket.if_nametoindex("wg0")
    except OSError:
        return 0


def add():
    # IFLA_LINKINFO { IFLA_INFO_KIND }, IFLA_IFNAME; NLM_F_CREATE | NLM_F_EXCL
    return link(16, 0, 0, 0, attr(3, "wg0"), nest(18, attr(1, "wireguard")),
                more=0x600)


def remove():
    return link(17, 0, 0, index()) if index() else 0


def up():
    return link(16, IFF_UP, IFF_UP, index())


def down():
    return link(16, 0, IFF_UP, index())


def try_with(n, op):
    """(errno of OP when its Nth allocation fails, whether it has that many)"""
    global g
    os.pwrite(nth, b"%d" % n, 0)
    try:
        err = op()
    except OSError as x:
        err = x.errno
    left = int(os.pread(nth, 32, 0).strip(b"\0\n"))
    os.pwrite(nth, b"0", 0)
    # An answer that came after its request was given up.
    for s in (rt, g.sock):
        s.setblocking(False)
        try:
            while s.recv(1 << 18):
                pass
        except OSError:
            pass
        s.setblocking(True)
    return err, left == 0


def every(what, op, undo, sane=lambda: True, errors=NO_MEMORY):
    """Fails each allocation of OP in turn, until OP makes do with fewer."""
    failed = 0
    for n in range(1, 3000):
        err, hit = try_with(n, op)
        if not hit:
            c.equal(what + ", enough memory", name(err), "0")
            break
        failed += err != 0
        c.true("%s, allocation %d: %s" % (what, n, name(err)), err in (0,) + errors)
        c.true("%s, allocation %d: what is left" % (what, n), sane())
        undo()
    print("%s: %d allocations, %d of them needed" % (what, n - 1, failed))
    c.true(what + ": an allocation mattered", failed > 0)


P
		cat
		echo 'c.done()'
	} > "$TMP/nl.py"
	PYTHONPATH=$PYDIR on a "$PY" "$TMP/nl.py"
}

# Each allocation of the calling process counts, also those that may wait.
exactly()
{
	faults ignore-gfp-wait 0
	nl
}

links()
{
	exactly <<'P'
# A device without memory for its name is EINVAL to the driver core.
every("add", add, remove, errors=NO_MEMORY + (errno.EINVAL,))
every("up", up, down)
every("remove", remove, lambda: index() or add())
P
}

settings()
{
	exactly <<'P'
add(), up()
A, B = key(1), key(2)
psk, private = b"\x55" * 32, b"\x42" * 32
TEXT = ["10.%d.0.0/16" % i for i in (1, 2, 3)] + ["fd00:%d::/32" % i for i in (1, 2, 3)]
FULL = [allowed(prefix) for prefix in TEXT]


def set_(*attrs):
    return lambda: g.call(W + b"".join(attrs))


def clear():
    c.equal("clear", name(g.call(W + u32(D_FLAGS, 1))), "0")


def some():
    """Whatever was done is a beginning of what was asked for."""
    found = g.get("wg0")[1]
    return set(found) <= {A, B} and all(set(have) <= set(TEXT) for _, have in found.values())


every("private key", set_(attr(D_PRIVATE, private)), set_(attr(D_PRIVATE, bytes(32))))
every("port", set_(u16(D_PORT, 1777)), set_(u16(D_PORT, 1001)))
every("peers", set_(peers(peer(A, attr(P_PSK, psk), attr(P_ENDPOINT, sockaddr4("10.0.0.2", 7)),
                               u16(P_KEEPALIVE, 5), nest(P_ALLOWED, *FULL)),
                          peer(B, nest(P_ALLOWED, allowed("10.1.0.0/16"))))), clear, some)
c.equal("port after all", struct.unpack("=H", g.get("wg0")[0][D_PORT])[0], 1777)
c.equal("peers after all", sorted(len(have) for _, have in g.get("wg0")[1].values()), [1, 5])
every("other allowed IPs", set_(peers(peer(A, u32(P_FLAGS, 2), nest(P_ALLOWED, *FULL[:2])))),
      set_(peers(peer(A, u32(P_FLAGS, 2), nest(P_ALLOWED, *FULL)))), some)
whole = g.get("wg0")[:2]


def dump():
    got = g.get("wg0")
    # Never a part of it without an error.
    c.true("a whole dump", got[:2] == whole)
    return 0


every("dump", dump, lambda: 0)
every("remove the peers", set_(u32(D_FLAGS, 1)), set_(peers(peer(A), peer(B))))
remove()
P
}

# One allocation in five fails while a command runs. A shell ends when it cannot
# fork: the one that turns this off starts nothing meanwhile.  $1: command
with_failures()
{
	local bound=1000000 after
	faults times $bound
	(set +e; trap - ERR; "$1") &
	probability 20
	wait $! || :
	probability 0
	after=$(< $FAULTS/failslab/times)
	faults times 1
	echo "$((bound - after)) allocations failed"
	[ "$after" -lt $((bound - 20)) ]
}

traffic()
{
	for _ in 1 2 3; do
		on a ping -n -q -i 0.002 -c 500 -s 3000 -W 1 192.168.241.2
		on b timeout 2 socat -u OPEN:/dev/zero UDP6:[fd00:241::1]:9
		timeout 4 head -c 300000 /dev/zero |
			on a timeout 4 socat -u - TCP:192.168.241.2:5400
	done
}

under_traffic()
{
	faults ignore-gfp-wait 1
	reach a 192.168.241.2
	bg b socat -u TCP6-LISTEN:5400,ipv6only=0,reuseaddr,fork OPEN:/dev/null
	with_failures traffic
	reach_soon a 192.168.241.2
	send_file a b 192.168.241.2 400
	send_file b a fd00:241::1 400
}

# cache NAME...: failslab looks at these only
caches()
{
	local cache
	for cache in /sys/kernel/slab/*/failslab; do
		echo 0 > "$cache" 2> /dev/null || :
	done
	for cache; do echo 1 > "/sys/kernel/slab/$cache/failslab"; done
	echo Y > $FAULTS/failslab/cache-filter
}

handshakes()
{
	local end=$((SECONDS + 12))
	while [ $SECONDS -lt $end ]; do
		# A key that changes ends the sessions.
		wgc a set wg0 peer "${PUB[b]}" remove
		wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32,fd00:241::2/128 \
			endpoint 10.0.0.2:1002
		on a ping -n -q -c 3 -i 0.2 -W 1 192.168.241.2
	done
}

under_handshakes()
{
	echo 0 > $FAULTS/failslab/ignore-gfp-wait
	# Messages, those that wait in the queue, sessions. Of kmalloc-1k are pipes.
	caches skbuff_head_cache skbuff_small_head kmalloc-512 kmalloc-2k
	with_failures handshakes
	echo N > $FAULTS/failslab/cache-filter
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32,fd00:241::2/128 \
		endpoint 10.0.0.2:1002
	reach_soon a 192.168.241.2
	send_file a b fd00:241::2 200
}

# What a cache still holds when the module goes shows in the kernel's log.
nothing_kept()
{
	ip -n "$PFX-a" link del wg0
	ip -n "$PFX-b" link del wg0
	rmmod wireguard
	modprobe wireguard
}

trap 'probability 0; cleanup; rm -rf "$TMP"' EXIT
ns_add a
subtest "each allocation of adding, raising and removing a link fails" links
subtest "each allocation of each setting fails" settings
ns_del a
two_peers 4
subtest "traffic while allocations fail, and after" under_traffic
subtest "handshakes while allocations fail, and after" under_handshakes
subtest "the caches are empty" nothing_kept
finish
