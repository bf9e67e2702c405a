#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Six tunnels in each other, carried by IPv4 and IPv6 in turns, each with a
# session of its own.
#
#   a [wg5 [wg4 [... [wg0]]]] -- eth0 ------- eth0 -- [[[wg0] ...] wg5] b
#
# spec 4.8
# quick: uml
# timeout: 90
. "$(dirname "$0")/../lib.sh"
need socat

two_peers 4
# Room for six headers above the smallest MTU that IPv6 works with
for ns in a b; do
	ipn $ns link set dev eth0 mtu 1800
	ipn $ns link set dev wg0 mtu 1720
done

levels()
{
	local n under end
	for n in 1 2 3 4 5; do
		for end in a:1 b:2; do
			wg_dev "${end%:*}" wg$n "${end%:*}" $((1000 + 10 * n + ${end#*:})) \
				192.168.$((100 + n)).${end#*:}/24 fd00:$((100 + n))::${end#*:}/64
			ipn "${end%:*}" link set dev wg$n mtu $((1720 - 80 * n))
		done
		under=192.168.$((100 + n - 1)).
		[ $n != 1 ] || under=192.168.241.
		[ $((n % 2)) = 1 ] || under="fd00:$((100 + n - 1))::"
		wgc a set wg$n peer "${PUB[b]}" allowed-ips 0.0.0.0/0,::/0 endpoint "$(at "${under}2" $((1002 + 10 * n)))"
		wgc b set wg$n peer "${PUB[a]}" allowed-ips 0.0.0.0/0,::/0 endpoint "$(at "${under}1" $((1001 + 10 * n)))"
	done
}

at() { case $1 in *:*) echo "[$1]:$2" ;; *) echo "$1:$2" ;; esac; }

six()
{
	local n
	levels
	reach a 192.168.105.2
	reach b 192.168.105.1
	for n in 1 2 3 4 5; do has_handshake a wg$n b; done
	pings a 192.168.105.2 3 -s $((1320 - 28)) -M "do"
	pings a 192.168.105.2 2 -s 8000
	# More than the levels below take whole
	ipn a link set dev wg5 mtu 1720
	ipn b link set dev wg5 mtu 1720
	pings a fd00:105::2 2 -s $((1720 - 48)) -M "do"
	send_file a b 192.168.105.2 256
	send_file b a 192.168.105.1 256
}

subtest "six levels, both families" six
finish
