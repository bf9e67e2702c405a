#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sticky source address: answers leave from the address the peer talked to; when
# that address goes away another one is taken.
#
#   a [wg0] -- eth0 10.0.0.1 ------- eth0 10.0.0.2, 10.0.0.22, fd00:aa::2, ::22 -- [wg0] b
#
# spec 4.7
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
addr b eth0 10.0.0.22/24 fd00:aa::22/64
at_a() { equal "endpoint at a" "$(peer_field a wg0 b endpoint)" "$1"; }
to() { wgc a set wg0 peer "${PUB[b]}" endpoint "$1"; }

second_address()
{
	to 10.0.0.22:1002
	reach a 192.168.241.2
	at_a 10.0.0.22:1002
	# b's own packets as well
	reach b 192.168.241.1
	at_a 10.0.0.22:1002
}

first_address()
{
	to 10.0.0.2:1002
	reach a 192.168.241.2
	reach b 192.168.241.1
	at_a 10.0.0.2:1002
}

six()
{
	to '[fd00:aa::22]:1002'
	reach a 192.168.241.2
	reach b 192.168.241.1
	at_a '[fd00:aa::22]:1002'
	to '[fd00:aa::2]:1002'
	reach a 192.168.241.2
	reach b 192.168.241.1
	at_a '[fd00:aa::2]:1002'
}

address_gone()
{
	to 10.0.0.22:1002
	reach a 192.168.241.2
	ipn b addr del 10.0.0.22/24 dev eth0
	reach b 192.168.241.1
	at_a 10.0.0.2:1002
}

# An endpoint set by hand has no source: the routing decides again.
set_by_hand()
{
	addr b eth0 10.0.0.22/24
	to 10.0.0.22:1002
	reach a 192.168.241.2
	wgc b set wg0 peer "${PUB[a]}" endpoint 10.0.0.1:1001
	reach b 192.168.241.1
	at_a 10.0.0.2:1002
}

link_local()
{
	local ll
	on a sh -c 'echo 0 > /proc/sys/net/ipv6/conf/eth0/addr_gen_mode' || :
	ll=$(ipn b -6 addr show dev eth0 scope link | awk '/inet6/ { sub("/.*", "", $2); print $2 }')
	[ -n "$ll" ] || skip "no link-local address"
	to "[$ll%eth0]:1002"
	reach a 192.168.241.2
	reach b 192.168.241.1
	equal "endpoint at a" "$(peer_field a wg0 b endpoint | cut -d% -f1)" "[$ll"
}

subtest "the second address" second_address
subtest "the first address" first_address
subtest "IPv6" six
subtest "the address goes away" address_gone
subtest "an endpoint set by hand forgets it" set_by_hand
subtest "link-local addresses with a scope" link_local
finish
