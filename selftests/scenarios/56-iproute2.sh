#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The device as iproute2 makes, shows and changes it, and as ethtool and sysfs
# describe it.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 3.1, 3.3, 3.4, 3.5, 3.7
# quick: uml
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need jq
two_peers 4
ns_add c

# link NS DEV FILTER: what jq finds in the detailed description
link() { ipn "$1" -d -j link show dev "$2" | jq -r ".[0] | $3"; }
shows() { equal "$1" "$(link a x0 "$1")" "$2"; }

sysfs() { ip netns exec "$PFX-$1" cat "/sys/class/net/$2/$3"; }

# A fresh device has these parameters, whoever made the module.
described()
{
	ipn a link add x0 type wireguard
	shows .mtu 1420
	shows .operstate DOWN
	shows .link_type none
	shows .txqlen 1000
	shows .qdisc noop
	shows '.flags | sort | join(",")' NOARP,POINTOPOINT
	shows .linkinfo.info_kind wireguard
	shows '.linkinfo | keys | join(",")' info_kind
	shows .min_mtu 0
	shows .max_mtu 2147483552
	shows .num_tx_queues 1
	shows .gso_max_size 65536
	shows .gso_max_segs 65535
	shows '.address // "none"' none
	shows .inet6_addr_gen_mode eui64
	equal "type" "$(sysfs a x0 type)" 65534
	sysfs a x0 uevent | grep -qx DEVTYPE=wireguard
	ipn a link set dev x0 up
	shows '.flags | sort | join(",")' LOWER_UP,NOARP,POINTOPOINT,UP
	shows .operstate UNKNOWN
	shows .qdisc noqueue
	shows .inet6_addr_gen_mode none
	equal "IPv6 addresses" "$(ipn a -6 addr show dev x0)" ""
	equal "driver" "$(on a ethtool -i x0 | sed -n 's/^driver: //p')" wireguard
	equal "in the list" "$(ipn a -j link show type wireguard | jq -r '[.[].ifname] | sort | join(" ")')" "wg0 x0"
	ipn a link del dev x0
	refute ipn a link show dev x0
}

# What a new link can be given in one go.
made_with_all()
{
	ipn a link add name x0 mtu 1300 txqueuelen 50 index 777 type wireguard
	shows .mtu 1300
	shows .txqlen 50
	shows .ifindex 777
	refute ipn a link add name x0 type wireguard
	ipn a link del x0 type wireguard
	refute ipn a link show dev x0
}

named()
{
	local hs
	hs=$(peer_field a wg0 b handshake)
	ipn a link set dev wg0 alias "the road to b"
	ipn a link property add dev wg0 altname the-road-to-the-other-one
	equal "alias" "$(link a wg0 .ifalias)" "the road to b"
	equal "altname" "$(link a the-road-to-the-other-one '.altnames[0]')" the-road-to-the-other-one
	ipn a link set dev the-road-to-the-other-one mtu 1400
	equal "mtu" "$(link a wg0 .mtu)" 1400
	ipn a link set dev wg0 mtu 1420
	# It is renamed while it is up and busy, and is the same afterwards.
	ipn a link set dev wg0 down
	ipn a link set dev wg0 name other0
	ipn a link set dev other0 up
	ipn a route replace 192.168.241.0/24 dev other0
	equal "peers" "$(wgc a show other0 peers)" "${PUB[b]}"
	refute wgc a show wg0
	reach a 192.168.241.2
	ipn a link set dev other0 down
	ipn a link set dev other0 name wg0
	ipn a link set dev wg0 up
	ipn a link property del dev wg0 altname the-road-to-the-other-one
	ipn a route replace 192.168.241.0/24 dev wg0
	[ "$(peer_field a wg0 b handshake)" -ge "$hs" ]
	reach a 192.168.241.2
}

# Made here for there, made there from here, and moved: its sockets stay where it
# was made, so the tunnel works from a namespace that has no other way out.
spaces()
{
	ip -n "$PFX-a" link add x0 netns "$PFX-c" type wireguard
	refute ipn a link show dev x0
	wgc c set x0 listen-port 1004
	ipn c link set dev x0 up
	listening a 1004
	refute listening c 1004
	ipn c link del dev x0
	on a ip link add x0 type wireguard
	ipn a link set dev x0 netns "$PFX-c"
	refute ipn a link show dev x0
	equal "kind" "$(link c x0 .linkinfo.info_kind)" wireguard
	key c
	wgc c set x0 private-key "$TMP/c.key" listen-port 1003 \
		peer "${PUB[b]}" endpoint 10.0.0.2:1002 allowed-ips 192.168.241.2/32
	wgc b set wg0 peer "${PUB[c]}" allowed-ips 192.168.241.3/32
	addr c x0 192.168.241.3/24
	ipn c link set dev x0 up
	reach c 192.168.241.2
	listening a 1003
	refute listening c 1003
	# A name that is taken there is a refusal, not a loss.
	ipn a link add x0 type wireguard
	refute ipn c link set dev x0 netns "$PFX-a"
	reach c 192.168.241.2
	ipn a link del dev x0
	ipn c link set dev x0 netns "$PFX-a" name back0
	equal "peers" "$(wgc a show back0 peers)" "${PUB[b]}"
	ipn a link del dev back0
}

# Down, the socket is gone; up, all is as before but for the IPv6 addresses, which
# the stack takes away.
up_and_down()
{
	local i
	for i in 1 2 3; do
		ipn a link set dev wg0 down
		no_reach a 192.168.241.2
		equal "listening" "$(on a ss -Huln 'sport = :1001' | wc -l)" 0
		ipn a link set dev wg0 up
		equal "listening" "$(on a ss -Huln 'sport = :1001' | wc -l)" 2
		reach a 192.168.241.2
	done
	equal "addresses" "$(ipn a -j addr show dev wg0 | jq -r '[.[0].addr_info[].local] | join(" ")')" \
		192.168.241.1
}

stat64() { ipn a -s -s -j link show dev wg0 | jq ".[0].stats64 | $1" | xargs; }

# The statistics of `ip -s` count what passed.
statistics()
{
	local before after
	before=$(stat64 '.rx.packets, .tx.packets, .rx.bytes, .tx.bytes')
	pings a 192.168.241.2 5 -s 1000
	after=$(stat64 '.rx.packets, .tx.packets, .rx.bytes, .tx.bytes')
	echo "$before, then $after"
	paste <(tr ' ' '\n' <<< "$before") <(tr ' ' '\n' <<< "$after") <(printf '%d\n' 5 5 5140 5140) |
		awk '$2 - $1 < $3 { exit 1 }'
	equal "errors" "$(stat64 '.rx.errors + .tx.errors')" 0
	ipn a -s -s link show dev wg0 | grep -q 'RX errors:'
}

# What makes no sense for it is refused, and the tunnel lives.
refused()
{
	refute ipn a link set dev wg0 address 02:00:00:00:00:01
	refute ipn a link set dev wg0 mtu 2147483647
	refute ipn a link set dev wg0 type wireguard frob 1
	ipn a link add br0 type bridge
	refute ipn a link set dev wg0 master br0
	ipn a link del dev br0
	reach a 192.168.241.2
}

# `ip monitor` hears of it like of any other device.
monitored()
{
	bg a ip monitor link > "$TMP/monitor"
	wait_for 5 monitor_listens
	ipn a link add x0 type wireguard
	ipn a link set dev x0 up
	ipn a link del dev x0
	wait_for 5 grep -q 'Deleted .*x0' "$TMP/monitor"
	grep -q '[0-9]: x0: <POINTOPOINT,NOARP,UP,LOWER_UP>' "$TMP/monitor"
	bg_end "$BG"
}

# It has heard of a device that is made again and again.
monitor_listens()
{
	ipn a link add y0 type wireguard
	ipn a link del dev y0
	grep -q y0 "$TMP/monitor"
}

subtest "a fresh device" described
subtest "made with name, MTU, queue length and index" made_with_all
subtest "renamed, with alias and another name" named
subtest "made in and moved between namespaces" spaces
subtest "down and up again" up_and_down
subtest "statistics" statistics
subtest "what is refused" refused
subtest "ip monitor" monitored
finish
