#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `wgpeer site`: two sites, LAN to LAN both ways, whoever starts.
#
#   la 10.1.0.5 -- 10.1.0.1 a 203.0.113.1 -- i -- 203.0.114.1 b 10.2.0.1 -- lb 10.2.0.5
#
# spec 8.8
# env: uml uml-smp qemu-[0-9]*
# quick: uml
# timeout: 600
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need_nft
need jq
[ -x "$WGPEER" ] || skip_all "no program to test"

mkdir -m 700 "$TMP/a" "$TMP/b"
ns_add a b i la lb
veth a eth0 i ia
veth b eth0 i ib
veth a lan0 la eth0
veth b lan0 lb eth0
addr a eth0 203.0.113.1/24
addr b eth0 203.0.114.1/24
addr i ia 203.0.113.254/24
addr i ib 203.0.114.254/24
addr a lan0 10.1.0.1/24
addr b lan0 10.2.0.1/24
addr la eth0 10.1.0.5/24
addr lb eth0 10.2.0.5/24
ns_sysctl i net.ipv4.ip_forward 1
ipn a route add default via 203.0.113.254
ipn b route add default via 203.0.114.254
ipn la route add default via 10.1.0.1
ipn lb route add default via 10.2.0.1

# A random network of the tunnel lies in the networks of a site now and then.
net=(--address "10.99.0.0/16,fd99::/64")

# site NS VERB WORD...: its interface is named after the namespace
site()
{
	local ns=$1 verb=$2
	shift 2
	on "$ns" "$WGPEER" site "$verb" "s$ns" "$@" --config-dir "$TMP/$ns"
}

gone()
{
	local ns
	for ns in a b; do
		[ ! -f "$TMP/$ns/s$ns.conf" ] || on "$ns" "$WGPEER" down "s$ns" --config-dir "$TMP/$ns" || :
		rm -f "$TMP/$ns/"*
		equal "rules of $ns" "$(on "$ns" nft list ruleset)" ""
		equal "forwarding of $ns" "$(on "$ns" cat /proc/sys/net/ipv4/ip_forward)" 0
	done
}

# joined [OPTION OF A]... -- [OPTION OF B]...
joined()
{
	local first=() token
	while [ "$1" != -- ]; do
		first+=("$1")
		shift
	done
	shift
	token=$(site a init "${net[@]}" --share 10.1.0.0/24 --name left "${first[@]}")
	equal "lines" "$(wc -l <<< "$token")" 1
	token=$(site b join "$token" --share 10.2.0.0/24 --name right "$@")
	equal "lines" "$(wc -l <<< "$token")" 1
	site a add "$token"
}

a_starts()
{
	joined --endpoint 203.0.113.1 -- --endpoint 203.0.114.1
	no_handshake() { on a "$WGPEER" show sa latest-handshakes | grep -q '	0$'; }
	no_handshake
	reach la 10.2.0.5
	reach lb 10.1.0.5
	send_file la lb 10.2.0.5 256
	send_file lb la 10.1.0.5 256
	reach a 10.2.0.5
	site a list | grep -q '^right '
	site b list --json | jq -e '.sites[0].name == "left"'
}

b_starts()
{
	joined --endpoint 203.0.113.1 -- --endpoint 203.0.114.1
	reach lb 10.1.0.5
	reach la 10.2.0.5
}

# However the other site routes: it gets no further than to what is shared, and
# what is not shared gets nowhere.
closed()
{
	joined --endpoint 203.0.113.1 -- --endpoint 203.0.114.1
	reach lb 10.1.0.5
	addr a lan0 10.5.0.1/24
	addr la eth0 10.5.0.5/24
	wgc b set sb peer "$(wgc a show sa public-key)" allowed-ips +10.5.0.0/24
	ipn b route add 10.5.0.0/24 dev sb
	ipn la route change default via 10.1.0.1 src 10.1.0.5
	reach a 10.5.0.5
	no_reach lb 10.5.0.5
	refute on la ping -n -q -c 1 -W 1 -I 10.5.0.5 10.2.0.5
	reach lb 10.1.0.5
	ipn la addr del 10.5.0.5/24 dev eth0
	ipn a addr del 10.5.0.1/24 dev lan0
}

# b cannot be reached: it keeps the way open, and a gets through at any time.
hidden()
{
	ipn b addr del 203.0.114.1/24 dev eth0
	addr b eth0 192.168.9.2/24
	addr i ib 192.168.9.1/24
	ipn b route add default via 192.168.9.1
	on i nft -f - <<-'END'
		table ip nat {
			chain post {
				type nat hook postrouting priority 100
				oifname "ia" ip saddr 192.168.9.0/24 masquerade
			}
		}
	END
	joined --endpoint 203.0.113.1 --
	equal "keepalive of b" "$(on b "$WGPEER" show sb persistent-keepalive | cut -f2)" 25
	equal "keepalive of a" "$(on a "$WGPEER" show sa persistent-keepalive | cut -f2)" off
	wait_for 10 reach la 10.2.0.5
	reach lb 10.1.0.5
	gone
	on i nft delete table ip nat
	ipn b addr del 192.168.9.2/24 dev eth0
	ipn i addr del 192.168.9.1/24 dev ib
	addr b eth0 203.0.114.1/24
	ipn b route add default via 203.0.114.254
}

one_paste()
{
	local token
	token=$(site a init --share 10.1.0.0/24 --endpoint 203.0.113.1 --one-paste --peer-share 10.2.0.0/24 --peer-name right)
	site b join "$token" > "$TMP/out"
	equal "output of join" "$(cat "$TMP/out")" ""
	reach lb 10.1.0.5
	reach la 10.2.0.5
	[ "$(on a "$WGPEER" show sa preshared-keys | cut -f2)" != "(none)" ]
}

again()
{
	local token hs
	joined --endpoint 203.0.113.1 -- --endpoint 203.0.114.1
	reach la 10.2.0.5
	hs=$(on a "$WGPEER" show sa latest-handshakes)
	cp "$TMP/a/sa.conf" "$TMP/once"
	site a init --share 10.1.0.0/24 --name left > /dev/null
	site a add "$(site b token)"
	diff "$TMP/once" "$TMP/a/sa.conf"
	equal "handshakes" "$(on a "$WGPEER" show sa latest-handshakes)" "$hs"
	# A site that has got another network.
	ipn lb addr add 10.3.0.5/24 dev eth0
	ipn b addr add 10.3.0.1/24 dev lan0
	token=$(site b init --share 10.2.0.0/24,10.3.0.0/24)
	site a add "$token"
	reach la 10.3.0.5
	site a remove right
	no_reach la 10.2.0.5
	equal "peers" "$(on a "$WGPEER" show sa peers)" ""
	ipn lb addr del 10.3.0.5/24 dev eth0
	ipn b addr del 10.3.0.1/24 dev lan0
}

# All that a site may touch on its host.
state()
{
	find "$TMP/$1" -type f -exec sha256sum {} +
	ipn "$1" -o link show | awk -F : '{ print $2 }'
	ipn "$1" route show table all type unicast
	on "$1" nft list ruleset
	on "$1" cat /proc/sys/net/ipv4/ip_forward
}

# refused NS PART WORD...: one line, and the files are as they were
refused()
{
	local ns=$1 part=$2 before
	shift 2
	before=$(state "$ns")
	refute site "$ns" "$@" > "$TMP/out" 2> "$TMP/err"
	cat "$TMP/err"
	equal "lines of the error" "$(wc -l < "$TMP/err")" 1
	grep -qF -- "$part" "$TMP/err"
	[ ! -s "$TMP/out" ]
	equal "state" "$(state "$ns")" "$before"
}

wrong()
{
	local token secret
	refused a "--share is missing" init --endpoint 203.0.113.1
	refused a "everything" init --share 0.0.0.0/0
	refused a "--peer-share is missing" init --share 10.1.0.0/24 --one-paste
	refused a "choose one with --address" init --share 192.168.7.0/24 --endpoint 203.0.113.1 \
		--one-paste --peer-share 10.0.0.0/8
	token=$(site a init "${net[@]}" --share 10.1.0.0/24 --endpoint 203.0.113.1 --name left)
	refused b "10.1.0.0/24" join "$token" --share 10.1.0.0/16
	refused b "renumbered" join "$token" --share 10.1.0.128/25
	refused b "--share is missing" join "$token"
	refused b "token" join "${token%?????}" --share 10.2.0.0/24
	refused b "token" join "x$token" --share 10.2.0.0/24
	refused a "this site's own" add "$token"
	refused b "called" join "$token" --share 10.2.0.0/24 --name left
	token=$(site b join "$token" --share 10.2.0.0/24 --name right --endpoint 203.0.114.1)
	site a add "$token"
	refused a "no site" remove nobody
	gone
	token=$(site a init "${net[@]}" --share 10.1.0.0/24 --endpoint 203.0.113.1 --name left)
	site b init --share 10.2.0.0/24 --endpoint 203.0.114.1 > /dev/null
	refused b "another tunnel" add "$token"
	secret=$(site a init --one-paste --peer-share 10.9.0.0/24)
	refused b "private key" add "$secret"
	refute grep -qF "${secret: -20}" "$TMP/err"
}

alone()
{
	gone
	"$@"
	gone
}

subtest "the first site starts" alone a_starts
subtest "the other site starts" alone b_starts
subtest "nobody else gets in" alone closed
subtest "a site that cannot be reached" alone hidden
subtest "one secret token" alone one_paste
subtest "again, another network, removal" alone again
subtest "what is wrong changes nothing" alone wrong
finish
