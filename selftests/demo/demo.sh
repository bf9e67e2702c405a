#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A VPN server, a client behind a NAT router and two joined sites, all in one
# virtual machine: namespaces with real forwarding and NAT, every tunnel made by
# our module and set up by our program, one command a host.
#
#                        inet (switch) 203.0.113.0/24
#       .1 |            .10 |  .11 |           .21 |            .22 |
#    server [vpn0]         router        site-a [site-a0]  site-b [site-b0]
#     10.99.0.1              | NAT           10.1.0.1          10.2.0.1
#          |         192.168.7.1, 192.168.8.1    |                 |
#      service               |                 lan-a             lan-b
#     10.99.0.5        client [trip0]         10.1.0.5          10.2.0.5
#
# timeout: 300

here=$(cd "$(dirname "$0")" && pwd)
: "${WG_SELFTESTS:=$(dirname "$here")}" "${WG_MODULE:=ours}" "${WGPEER:=wgpeer}"
export WG_COLOR_MODE=never LC_ALL=C
WORK=$(mktemp -d /tmp/wgdemo.XXXXXX)
ALL="inet server service router client site-a site-b lan-a lan-b"
BEGIN=$SECONDS

say() { printf '\n[%3d s] %s\n' $((SECONDS - BEGIN)) "$*"; }

finish()
{
	local pid ns
	[ ! -f "$WORK/pids" ] || while read -r pid; do kill "$pid" 2> /dev/null; done < "$WORK/pids"
	for ns in $ALL; do ip netns del "$ns" 2> /dev/null; done
	rm -rf "$WORK"
}
trap finish EXIT

die()
{
	printf '\ndemo: FAIL - %s\n' "$*"
	exit 1
}

on()
{
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

# wgp NS ARG...: our program in a namespace, shown as it runs
wgp()
{
	local ns=$1
	shift
	printf '  %-8s # wgpeer %s\n' "$ns" "${*//$WORK\//}" >&2
	on "$ns" "$WGPEER" "$@" || die "wgpeer $1 failed in $ns"
}

# shown NS CMD...: any other command, shown as well
shown()
{
	local ns=$1
	shift
	printf '  %-8s # %s\n' "$ns" "$*"
	on "$ns" "$@"
}

# wait_for SECONDS CMD...
wait_for()
{
	local end=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# inside NS: a batch for ip(8).  One call for many commands: starting a program
# costs an emulated machine a noticeable time.
inside()
{
	ip -n "$1" -batch - || die "the network of $1 cannot be built"
}

network()
{
	local ns
	for ns in $ALL; do
		ip netns add "$ns" || return 1
	done
	ip -batch - <<-'N' || return 1
		link add eth0 netns server type veth peer name server netns inet
		link add up0 netns router type veth peer name router0 netns inet
		link add up1 netns router type veth peer name router1 netns inet
		link add eth0 netns site-a type veth peer name site-a netns inet
		link add eth0 netns site-b type veth peer name site-b netns inet
		link add eth0 netns client type veth peer name in0 netns router
		link add eth1 netns client type veth peer name in1 netns router
		link add eth0 netns service type veth peer name lan0 netns server
		link add eth0 netns lan-a type veth peer name lan0 netns site-a
		link add eth0 netns lan-b type veth peer name lan0 netns site-b
	N
	inside inet <<-'N'
		link add br0 type bridge
		link set br0 up
		link set server master br0 up
		link set router0 master br0 up
		link set router1 master br0 up
		link set site-a master br0 up
		link set site-b master br0 up
	N
	inside server <<-'N'
		link set lo up
		link set eth0 up
		addr add 203.0.113.1/24 dev eth0
		link set lan0 up
		addr add 10.99.0.1/24 dev lan0
	N
	inside service <<-'N'
		link set eth0 up
		addr add 10.99.0.5/24 dev eth0
	N
	# Two networks behind the router, as of a home and of a phone: each is
	# translated to an address of its own.
	inside router <<-'N'
		link set up0 up
		link set up1 up
		link set in0 up
		link set in1 up
		addr add 203.0.113.10/24 dev up0
		addr add 203.0.113.11/24 dev up1
		addr add 192.168.7.1/24 dev in0
		addr add 192.168.8.1/24 dev in1
	N
	inside client <<-'N'
		link set eth0 up
		link set eth1 up
		addr add 192.168.7.2/24 dev eth0
		addr add 192.168.8.2/24 dev eth1
		route add default via 192.168.7.1
	N
	inside site-a <<-'N'
		link set eth0 up
		link set lan0 up
		addr add 203.0.113.21/24 dev eth0
		addr add 10.1.0.1/24 dev lan0
	N
	inside site-b <<-'N'
		link set eth0 up
		link set lan0 up
		addr add 203.0.113.22/24 dev eth0
		addr add 10.2.0.1/24 dev lan0
	N
	inside lan-a <<-'N'
		link set eth0 up
		addr add 10.1.0.5/24 dev eth0
		route add default via 10.1.0.1
	N
	inside lan-b <<-'N'
		link set eth0 up
		addr add 10.2.0.5/24 dev eth0
		route add default via 10.2.0.1
	N
	on router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
	for ns in server client site-a site-b; do mkdir -m 700 "$WORK/$ns"; done
	# Two uplinks in one network: no filter by reverse path.
	on router sh -c 'echo 2 > /proc/sys/net/ipv4/conf/all/rp_filter'
	on router nft -f - <<-'N'
		table ip nat {
			chain post {
				type nat hook postrouting priority 100
				ip saddr 192.168.7.0/24 oifname "up*" snat to 203.0.113.10
				ip saddr 192.168.8.0/24 oifname "up*" snat to 203.0.113.11
			}
		}
	N
}

# Each host has its directory of files.  role NS VERB WORD...
role()
{
	local ns=$1
	shift
	wgp "$ns" "$@" --config-dir "$WORK/$ns"
}

# reach NS ADDRESS WHAT
reach()
{
	printf '  %-8s # ping %s   (%s)\n' "$1" "$2" "$3"
	wait_for 30 on "$1" ping -n -q -c 1 -W 3 "$2" || die "$3: $1 does not reach $2"
	on "$1" ping -n -c 2 -i 0.2 -W 5 "$2" | sed -n 's/^\(64 bytes\|rtt\)/             \1/p'
}

listening() { on "$1" ss -Hltn 'sport = :5201' | grep -q .; }

# speed NS1 NS2 ADDRESS WHAT: two seconds of TCP
speed()
{
	on "$2" iperf3 -s -1 > "$WORK/iperf" 2>&1 &
	echo $! >> "$WORK/pids"
	wait_for 10 listening "$2" || die "iperf3 does not start"
	printf '  %-8s # iperf3 -c %s -t 2   (%s)\n' "$1" "$3" "$4"
	on "$1" timeout 60 iperf3 -c "$3" -t 2 -f m > "$WORK/out" 2>&1 ||
		{ cat "$WORK/out"; die "$4: iperf3 failed"; }
	sed -n 's/^.*sec \(.*Bytes.*\) receiver/             \1 received/p' "$WORK/out"
	grep -q 'receiver' "$WORK/out" || die "$4: nothing received"
}

endpoint() { on server "$WGPEER" show vpn0 endpoints | cut -f2; }
endpoint_is() { case $(endpoint) in "$1":*) ;; *) return 1 ;; esac; }

echo "wgpeer demo: kernel $(uname -r), module $(modinfo -F filename wireguard 2> /dev/null || echo "$WG_MODULE")"

say "1/6 network: a switch, a server with a LAN, a NAT router with a client, two sites with a host each"
network || die "the test network cannot be built (nftables?)"
on client ping -n -q -c 1 -W 5 203.0.113.1 > /dev/null || die "the network without tunnels does not work"
on lan-a ping -n -q -c 1 -W 1 10.2.0.5 > /dev/null 2>&1 && die "the sites see each other without a tunnel"
echo "  the client reaches the server's public address; the two LANs do not see each other"

say "2/6 VPN server and client: one command each, and one for each client"
role server server init vpn0 --endpoint 203.0.113.1 --share 10.99.0.0/24
role server server add vpn0 laptop > "$WORK/laptop.conf"
role client client join trip0 "$WORK/laptop.conf"
reach client 10.99.0.5 "client to a service in the LAN behind the server"
endpoint_is 203.0.113.10 || die "the server sees the client at $(endpoint)"
echo "  the server sees the client at $(endpoint)"

say "3/6 site A and site B: a token there, a token back"
role site-a site init site-a0 --share 10.1.0.0/24 --endpoint 203.0.113.21 > "$WORK/token-a"
role site-b site join site-b0 "$(< "$WORK/token-a")" --share 10.2.0.0/24 --endpoint 203.0.113.22 > "$WORK/token-b"
role site-a site add site-a0 "$(< "$WORK/token-b")"
reach lan-a 10.2.0.5 "LAN A to LAN B"
reach lan-b 10.1.0.5 "LAN B to LAN A"

say "4/6 throughput (a slow emulated machine: the figures say only that it works)"
speed client service 10.99.0.5 "client to the LAN behind the server"
speed lan-a lan-b 10.2.0.5 "LAN A to LAN B"

say "5/6 the client roams: from 192.168.7.2 behind 203.0.113.10 to 192.168.8.2 behind 203.0.113.11"
shown client ip route replace default via 192.168.8.1
reach client 10.99.0.5 "client to the LAN from the new place"
endpoint_is 203.0.113.11 || die "the server still sees the client at $(endpoint)"
echo "  the server sees the client at $(endpoint)"

say "6/6 what the tool shows"
role server server list vpn0
for ns in server client site-a site-b; do
	wgp "$ns" show
	echo
done
errors=$(dmesg | grep -cE 'BUG:|WARNING:|Oops|general protection|unregister_netdevice: waiting')
[ "$errors" = 0 ] || die "the kernel log has $errors bad lines"

printf '\ndemo: PASS - VPN server, roaming client behind NAT and two sites talk through the %s module (%d s)\n' \
	"$([ "$WG_MODULE" = ours ] && echo wgpeer || echo in-tree)" $((SECONDS - BEGIN))
