#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Namespaces: a device keeps its sockets where it was created; the creating or
# the containing namespace may go at any time; references never form a cycle.
#
#   x (no way out): [wg0] --sockets--> a -- eth0 ------- eth0 -- [wg0] b
#
# spec 3.6, 3.7
# quick: uml
# timeout: 240
. "$(dirname "$0")/../lib.sh"

# gone NS...: delete namespaces; their last trace must vanish, which a cable
# from each into `watch` shows.
gone()
{
	local ns
	ip netns list | grep -q "^$PFX-watch\b" || ns_add watch
	for ns; do
		ip -n "$PFX-watch" link add "to$ns" type veth peer name watched netns "$PFX-$ns"
	done
	ns_del "$@"
	for ns; do
		wait_for 20 no_link watch "to$ns"
	done
}

no_link() { ! ip -n "$PFX-$1" link show "$2" > /dev/null 2>&1; }

two_peers 4

confined()
{
	ns_add x
	ip -n "$PFX-a" link set wg0 netns "$PFX-x"
	addr x wg0 192.168.241.1/24
	ip -n "$PFX-x" link set wg0 up
	reach x 192.168.241.2
	reach b 192.168.241.1
	# The socket is in a, not in x.
	listening a 1001
	refute listening x 1001
}

creator_gone()
{
	bg b ping -n -q -f -c 100000 192.168.241.1 > /dev/null
	local flood=$BG
	gone a
	bg_end "$flood"
	# The device lives on without carrier and cannot send.
	wait_for 5 no_carrier x wg0
	wgc x show wg0 > /dev/null
	no_reach x 192.168.241.2
	refute wgc x set wg0 listen-port 4000
	refute wgc x set wg0 fwmark 7
	wgc x set wg0 peer "${PUB[b]}" persistent-keepalive 3
	ip -n "$PFX-x" link set wg0 down
	refute ip -n "$PFX-x" link set wg0 up
}

no_carrier() { ip -n "$PFX-$1" link show "$2" | grep -q NO-CARRIER; }

container_gone()
{
	gone x
	gone b
}

# Each device was created in the other's namespace, with live sessions and
# cached routes.
circle()
{
	two_ns
	ip -n "$PFX-a" link add wg1 type wireguard
	ip -n "$PFX-b" link add wg2 type wireguard
	ip -n "$PFX-a" link set wg1 netns "$PFX-b"
	ip -n "$PFX-b" link set wg2 netns "$PFX-a"
	wgc b set wg1 private-key "$TMP/a.key" listen-port 1001 peer "${PUB[b]}" \
		allowed-ips 0.0.0.0/0 endpoint 10.0.0.2:1002
	wgc a set wg2 private-key "$TMP/b.key" listen-port 1002 peer "${PUB[a]}" \
		allowed-ips 0.0.0.0/0 endpoint 10.0.0.1:1001
	addr b wg1 192.168.241.1/24
	addr a wg2 192.168.241.2/24
	ip -n "$PFX-b" link set wg1 up
	ip -n "$PFX-a" link set wg2 up
	reach b 192.168.241.2
	reach a 192.168.241.1
	gone a b
}

# Both ends go at once while packets are on the way.
under_traffic()
{
	two_peers 6
	reach a 192.168.241.2
	bg a ping -n -q -f -c 1000000 192.168.241.2 > /dev/null
	bg b ping -n -q -f -c 1000000 -s 1300 fd00:241::1 > /dev/null
	local busy
	busy=$(dev_stat a wg0 tx_packets)
	more() { [ "$(dev_stat a wg0 tx_packets)" -gt $((busy + 20)) ]; }
	wait_for 10 more
	# The floods hold the namespaces by being in them: end them first.
	for BG in $(< "$TMP/pids"); do kill "$BG" 2> /dev/null || :; done
	gone a b
}

# Created directly in another namespace (IFLA_NET_NS of the request)
created_across()
{
	ns_add a b
	key a b
	ip -n "$PFX-a" link add wg0 netns "$PFX-b" type wireguard
	ip -n "$PFX-b" link show wg0 > /dev/null
	gone a b
}

no_leak() { refute grep -q 'unregister_netdevice: waiting' <(dmesg | tail -n +"$((DMESG_BEFORE + 1))"); }

subtest "a device in a namespace without a way out" confined
subtest "its creating namespace goes, under traffic" creator_gone
subtest "its containing namespace goes" container_gone
subtest "two devices created in each other's namespace" circle
subtest "both namespaces go right after traffic" under_traffic
subtest "created across namespaces" created_across
subtest "no device is waited for" no_leak
finish
