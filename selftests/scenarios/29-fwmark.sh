#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The firewall mark of the device routes its datagrams; routes that change and
# vanish are followed at once.
#
#   a [wg0] -- eth0 10.0.0.1 ------- 10.0.0.2 eth0 -- [wg0] b 10.9.9.9 on lo
#           \- eth1 10.1.0.1 ------- 10.1.0.2 eth1 -/
#
# spec 4.6, 4.7, 7.5 (4)
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
veth a eth1 b eth1
addr a eth1 10.1.0.1/24
addr b eth1 10.1.0.2/24
addr b lo 10.9.9.9/32
for ns in a b; do
	ns_sysctl $ns net.ipv4.conf.all.rp_filter 0
	ns_sysctl $ns net.ipv4.conf.eth0.rp_filter 0
	ns_sysctl $ns net.ipv4.conf.eth1.rp_filter 0
done
wgc a set wg0 peer "${PUB[b]}" endpoint 10.9.9.9:1002

at_b() { equal "endpoint at b" "$(peer_field b wg0 a endpoint)" "$1"; }

marked()
{
	ipn a rule add fwmark 0x51 lookup 51 || skip "kernel without policy routing"
	ipn a route add 10.9.9.9/32 via 10.1.0.2 table 51
	no_reach a 192.168.241.2
	wgc a set wg0 fwmark 0x51
	wait_for 5 reach_now
	at_b 10.1.0.1:1001
}

reach_now() { on a ping -n -q -c 1 -W $((2 * SCALE)) 192.168.241.2; }

# Other table, other mark: the cached route must not survive.
changed()
{
	ipn a rule add fwmark 0x52 lookup 52 || skip "kernel without policy routing"
	ipn a route add 10.9.9.9/32 via 10.0.0.2 table 52
	wgc a set wg0 fwmark 0x52
	reach a 192.168.241.2
	at_b 10.0.0.1:1001
}

unmarked()
{
	ipn a rule show | grep -q 0x52 || skip "kernel without policy routing"
	wgc a set wg0 fwmark off
	no_reach a 192.168.241.2
	ipn a route add 10.9.9.9/32 via 10.1.0.2
	reach a 192.168.241.2
	at_b 10.1.0.1:1001
}

rerouted()
{
	ipn a route replace 10.9.9.9/32 via 10.0.0.2
	reach a 192.168.241.2
	at_b 10.0.0.1:1001
	ipn a link set eth0 down
	ipn a route replace 10.9.9.9/32 via 10.1.0.2
	reach a 192.168.241.2
	at_b 10.1.0.1:1001
}

no_route()
{
	ipn a route del 10.9.9.9/32
	no_reach a 192.168.241.2
	if ours; then [ "$(drops a wg0 no_route)" -gt 0 ]; fi
	ipn a route add 10.9.9.9/32 via 10.1.0.2
	reach a 192.168.241.2
}

# The datagrams carry the mark themselves.
seen_by_filter()
{
	command -v nft > /dev/null || skip "no nft"
	on a nft -f - <<'N' || skip "kernel without nftables"
table inet t {
	chain out {
		type filter hook output priority 0
		udp sport 1001 meta mark 0x77 counter
	}
}
N
	wgc a set wg0 fwmark 0x77
	pings a 192.168.241.2 3
	on a nft list chain inet t out | grep -Eq 'packets [1-9]'
}

subtest "the mark chooses the table" marked
subtest "another mark, another table" changed
subtest "no mark, the main table" unmarked
subtest "a route that changes" rerouted
subtest "no route at all" no_route
subtest "the mark is seen by the packet filter" seen_by_filter
finish
