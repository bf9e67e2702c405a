#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tunnels in tunnels, three deep, each with its own keys and handshake.
#
#   a [wg2 [wg1 [wg0]]] -- eth0 ------- eth0 -- [[[wg0] wg1] wg2] b
#
# spec 4.8
# timeout: 180
. "$(dirname "$0")/../lib.sh"
need socat

two_peers 4

# level N: wgN over wg(N-1)
level()
{
	local n=$1 under=$2
	wg_dev a "wg$n" a $((1001 + 10 * n)) "192.168.24$((n + 1)).1/24"
	wg_dev b "wg$n" b $((1002 + 10 * n)) "192.168.24$((n + 1)).2/24"
	wgc a set "wg$n" peer "${PUB[b]}" allowed-ips 0.0.0.0/0 endpoint "$under.2:$((1002 + 10 * n))"
	wgc b set "wg$n" peer "${PUB[a]}" allowed-ips 0.0.0.0/0 endpoint "$under.1:$((1001 + 10 * n))"
	ip -n "$PFX-a" link set "wg$n" mtu $((1420 - 80 * n))
	ip -n "$PFX-b" link set "wg$n" mtu $((1420 - 80 * n))
	reach a "192.168.24$((n + 1)).2"
	reach b "192.168.24$((n + 1)).1"
	pings a "192.168.24$((n + 1)).2" 3 -s 8000
	send_file a b "192.168.24$((n + 1)).2" 512
}

# All three with the full MTU: the lower ones carry fragments.
full_mtu()
{
	local n
	for n in 1 2; do
		ip -n "$PFX-a" link set "wg$n" mtu 1420
		ip -n "$PFX-b" link set "wg$n" mtu 1420
	done
	pings a 192.168.243.2 3 -s 1392
	send_file b a 192.168.243.1 256
}

subtest "two levels" level 1 192.168.241
subtest "three levels" level 2 192.168.242
subtest "three levels that fragment" full_mtu
finish
