#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# MTUs that do not fit: outer MTU below the datagram size (fragments outside),
# large inner MTU, MTU of a route, change under traffic.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 1.3, 3.1, 4.4, 4.6
# quick: uml
# timeout: 180
. "$(dirname "$0")/../lib.sh"
need socat

two_peers 4
mtu()
{
	ip -n "$PFX-a" link set "$1" mtu "$2"
	ip -n "$PFX-b" link set "$1" mtu "$2"
}

all_ways()
{
	pings a 192.168.241.2 2 -s 1000
	pings a fd00:241::2 2 -s 5000
	send_file a b 192.168.241.2 256
	send_file b a fd00:241::1 256
}

small_outer()
{
	mtu eth0 1280
	outer "$1"
	all_ways
	mtu eth0 1500
}

large_inner()
{
	outer "$1"
	mtu wg0 9000
	all_ways
	pings a 192.168.241.2 2 -s $((9000 - 28)) -M "do"
	mtu wg0 65000
	pings a 192.168.241.2 2 -s $((60000 - 28)) -M "do"
	send_file a b 192.168.241.2 256
	mtu wg0 1420
}

jumbo()
{
	outer 4
	mtu eth0 9000
	mtu wg0 8920
	all_ways
	mtu eth0 1500
	mtu wg0 1420
}

# Padding stops at the MTU of the route: 1301 B inside are 1301 + 32 outside.
route_mtu()
{
	outer 4
	ip -n "$PFX-a" route add 192.168.241.2/32 dev wg0 mtu 1301
	capture b eth0 route udp dst port 1002
	pings a 192.168.241.2 1 -s $((1301 - 28))
	wait_for 3 captured_at_least route 1
	capture_end route
	captured route
	captured route | grep -q 'length 1333$'
	ip -n "$PFX-a" route del 192.168.241.2/32 dev wg0
}

# MTU 0 is legal and means no limit for the padding. The stack takes the
# addresses away.
odd()
{
	mtu wg0 1280
	all_ways
	mtu wg0 0
	mtu wg0 1420
	addr a wg0 192.168.241.1/24 fd00:241::1/64
	addr b wg0 192.168.241.2/24 fd00:241::2/64
	all_ways
}

live()
{
	local i sender
	bg b iperf3 -s -1 -p 5201 > /dev/null 2>&1
	wait_for 5 listening b 5201
	bg a iperf3 -c 192.168.241.2 -p 5201 -t 2
	sender=$BG
	for i in 1300 9000 1280 1420; do mtu wg0 $i; done
	wait "$sender"
	all_ways
}

subtest "outer MTU 1280, IPv4" small_outer 4
subtest "outer MTU 1280, IPv6" small_outer 6
subtest "inner MTU 9000 and 65000 over 1500, IPv4" large_inner 4
subtest "inner MTU 9000 and 65000 over 1500, IPv6" large_inner 6
subtest "jumbo frames outside" jumbo
subtest "padding stops at the route's MTU" route_mtu
subtest "MTU 1280, 0 and back" odd
subtest "changed under traffic" live
finish
