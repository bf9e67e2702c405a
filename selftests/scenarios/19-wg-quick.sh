#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The stock wg-quick brings the module up and down: split routes, and a default
# route by fwmark policy routing.
#
#   a [q0] -- eth0 10.0.0.1 ------- 10.0.0.2 eth0 -- [wg0] b, "internet" 198.51.100.1
#
# spec 8.8
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"
need wg-quick

two_ns
addr b lo 198.51.100.1/32
ip -n "$PFX-a" route add default via 10.0.0.2
wg_dev b wg0 b 1002 192.168.241.2/24
wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32
IF=q$((RANDOM % 10000))
CONF=$TMP/$IF.conf
ns_sysctl a net.ipv4.conf.all.rp_filter 2

# conf ALLOWEDIPS [LINE]...
conf()
{
	local ips=$1
	shift
	umask 077
	{
		printf '[Interface]\nPrivateKey = %s\nAddress = 192.168.241.1/24\n' "$(< "$TMP/a.key")"
		printf '%s\n' "$@"
		printf '[Peer]\nPublicKey = %s\nEndpoint = 10.0.0.2:1002\nAllowedIPs = %s\n' "${PUB[b]}" "$ips"
	} > "$CONF"
}

split()
{
	conf 192.168.241.0/24,198.51.100.0/24 "ListenPort = 1001" "MTU = 1300" \
		"PostUp = touch $TMP/%i.up" "PreDown = rm $TMP/%i.up"
	on a wg-quick up "$CONF"
	[ -f "$TMP/$IF.up" ]
	reach a 192.168.241.2
	equal "route" "$(ipn a route get 198.51.100.1 | grep -o "dev $IF")" "dev $IF"
	ipn a link show "$IF" | grep -q 'mtu 1300'
	refute on a wg-quick up "$CONF"
	on a wg-quick down "$CONF"
	refute ipn a link show "$IF"
	[ ! -f "$TMP/$IF.up" ]
}

default_route()
{
	ipn a rule list > "$TMP/rules" || skip "kernel without policy routing"
	conf 0.0.0.0/0
	on a wg-quick up "$CONF" || {
		refute ipn a link show "$IF"
		skip "wg-quick cannot set a default route here (no firewall or policy routing)"
	}
	[ "$(on a wg show "$IF" fwmark)" != off ]
	reach a 198.51.100.1
	equal "route" "$(ipn a route get 198.51.100.1 | grep -o "dev $IF")" "dev $IF"
	# The tunnel's own datagrams go by the cable.
	capture b eth0 quick udp dst port 1002
	reach a 198.51.100.1
	wait_for 3 captured_at_least quick 1
	capture_end quick
	on a wg-quick down "$CONF"
	refute ipn a link show "$IF"
	equal "rules afterwards" "$(ipn a rule list)" "$(< "$TMP/rules")"
	equal "route" "$(ipn a route get 198.51.100.1 | grep -o 'dev eth0')" "dev eth0"
}

saves()
{
	conf 192.168.241.0/24 "SaveConfig = true"
	on a wg-quick up "$CONF"
	on a wg set "$IF" peer "${PUB[b]}" persistent-keepalive 23
	on a wg-quick down "$CONF"
	grep -q 'PersistentKeepalive = 23' "$CONF"
}

subtest "up and down with routes" split
subtest "a default route by policy routing" default_route
subtest "save" saves
finish
