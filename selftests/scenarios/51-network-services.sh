#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# systemd-networkd and NetworkManager, the services themselves, make a tunnel out
# of their own configuration files, change it and take it down. Each runs from a
# root file system with Debian 12's packages, in one namespace of the machine.
#
#   a [s0, by the service] -- eth0 ------- eth0 -- [wg0, by hand] b, "internet" 198.51.100.1
#
# spec 3.1, 3.3, 6, 7.2, 7.5, 7.6
# env: uml uml-smp
# A mount namespace of its own: what the services need goes with it.
[ -n "${WG_OWN_MOUNTS:-}" ] || WG_OWN_MOUNTS=y exec unshare --mount "$0"
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
# shellcheck source=selftests/services.sh
. "$WG_SELFTESTS/services.sh"

two_ns
key c
(umask 077; wg genpsk > "$TMP/psk")
addr b lo 198.51.100.1/32 2001:db8:51::1/128
wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
wgc b set wg0 peer "${PUB[a]}" preshared-key "$TMP/psk" \
	allowed-ips 192.168.241.1/32,192.168.241.11/32,fd00:241::1/128
ipn b route add 10.51.0.0/16 dev wg0

has_addr() { ipn a -o addr show dev s0 | grep -qF " $1/"; }
# shown FIELD WANTED: of peer b at the service's device
shown() { equal "$1" "$(peer_field a s0 b "$1")" "$2"; }
# allows PREFIX...: sorted; the services have orders of their own
allows()
{
	equal "allowed IPs" "$(peer_field a s0 b allowed | tr , '\n' | sort | xargs)" "$*"
}
of_device() { equal "$1" "$(wgc a show s0 "$1")" "$2"; }
has_device() { ipn a link show dev s0; }
no_device() { ! has_device; }
endpoint_is() { [ "$(peer_field a s0 b endpoint)" = "$1" ]; }
route_by() { ipn a route get "$1" | grep -q "dev $2 "; }

# --- systemd-networkd --------------------------------------------------------

netdev()
{
	local priv=$1
	shift
	printf '%s\n' '[NetDev]' Name=s0 Kind=wireguard MTUBytes=1380 \
		'[WireGuard]' "PrivateKey=$priv" "$@"
} > "$ROOT/etc/systemd/network/s0.netdev"

network()
{
	printf '%s\n' '[Match]' Name=s0 '[Network]' Address=192.168.241.1/24 \
		Address=fd00:241::1/64 IPv6DuplicateAddressDetection=0 "$@"
} > "$ROOT/etc/systemd/network/s0.network"

networkd_makes()
{
	netdev "$(< "$TMP/a.key")" ListenPort=1001 FirewallMark=0x51 \
		'[WireGuardPeer]' "PublicKey=${PUB[b]}" "PresharedKey=$(< "$TMP/psk")" \
		"AllowedIPs=192.168.241.2/32, fd00:241::2/128" AllowedIPs=198.51.100.0/24 \
		Endpoint=10.0.0.2:1002 PersistentKeepalive=25 \
		'[WireGuardPeer]' "PublicKey=${PUB[c]}" AllowedIPs=10.99.0.0/16 RouteTable=51
	network '[Route]' Destination=198.51.100.0/24
	chmod -R a+rX "$ROOT/etc/systemd/network"
	networkd
	told network1 wait_for 15 has_addr 192.168.241.1
	told network1 wait_for 15 route_by 198.51.100.1 s0
	of_device public-key "${PUB[a]}"
	of_device listen-port 1001
	of_device fwmark 0x51
	shown psk "$(< "$TMP/psk")"
	shown keepalive 25
	shown endpoint 10.0.0.2:1002
	allows 192.168.241.2/32 198.51.100.0/24 fd00:241::2/128
	equal "mtu" "$(ipn a -j link show s0 | jq .[0].mtu)" 1380
	equal "route of the second peer" \
		"$(ipn a -o route show table 51 | awk '{ print $1, $2, $3 }')" "10.99.0.0/16 dev s0"
	reach a 192.168.241.2
	reach a 198.51.100.1
	reach b fd00:241::1
	send_file a b 192.168.241.2 256
	in_root networkctl list s0 | grep -q 'wireguard.*routable'
}

networkd_changes()
{
	local hs
	hs=$(peer_field a s0 b handshake)
	network Address=192.168.241.11/24 '[Route]' Destination=10.51.0.0/16
	in_root networkctl reload
	told network1 wait_for 15 has_addr 192.168.241.11
	wait_for 10 route_by 10.51.1.1 s0
	reach a 192.168.241.2 -I 192.168.241.11
	equal "handshake" "$(peer_field a s0 b handshake)" "$hs"
}

networkd_again()
{
	local index
	index=$(ipn a -j link show s0 | jq .[0].ifindex)
	service_end network1
	reach a 192.168.241.2
	networkd
	wait_for 15 configured
	equal "index" "$(ipn a -j link show s0 | jq .[0].ifindex)" "$index"
	reach a 192.168.241.2
}

configured() { in_root networkctl list s0 | grep -q 'routable *configured'; }

# What a file says anew is for a device that is made anew.
networkd_replaces()
{
	in_root networkctl down s0
	no_reach b 192.168.241.1
	in_root networkctl delete s0
	no_device
	netdev "$(< "$TMP/a.key")" '[WireGuardPeer]' "PublicKey=${PUB[b]}" \
		"PresharedKey=$(< "$TMP/psk")" AllowedIPs=0.0.0.0/0 'Endpoint=[fd00:aa::2]:1002'
	in_root networkctl reload
	told network1 wait_for 15 has_addr 192.168.241.1
	wait_for 10 endpoint_is '[fd00:aa::2]:1002'
	shown allowed 0.0.0.0/0
	of_device fwmark off
	reach a 192.168.241.2
	equal "endpoint at the peer" "$(peer_field b wg0 a endpoint)" \
		"[fd00:aa::1]:$(wgc a show s0 listen-port)"
	in_root networkctl delete s0
	no_device
	service_end network1
}

# --- NetworkManager ----------------------------------------------------------

# What the desktop's "import from file" does with a file for wg-quick.
manager_imports()
{
	networkmanager
	printf '%s\n' '[Interface]' "PrivateKey = $(< "$TMP/a.key")" ListenPort=1001 \
		'Address = 192.168.241.1/24, fd00:241::1/64' MTU=1360 '[Peer]' "PublicKey=${PUB[b]}" \
		"PresharedKey=$(< "$TMP/psk")" 'Endpoint=10.0.0.2:1002' PersistentKeepalive=21 \
		'AllowedIPs=192.168.241.2/32, fd00:241::2/128, 198.51.100.0/24' > "$ROOT/tmp/s0.conf"
	nm connection import type wireguard file /tmp/s0.conf
	nm connection up s0
	of_device public-key "${PUB[a]}"
	of_device listen-port 1001
	shown psk "$(< "$TMP/psk")"
	shown keepalive 21
	allows 192.168.241.2/32 198.51.100.0/24 fd00:241::2/128
	equal "mtu" "$(ipn a -j link show s0 | jq .[0].mtu)" 1360
	# It makes routes of the allowed IPs.
	route_by 198.51.100.1 s0
	reach a 192.168.241.2
	reach a 198.51.100.1
	reach b fd00:241::1
	send_file b a fd00:241::1 256
}

manager_reapplies()
{
	local hs
	hs=$(peer_field a s0 b handshake)
	nm connection modify s0 wireguard.fwmark 0x77 +ipv4.addresses 192.168.241.11/24 \
		wireguard.peer-routes no +ipv4.routes 10.51.0.0/16
	nm device reapply s0
	told NetworkManager wait_for 10 has_addr 192.168.241.11
	wait_for 10 of_device fwmark 0x77
	wait_for 10 route_by 10.51.1.1 s0
	wait_for 10 refute route_by 198.51.100.1 s0
	reach a 192.168.241.2 -I 192.168.241.11
	equal "handshake" "$(peer_field a s0 b handshake)" "$hs"
}

manager_takes_down()
{
	nm connection down s0
	wait_for 10 no_device
	nm connection up s0
	reach a 192.168.241.2
	nm connection delete s0
	wait_for 10 no_device
}

# By words and a key file; all traffic, with its own rule and mark.
manager_takes_all()
{
	local file mark
	nm connection add type wireguard con-name full ifname s0 autoconnect no \
		wireguard.private-key "$(< "$TMP/a.key")" \
		ipv4.method manual ipv4.addresses 192.168.241.1/24 \
		ipv6.method manual ipv6.addresses fd00:241::1/64
	file=$(echo "$ROOT"/etc/NetworkManager/system-connections/full*)
	printf '%s\n' "[wireguard-peer.${PUB[b]}]" 'endpoint=[fd00:aa::2]:1002' \
		"preshared-key=$(< "$TMP/psk")" preshared-key-flags=0 'allowed-ips=0.0.0.0/0;::/0;' >> "$file"
	nm connection load "${file#"$ROOT"}"
	nm connection up full
	shown psk "$(< "$TMP/psk")"
	allows 0.0.0.0/0 ::/0
	mark=$(wgc a show s0 fwmark)
	[ "$mark" != off ]
	route_by 198.51.100.1 s0
	route_by 10.0.0.2 eth0
	reach a 198.51.100.1
	reach a 2001:db8:51::1
	nm connection modify full wireguard.ip4-auto-default-route off \
		wireguard.ip6-auto-default-route off wireguard.listen-port 1005 ipv4.never-default yes \
		ipv6.never-default yes
	nm connection up full
	of_device listen-port 1005
	wait_for 10 refute route_by 198.51.100.1 s0
	nm connection down full
	wait_for 10 no_device
	equal "rules" "$(ipn a rule list | wc -l)" 3
	service_end NetworkManager
}

subtest "a message bus in the root file system" start_bus
subtest "networkd: a device out of files" networkd_makes
subtest "networkd: addresses and routes change on reload" networkd_changes
subtest "networkd: started again, it keeps the device" networkd_again
subtest "networkd: down, deleted and made anew" networkd_replaces
subtest "NetworkManager: import, up, traffic" manager_imports
subtest "NetworkManager: reapply" manager_reapplies
subtest "NetworkManager: down, up, delete" manager_takes_down
subtest "NetworkManager: a default route" manager_takes_all
finish
