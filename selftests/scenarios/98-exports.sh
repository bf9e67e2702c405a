#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What our program exports, taken by those it is meant for: systemd-networkd and
# NetworkManager bring it up, wg-quick too, a reader of QR codes and one of UCI
# find in it what the file says.
#
#   a [wg0, by the service] -- eth0 ------- eth0 -- [wg0] b, "internet" 198.51.100.1
#        default via 10.0.0.2                             203.0.113.2 is its endpoint
#
# spec 8.8
# env: uml uml-smp
# timeout: 600
# A mount namespace of its own: what the services need goes with it.
[ -n "${WG_OWN_MOUNTS:-}" ] || WG_OWN_MOUNTS=y exec unshare --mount "$0"
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
[ -n "$WGPEER" ] || skip_all "no program of ours"
# shellcheck source=selftests/services.sh
. "$WG_SELFTESTS/services.sh"

two_ns
key c
(umask 077; wg genpsk > "$TMP/psk")
addr b lo 203.0.113.2/32 2001:db8:113::2/128 198.51.100.1/32 2001:db8:51::1/128
ipn a route add default via 10.0.0.2
ipn a -6 route add default via fd00:aa::2
wg_dev b wg0 b 1002 10.8.0.1/24 fd08::1/64
wgc b set wg0 peer "${PUB[a]}" preshared-key "$TMP/psk" allowed-ips 10.8.0.2/32,fd08::2/128
# What systemd's own sysctl.d has.
ns_sysctl a net.ipv4.conf.all.rp_filter 2
ns_sysctl a net.ipv4.conf.eth0.rp_filter 2

# conf NAME ALLOWEDIPS [LINE OF INTERFACE]...: a client's file, $TMP/NAME/wg0.conf
conf()
{
	local name=$1 ips=$2
	shift 2
	mkdir "$TMP/$name"
	(umask 077; printf '%s\n' '[Interface]' "PrivateKey = $(< "$TMP/a.key")" \
		'Address = 10.8.0.2/24, fd08::2/64' "$@" '' '[Peer]' "# Name = it's b" \
		"PublicKey = ${PUB[b]}" "PresharedKey = $(< "$TMP/psk")" \
		'Endpoint = 203.0.113.2:1002' "AllowedIPs = $ips" 'PersistentKeepalive = 25' \
		> "$TMP/$name/wg0.conf")
}

conf full '0.0.0.0/0, ::/0' 'DNS = 10.8.0.1, fd08::1, corp.example' 'MTU = 1380'
conf split '10.8.0.0/24, fd08::/64, 198.51.100.1/24, 2001:db8:51::/48' 'ListenPort = 1001'
printf '%s\n' '' '[Peer]' "PublicKey = ${PUB[c]}" 'AllowedIPs = 10.99.0.0/16' \
	'Endpoint = [2001:db8:113::2]:1002' >> "$TMP/split/wg0.conf"
conf table 0.0.0.0/0 'Table = 77' 'FwMark = 0x51'
conf off '0.0.0.0/0, ::/0' 'Table = off'

# export_of NAME [OPTION]...
export_of()
{
	local name=$1
	shift
	"$WGPEER" export wg0 --config-dir "$TMP/$name" "$@"
}

by_tunnel() { ipn a route get "$@" | grep -q ' dev wg0 '; }
by_cable() { ipn a route get "$@" | grep -q ' dev eth0 '; }
has_addr() { ipn a -o addr show dev wg0 | grep -qF " $1/"; }
no_device() { ! ipn a link show dev wg0; }
of_device() { equal "$1" "$(wgc a show wg0 "$1")" "$2"; }
allows()
{
	equal "allowed IPs" "$(peer_field a wg0 b allowed | tr , '\n' | sort | xargs)" "$*"
}

# Keys and what else both forms of a whole tunnel have in common.
is_as_the_file_says()
{
	of_device private-key "$(< "$TMP/a.key")"
	equal "psk" "$(peer_field a wg0 b psk)" "$(< "$TMP/psk")"
	equal "keepalive" "$(peer_field a wg0 b keepalive)" 25
	equal "endpoint" "$(peer_field a wg0 b endpoint)" 203.0.113.2:1002
	has_addr 10.8.0.2
	has_addr fd08::2
}

# All traffic goes through the tunnel but the tunnel's own.
takes_all()
{
	local mark
	is_as_the_file_says
	allows 0.0.0.0/0 ::/0
	mark=$(wgc a show wg0 fwmark)
	[ "$mark" != off ]
	by_tunnel 198.51.100.1
	by_tunnel 2001:db8:51::1
	by_tunnel 203.0.113.2
	by_cable 203.0.113.2 mark "$mark"
	by_cable 2001:db8:113::2 mark "$mark"
	# The network at hand stays at hand.
	by_cable 10.0.0.2
	reach a 198.51.100.1
	reach a 2001:db8:51::1
	send_file a b 198.51.100.1 256
	equal "mtu" "$(ipn a -j link show wg0 | jq .[0].mtu)" 1380
}

takes_a_part()
{
	is_as_the_file_says
	allows 10.8.0.0/24 198.51.100.0/24 2001:db8:51::/48 fd08::/64
	of_device listen-port 1001
	of_device fwmark off
	equal "second endpoint" "$(peer_field a wg0 c endpoint)" '[2001:db8:113::2]:1002'
	by_tunnel 198.51.100.1
	by_tunnel 10.99.0.1
	by_cable 203.0.113.2
	by_cable 192.0.2.1
	reach a 10.8.0.1
	reach a 198.51.100.1
	reach a 2001:db8:51::1
	send_file b a 10.8.0.2 256
}

# --- systemd-networkd --------------------------------------------------------

# Each part into the file that the comment above it names.
parts() { awk -v root="$ROOT" '/^# \// { file = root $2 } { print > file }'; }

networkd_has_routes()
{
	if [ "$1" = full ]; then
		by_tunnel 2001:db8:51::1 && by_tunnel 198.51.100.1
	else
		by_tunnel 10.99.0.1 && by_tunnel 2001:db8:51::1
	fi
}

# by_networkd full|split CHECK
by_networkd()
{
	export_of "$1" --format networkd | parts
	equal "files" "$(cd "$ROOT/etc/systemd/network" && echo *)" "50-wg0.netdev 50-wg0.network"
	chown "0:$(awk -F : '$1 == "systemd-network" { print $3 }' "$ROOT/etc/group")" \
		"$ROOT/etc/systemd/network/50-wg0.netdev"
	chmod 0640 "$ROOT/etc/systemd/network/50-wg0.netdev"
	networkd
	told network1 wait_for 15 has_addr 10.8.0.2
	told network1 wait_for 15 networkd_has_routes "$1"
	told network1 "$2"
	# It complains of what it does not know.
	refute grep -E '50-wg0\.(netdev|network):[0-9]+:' "$TMP/network1.log"
	[ "$1" = split ] || resolved_is_told
	in_root networkctl delete wg0
	wait_for 10 no_device
	service_end network1
	# Its rules outlive the device.
	rules_end
	rm "$ROOT"/etc/systemd/network/50-wg0.*
}

# What systemd-resolved reads.
resolved_is_told()
{
	local state
	state=$ROOT/run/systemd/netif/links/$(ipn a -j link show wg0 | jq .[0].ifindex)
	equal "dns" "$(sed -n 's/^DNS=//p' "$state")" "10.8.0.1 fd08::1"
	equal "domains" "$(sed -n 's/^DOMAINS=//p;s/^ROUTE_DOMAINS=/~/p' "$state" | sort | xargs)" \
		"corp.example ~."
}

rules_end()
{
	local family
	for family in -4 -6; do
		while ipn a $family rule del table 51820 2> /dev/null; do :; done
		while ipn a $family rule del table main suppress_prefixlength 0 2> /dev/null; do :; done
	done
}

networkd_table()
{
	export_of table --format networkd | parts
	chmod a+r "$ROOT"/etc/systemd/network/50-wg0.*
	networkd
	told network1 wait_for 15 has_addr 10.8.0.2
	wait_for 10 in_table_77
	of_device fwmark 0x51
	by_cable 198.51.100.1
	equal "rules" "$(ipn a rule list | wc -l)" 3
	in_root networkctl delete wg0
	wait_for 10 no_device
	service_end network1
	rm "$ROOT"/etc/systemd/network/50-wg0.*
}

in_table_77() { ipn a -o route show table 77 | grep -q '^default dev wg0 '; }

# --- NetworkManager ----------------------------------------------------------

# load NAME
load()
{
	local file=/etc/NetworkManager/system-connections/wg0.nmconnection
	mkdir -p "$ROOT${file%/*}"
	export_of "$1" --format nm > "$ROOT$file"
	chmod 0600 "$ROOT$file"
	nm connection load "$file"
	nm connection up wg0
}

shows() { equal "$1" "$(in_root nmcli -g "$1" connection show wg0)" "$2"; }

by_manager()
{
	networkmanager
	load split
	told NetworkManager takes_a_part
	shows connection.id wg0
	shows ipv4.never-default yes
	nm connection down wg0
	wait_for 10 no_device
}

# The same connection, because the key is the same.
by_manager_all()
{
	local uuid
	uuid=$(in_root nmcli -g connection.uuid connection show wg0)
	load full
	told NetworkManager takes_all
	shows connection.uuid "$uuid"
	shows ipv4.dns 10.8.0.1
	shows ipv6.dns 'fd08\:\:1'
	shows ipv4.dns-search 'corp.example,~.'
	shows ipv6.dns-priority -50
	equal "connections" "$(in_root nmcli -g name,type connection show | grep -c wireguard)" 1
	nm connection down wg0
	wait_for 10 no_device
	equal "rules" "$(ipn a rule list | wc -l)" 3
}

by_manager_table()
{
	load table
	wait_for 10 in_table_77
	of_device fwmark 0x51
	by_cable 198.51.100.1
	equal "rules" "$(ipn a rule list | wc -l)" 3
	nm connection down wg0
	wait_for 10 no_device
	load off
	is_as_the_file_says
	allows 0.0.0.0/0 ::/0
	by_cable 198.51.100.1
	by_cable 2001:db8:51::1
	reach a 10.8.0.1
	nm connection delete wg0
	wait_for 10 no_device
	service_end NetworkManager
}

# --- others ------------------------------------------------------------------

by_wg_quick()
{
	command -v wg-quick || skip "no wg-quick"
	mkdir "$TMP/quick"
	export_of split > "$TMP/quick/wg0.conf"
	chmod 0600 "$TMP/quick/wg0.conf"
	on a wg-quick up "$TMP/quick/wg0.conf"
	takes_a_part
	on a wg-quick down "$TMP/quick/wg0.conf"
	no_device
}

# On a terminal there are colours around the same blocks.
by_camera()
{
	command -v zbarimg || skip "no zbarimg"
	local name
	for name in full split; do
		export_of $name --qr > "$TMP/qr"
		"$PY" "$PYDIR/exports.py" pbm < "$TMP/qr" > "$TMP/qr.pbm"
		zbarimg -q --raw --oneshot -Sbinary "$TMP/qr.pbm" > "$TMP/seen"
		cmp "$TMP/seen" "$TMP/$name/wg0.conf"
		WG_COLOR_MODE=always export_of $name --qr > "$TMP/qr.color"
		grep -q "$(printf '\033')" "$TMP/qr.color"
		sed "s/$(printf '\033')\[[0-9;]*m//g" "$TMP/qr.color" | cmp - "$TMP/qr"
	done
}

by_openwrt()
{
	local name
	for name in full split table off; do
		export_of $name --format json > "$TMP/json"
		jq -e '.peers | length > 0' "$TMP/json"
		export_of $name --format uci | "$PY" "$PYDIR/exports.py" uci "$TMP/json"
	done
	equal "name" "$(jq -r '.peers[0].name' "$TMP/json")" "it's b"
}

subtest "a message bus in the root file system" start_bus
subtest "networkd: a part of the traffic" by_networkd split takes_a_part
subtest "networkd: all traffic, name servers" by_networkd full takes_all
subtest "networkd: a table of its own" networkd_table
subtest "NetworkManager: a part of the traffic" by_manager
subtest "NetworkManager: all traffic, name servers" by_manager_all
subtest "NetworkManager: a table of its own, no table" by_manager_table
subtest "wg-quick: the file as it is" by_wg_quick
subtest "a camera reads the QR code" by_camera
subtest "OpenWrt: UCI says what JSON says" by_openwrt
finish
