#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory so fragmented that no two pages lie side by side: bundles get shorter,
# nothing gets lost.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.7
# timeout: 60
# cpus: 2
. "$(dirname "$0")/../lib.sh"

[ -e /proc/sys/net/core/high_order_alloc_disable ] || skip_all "no such switch"
[ "$WG_MODULE" = ours ] || skip_all "the kernel's own module has no bundles"
sysctl -qw net.core.high_order_alloc_disable=1
two_peers 4

whole()
{
	reach a 192.168.241.2
	send_file a b 192.168.241.2 4096
	send_file b a fd00:241::1 4096
	# A datagram larger than a page, in one piece.
	ip -n "$PFX-a" link set dev eth0 mtu 9200
	ip -n "$PFX-b" link set dev eth0 mtu 9200
	ip -n "$PFX-a" link set dev wg0 mtu 9100
	ip -n "$PFX-b" link set dev wg0 mtu 9100
	pings a 192.168.241.2 20 -s 8900
	send_file a b 192.168.241.2 4096
	equal "datagrams without memory" "$(drops a wg0 no_memory)" 0
}

subtest "TCP and datagrams of several pages arrive whole" whole
sysctl -qw net.core.high_order_alloc_disable=0
finish
