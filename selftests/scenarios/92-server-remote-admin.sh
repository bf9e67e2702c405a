#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `wgpeer server` lets somebody at home, behind two routers that translate
# addresses, into the network behind the server, whose hosts know no way back.
#
#   c eth0 192.168.1.2 --- 192.168.1.1 n 100.64.0.2 --- 100.64.0.1 m 198.51.100.2 --- 198.51.100.1 w
#   l eth0 10.50.0.20 --- lan0 10.50.0.1 s eth0 203.0.113.2 --- 203.0.113.1 w
#
# env: uml uml-smp
# timeout: 600
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need nft
need_nft
[ -n "$WGPEER" ] || skip_all "no wgpeer"

ns_add c n m w s l
veth c eth0 n in0
veth n out0 m in0
veth m out0 w home
veth w server s eth0
veth s lan0 l eth0
addr c eth0 192.168.1.2/24
addr n in0 192.168.1.1/24
addr n out0 100.64.0.2/24
addr m in0 100.64.0.1/24
addr m out0 198.51.100.2/24
addr w home 198.51.100.1/24
addr w server 203.0.113.1/24
addr s eth0 203.0.113.2/24
addr s lan0 10.50.0.1/24
addr l eth0 10.50.0.20/24
ipn c route add default via 192.168.1.1
ipn n route add default via 100.64.0.1
ipn m route add default via 198.51.100.1
ipn s route add default via 203.0.113.1
for ns in n m w; do ns_sysctl $ns net.ipv4.ip_forward 1; done
for ns in n m; do
	on $ns nft -f - <<'N'
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "out0" masquerade
	}
}
N
done
SV=sv$((RANDOM % 10000))
CL=cl$((RANDOM % 10000))
ETC=$TMP/etc

server()
{
	local verb=$1
	shift
	on s "$WGPEER" server "$verb" --config-dir "$ETC/s" "$@" 2> "$TMP/words" || {
		cat "$TMP/words"
		return 1
	}
}

# join FILE: as the user at c does it
join() { on c "$WGPEER" client join "$CL" "$1" --config-dir "$ETC/c"; }
leave() { on c "$WGPEER" client leave "$CL" --config-dir "$ETC/c"; }
mkdir -p "$ETC/s" "$ETC/c"

# All that the server may change at its host.
host()
{
	on s nft list ruleset
	ipn s route show table all
	ipn s rule list
	ipn s -6 rule list
	on s sh -c 'cd /proc/sys/net && grep -r . ipv4/ip_forward ipv6/conf/all/forwarding ipv4/conf/eth0/forwarding ipv4/conf/lan0/forwarding'
}

init()
{
	host > "$TMP/before"
	server init "$SV" --share 10.50.0.0/24 --address 10.99.0.1/24
	cat "$TMP/words"
	grep -q 'connect to 203\.0\.113\.2:51820' "$TMP/words"
	refute grep -q '^To do' "$TMP/words"
	equal "mode" "$(stat -c %a "$ETC/s/$SV.conf")" 600
	on s ip link show dev "$SV" | grep -q ',UP'
}

peer_at_server() { on s "$WGPEER" show "$SV" dump | awk -F '\t' 'NR == 2 { print $3 }'; }

# A client at home reaches what is shared, and only that goes through the tunnel.
works()
{
	server add "$SV" laptop > "$TMP/laptop.conf"
	join "$TMP/laptop.conf"
	reach c 10.99.0.1
	capture l eth0 lan icmp
	reach c 10.50.0.20
	wait_for 3 captured_at_least lan 1
	capture_end lan
	captured lan | grep -q ' 10\.50\.0\.1 > 10\.50\.0\.20: ICMP echo request'
	send_file c l 10.50.0.20 256
	grep -q '^198\.51\.100\.2:' <<< "$(peer_at_server)"
	ipn c route get 198.51.100.1 | grep -q ' dev eth0 '
	ipn c route get 10.50.0.20 | grep -q " dev $CL "
}

# Nothing but the share: neither the server's uplink nor other networks.
only_the_share()
{
	ipn c route add 203.0.113.1/32 dev "$CL"
	on c "$WGPEER" set "$CL" peer "$(on c "$WGPEER" show "$CL" peers)" allowed-ips 10.99.0.0/24,10.50.0.0/24,203.0.113.1/32
	no_reach c 203.0.113.1
	on c "$WGPEER" set "$CL" peer "$(on c "$WGPEER" show "$CL" peers)" allowed-ips 10.99.0.0/24,10.50.0.0/24
	ipn c route del 203.0.113.1/32 dev "$CL"
	reach c 10.50.0.20
}

# With a route back LAN hosts can see who asks.
no_nat()
{
	sed -i '/^# wgpeer share =/a # wgpeer share-nat = no' "$ETC/s/$SV.conf"
	on s "$WGPEER" apply "$SV" --config-dir "$ETC/s"
	no_reach c 10.50.0.20
	ipn l route add 10.99.0.0/24 via 10.50.0.1
	capture l eth0 lan icmp
	reach c 10.50.0.20
	wait_for 3 captured_at_least lan 1
	capture_end lan
	captured lan | grep -q ' 10\.99\.0\.2 > 10\.50\.0\.20: ICMP echo request'
	ipn l route del 10.99.0.0/24 via 10.50.0.1
	sed -i '/^# wgpeer share-nat/d' "$ETC/s/$SV.conf"
	on s "$WGPEER" apply "$SV" --config-dir "$ETC/s"
	reach c 10.50.0.20
}

# A firewall that is there already and drops what it does not know.
strict_host()
{
	on s "$WGPEER" down "$SV" --config-dir "$ETC/s"
	on s nft -f - <<'N'
table inet strict {
	chain in {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		iifname "lo" accept
	}
	chain forwarding {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
	}
}
N
	on s nft list ruleset > "$TMP/strict"
	on s "$WGPEER" up "$SV" --config-dir "$ETC/s"
	# What the firewall let through as established must not help.
	on s conntrack -F 2> /dev/null || :
	wait_for 15 reach c 10.50.0.20 -W 1
	send_file c l 10.50.0.20 64
	# What it does not let in stays out, beside the tunnel and inside.
	no_reach w 203.0.113.2
	no_reach c 10.99.0.1
	on s "$WGPEER" down "$SV" --config-dir "$ETC/s"
	on s nft list ruleset | diff "$TMP/strict" -
	on s nft delete table inet strict
	on s "$WGPEER" up "$SV" --config-dir "$ETC/s"
	wait_for 15 reach c 10.50.0.20 -W 1
}

# --firewall print: nothing is made, all is told.
only_told()
{
	server init "$SV" --firewall print
	cat "$TMP/words"
	on s nft list ruleset > "$TMP/rules"
	refute grep -q "$SV" "$TMP/rules"
	grep -q "masquerade" "$TMP/words"
	no_reach c 10.50.0.20
	server init "$SV" --firewall nft
	reach c 10.50.0.20
}

# Who is removed is out, and knows it at the next packet; also where a lease has
# come up since that lets nobody in.
removed()
{
	addr s lan0 10.99.0.201/29
	refute server add "$SV" gone --output "$TMP/x"
	grep -q '10\.99\.0\.200/29 on lan0' "$TMP/words"
	server remove "$SV" laptop
	ipn s addr del 10.99.0.201/29 dev lan0
	no_reach c 10.50.0.20
	equal "peers" "$(on s "$WGPEER" show "$SV" peers)" ""
	leave
}

# A change that cannot be made leaves everything as it was.
refused()
{
	local conf=$ETC/s/$SV.conf
	server add "$SV" phone > "$TMP/phone.conf"
	cp "$conf" "$TMP/was"
	host > "$TMP/was-host"
	on s "$WGPEER" showconf "$SV" > "$TMP/was-running"
	refute server add "$SV" gone --address 10.99.0.2 --output "$TMP/x"
	refute server add "$SV" gone --output "$TMP/none/x"
	refute server init "$SV" --address 203.0.113.9/24
	refute server init "$SV" --share 10.99.0.0/25
	bg s socat UDP4-RECVFROM:60000 /dev/null
	wait_for 5 listening s 60000
	refute server init "$SV" --port 60000
	bg_end "$BG"
	# Without nft there are no rules, and what goes only with them is not made.
	refute on_bare s "$(realpath "$WGPEER")" server init "$SV" --isolate --config-dir "$ETC/s"
	refute on_bare s "$(realpath "$WGPEER")" server init "n$SV" --config-dir "$ETC/s" \
		--address 10.98.0.1/24
	refute ipn s link show dev "n$SV"
	equal "files" "$(cd "$ETC/s" && echo *)" "$SV.conf $SV.conf.bak"
	cmp "$conf" "$TMP/was"
	host | diff "$TMP/was-host" -
	on s "$WGPEER" showconf "$SV" | diff "$TMP/was-running" -
	server remove "$SV" phone
}

# Behind a router the user is told what it has to do, and what cannot be done.
behind_routers()
{
	on c "$WGPEER" server init "h$SV" --no-up --config-dir "$ETC/h" 2> "$TMP/words"
	grep -q '^To do: .*192\.168\.1\.2' "$TMP/words"
	grep -q '^To do: .*UDP port 51820' "$TMP/words"
	grep -q '^To do: .*--endpoint HOST' "$TMP/words"
	grep -q 'connect to 192\.168\.1\.2:51820' "$TMP/words"
	# IPv6 goes past them.
	addr c eth0 2001:db8:c::2/64
	ipn c -6 route add default via 2001:db8:c::1
	on c "$WGPEER" server init "i$SV" --no-up --config-dir "$ETC/h" 2> "$TMP/words"
	grep -q 'connect to \[2001:db8:c::2\]:51820' "$TMP/words"
	grep -q '^To do: .*192\.168\.1\.2' "$TMP/words"
	on n "$WGPEER" server init "h$SV" --no-up --config-dir "$ETC/n" 2> "$TMP/words"
	cat "$TMP/words"
	grep -q '^To do: .*provider' "$TMP/words"
}

down()
{
	on s "$WGPEER" down "$SV" --config-dir "$ETC/s"
	host | diff "$TMP/before" -
}

subtest "init finds address and port" init
subtest "a client behind two routers reaches the LAN" works
subtest "and nothing else through the server" only_the_share
subtest "with a route back, without translation" no_nat
subtest "a host with a strict firewall" strict_host
subtest "rules that are only told" only_told
subtest "a removed client is out" removed
subtest "what is refused changes nothing" refused
subtest "a server behind routers" behind_routers
subtest "down leaves nothing" down
finish
