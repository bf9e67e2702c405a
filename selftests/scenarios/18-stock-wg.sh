#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The stock `wg` drives the module: every form of show, setconf, addconf,
# syncconf, showconf.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 7, 8.2-8.5
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"
need wg
# shellcheck disable=SC2034 # read by wgc
WG=wg

two_peers 4
wg genpsk > "$TMP/psk" 2> /dev/null
reach a 192.168.241.2 > /dev/null
# shown PARAM WANTED
shown() { equal "show $1" "$(wgc a show wg0 "$1")" "$2"; }

all_forms()
{
	local t
	t=$(printf '\t')
	shown public-key "${PUB[a]}"
	shown private-key "$(< "$TMP/a.key")"
	shown listen-port 1001
	shown fwmark off
	shown peers "${PUB[b]}"
	shown preshared-keys "${PUB[b]}$t(none)"
	shown endpoints "${PUB[b]}${t}10.0.0.2:1002"
	shown allowed-ips "${PUB[b]}${t}192.168.241.2/32 fd00:241::2/128"
	shown persistent-keepalive "${PUB[b]}${t}off"
	wgc a show wg0 latest-handshakes | grep -Eq "${t}[1-9][0-9]{9}\$"
	wgc a show wg0 transfer | grep -Eq "${t}[1-9][0-9]*${t}[1-9][0-9]*\$"
	equal "interfaces" "$(wgc a show interfaces)" wg0
	equal "lines of dump" "$(wgc a show all dump | wc -l)" 2
	wgc a show | grep -q 'latest handshake: '
	wgc a | grep -q 'transfer: '
}

set_all()
{
	wgc a set wg0 fwmark 0x1234 peer "${PUB[b]}" preshared-key "$TMP/psk" persistent-keepalive 21
	shown fwmark 0x1234
	equal "psk" "$(peer_field a wg0 b psk)" "$(< "$TMP/psk")"
	equal "keepalive" "$(peer_field a wg0 b keepalive)" 21
	wgc a set wg0 fwmark off peer "${PUB[b]}" preshared-key /dev/null persistent-keepalive off
	shown fwmark off
	equal "psk" "$(peer_field a wg0 b psk)" "(none)"
	equal "keepalive" "$(peer_field a wg0 b keepalive)" off
}

round_trip()
{
	wgc a showconf wg0 > "$TMP/conf"
	wgc a setconf wg0 "$TMP/conf"
	wgc a showconf wg0 | diff "$TMP/conf" -
	reach a 192.168.241.2
}

add()
{
	key c
	printf '[Peer]\nPublicKey=%s\nAllowedIPs=10.7.0.0/16, fd07::/16\nEndpoint=10.0.0.9:9\n' \
		"${PUB[c]}" > "$TMP/add"
	wgc a addconf wg0 "$TMP/add"
	equal "peers" "$(wgc a show wg0 peers | wc -l)" 2
	reach a 192.168.241.2
}

# The second peer goes, the session of the first stays.
sync()
{
	local hs
	hs=$(peer_field a wg0 b handshake)
	wgc a syncconf wg0 "$TMP/conf"
	equal "peers" "$(wgc a show wg0 peers)" "${PUB[b]}"
	equal "handshake" "$(peer_field a wg0 b handshake)" "$hs"
	reach a 192.168.241.2
}

refuse()
{
	refute wgc a show nosuch
	refute wgc a show lo
	refute wgc a set wg0 peer "${PUB[b]}" allowed-ips 10.0.0.0/33
	refute wgc a set wg0 listen-port nonsense
	bg a socat -u UDP4-RECVFROM:1055,fork STDOUT
	wait_for 5 listening a 1055
	refute wgc a set wg0 listen-port 1055
	shown listen-port 1001
	bg_end "$BG"
	reach a 192.168.241.2
}

subtest "every form of show" all_forms
subtest "set and unset" set_all
subtest "showconf and setconf are a round trip" round_trip
subtest "addconf adds" add
subtest "syncconf removes and keeps sessions" sync
subtest "refusals change nothing" refuse
finish
