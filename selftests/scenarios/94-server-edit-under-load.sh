#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Clients are added, rotated, renamed and removed while another one works: it
# loses no packet, and neither its session nor its counters begin anew.
#
#   c, d eth0 10.0.1.2, 10.0.2.2 --- s eth0, eth1 10.0.1.1, 10.0.2.1
#
# env: uml uml-smp
# timeout: 600
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need nft
need_nft
[ -n "$WGPEER" ] || skip_all "no wgpeer"

ns_add c d s
veth c eth0 s eth0
veth d eth0 s eth1
addr c eth0 10.0.1.2/24
addr d eth0 10.0.2.2/24
addr s eth0 10.0.1.1/24
addr s eth1 10.0.2.1/24
ipn d route add default via 10.0.2.1
SV=sv$((RANDOM % 10000))
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

join() { on "$1" "$WGPEER" client join "$1$SV" "$2" --config-dir "$ETC/$1"; }
leave() { on "$1" "$WGPEER" client leave "$1$SV" --config-dir "$ETC/$1"; }
conf_key() { sed -n 's/^PrivateKey = //p' "$1" | "$WGPEER" pubkey; }
field() { on s "$WGPEER" show "$SV" dump | awk -F '\t' -v k="$1" -v n="$2" '$1 == k { print $n }'; }

begin()
{
	server init "$SV" --address 10.99.0.1/24 --endpoint 10.0.1.1 --exit
	server add "$SV" steady > "$TMP/c.conf"
	join c "$TMP/c.conf"
	reach c 10.99.0.1
}

# A client that somebody else uses is not touched by what happens to others.
others()
{
	local key hs rx ping i
	key=$(conf_key "$TMP/c.conf")
	hs=$(field "$key" 5) rx=$(field "$key" 6)
	bg c ping -n -i 0.01 10.99.0.1 > "$TMP/ping"
	ping=$BG
	wait_for 5 grep -q 'icmp_seq=20 ' "$TMP/ping"
	for i in 1 2 3; do
		server add "$SV" "guest$i" --psk --output "$TMP/guest$i.conf"
		server rename "$SV" "guest$i" "visitor$i"
		server rotate "$SV" "visitor$i" > "$TMP/new"
		server rotate "$SV" "visitor$i" --finish
		server rotate "$SV" "visitor$i" --now > "$TMP/new"
		server rename "$SV" steady same
		server rename "$SV" same steady
		server init "$SV" --isolate --share 10.77.0.0/16
		server init "$SV" --no-isolate --share none
		server remove "$SV" "visitor$i"
	done
	kill -INT "$ping"
	wait "$ping" || :
	tail -n 3 "$TMP/ping"
	grep -q ' 0% packet loss' "$TMP/ping"
	[ "$(awk '/packets transmitted/ { print $1 }' "$TMP/ping")" -gt 50 ]
	equal "handshake" "$(field "$key" 5)" "$hs"
	[ "$(field "$key" 6)" -gt "$rx" ]
	equal "peers" "$(on s "$WGPEER" show "$SV" peers)" "$key"
}

# A stream through the server survives as well.
stream()
{
	bg s iperf3 -s -1 -p 5201 > "$TMP/iperf.srv" 2>&1
	wait_for 5 listening s 5201
	bg c iperf3 -c 10.99.0.1 -p 5201 -t 4 -J > "$TMP/iperf"
	local run=$BG edits=0
	while kill -0 "$run" 2> /dev/null; do
		server add "$SV" guest > /dev/null
		server remove "$SV" guest
		edits=$((edits + 1))
	done
	wait "$run"
	[ "$edits" -gt 1 ]
	python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["end"]["sum_received"]["bytes"] > 100000' "$TMP/iperf"
}

# Who is removed while at work hears nothing more at once.
cut_off()
{
	local ping last
	server add "$SV" guest > "$TMP/d.conf"
	join d "$TMP/d.conf"
	reach d 10.99.0.1
	bg d ping -n -D -i 0.01 10.99.0.1 > "$TMP/ping"
	ping=$BG
	wait_for 5 grep -q 'icmp_seq=20 ' "$TMP/ping"
	server remove "$SV" guest
	date +%s.%N > "$TMP/at"
	no_reach d 10.99.0.1
	bg_end "$ping"
	last=$(sed -n 's/^\[\([0-9.]*\)\] .*bytes from.*/\1/p' "$TMP/ping" | tail -n 1)
	awk -v last="$last" -v at="$(< "$TMP/at")" 'BEGIN { print "last answer", at - last, "s before the end"; exit !(last <= at) }'
	# Not for a new handshake either.
	stays 2 refute on s sh -c "'$WGPEER' show '$SV' endpoints | grep -q 10.0.2.2"
	leave d
}

# Old and new key work side by side until the end of the rotation.
overlap()
{
	server add "$SV" mobile > "$TMP/old.conf"
	server rotate "$SV" mobile > "$TMP/new.conf"
	join d "$TMP/old.conf"
	reach d 10.99.0.1
	leave d
	join d "$TMP/new.conf"
	reach d 10.99.0.1
	leave d
	join d "$TMP/old.conf"
	reach d 10.99.0.1
	server rotate "$SV" mobile --finish
	no_reach d 10.99.0.1
	leave d
	join d "$TMP/new.conf"
	reach d 10.99.0.1
	server list "$SV" | grep -q '^mobile .*ago$\|^mobile .*now$'
	server list "$SV" --json | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["up"] and all(c["latest_handshake"] for c in d["clients"])'
	server rotate "$SV" mobile --now > "$TMP/now.conf"
	no_reach d 10.99.0.1
	leave d
	join d "$TMP/now.conf"
	reach d 10.99.0.1
	leave d
	equal "same address" "$(grep ^Address "$TMP/now.conf")" "$(grep ^Address "$TMP/new.conf")"
	server remove "$SV" mobile
}

end()
{
	leave c
	on s "$WGPEER" down "$SV" --config-dir "$ETC/s"
	equal "rules" "$(on s nft list ruleset)" ""
}

subtest "a server and its client" begin
subtest "no packet of it is lost while others come and go" others
subtest "nor does a stream break" stream
subtest "a removed client is cut off at once" cut_off
subtest "old and new key side by side" overlap
subtest "the end" end
finish
