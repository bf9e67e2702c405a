#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP and UDP through the tunnel: both directions, one stream per CPU, data
# integrity, no loss and no reordering of UDP at a low rate.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.3, 4.5, 5.4
# timeout: 240
# cpus: 2
. "$(dirname "$0")/../lib.sh"
need iperf3
need socat

two_peers 4
four=192.168.241.2 six=fd00:241::2

tcp()
{
	iperf a b "$1" -t 1 "${@:2}"
}

udp()
{
	local out
	out=$(iperf a b "$1" -u -t 1 -l 1200 -b 2M "${@:2}")
	echo "$out"
	# The receiver's line ends with lost/total (percent): nothing may be lost.
	grep -Eq ' 0/[1-9][0-9]* \(0%\) +receiver' <<< "$out"
	refute grep -q 'OUT OF ORDER' <<< "$out"
}

subtest "TCP over IPv4" tcp $four
subtest "TCP over IPv4, reverse" tcp $four -R
subtest "TCP over IPv6, both ways at once" tcp $six --bidir
subtest "TCP, one stream per CPU and one more" tcp $four -P $(($(nproc) + 1))
subtest "UDP over IPv4, nothing lost" udp $four
subtest "UDP over IPv6, reverse, nothing lost" udp $six -R
subtest "a file arrives as it was sent" send_file a b $four 2048
subtest "and over IPv6 the other way" send_file b a fd00:241::1 2048
outer 6
subtest "a file through IPv6 outside" send_file a b $four 1024
subtest "TCP through IPv6 outside" tcp $six
finish
