#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `wgpeer server init --exit`: a traveller in somebody else's network sends
# everything through the server, and the world sees the server only.
#
#   c, d eth0 192.168.1.2, .3 --- 192.168.1.1 n 198.51.100.2 --- 198.51.100.1 w
#        (and IPv6 without translation: 2001:db8:c::2)
#   s eth0 203.0.113.2 --- 203.0.113.1 w, where the web is: 192.0.2.80, 2001:db8:80::80
#
# env: uml uml-smp
# timeout: 600
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need nft
need_nft
[ -n "$WGPEER" ] || skip_all "no wgpeer"

ns_add c d n w s
veth c eth0 n in0
veth d eth0 n in1
veth n out0 w home
veth w server s eth0
ipn n link add br0 type bridge
ipn n link set dev br0 up
ipn n link set dev in0 master br0
ipn n link set dev in1 master br0
addr c eth0 192.168.1.2/24 2001:db8:c::2/64
addr d eth0 192.168.1.3/24 2001:db8:c::3/64
addr n br0 192.168.1.1/24 2001:db8:c::1/64
addr n out0 198.51.100.2/24 2001:db8:d::2/64
addr w home 198.51.100.1/24 2001:db8:d::1/64
addr w server 203.0.113.1/24 2001:db8:e::1/64
addr w lo 192.0.2.80/32 2001:db8:80::80/128
addr s eth0 203.0.113.2/24
for ns in c d; do
	ipn $ns route add default via 192.168.1.1
	ipn $ns -6 route add default via 2001:db8:c::1
	ns_sysctl $ns net.ipv4.conf.all.rp_filter 2
done
ipn n route add default via 198.51.100.1
ipn n -6 route add default via 2001:db8:d::1
ipn w -6 route add 2001:db8:c::/64 via 2001:db8:d::2
ipn s route add default via 203.0.113.1
for ns in n w; do
	ns_sysctl $ns net.ipv4.ip_forward 1
	ns_sysctl $ns net.ipv6.conf.all.forwarding 1
done
on n nft -f - <<'N'
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "out0" masquerade
	}
}
N
SV=sv$((RANDOM % 10000))
CL=cl$((RANDOM % 10000))
ETC=$TMP/etc
mkdir -p "$ETC/s" "$ETC/c" "$ETC/d"

server()
{
	local verb=$1
	shift
	on s "$WGPEER" server "$verb" --config-dir "$ETC/s" "$@" 2> "$TMP/words" || {
		cat "$TMP/words"
		return 1
	}
}

# join NS FILE, leave NS: as the user there does it; two of them on one machine
# need two names
join() { on "$1" "$WGPEER" client join "$1$CL" "$2" --config-dir "$ETC/$1"; }
leave() { on "$1" "$WGPEER" client leave "$1$CL" --config-dir "$ETC/$1"; }

# The web: says who asks.
bg w socat TCP4-LISTEN:80,reuseaddr,fork SYSTEM:'echo $SOCAT_PEERADDR'
bg w socat TCP6-LISTEN:80,ipv6only=1,reuseaddr,fork SYSTEM:'echo $SOCAT_PEERADDR'
both_listen() { [ "$(on w ss -Htln 'sport = :80' | wc -l)" = 2 ]; }
wait_for 5 both_listen

# seen NS ADDRESS: as what the web sees us
seen() { on "$1" timeout $((5 * SCALE)) socat -u "TCP:$2:80" -; }

beside()
{
	seen c 192.0.2.80 | grep -q '198\.51\.100\.2'
	seen c '[2001:db8:80::80]' | grep -qi '2001:0*db8:0*c:'
}

all_through()
{
	server init "$SV" --exit --dns 192.0.2.53
	server add "$SV" laptop > "$TMP/c.conf"
	grep -qx 'AllowedIPs = 0.0.0.0/0, ::/0' "$TMP/c.conf"
	grep -qx 'DNS = 192.0.2.53' "$TMP/c.conf"
	sed -i /^DNS/d "$TMP/c.conf"
	join c "$TMP/c.conf"
	seen c 192.0.2.80 | grep -q '203\.0\.113\.2'
	send_file c w 192.0.2.80 512
}

# What the web offers fits into the tunnel when it comes to the client.
clamped()
{
	capture c "c$CL" syn 'tcp[tcpflags] & tcp-syn != 0'
	seen c 192.0.2.80 > /dev/null
	wait_for 3 captured_at_least syn 2
	capture_end syn
	captured syn
	captured syn | grep ' 192\.0\.2\.80\.80 > ' | grep -q 'mss 1380'
}

# The server has no IPv6: IPv6 ends there at once, and does not go beside.
no_ipv6()
{
	capture w home v6 ip6 and src net 2001:db8:c::/64 and tcp
	refute seen c '[2001:db8:80::80]' 2> "$TMP/refused"
	# At once, and not when it has waited long enough.
	grep -q 'Permission denied' "$TMP/refused"
	capture_end v6
	equal "IPv6 beside the tunnel" "$(captured v6)" ""
	seen c 192.0.2.80 | grep -q '203\.0\.113\.2'
}

with_ipv6()
{
	addr s eth0 2001:db8:e::2/64
	ipn s -6 route add default via 2001:db8:e::1
	on s "$WGPEER" down "$SV" --config-dir "$ETC/s"
	on s "$WGPEER" up "$SV" --config-dir "$ETC/s"
	wait_for 15 reach c 192.0.2.80 -W 1
	seen c '[2001:db8:80::80]' | grep -qi '2001:0*db8:0*e:'
	seen c 192.0.2.80 | grep -q '203\.0\.113\.2'
}

# Clients reach each other until --isolate.
isolated()
{
	local at
	server add "$SV" other > "$TMP/d.conf"
	sed -i /^DNS/d "$TMP/d.conf"
	join d "$TMP/d.conf"
	reach d 192.0.2.80
	at=$(sed -n 's/^Address = \([^/]*\).*/\1/p' "$TMP/d.conf")
	reach c "$at"
	server init "$SV" --isolate
	no_reach c "$at"
	seen c 192.0.2.80 | grep -q '203\.0\.113\.2'
	seen d 192.0.2.80 | grep -q '203\.0\.113\.2'
	server init "$SV" --no-isolate
	reach c "$at"
}

# --split on an exit: only the tunnel.
split()
{
	leave d
	server add "$SV" third --split > "$TMP/d.conf"
	sed -i /^DNS/d "$TMP/d.conf"
	join d "$TMP/d.conf"
	seen d 192.0.2.80 | grep -q '198\.51\.100\.2'
	reach d "$(sed -n 's/^Address = \([^/]*\)\..*/\1.1/p' "$TMP/d.conf")"
}

# An exit that stops being one lets nobody out any more, also who is outside.
no_exit()
{
	bg c ping -n -q -i 0.2 192.0.2.80
	server init "$SV" --no-exit
	bg_end "$BG"
	no_reach c 192.0.2.80
	reach c "$(sed -n 's/^Address = \([^/]*\)\..*/\1.1/p' "$TMP/c.conf")"
	leave c
	leave d
	on s "$WGPEER" down "$SV" --config-dir "$ETC/s"
	seen c 192.0.2.80 | grep -q '198\.51\.100\.2'
}

subtest "without a tunnel" beside
subtest "all of IPv4 through the server" all_through
subtest "segments fit" clamped
subtest "IPv6 ends where the server has none" no_ipv6
subtest "IPv6 through the server" with_ipv6
subtest "clients reach each other unless isolated" isolated
subtest "a client that sends only the tunnel's own" split
subtest "an exit no more" no_exit
finish
