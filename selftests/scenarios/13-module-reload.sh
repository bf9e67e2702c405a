#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module is unloaded and loaded again while traffic runs through several
# devices.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 3.2
# timeout: 180
# cpus: 2
. "$(dirname "$0")/../lib.sh"

load()
{
	if [ -n "$WG_KO" ] && [ -f "$WG_KO" ]; then
		insmod "$WG_KO"
	else
		modprobe wireguard
	fi
}

ip link add probe0 type wireguard 2> /dev/null && ip link del probe0
[ -e /sys/module/wireguard/refcnt ] || skip_all "WireGuard is built into this kernel"

setup()
{
	wg_dev a wg0 a 1001 192.168.241.1/24
	wg_dev b wg0 b 1002 192.168.241.2/24
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32 endpoint 10.0.0.2:1002 persistent-keepalive 1
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32
	reach_soon a 192.168.241.2
}

two_ns

under_traffic()
{
	local floods
	for _ in 1 2 3; do
		setup
		bg a ping -n -q -i 0.002 -c 1000000 192.168.241.2 > /dev/null
		floods=$BG
		bg b ping -n -q -i 0.002 -c 1000000 -s 8000 192.168.241.1 > /dev/null
		floods="$floods $BG"
		pings a 192.168.241.2 5
		rmmod wireguard
		refute ip -n "$PFX-a" link show wg0
		for BG in $floods; do bg_end "$BG"; done
		load
	done
}

works_after()
{
	setup
	pings b 192.168.241.1 5
}

while_asked()
{
	# Dumps hold the module only while they run.
	bg a sh -c "while :; do $WG show all dump; done > /dev/null 2>&1"
	local asker=$BG
	wait_for 10 rmmod wireguard
	bg_end "$asker"
	[ -e /sys/module/wireguard/refcnt ] || load
	setup
}

fresh_load()
{
	ip -n "$PFX-a" link del wg0
	ip -n "$PFX-b" link del wg0
	rmmod wireguard
	load
	rmmod wireguard
	load
	setup
}

subtest "unloaded and loaded under traffic" under_traffic
subtest "traffic after the last load" works_after
subtest "unloaded while it is asked" while_asked
subtest "loaded twice without use" fresh_load
finish
