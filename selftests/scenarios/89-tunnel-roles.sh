#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the role in a file makes of a tunnel: who is forwarded, which rules of the
# firewall there are, and that all of it goes with `wgpeer down`.
#
# spec 8.8
# env: uml uml-smp qemu-6.12
# timeout: 600
# shellcheck source=selftests/tunnel.sh
. "${WG_SELFTESTS:=$(dirname "$0")/..}/tunnel.sh"

# Other hosts of ours reach the tunnel's networks, and the other way round.
site()
{
	write wg1 '192.168.241.0/24' 'Address = 192.168.241.1/24' 'ListenPort = 2001' \
		'# wgpeer role = site' '# wgpeer share = 10.1.0.0/24'
	our up wg1
	ipn c route add 192.168.241.0/24 via 10.1.0.1
	reach a 192.168.241.2
	reach c 192.168.241.2
	reach b 10.1.0.2
	on a nft list ruleset | grep -q 'udp dport 2001 accept'
	our down wg1
	no_reach c 192.168.241.2
	all_undone
	ipn c route del 192.168.241.0/24 via 10.1.0.1
	# Routing daemons need multicast.
	write wg1 '0.0.0.0/0, ::/0' 'Address = fe80::1/64' 'Table = off' 'ListenPort = 2001' \
		'# wgpeer role = site' '# wgpeer routed = yes'
	our up wg1
	ipn a link show dev wg1 | grep -q MULTICAST
	sed -i /routed/d "$DIR/wg1.conf"
	our apply wg1
	refute grep -q MULTICAST <(ipn a link show dev wg1)
	our down wg1
	all_undone
}

printed()
{
	write wg1 '192.168.241.0/24' 'Address = 192.168.241.1/24' 'ListenPort = 2001' \
		'# wgpeer role = server' '# wgpeer exit = yes' '# wgpeer firewall = print'
	our up wg1 > "$TMP/out" 2> "$TMP/told"
	[ ! -s "$TMP/out" ]
	grep -q '^To do:' "$TMP/told"
	grep -q masquerade "$TMP/told"
	on a nft list ruleset | refute grep -q wgpeer
	our apply wg1 2> "$TMP/told"
	[ ! -s "$TMP/told" ] || fail "said again"
	sed -i 's/firewall = print/firewall = nft/' "$DIR/wg1.conf"
	our apply wg1
	on a nft list ruleset | grep -q masquerade
	sed -i 's/firewall = nft/firewall = none/' "$DIR/wg1.conf"
	our apply wg1
	on a nft list ruleset | refute grep -q wgpeer
	our down wg1
	all_undone
}

killed()
{
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24' '# wgpeer role = client' '# wgpeer kill-switch = yes'
	our up wg1
	reach a 198.51.100.1
	# Beside the tunnel there is no way, not even to a neighbour.
	no_reach a 10.1.0.2
	ipn a link set dev wg1 down
	no_reach a 198.51.100.1
	our apply wg1
	reach a 198.51.100.1
	our down wg1
	reach a 10.1.0.2
	all_undone
}

# flushed LINE...: whoever loads the host's own rules takes ours away; status
# says so, and apply puts them back.
flushed()
{
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24' 'ListenPort = 2001' "$@"
	our up wg1
	on a nft -s list ruleset > "$TMP/rules"
	our status wg1 | refute grep -q differs
	on a nft flush ruleset
	our status wg1 | grep -qx '  set firewall rules'
	our status wg1 --json | jq -e '.differences == ["set firewall rules"]'
	our apply wg1
	on a nft -s list ruleset | diff "$TMP/rules" -
	our apply wg1 --dry-run > "$TMP/told"
	[ ! -s "$TMP/told" ] || fail "$(< "$TMP/told")"
	our down wg1
	all_undone
}

all_flushed()
{
	flushed '# wgpeer role = server' '# wgpeer exit = yes'
	flushed '# wgpeer role = site' '# wgpeer share = 10.1.0.0/24'
	flushed '# wgpeer role = client' '# wgpeer kill-switch = yes'
	flushed
}

subtest "site" fresh site
subtest "rules are printed, set, left out" fresh printed
subtest "kill switch" fresh killed
subtest "rules that somebody flushed" fresh all_flushed
finish
