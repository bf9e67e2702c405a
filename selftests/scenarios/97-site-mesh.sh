#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `wgpeer site`: three sites, each with all others, or by way of a hub; and two
# for a routing daemon.
#
#   lN 10.N.0.5 -- 10.N.0.1 sN 203.0.113.N -- i (switch)
#
# spec 8.8
# env: uml uml-smp qemu-[0-9]*
# quick: uml
# timeout: 600
# shellcheck source=selftests/lib.sh disable=SC2086 # words
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need_nft
[ -x "$WGPEER" ] || skip_all "no program to test"

ns_add i
ipn i link add br0 type bridge
ipn i link set br0 up
for n in 1 2 3; do
	mkdir -m 700 "$TMP/$n"
	ns_add s$n l$n
	veth s$n eth0 i to$n
	ipn i link set to$n master br0
	veth s$n lan0 l$n eth0
	addr s$n eth0 203.0.113.$n/24
	addr s$n lan0 10.$n.0.1/24
	addr l$n eth0 10.$n.0.5/24
	ipn l$n route add default via 10.$n.0.1
done

# So wide that no two sites get the same address by chance, and clear of 10.N.
net="--address 10.99.0.0/16,fd99::/64"

# site N VERB WORD...
site()
{
	local n=$1 verb=$2
	shift 2
	on "s$n" "$WGPEER" site "$verb" "w$n" "$@" --config-dir "$TMP/$n"
}

gone()
{
	local n
	for n in 1 2 3; do
		[ ! -f "$TMP/$n/w$n.conf" ] || on "s$n" "$WGPEER" down "w$n" --config-dir "$TMP/$n" || :
		rm -f "$TMP/$n/"*
		equal "rules of $n" "$(on "s$n" nft list ruleset)" ""
	done
}

all_reach_all()
{
	local n m
	for n in 1 2 3; do
		for m in 1 2 3; do
			[ "$n" = "$m" ] || reach "l$n" "10.$m.0.5"
		done
	done
}

mesh()
{
	local one two three
	one=$(site 1 init $net --share 10.1.0.0/24 --endpoint 203.0.113.1 --name one)
	two=$(site 2 join "$one" --share 10.2.0.0/24 --endpoint 203.0.113.2 --name two)
	three=$(site 3 join "$one" --share 10.3.0.0/24 --endpoint 203.0.113.3 --name three)
	site 1 add "$two"
	site 1 add "$three"
	site 2 add "$three"
	site 3 add "$two"
	all_reach_all
	# Nothing goes by way of the first.
	ipn s1 link set w1 down
	reach l2 10.3.0.5
}

hub()
{
	local token
	token=$(site 1 init $net --share 10.1.0.0/24 --endpoint 203.0.113.1 --name one --hub)
	site 1 add "$(site 2 join "$token" --share 10.2.0.0/24 --name two)"
	site 1 add "$(site 3 join "$token" --share 10.3.0.0/24 --name three)"
	token=$(site 1 token)
	site 2 add "$token"
	site 3 add "$token"
	# A spoke's first handshake came before the hub knew it; the hub cannot
	# start, so all wait for the next one.
	reach_soon l1 10.2.0.5
	reach_soon l1 10.3.0.5
	all_reach_all
	equal "peers of a spoke" "$(on s2 "$WGPEER" show w2 peers | wc -l)" 1
	site 1 list | grep -q '^two '
	site 1 remove two
	no_reach l2 10.1.0.5
	no_reach l3 10.2.0.5
	reach l3 10.1.0.5
}

routed()
{
	local token
	token=$(site 1 init --routed $net --endpoint 203.0.113.1 --name one)
	token=$(site 2 join "$token" --endpoint 203.0.113.2 --name two)
	site 1 add "$token"
	ipn s1 link show w1 | grep -q MULTICAST
	equal "routes" "$(ipn s1 route show dev w1 | grep -c '^10\.2\.')" 0
	# What a daemon would do.
	ipn s1 route add 10.2.0.0/24 dev w1
	ipn s2 route add 10.1.0.0/24 dev w2
	reach l1 10.2.0.5
	reach l2 10.1.0.5
	# Neighbours find each other by link-local multicast.
	on s1 ping -n -q -c 1 -W $((5 * SCALE)) ff02::1%w1 > /dev/null
	capture s2 w2 hello 'ip6 dst ff02::5'
	on s1 "$PY" -c 'import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.sendto(b"hello", ("ff02::5", 521, 0, socket.if_nametoindex("w1")))'
	wait_for 5 captured_at_least hello 1
	capture_end hello
	token=$(site 3 join "$(site 1 token)" --endpoint 203.0.113.3 --name three)
	refute site 1 add "$token"
}

alone()
{
	gone
	"$@"
	gone
}

subtest "full mesh" alone mesh
subtest "a hub and its spokes" alone hub
subtest "for routing daemons" alone routed
finish
