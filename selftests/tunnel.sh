# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# tunnel.sh - for scenarios about `wgpeer up`: a host a with a default route, a
# peer b that is there already, a host c behind a.
#
#   c -- eth1 10.1.0.1 [a: wg1, wg2] eth0 10.0.0.1 -- 10.0.0.2 eth0 -- b
#                                     [wg0 192.168.241.2] lo 198.51.100.1
# shellcheck source=selftests/lib.sh
. "$WG_SELFTESTS/lib.sh"
need_nft

ns_add a b c
veth a eth0 b eth0
veth a eth1 c eth0
addr a eth0 10.0.0.1/24 fd00:aa::1/64
addr a eth1 10.1.0.1/24 fd00:ab::1/64
addr b eth0 10.0.0.2/24 fd00:aa::2/64
addr c eth0 10.1.0.2/24 fd00:ab::2/64
ipn a route add default via 10.0.0.2
ipn a -6 route add default via fd00:aa::2
key a b c d
wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
addr b lo 198.51.100.1/32
wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,192.168.241.3/32,10.1.0.0/24,fd00:241::1/128
ipn b route add 10.1.0.0/24 dev wg0
DIR=$TMP/conf
mkdir -p "$DIR"
ns_sysctl a net.ipv4.conf.all.send_redirects 0
for dev in eth0 eth1; do ns_sysctl a net.ipv6.conf.$dev.accept_ra 1; done

our() { on a "$WGPEER" "$@" --config-dir "$DIR"; }

# write NAME ALLOWEDIPS [LINE OF INTERFACE]...
write()
{
	local name=$1 ips=$2
	shift 2
	umask 077
	printf '%s\n' '[Interface]' "PrivateKey = $(< "$TMP/a.key")" "$@" '[Peer]' \
		"PublicKey = ${PUB[b]}" 'Endpoint = 10.0.0.2:1002' "AllowedIPs = $ips" > "$DIR/$name.conf"
}

state()
{
	ipn a rule list
	ipn a -6 rule list
	ipn a route show table all type unicast
	ipn a -6 route show table all type unicast
	ipn a -o addr show | sed 's/^[0-9]*: //; s/valid_lft.*//'
	ipn a -o link show | sed 's/^[0-9]*: //; s/ qlen .*//; s/@if[0-9]*//'
	on a nft list ruleset
	on a bash -c 'cd /proc/sys/net && grep -s . ipv4/ip_forward \
		ipv4/conf/*/{forwarding,rp_filter,src_valid_mark,accept_redirects,send_redirects} \
		ipv6/conf/*/{forwarding,accept_ra,disable_ipv6,mtu}'
	find /run/wgpeer -name "*.state"
}

setting() { on a cat "/proc/sys/net/$1"; }
settings() { echo "$(setting ipv4/ip_forward) $(setting ipv6/conf/all/forwarding)"; }

all_undone() { state | diff "$TMP/before" -; }

# fresh FUNCTION: what a subtest that failed left behind is not the next one's
fresh()
{
	local name
	for name in wg1 wg2; do
		rm -f "$DIR/$name.conf"
		our down "$name" 2> /dev/null || :
		ipn a link del "$name" 2> /dev/null || :
	done
	on a nft flush ruleset
	mkdir -p /run/wgpeer
	state > "$TMP/before"
	"$1"
}
