#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel routed into itself: nothing crashes, what is sent stays bounded, and
# the tunnel heals when the loop is taken away.
#
#   a [wg0 -> endpoint inside wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.8
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
# A session first: without one nothing but handshakes would be tried.
reach a 192.168.241.2 > /dev/null

# quiet_after LIMIT CMD...: what CMD sets off ends, below LIMIT bytes
quiet_after()
{
	local limit=$1 before after last=-1
	shift
	before=$(dev_stat a wg0 tx_bytes)
	"$@" || :
	# Wait for the counter to stand still.
	settled() { after=$(dev_stat a wg0 tx_bytes); [ "$after" = "$last" ] || { last=$after; return 1; }; }
	wait_for 10 settled
	echo "sent $((after - before)) bytes"
	[ $((after - before)) -lt "$limit" ]
}

endpoint_inside()
{
	wgc a set wg0 peer "${PUB[b]}" endpoint 192.168.241.2:1002
	quiet_after 70000 no_reach a 192.168.241.2
	! ours || [ "$(drops a wg0 loop)" -gt 0 ]
	# Seven fragments, each of which fragments again on its way round.
	quiet_after 2000000 on a ping -n -q -c 1 -W 1 -s 9000 192.168.241.2
}

# TCP and floods into the loop
flood()
{
	on a ping -n -q -f -c 200 -W 1 192.168.241.2 || :
	quiet_after 70000 on a ping -n -q -f -c 1 -W 1 192.168.241.2
}

# The route to the peer's real address leads into the tunnel.
route_inside()
{
	outer 4
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 0.0.0.0/0,::/0
	ip -n "$PFX-a" route add 10.0.0.2/32 dev wg0
	quiet_after 70000 no_reach a 192.168.241.2
	ip -n "$PFX-a" route del 10.0.0.2/32 dev wg0
}

# Two tunnels that carry each other
mutual()
{
	key c
	wg_dev a wg1 c 1003 192.168.242.1/24
	wgc a set wg1 peer "${PUB[b]}" allowed-ips 0.0.0.0/0 endpoint 192.168.241.2:1002
	wgc a set wg0 peer "${PUB[b]}" endpoint 192.168.242.2:1002
	quiet_after 70000 no_reach a 192.168.241.2
	ip -n "$PFX-a" link del wg1
}

heals()
{
	outer 4
	reach a 192.168.241.2
	pings a 192.168.241.2 5
}

subtest "the endpoint lies inside the tunnel" endpoint_inside
subtest "a flood into the loop" flood
subtest "the route to the endpoint leads into the tunnel" route_inside
subtest "two tunnels carry each other" mutual
subtest "without the loop it works again" heals
finish
