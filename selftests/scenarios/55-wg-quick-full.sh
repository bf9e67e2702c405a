#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# wg-quick as people use it: all traffic of both families through the tunnel,
# name servers, hooks, save, strip and reload; with the stock `wg` and with ours.
#
#   a [q0] -- eth0 10.0.0.1 ------- 10.0.0.2 eth0 -- [wg0] b, "internet" 198.51.100.1
#
# spec 8.3, 8.5, 8.8
# env: uml uml-smp
# timeout: 240
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need wg-quick
need_nft

two_ns
key c
wg genpsk > "$TMP/psk" 2> /dev/null
addr b lo 198.51.100.1/32 2001:db8:51::1/128
ipn a route add default via 10.0.0.2
ipn a -6 route add default via fd00:aa::2
wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
wgc b set wg0 peer "${PUB[a]}" preshared-key "$TMP/psk" allowed-ips 192.168.241.1/32,fd00:241::1/128
ns_sysctl a net.ipv4.conf.all.rp_filter 2
IF=q$((RANDOM % 10000))
CONF=$TMP/$IF.conf

# wg-quick takes the `wg` beside it: two of it, and a resolvconf that takes notes.
for name in stock ours; do
	mkdir -p "$TMP/$name"
	cp "$(command -v wg-quick)" "$TMP/$name/"
	printf '#!/bin/sh\necho "$*" >> %s\ncase $1 in -a) cat >> %s ;; esac\n' \
		"$TMP/dns" "$TMP/dns" > "$TMP/$name/resolvconf"
	chmod +x "$TMP/$name/resolvconf"
done
ln -s "$(command -v wg)" "$TMP/stock/wg"
ln -s "$(realpath "${WGPEER:-/none}")" "$TMP/ours/wg"

# quick stock|ours WORD...
quick()
{
	local kind=$1
	shift
	on a "$TMP/$kind/wg-quick" "$@"
}

# conf ENDPOINT ALLOWEDIPS [LINE OF INTERFACE]...
conf()
{
	local at=$1 ips=$2
	shift 2
	umask 077
	printf '%s\n' '[Interface]' "PrivateKey = $(< "$TMP/a.key")" \
		'Address = 192.168.241.1/24, fd00:241::1/64' "$@" '[Peer]' "PublicKey = ${PUB[b]}" \
		"PresharedKey = $(< "$TMP/psk")" "Endpoint = $at" "AllowedIPs = $ips" > "$CONF"
}

# All that wg-quick may touch.
state()
{
	ipn a rule list
	ipn a -6 rule list
	ipn a route show table all type unicast
	ipn a -6 route show table all type unicast
	on a nft list ruleset
	ipn a -o link show | awk -F : '{ print $2 }'
}

by_cable() { ipn a route get "$@" | grep -q ' dev eth0 '; }
by_tunnel() { ipn a route get "$@" | grep -q " dev $IF "; }

# everything KIND ENDPOINT
everything()
{
	local mark
	state > "$TMP/before"
	conf "$2" '0.0.0.0/0, ::/0'
	quick "$1" up "$CONF"
	mark=$(on a wg show "$IF" fwmark)
	equal "fwmark" "$mark" 0xca6c
	by_tunnel 198.51.100.1
	by_tunnel 2001:db8:51::1
	by_cable 198.51.100.1 mark "$mark"
	by_cable 2001:db8:51::1 mark "$mark"
	equal "tables" "$(on a nft list tables | sort | xargs)" \
		"table ip wg-quick-$IF table ip6 wg-quick-$IF"
	capture b eth0 wire udp port 1002
	capture b wg0 inner tcp
	reach a 198.51.100.1
	reach a 2001:db8:51::1
	send_file a b 198.51.100.1 512
	send_file a b 2001:db8:51::1 512
	wait_for 3 captured_at_least inner 20
	wait_for 3 captured_at_least wire 10
	capture_end wire
	capture_end inner
	no_spoofing
	quick "$1" down "$CONF"
	state | diff "$TMP/before" -
	refute by_tunnel 198.51.100.1
	reach a 198.51.100.1
}

# Who sends to the tunnel's address beside the tunnel is not heard, because of
# wg-quick's rule and of nothing else.
no_spoofing()
{
	ipn b route add 192.168.241.1/32 via 10.0.0.1 dev eth0
	no_reach b 192.168.241.1
	on a nft delete table ip "wg-quick-$IF"
	reach b 192.168.241.1
	ipn b route del 192.168.241.1/32 via 10.0.0.1 dev eth0
}

# name_servers KIND
name_servers()
{
	: > "$TMP/dns"
	: > "$TMP/hooks"
	conf 10.0.0.2:1002 192.168.241.0/24 'DNS = 192.168.241.2, fd00:241::2, corp.test' \
		"PreUp = echo pre-up %i >> $TMP/hooks" "PostUp = echo post-up >> $TMP/hooks" \
		"PostUp = wg show %i peers >> $TMP/hooks" \
		"PreDown = echo pre-down >> $TMP/hooks" "PostDown = echo post-down >> $TMP/hooks"
	quick "$1" up "$CONF"
	reach a 192.168.241.2
	grep -q -- "^-a .*$IF -m 0 -x\$" "$TMP/dns"
	equal "servers" "$(grep -c '^nameserver ' "$TMP/dns")" 2
	grep -qx 'nameserver fd00:241::2' "$TMP/dns"
	grep -qx 'search corp.test' "$TMP/dns"
	quick "$1" down "$CONF"
	grep -q -- "^-d .*$IF" "$TMP/dns"
	equal "hooks" "$(xargs < "$TMP/hooks")" "pre-up $IF post-up ${PUB[b]} pre-down post-down"
}

# saves KIND: what was changed while it was up is in the file afterwards
saves()
{
	conf 10.0.0.2:1002 192.168.241.0/24 'ListenPort = 1001' 'MTU = 1312' 'Table = off' \
		'PostUp = true' 'SaveConfig = true'
	quick "$1" up "$CONF"
	on a wg set "$IF" fwmark 0x55 peer "${PUB[c]}" allowed-ips 10.9.0.0/16 persistent-keepalive 9
	ipn a addr add 192.168.241.77/32 dev "$IF"
	quick "$1" save "$CONF"
	cat "$CONF"
	equal "mode" "$(stat -c %a "$CONF")" 600
	for line in 'Address = 192.168.241.77/32' 'Address = fd00:241::1/64' 'MTU = 1312' 'Table = off' \
		'PostUp = true' 'SaveConfig = true' 'ListenPort = 1001' 'FwMark = 0x55' \
		"PrivateKey = $(< "$TMP/a.key")" "PublicKey = ${PUB[c]}" "PresharedKey = $(< "$TMP/psk")" \
		'AllowedIPs = 10.9.0.0/16' 'PersistentKeepalive = 9' 'Endpoint = 10.0.0.2:1002'; do
		grep -qxF "$line" "$CONF"
	done
	on a wg set "$IF" peer "${PUB[c]}" remove
	quick "$1" down "$CONF"
	refute grep -qF "${PUB[c]}" "$CONF"
	quick "$1" up "$CONF"
	reach a 192.168.241.2
	equal "fwmark" "$(on a wg show "$IF" fwmark)" 0x55
	quick "$1" down "$CONF"
}

# reloads KIND: as `systemctl reload wg-quick@` does it
reloads()
{
	local hs
	conf 10.0.0.2:1002 192.168.241.0/24 'DNS = 192.168.241.2' 'MTU = 1400' 'PostUp = true # x'
	quick "$1" up "$CONF"
	reach a 192.168.241.2
	hs=$(peer_field a "$IF" b handshake)
	printf '%s\n' '[Peer]' "PublicKey = ${PUB[c]}" 'AllowedIPs = 10.9.0.0/16' >> "$CONF"
	quick "$1" strip "$CONF" > "$TMP/stripped"
	refute grep -qE 'Address|DNS|MTU|PostUp' "$TMP/stripped"
	equal "keys" "$(grep -c Key "$TMP/stripped")" 4
	on a "$TMP/$1/wg" syncconf "$IF" <(quick "$1" strip "$CONF")
	equal "peers" "$(on a wg show "$IF" peers | wc -l)" 2
	equal "handshake" "$(peer_field a "$IF" b handshake)" "$hs"
	reach a 192.168.241.2
	sed -i '/^PublicKey = '"${PUB[c]//\//\\/}"'/,$d' "$CONF"
	sed -i '$d' "$CONF"
	on a "$TMP/$1/wg" syncconf "$IF" <(quick "$1" strip "$CONF")
	equal "peers" "$(on a wg show "$IF" peers)" "${PUB[b]}"
	equal "handshake" "$(peer_field a "$IF" b handshake)" "$hs"
	quick "$1" down "$CONF"
}

# A hook that fails undoes everything.
undone()
{
	state > "$TMP/before"
	conf 10.0.0.2:1002 0.0.0.0/0 'PostUp = false'
	refute quick "$1" up "$CONF"
	refute ipn a link show dev "$IF"
	conf 10.0.0.2:1002 0.0.0.0/0 'Frobnicate = yes'
	refute quick "$1" up "$CONF"
	refute ipn a link show dev "$IF"
	state | diff "$TMP/before" -
}

for with in stock ours; do
	[ -x "$TMP/$with/wg" ] || continue
	subtest "$with: all traffic, over IPv4" everything $with 10.0.0.2:1002
	subtest "$with: all traffic, over IPv6" everything $with '[fd00:aa::2]:1002'
	subtest "$with: name servers and hooks" name_servers $with
	subtest "$with: save" saves $with
	subtest "$with: strip and reload" reloads $with
	subtest "$with: what fails is undone" undone $with
done
finish
