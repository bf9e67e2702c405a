#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What OpenWrt's netifd handler, its watchdog and LuCI call, in their order, with
# busybox's `ip` and our program as `wg`.
#
#   a, the router [wgnet] -- eth0 ------- eth0 -- [wg0] b, the provider
#                 default via 10.0.0.2             203.0.113.2 is its endpoint
#                                                  198.51.100.1 "internet"
#
# spec 3.1, 3.3, 7.5, 7.6, 8.2, 8.5, 8.6
# quick: uml
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"

mkdir "$TMP/bin"
[ -z "$WGPEER" ] || ln -s "$(realpath "$WGPEER")" "$TMP/bin/wg"
PATH=$TMP/bin:$PATH

two_ns
key c
wg genpsk > "$TMP/psk" 2> /dev/null
addr b lo 203.0.113.2/32 198.51.100.1/32 2001:db8:51::1/128
wg_dev b wg0 b 51820 10.8.0.1/24 fd08::1/64
on b wg set wg0 peer "${PUB[a]}" preshared-key "$TMP/psk" allowed-ips 10.8.0.7/32,fd08::7/128
ipn a route add default via 10.0.0.2
ns_sysctl a net.ipv4.conf.all.rp_filter 2
cp /etc/hosts "$TMP/hosts"
echo '203.0.113.2 vpn.example.test' >> /etc/hosts
trap 'cp "$TMP/hosts" /etc/hosts; cleanup; rm -rf "$TMP"' EXIT

bb() { on a busybox ip "$@"; }
wga() { on a wg "$@"; }

# uci [disabled]: the file as the handler writes it: one AllowedIPs line for each
# list entry, no blank around '=', peers that are switched off left out
uci()
{
	printf '%s\n' '[Interface]' "PrivateKey=$(< "$TMP/a.key")" ListenPort=51821 FwMark=0x51 \
		'[Peer]' "PublicKey=${PUB[b]}" "PresharedKey=$(< "$TMP/psk")" AllowedIPs=0.0.0.0/0 \
		AllowedIPs=::/0 Endpoint=vpn.example.test:51820 PersistentKeepalive=25
	[ "${1:-}" = disabled ] || printf '%s\n' '[Peer]' "PublicKey=${PUB[c]}" \
		AllowedIPs=10.77.0.0/16 AllowedIPs=fd77::/64
}

peers_are() { equal "peers" "$(wga show wgnet peers | sort | xargs)" "$(printf '%s\n' "$@" | sort | xargs)"; }

# The route to the endpoint that netifd makes of what `wg show` says.
host_dependency()
{
	wga show wgnet endpoints | sed -E 's/\[?([0-9.:a-f]+)\]?:([0-9]+)/\1 \2/' |
		while read -r _ address port; do
			[ -n "$port" ] || continue
			bb route add "$address/32" via 10.0.0.2 dev eth0
		done
}

# setup setconf|syncconf
setup()
{
	bb link del dev wgnet 2> /dev/null || :
	bb link add dev wgnet type wireguard
	bb link set mtu 1412 dev wgnet
	if [ "$1" = setconf ]; then
		mkdir -p "$TMP/wireguard"
		(umask 077; uci > "$TMP/wireguard/wgnet")
		wga setconf wgnet "$TMP/wireguard/wgnet"
		rm "$TMP/wireguard/wgnet"
	else
		uci | on a wg syncconf wgnet /dev/stdin
	fi
	bb link set up dev wgnet
	bb addr add 10.8.0.7/24 dev wgnet
	bb addr add fd08::7/64 dev wgnet
	bb route add 10.77.0.0/16 dev wgnet
	host_dependency
	bb route add 0.0.0.0/1 dev wgnet
	bb route add 128.0.0.0/1 dev wgnet
	bb route add 2001:db8::/32 dev wgnet
}

teardown()
{
	bb link del dev wgnet
	bb route del 203.0.113.2/32
	refute ipn a link show dev wgnet
}

works()
{
	peers_are "${PUB[b]}" "${PUB[c]}"
	equal "fwmark" "$(wga show wgnet fwmark)" 0x51
	equal "port" "$(wga show wgnet listen-port)" 51821
	equal "mtu" "$(ipn a -j link show wgnet | jq .[0].mtu)" 1412
	equal "keepalive" "$(wga show wgnet persistent-keepalive | grep -F "${PUB[b]}" | cut -f 2)" 25
	equal "allowed" "$(wga show wgnet allowed-ips | grep -F "${PUB[c]}" | cut -f 2)" \
		"10.77.0.0/16 fd77::/64"
	reach a 198.51.100.1
	reach a 2001:db8:51::1
	send_file a b 198.51.100.1 256
}

by_file()
{
	setup setconf
	works
	teardown
}

by_stdin()
{
	setup syncconf
	works
}

# The interface stays: one peer is switched off, the other keeps its session.
renew()
{
	local hs
	hs=$(wga show wgnet latest-handshakes | grep -F "${PUB[b]}")
	uci disabled | on a wg syncconf wgnet /dev/stdin
	peers_are "${PUB[b]}"
	equal "handshake" "$(wga show wgnet latest-handshakes)" "$hs"
	reach a 198.51.100.1
	uci | on a wg syncconf wgnet /dev/stdin
	peers_are "${PUB[b]}" "${PUB[c]}"
	equal "handshake" "$(wga show wgnet latest-handshakes | grep -F "${PUB[b]}")" "$hs"
	reach a 198.51.100.1
}

# The endpoint's name stands for another address now.
watchdog()
{
	local iface=wgnet key=${PUB[b]} seconds age
	seconds=$(wga show $iface persistent-keepalive | grep -F "$key" | awk '{ print $2 }')
	[ "$seconds" = 25 ]
	age=$(($(date +%s) - $(wga show $iface latest-handshakes | grep -F "$key" | awk '{ print $2 }')))
	[ $age -lt 150 ]
	addr b lo 203.0.113.9/32
	bb route add 203.0.113.9/32 via 10.0.0.2 dev eth0
	sed 's/^203.0.113.2 /203.0.113.9 /' /etc/hosts > "$TMP/moved"
	cat "$TMP/moved" > /etc/hosts
	capture b eth0 moved udp and dst host 203.0.113.9
	wga set $iface peer "$key" endpoint vpn.example.test:51820
	equal "endpoint" "$(wga show $iface endpoints | grep -F "$key" | cut -f 2)" 203.0.113.9:51820
	reach a 198.51.100.1
	wait_for 3 captured_at_least moved 1
	capture_end moved
}

# What the status page reads: 5 columns for the device, 9 for each peer.
status_page()
{
	wga show all dump > "$TMP/dump"
	equal "columns" "$(awk -F '\t' '{ print NF }' "$TMP/dump" | xargs)" "5 9 9"
	equal "device" "$(head -n 1 "$TMP/dump")" "$(printf '%s\t' wgnet "$(< "$TMP/a.key")" \
		"${PUB[a]}" 51821)0x51"
	awk -F '\t' -v k="${PUB[b]}" '$2 == k { ok = $6 > 1e9 && $7 > 0 && $8 > 0 && $9 == 25 }
		END { exit !ok }' "$TMP/dump"
	equal "key pair" "$(wg genkey | tee "$TMP/new" | wg pubkey | wc -c)" 45
	equal "psk" "$(wg genpsk 2> /dev/null | wc -c)" 45
}

# A name that is not there: the handler sees it and takes the interface down.
unresolved()
{
	bb link del dev wgnet
	bb link add dev wgnet type wireguard
	uci | sed 's/vpn.example.test/gone.example.invalid/' > "$TMP/bad"
	refute on a env WG_ENDPOINT_RESOLUTION_RETRIES=0 wg syncconf wgnet /dev/stdin < "$TMP/bad"
	bb link del dev wgnet
	refute ipn a link show dev wgnet
}

subtest "set up from a file and taken down" by_file
subtest "set up from standard input" by_stdin
subtest "renewed: a peer goes and comes, the other stays" renew
subtest "the watchdog resolves the endpoint again" watchdog
subtest "LuCI's status page" status_page
subtest "a name that cannot be resolved" unresolved
finish
