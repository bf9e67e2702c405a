#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Preshared keys: equal keys let traffic through, different ones do not, and a
# key changed on a live tunnel counts from the next handshake on.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 1.5, 7.6
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
umask 077
wg genpsk > "$TMP/psk1"
wg genpsk > "$TMP/psk2"

psk() { wgc "$1" set wg0 peer "${PUB[$2]}" preshared-key "$3"; }

new_session()
{
	local ns
	for ns in a b; do
		ip -n "$PFX-$ns" link set wg0 down
		ip -n "$PFX-$ns" link set wg0 up
	done
}

same()
{
	psk a b "$TMP/psk1"
	psk b a "$TMP/psk1"
	reach a 192.168.241.2
	equal "key shown" "$(peer_field a wg0 b psk)" "$(< "$TMP/psk1")"
}

live_change()
{
	local hs
	hs=$(peer_field a wg0 b handshake)
	psk a b "$TMP/psk2"
	reach a 192.168.241.2
	equal "handshake time" "$(peer_field a wg0 b handshake)" "$hs"
}

mismatch()
{
	new_session
	no_reach a 192.168.241.2
	# Let b try as well: neither role may accept.
	no_reach b 192.168.241.1
	# Message 1 carries no preshared key, so it is accepted and counted.
	[ "$(peer_field b wg0 a rx)" -ge 148 ]
}

one_sided()
{
	psk a b /dev/null
	new_session
	no_reach a 192.168.241.2
}

repaired()
{
	psk b a /dev/null
	new_session
	reach a 192.168.241.2
	equal "key shown" "$(peer_field a wg0 b psk)" "(none)"
}

subtest "the same key on both sides" same
subtest "a new key does not end the session" live_change
subtest "different keys: no traffic" mismatch
subtest "a key on one side only: no traffic" one_sided
subtest "both removed: traffic again" repaired
finish
