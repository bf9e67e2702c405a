#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel in use over many sessions, to a peer of our own kind and to
# wireguard-go: whoever has initiated rekeys, and not one packet is lost.  On a
# machine whose clock jumps 45 minutes; sourced by 57-rekeys-real-time.sh, six
# and a half real ones.
#
#   a [wg0, kernel] -- eth0 ------- eth0 -- [wg0, kernel or wireguard-go] b
#
# spec 2.3, 2.5, 2.6
# env: uml-time
# timeout: 240
. "$(dirname "$0")/../lib.sh"
: "${SECONDS_OF_TRAFFIC:=2640}" "${REKEYS:=20}"

export WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1
two_ns

# peer_up [PROGRAM]: b, in the kernel or in user space, where it has a name of
# its own: its socket is in a place that all namespaces share
peer_up()
{
	wg_dev a wg0 a 1001 192.168.241.1/24
	ns_sysctl a net.ipv6.conf.wg0.disable_ipv6 1
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32
	if [ $# = 0 ]; then
		ipn b link add wg1 type wireguard
	else
		bg b "$1" -f wg1 > "$TMP/go.log" 2>&1
		GO=$BG
		wait_for 10 test -S /var/run/wireguard/wg1.sock
	fi
	on b wg set wg1 private-key "$TMP/b.key" listen-port 1002 \
		peer "${PUB[a]}" allowed-ips 192.168.241.1/32
	addr b wg1 192.168.241.2/24
	ipn b link set dev wg1 mtu 1420 up
	ns_sysctl b net.ipv6.conf.wg1.disable_ipv6 1
}

no_wg1() { ! ipn b link show wg1 > /dev/null 2>&1; }

peer_down()
{
	ipn a link del wg0
	if [ $# = 0 ]; then
		ipn b link del wg1
	else
		bg_end "$GO"
		wait_for 10 no_wg1
		rm -f /var/run/wireguard/wg1.sock
	fi
}

# The one with an endpoint begins, and so initiates all sessions; each echo
# goes to and fro.
# carried INITIATOR RESPONDER ITS-ADDRESS
carried()
{
	local out
	out=$(on "$1" ping -n -q -i 2 -W 5 -c $((SECONDS_OF_TRAFFIC / 2)) "$3") || :
	echo "$out"
	grep -q " $((SECONDS_OF_TRAFFIC / 2)) received, 0% packet loss" <<< "$out"
}

# Initiations of $1 only, the first at once and the others when a session has
# come to 120 s (ours: to 123 s) and an echo was to be sent.  Each one is
# answered: no second try.
rekeyed()
{
	trace rekeys > "$TMP/trace"
	awk -v from="$1" -v most="$2" '
		$4 == "initiation" || $4 == "response" { print }
		$4 == "initiation" && index($2, from ":") != 1 { print "not from " from; bad = 1 }
		$4 == "initiation" && last && ($1 - last < 120 || $1 - last > most) {
			print "after " $1 - last " s"; bad = 1
		}
		$4 == "initiation" { last = $1; n++ }
		$4 == "response" { m++ }
		END { print n, m; exit bad || n != m || n < '"$((REKEYS + 1))"' }' "$TMP/trace"
	# Both ends use each session: nobody stays with the old one.
	equal "sessions used" "$(awk '$4 == "data" { print $3, $5 }' "$TMP/trace" | sort -u | wc -l)" \
		$((2 * $(grep -c ' response ' "$TMP/trace")))
}

we_initiate()
{
	peer_up "$@"
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	capture a eth0 rekeys udp
	carried a b 192.168.241.2
	capture_end rekeys
	peer_down "$@"
	rekeyed 10.0.0.1 125.1
}

they_initiate()
{
	peer_up "$@"
	on b wg set wg1 peer "${PUB[a]}" endpoint 10.0.0.1:1001
	capture a eth0 rekeys udp
	carried b a 192.168.241.1
	capture_end rekeys
	peer_down "$@"
	rekeyed 10.0.0.2 122.5
}

need_go()
{
	command -v wireguard-go > /dev/null || skip "no wireguard-go"
	[ -c /dev/net/tun ] || skip "no /dev/net/tun"
}

with_go()
{
	need_go
	"$1" "$(command -v wireguard-go)"
}

if [ "$REKEYS" -gt 3 ]; then
	subtest "$REKEYS rekeys, ours to ours" we_initiate
	subtest "$REKEYS rekeys, ours to wireguard-go" with_go we_initiate
fi
subtest "$REKEYS rekeys, wireguard-go to ours" with_go they_initiate
finish
