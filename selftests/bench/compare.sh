#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ours against the kernel's own module, in turns in one boot: every round runs
# each contender over each link once. Prints medians and ratios.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# local      the cable as it is: super-packets cross it
# wire-like  offloads off at both ends, GRO on: single datagrams cross it
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
set -e
ROUNDS=${ROUNDS:-5}
INTREE=/lib/modules/$WG_RELEASE/kernel/drivers/net/wireguard/wireguard.ko
FLOOD=$TMP/udpflood

cc -O2 -o "$FLOOD" "$WG_SELFTESTS/bench/udpflood.c"

# contender wgpeer|intree: loads it and builds the network
contender()
{
	[ ! -d /sys/module/wireguard ] || rmmod wireguard
	if [ "$1" = intree ]; then
		"$WG_SELFTESTS/vm/load" "$INTREE"
	else
		"$WG_SELFTESTS/vm/load" "$WG_KO"
	fi
	two_peers 4
	reach a 192.168.241.2 > /dev/null
}

wire_like()
{
	local ns
	for ns in a b; do
		on $ns ethtool -K eth0 tso off gso off tx-udp-segmentation off gro on > /dev/null
	done
}

gone()
{
	ip netns del "$PFX-a"
	ip netns del "$PFX-b"
	no_links() { [ -z "$(ip -o link show type wireguard)" ] && rmmod wireguard; }
	wait_for 10 no_links
}

# Mbit/s of one stream. $1: 192.168.241.2 or fd00:241::2
tcp()
{
	bg b iperf3 -s -1 -p 5201 > /dev/null 2>&1
	wait_for 5 listening b 5201
	on a iperf3 -c "$1" -p 5201 -t 2 -J | jq '.end.sum_received.bits_per_second / 1e6 | floor'
}

# Datagrams of 64 bytes that arrive, per second, of all that one CPU can send.
udp()
{
	local before sent after
	before=$(dev_stat b wg0 rx_packets)
	sent=$(on a "$FLOOD" 192.168.241.2 9 64 1000)
	after=$(dev_stat b wg0 rx_packets)
	echo $((after - before))
	echo "$1 $2 udp64: $sent sent, $((after - before)) arrived" >&2
}

# Microseconds, idle
ping_us()
{
	on a ping -n -q -f -c 2000 192.168.241.2 | awk -F/ '/^rtt/ { print $5 * 1000 }'
}

# A socket that takes what it can hold and throws the rest away.
bin()
{
	bg b "$PY" -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.168.241.2", 9))
time.sleep(60)'
	listens() { on b ss -Hlun sport = :9 | grep -q .; }
	wait_for 5 listens
}

measure()
{
	local link who
	for link in local wire-like; do
		for who in intree wgpeer; do
			contender $who
			[ $link = local ] || wire_like
			bin
			echo "$link tcp4 $who $(tcp 192.168.241.2)"
			echo "$link tcp6 $who $(tcp fd00:241::2)"
			echo "$link udp64 $who $(udp $who $link)"
			echo "$link ping $who $(ping_us)"
			gone
		done
	done
}

table()
{
	awk -v rounds="$ROUNDS" '
	{ key = $1 " " $2; v[key, $3, ++n[key, $3]] = $4; if (!(key in seen)) { seen[key]; order[++keys] = key } }
	function median(key, who,    i, j, t, m) {
		m = n[key, who]
		for (i = 1; i <= m; i++)
			for (j = i + 1; j <= m; j++)
				if (v[key, who, j] < v[key, who, i]) {
					t = v[key, who, i]; v[key, who, i] = v[key, who, j]; v[key, who, j] = t
				}
		return v[key, who, int((m + 1) / 2)]
	}
	BEGIN {
		unit["tcp4"] = unit["tcp6"] = "Mbit/s"; unit["udp64"] = "datagrams/s"; unit["ping"] = "us"
		name["tcp4"] = "TCP, 1 stream, IPv4"; name["tcp6"] = "TCP, 1 stream, IPv6"
		name["udp64"] = "UDP 64 B, arrived"; name["ping"] = "ping, idle"
	}
	END {
		printf "%-10s %-20s %-12s %10s %10s %7s\n", "link", "workload", "unit", "in-tree", "wgpeer", "ratio"
		for (i = 1; i <= keys; i++) {
			split(order[i], w, " ")
			a = median(order[i], "intree"); b = median(order[i], "wgpeer")
			printf "%-10s %-20s %-12s %10d %10d %7.2f\n", w[1], name[w[2]], unit[w[2]], a, b, b / a
		}
	}' "$TMP/values"
}

for round in $(seq "$ROUNDS"); do
	echo "round $round of $ROUNDS"
	measure >> "$TMP/values"
done
echo "kernel $WG_RELEASE, $WG_ENV, $(nproc) CPU, medians of $ROUNDS rounds"
table
rm -rf "$TMP"
trap - EXIT
echo "bench: PASS"
