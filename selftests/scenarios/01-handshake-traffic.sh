#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A handshake and pings of several sizes through the tunnel, IPv4 and IPv6
# inside, carried by IPv4 and IPv6.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 1.2, 2.2, 4.1-4.6, 5
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4

# small, exactly the MTU, in fragments, in many fragments
sizes()
{
	local to=$1 header=$2 mtu=1420
	reach a "$to"
	pings a "$to" 5 -s 16
	pings a "$to" 3 -M "do" -s $((mtu - header))
	refute on a ping -n -q -c 1 -W 1 -M "do" -s $((mtu - header + 1)) "$to"
	pings a "$to" 3 -s 4000
	pings a "$to" 2 -s 20000
}

back()
{
	reach b 192.168.241.1
	reach b fd00:241::1
}

handshake_time()
{
	local now hs
	now=$(date +%s)
	hs=$(peer_field a wg0 b handshake)
	[ $((now - hs)) -ge -1 ] && [ $((now - hs)) -le 120 ]
}

# A session lives on when only the outer family changes.
other_family()
{
	local hs
	hs=$(peer_field a wg0 b handshake)
	outer 6
	reach a 192.168.241.2
	equal "handshake time" "$(peer_field a wg0 b handshake)" "$hs"
	equal "endpoint seen by b" "$(peer_field b wg0 a endpoint)" '[fd00:aa::1]:1001'
}

first_over_6()
{
	ip -n "$PFX-a" link set wg0 down
	ip -n "$PFX-b" link set wg0 down
	ip -n "$PFX-a" link set wg0 up
	ip -n "$PFX-b" link set wg0 up
	addr a wg0 fd00:241::1/64
	addr b wg0 fd00:241::2/64
	outer 6
	reach a fd00:241::2
}

# A datagram that fills the MTU must not carry padding beyond it.
outer_sizes()
{
	capture b eth0 sizes udp port 1002
	pings a 192.168.241.2 1 -s $((1420 - 28))
	pings a 192.168.241.2 1 -s 1
	wait_for 3 captured_at_least sizes 4
	capture_end sizes
	captured sizes
	# 1420 + 32 and align16(29) + 32
	captured sizes | grep -q 'length 1452'
	captured sizes | grep -q 'length 64'
	refute captured_at_least sizes 1 'udp[4:2] > 1460'
}

subtest "IPv4 in IPv4, all sizes" sizes 192.168.241.2 28
subtest "IPv6 in IPv4, all sizes" sizes fd00:241::2 48
subtest "the other direction" back
subtest "latest handshake is now" handshake_time
subtest "outer family changes, session stays" other_family
subtest "IPv4 in IPv6, all sizes" sizes 192.168.241.2 28
subtest "IPv6 in IPv6, all sizes" sizes fd00:241::2 48
subtest "first handshake over IPv6" first_over_6
subtest "datagram sizes and padding" outer_sizes
finish
