#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The network device as ip(8), ethtool(8), sysfs and raw rtnetlink see it: what
# it says about itself, what may be changed, what opening it does to the
# settings of its namespace, and who loads the module.
#
#   a [wg0 ...] -- eth0 ------- eth0 -- [wg0] b
#
# spec 3.1-3.4
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4

# link DEV KEY...: values from `ip -d -j link`
link()
{
	ipn a -d -j link show dev "$1" | "$PY" -c '
import json, sys
d = json.load(sys.stdin)[0]
for k in sys.argv[1:]:
    v = d
    for part in k.split("."):
        v = v.get(part, "none") if isinstance(v, dict) else "none"
    print(",".join(v) if isinstance(v, list) else v, end=" ")' "${@:2}"
}

# fresh [OPTION]...: a new wg1, whatever an earlier subtest left
fresh()
{
	ipn a link del wg1 2> /dev/null || :
	ipn a link add wg1 "$@" type wireguard
}

# sys DEV FILE: below /sys/class/net
sys() { ip netns exec "$PFX-a" cat "/sys/class/net/$1/$2"; }

identity()
{
	fresh
	equal "ip -d link" "$(link wg1 link_type linkinfo.info_kind linkinfo.info_data flags mtu min_mtu max_mtu qdisc operstate address broadcast)" \
		"none wireguard none POINTOPOINT,NOARP 1420 0 2147483552 noop DOWN none none "
	equal "queue" "$(link wg1 txqlen num_tx_queues promiscuity)" "1000 1 0 "
	equal "type" "$(sys wg1 type)" 65534
	equal "addr_len" "$(sys wg1 addr_len)" 0
	equal "flags" "$(sys wg1 flags)" 0x90
	sys wg1 uevent | grep -qx DEVTYPE=wireguard
	ipn a link set dev wg1 up
	equal "up" "$(link wg1 qdisc flags)" "noqueue POINTOPOINT,NOARP,UP,LOWER_UP "
	equal "gso_max_size" "$(link wg1 gso_max_size gso_max_segs)" "65536 65535 "
	! ours || equal "tso_max_size" "$(link wg1 tso_max_size)" "524280 "
	ipn a link del wg1
}

mtu()
{
	local m
	fresh mtu 9000
	for m in 9000 1280 576 68 1 0 1420 65535 2147483552; do
		ipn a link set dev wg1 mtu $m
		equal "mtu" "$(sys wg1 mtu)" $m
	done
	refute ipn a link set dev wg1 mtu 2147483553
	refute ipn a link set dev wg1 mtu 4294967295
	equal "mtu" "$(sys wg1 mtu)" 2147483552
	refute ipn a link add wg2 mtu 2147483553 type wireguard
	ipn a link set dev wg1 up
	ipn a link del wg1
}

# No hardware address, no broadcast; what ip(8) can set is set.
settings()
{
	fresh
	refute ipn a link set dev wg1 address 02:00:00:00:00:01
	ipn a link set dev wg1 txqueuelen 77
	equal "qlen" "$(sys wg1 tx_queue_len)" 77
	ipn a link set dev wg1 alias something
	ipn a link set dev wg1 group 9
	ipn a link set dev wg1 name wg1x
	equal "name" "$(wgc a show interfaces | tr ' ' '\n' | sort | tr '\n' ' ')" "wg0 wg1x "
	ipn a link set dev wg1x up
	refute ipn a link set dev wg1x type wireguard foo
	# It can carry a qdisc, be part of a VRF, but not of a bridge.
	on a tc qdisc replace dev wg1x root fq
	on a tc qdisc del dev wg1x root
	ipn a link add br0 type bridge
	refute ipn a link set dev wg1x master br0
	ipn a link del br0
	ipn a link del wg1x
}

# Without a name the kind gives it; several at once in one namespace, and in another.
unnamed()
{
	local n
	for n in 0 1 2; do ipn a link add type wireguard; done
	for n in 0 1 2; do equal "kind" "$(link wireguard$n linkinfo.info_kind)" "wireguard "; done
	for n in 0 1 2; do ipn a link del wireguard$n; done
	refute ipn a link add wg0 type wireguard
	ns_add c
	ipn a link add wgc netns "$PFX-c" type wireguard
	refute ipn a link show wgc
	ipn c link set dev wgc up
	# Its sockets are where it was asked for.
	on a ss -Hlnu | grep -q "$(wgc c show wgc listen-port)"
	equal "sockets in c" "$(on c ss -Hlnu)" ""
	ns_del c
}

# Raw rtnetlink: data that nobody knows is ignored when a link is made, and
# nothing can be changed by it.
raw()
{
	PYTHONPATH=$PYDIR on a "$PY" - <<'P'
from genl import *
c = Check()
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.settimeout(30)
s.bind((0, 0))
def link(kind, flags, *attrs):
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + b"".join(attrs)
    s.send(struct.pack("=IHHII", 16 + len(body), kind, flags | REQUEST | ACK, 1, 0) + body)
    return name(-struct.unpack("=i", s.recv(8192)[16:20])[0])
NEW, DEL, CREATE, EXCL = 16, 17, 0x400, 0x200
ifname, mtu, info, info_kind, info_data = 3, 4, 18, 1, 2
name9 = attr(ifname, "wg9")
def wireguard(*data):
    return nest(info, attr(info_kind, b"wireguard\0"), *data)
junk = nest(info_data, u32(1, 7), u32(99, 7))
c.equal("with unknown data", link(NEW, CREATE | EXCL, name9, wireguard(junk)), "0")
c.equal("again", link(NEW, CREATE | EXCL, name9, wireguard()), "EEXIST")
c.equal("nothing to change", link(NEW, 0, name9, wireguard()), "0")
c.equal("unknown data to change", link(NEW, 0, name9, wireguard(junk)), "EOPNOTSUPP")
c.equal("another kind", link(NEW, 0, name9, nest(info, attr(info_kind, b"dummy\0"), junk)), "EOPNOTSUPP")
c.equal("a mtu", link(NEW, 0, name9, u32(mtu, 1300)), "0")
c.equal("a mtu beyond", link(NEW, 0, name9, u32(mtu, 0x80000000)), "EINVAL")
c.equal("an address", link(NEW, 0, name9, attr(1, bytes(6))), "EOPNOTSUPP")
c.equal("deleted", link(DEL, 0, name9), "0")
c.equal("deleted again", link(DEL, 0, name9), "ENODEV")
c.done()
P
}

# features DEV: those that are on
features() { on a ethtool -k "$1" | awk '$2 == "on" { sub(":", ""); print $1 }' | sort | tr '\n' ' '; }

offloads()
{
	local name f
	fresh
	on a ethtool -k wg1
	f=" $(features wg1)"
	for name in rx-checksumming tx-checksumming tx-checksum-ip-generic scatter-gather tx-scatter-gather \
		tcp-segmentation-offload tx-tcp-segmentation tx-tcp-ecn-segmentation tx-tcp6-segmentation \
		generic-segmentation-offload generic-receive-offload tx-sctp-segmentation highdma \
		tx-udp-segmentation; do
		[[ $f == *" $name "* ]] || fail "$name is off"
	done
	! ours || for name in gre gre-csum ipxip4 ipxip6 udp_tnl udp_tnl-csum; do
		[[ $f == *" tx-$name-segmentation "* ]] || fail "tx-$name-segmentation is off"
	done
	for name in vlan-challenged netns-local tx-nocache-copy loopback rx-fcs hw-tc-offload; do
		[[ $f != *" $name "* ]] || fail "$name is on"
	done
	for name in tx rx sg tso gso gro; do
		on a ethtool -K wg1 $name off
	done
	f=" $(features wg1)"
	for name in rx-checksumming tx-checksum-ip-generic scatter-gather tx-tcp-segmentation \
		generic-segmentation-offload generic-receive-offload; do
		[[ $f != *" $name "* ]] || fail "$name stays on"
	done
	ipn a link del wg1
}

tool()
{
	on a ethtool -i wg0 | grep -qx 'driver: wireguard'
	ours || skip "needs our module"
	on a ethtool wg0 | grep -q 'Link detected: yes'
	local n flag
	fresh
	on a ethtool -S wg1 > "$TMP/stats"
	n=$(grep -c ': 0$' "$TMP/stats")
	[ "$n" -ge 10 ]
	equal "counters that do not begin at 0" "$(grep -c ': [^0]' "$TMP/stats")" 0
	equal "the same name twice" "$(sort "$TMP/stats" | uniq -d)" ""
	for flag in udp-gso udp-gro; do
		on a ethtool --set-priv-flags wg1 $flag off
		on a ethtool --show-priv-flags wg1 | grep -q "^$flag *: off"
		on a ethtool --set-priv-flags wg1 $flag on
		on a ethtool --show-priv-flags wg1 | grep -q "^$flag *: on"
	done
	equal "flags" "$(on a ethtool --show-priv-flags wg1 | grep -c ': o')" 2
	refute on a ethtool --set-priv-flags wg1 unknown on
	ipn a link del wg1
}

# conf FAMILY DEV KEY: a sysctl of namespace c
conf() { on c cat "/proc/sys/net/$1/conf/$2/$3"; }

# Opening says no to redirects, for the device and its namespace; and to
# link-local addresses.  Nothing else, and nothing before.
sysctls()
{
	ns_add c
	ip -n "$PFX-c" link add d0 type dummy
	ip -n "$PFX-c" link add wg0 type wireguard
	ns_sysctl c net.ipv4.conf.all.send_redirects 1
	ns_sysctl c net.ipv4.conf.wg0.send_redirects 1
	equal "before" "$(conf ipv6 wg0 addr_gen_mode)" 0
	on c sh -c 'cat /proc/sys/net/ipv4/conf/{all,default,wg0,d0}/*' > "$TMP/before" 2> /dev/null || :
	find_all() { on c grep -rH . /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf 2> /dev/null | sort; }
	find_all > "$TMP/before"
	ip -n "$PFX-c" link set dev wg0 up
	find_all > "$TMP/after"
	equal "changed settings" "$(diff "$TMP/before" "$TMP/after" | sed -n 's/^> .*conf.//p' | grep -v '/mc_forwarding\|stable_secret' | tr '\n' ' ')" \
		"all/send_redirects:0 wg0/send_redirects:0 wg0/addr_gen_mode:1 "
	equal "addresses" "$(ip -n "$PFX-c" addr show dev wg0 | grep -c inet)" 0
	# Each time
	ns_sysctl c net.ipv4.conf.wg0.send_redirects 1
	ip -n "$PFX-c" link set dev wg0 down
	ip -n "$PFX-c" link set dev wg0 up
	equal "again" "$(conf ipv4 wg0 send_redirects)" 0
	# Not here
	equal "in another namespace" "$(on - cat /proc/sys/net/ipv4/conf/all/send_redirects)" 1
	# It can be opened without IPv6 and with neither, too.
	ip -n "$PFX-c" link set dev wg0 down
	ns_sysctl c net.ipv6.conf.wg0.disable_ipv6 1
	ip -n "$PFX-c" link set dev wg0 up
	ip -n "$PFX-c" link set dev wg0 down
	ip -n "$PFX-c" link set dev wg0 mtu 60
	ip -n "$PFX-c" link set dev wg0 up
	ns_del c
}

# Opening: a peer with an interval is called at once, one without is not; a port
# in use in either family keeps the device down.
opening()
{
	local family socat
	fresh
	key one two
	wgc a set wg1 private-key "$TMP/one.key" listen-port 4100 \
		peer "${PUB[two]}" endpoint 127.0.0.1:9 persistent-keepalive 600 \
		peer "${PUB[b]}" endpoint 127.0.0.1:9
	for family in 4 6,ipv6only; do
		bg a socat -u "UDP${family%%,*}-RECVFROM:4100,fork${family#[46]}" STDOUT
		socat=$BG
		wait_for 5 listening a 4100
		refute ipn a link set dev wg1 up 2> "$TMP/err"
		grep -q 'Address already in use' "$TMP/err"
		equal "flags" "$(link wg1 flags)" "POINTOPOINT,NOARP "
		equal "port" "$(wgc a show wg1 listen-port)" 4100
		bg_end "$socat"
	done
	equal "sent while down" "$(peer_field a wg1 two tx)" 0
	ipn a link set dev wg1 up
	called() { [ "$(peer_field a wg1 two tx)" = 148 ]; }
	wait_for 5 called
	equal "sent to the other" "$(peer_field a wg1 b tx)" 0
	ipn a link del wg1
	refute listening a 4100
}

# A program that sends raw packets need not say of which protocol they are.
packet_socket()
{
	reach a 192.168.241.2
	bg b socat -u UDP4-RECVFROM:7777 OPEN:"$TMP/raw4",creat
	bg b socat -u UDP6-RECVFROM:7776,ipv6only OPEN:"$TMP/raw6",creat
	wait_for 5 listening b 7777
	wait_for 5 listening b 7776
	cat > "$TMP/raw.py" <<'P'
import socket, struct
def udp(text, port):
    return struct.pack("!4H", 7777, port, 8 + len(text), 0) + text
def total(data):
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    s = (s & 0xffff) + (s >> 16)
    return ~((s & 0xffff) + (s >> 16)) & 0xffff
def four(text):
    src, dst = socket.inet_aton("192.168.241.1"), socket.inet_aton("192.168.241.2")
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(text), 1, 0, 64, 17, 0) + src + dst
    return head[:10] + struct.pack("!H", total(head)) + head[12:] + udp(text, 7777)
def six(text):
    src, dst = [socket.inet_pton(socket.AF_INET6, a) for a in ("fd00:241::1", "fd00:241::2")]
    u = udp(text, 7776)
    check = total(src + dst + struct.pack("!II", len(u), 17) + u)
    u = u[:6] + struct.pack("!H", check) + u[8:]
    return struct.pack("!IHBB", 6 << 28, len(u), 17, 64) + src + dst + u
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
s.bind(("wg0", 0))
s.send(four(b"four"))
s.send(six(b"even"))
P
	on a "$PY" "$TMP/raw.py"
	arrived() { [ "$(cat "$TMP/raw4" "$TMP/raw6")" = foureven ]; }
	wait_for 5 arrived
}

loaded() { [ -e /sys/module/wireguard/refcnt ]; }
is_ours() { ! ours || equal "srcversion" "$(cat /sys/module/wireguard/srcversion 2> /dev/null)" "$(modinfo -F srcversion "$WG_KO")"; }

# Who asks for the link kind or the family gets the module.
autoload()
{
	loaded || skip "WireGuard is built into this kernel"
	if ours; then
		modinfo -F alias "$WG_KO" > "$TMP/aliases"
	else
		modinfo -F alias wireguard > "$TMP/aliases"
	fi
	grep -qx rtnl-link-wireguard "$TMP/aliases"
	grep -qx net-pf-16-proto-16-family-wireguard "$TMP/aliases"
	rmmod wireguard
	ipn a link add wg0 type wireguard
	loaded
	is_ours
	rmmod wireguard
	refute ipn a link show wg0
	PYTHONPATH=$PYDIR on a "$PY" -c 'from genl import *; Genl()'
	loaded
	is_ours
	for name in rtnl-link-wireguard net-pf-16-proto-16-family-wireguard; do
		rmmod wireguard
		modprobe "$name"
		loaded
	done
}

subtest "what it says about itself" identity
subtest "MTU" mtu
subtest "what can be set" settings
subtest "without a name, and for another namespace" unnamed
subtest "raw rtnetlink" raw
subtest "offloads" offloads
subtest "ethtool" tool
subtest "settings of the namespace" sysctls
subtest "opening" opening
subtest "raw packets from a program" packet_socket
subtest "loaded on demand" autoload
finish
