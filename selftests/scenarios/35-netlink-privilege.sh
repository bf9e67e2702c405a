#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who may ask and change: capabilities of the caller and of who opened the
# socket, user namespaces, and devices whose sockets live in a namespace that is
# somebody else's or gone.
#
#   a [wg0]     @user: a user namespace with a network of its own     b
#
# spec 3.6, 3.7, 7.1, 7.3, 7.5 (2)
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

ns_add a b
key a
wg_dev a wg0 a 1001
bg - unshare -Urn sleep 1000
USER_PID=$BG
entered() { [ "$(readlink "/proc/$USER_PID/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
wait_for 5 entered || skip_all "no user namespaces"

# Python: give up all but some capabilities (mask), or enter a user namespace.
cat > "$TMP/who.py" <<'P'
import ctypes, errno, os, struct
libc = ctypes.CDLL(None, use_errno=True)
NET_ADMIN = 1 << 12
def only(mask):
    head = struct.pack("=Ii", 0x20080522, 0)
    sets = struct.pack("=6I", mask, mask, 0, 0, 0, 0)
    assert libc.capset(head, sets) == 0, os.strerror(ctypes.get_errno())
def nobody(keep):
    libc.prctl(8, 1, 0, 0, 0)   # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    only(keep)
def new_user():
    assert libc.unshare(0x10000000) == 0, os.strerror(ctypes.get_errno())
P
# as NS: nl with the helpers above; get() and e() say what the kernel thinks
as()
{
	local ns=$1 save=$PYDIR
	shift
	PYDIR=$TMP:$PYDIR nl "$ns" "$@"
	PYDIR=$save
}

refused()
{
	cat > "$TMP/body" <<'P'
def get(who, want):
    try:
        who.get("wg0")
        got = 0
    except OSError as x:
        got = x.errno
    c.equal("GET", name(got), want)
def both(what, who, want):
    c.equal("SET, " + what, name(who.call(W)), want)
    get(who, want)
P
	for case in "$@"; do
		echo "case: $case"
		{
			echo "from who import *"
			cat "$TMP/body"
			echo "$case"
		} | as a
	done
}

capabilities()
{
	refused 'both("root", g, "0")' \
		'nobody(0); both("root opened, nobody asks", g, "EPERM"); both("nobody", Genl(), "EPERM")' \
		'nobody(NET_ADMIN); both("nobody with the capability", Genl(), "0")' \
		'only(~NET_ADMIN & 0xffffffff); both("root without it", Genl(), "EPERM")' \
		'os.setresuid(65534, 65534, 0); n = Genl(); os.setresuid(0, 0, 0); both("nobody opened, root asks", n, "EPERM")' \
		'new_user(); both("a user namespace below", g, "EPERM"); both("opened there", Genl(), "EPERM")'
}

# In a user namespace of one's own everything is allowed.
own_namespace()
{
	on "@$USER_PID" ip link set dev lo up
	on "@$USER_PID" ip link add wg0 type wireguard
	on "@$USER_PID" ip link set dev wg0 up
	nl "@$USER_PID" <<'P'
e("all of it", W + u16(D_PORT, 7777) + u32(D_FWMARK, 5) + attr(D_PRIVATE, b"\x48" * 32) + peers(
    peer(key(1), attr(P_PSK, b"\1" * 32), nest(P_ALLOWED, allowed("10.0.0.1/32")))), "0")
d, found, _ = g.get("wg0")
c.equal("port, mark, peers", (d[D_PORT], d[D_FWMARK], list(found)),
        (struct.pack("=H", 7777), struct.pack("=I", 5), [key(1)]))
c.equal("keys", (d[D_PRIVATE], found[key(1)][0][P_PSK]), (b"\x48" * 32, b"\1" * 32))
P
	on "@$USER_PID" ss -Hlnu "sport = :7777" | grep -q .
	on "@$USER_PID" ip link del wg0
}

# The sockets of wg1 live in b, which is not the user's: it is his device, but
# port and mark are not his to change; nothing of such a request is done.
foreign_sockets()
{
	ip -n "$PFX-b" link add wg1 type wireguard
	ip -n "$PFX-b" link set dev wg1 netns "$USER_PID"
	on "@$USER_PID" ip link set dev wg1 name wg0
	nl "@$USER_PID" <<'P'
for what in (u16(D_PORT, 4000), u16(D_PORT, 0), u32(D_FWMARK, 3), u32(D_FWMARK, 0)):
    e("%s" % what, W + what + attr(D_PRIVATE, b"\x48" * 32) + peers(peer(key(1))), "EPERM")
d, found, _ = g.get("wg0")
c.equal("nothing was done", (d[D_PORT], d[D_FWMARK], D_PRIVATE in d, found), (bytes(2), bytes(4), False, {}))
e("what is his", W + attr(D_PRIVATE, b"\x48" * 32) + peers(peer(key(1), nest(P_ALLOWED, allowed("10.0.0.1/32")))), "0")
c.equal("peers", list(g.get("wg0")[1]), [key(1)])
P
	# He may open it: the port is the one it was created with.
	on "@$USER_PID" ip link set dev wg0 up
	on b ss -Hlnu | grep -q .
	# Root outside may do all of it, in the same namespace.
	nsenter -n -t "$USER_PID" "$WG" set wg0 listen-port 4001 fwmark 9
	listening b 4001
}

# The other way round: created in the user's namespace, now in a.
from_user()
{
	on "@$USER_PID" ip link add wg7 type wireguard
	nsenter -n -t "$USER_PID" ip link set dev wg7 netns "$PFX-a"
	wgc a set wg7 listen-port 4002 fwmark 8
	ip -n "$PFX-a" link set dev wg7 up
	on "@$USER_PID" ss -Hlnu "sport = :4002" | grep -q .
	ip -n "$PFX-a" link del wg7
}

# Nobody finds a device of another namespace, by name or by number.
other_network()
{
	local index
	index=$(on a cat /proc/net/dev_snmp6/wg0 | awk '$1 == "ifIndex" { print $2 }')
	nl b "$index" <<'P'
for what in (W, u32(D_IFINDEX, int(sys.argv[1]) + 1000)):
    e("SET", what, "ENODEV")
    try:
        g.dump_once(GET, what)
        c.true("refused", False)
    except OSError as x:
        c.equal("GET", name(x.errno), "ENODEV")
P
	# By both keys where it is, and by its other name.
	ip -n "$PFX-a" link property add dev wg0 altname tunnel
	nl a "$index" <<'P'
for what in (W, u32(D_IFINDEX, int(sys.argv[1])), attr(D_IFNAME, "tunnel")):
    e("SET", what, "0")
    d = dict(split(g.dump_once(GET, what)[0]))
    c.equal("name and number", (d[D_IFNAME], d[D_IFINDEX]), (b"wg0\0", struct.pack("=I", int(sys.argv[1]))))
P
}

# Where the sockets lived is gone: what needs it is refused, each with its errno.
sockets_gone()
{
	ns_add c
	ip -n "$PFX-c" link add wg0 type wireguard
	ip -n "$PFX-c" link set dev wg0 netns "$PFX-b"
	ip -n "$PFX-b" link set dev wg0 up
	ns_del c
	no_carrier() { ip -n "$PFX-b" link show wg0 | grep -q NO-CARRIER; }
	wait_for 10 no_carrier
	nl b <<'P'
port = g.get("wg0")[0][D_PORT]
for what in (u16(D_PORT, 4000), attr(D_PORT, port), u16(D_PORT, 0), u32(D_FWMARK, 0)):
    e("%s" % what, W + what + peers(peer(key(1))), "EPERM")
d, found, _ = g.get("wg0")
c.equal("nothing was done", (d[D_PORT], found), (port, {}))
e("the rest", W + attr(D_PRIVATE, b"\x48" * 32) + peers(
    peer(key(1), u16(P_KEEPALIVE, 1), attr(P_ENDPOINT, sockaddr4("10.0.0.1", 1)))), "0")
P
	ip -n "$PFX-b" link set dev wg0 down
	refute ip -n "$PFX-b" link set dev wg0 up 2> "$TMP/err"
	cat "$TMP/err"
	# ENONET
	grep -q 'Machine is not on the network' "$TMP/err"
	ip -n "$PFX-b" link del wg0
}

subtest "capabilities of the caller and of the socket's opener" capabilities
subtest "all is allowed in a user namespace of one's own" own_namespace
subtest "port and mark belong to where the sockets are" foreign_sockets
subtest "created by a user, moved to root" from_user
subtest "devices of other namespaces are not found" other_network
subtest "the namespace of the sockets is gone" sockets_gone
bg_end "$USER_PID"
finish
