#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Firewall rules with real packets, in namespaces that nobody else sees.
#
#   p1 10.9.0.2 --.                           .-- lan 192.168.50.2, gw is its router
#                 +-- wg0 (gw) lan0, wan0 ----+
#   p2 10.9.0.3 --'   10.9.0.1                `-- wan 203.0.113.2, knows no tunnel
#
# wg0 is a bridge here: rules know no more of it than its name.
cd "$(dirname "$0")/.." || exit 1
fw=$PWD/build/test_fw

skip()
{
	printf 'ok 1 - fw net # SKIP %s\n1..1\n' "$1"
	exit 0
}

for program in nft ip ping socat unshare nsenter; do
	command -v $program > /dev/null || skip "no program $program"
done
if [ -z "$FW_NET" ]; then
	root=
	[ "$(id -u)" = 0 ] || root=-r
	unshare $root -mn nft add table inet probe 2> /dev/null ||
		skip "may not make namespaces with nftables"
	exec env FW_NET=y unshare $root -mn "$0"
fi

tmp=$(mktemp -d) || exit 1
trap 'kill $pids 2> /dev/null; rm -rf "$tmp"' EXIT
mount -t tmpfs tmpfs /run || skip "no /run of its own"
n=0 pids=

# --- results ---

report()
{
	n=$((n + 1))
	echo "$1 $n - fw net: $2"
}

# t NAME CMD...: CMD succeeds; f: it fails
t()
{
	name=$1
	shift
	if "$@" > "$tmp/log" 2>&1; then
		report ok "$name"
	else
		report "not ok" "$name"
		sed 's/^/# /' "$tmp/log"
	fi
}

f()
{
	name=$1
	shift
	t "$name" not "$@"
}

not() { ! "$@"; }

# --- namespaces ---

on()
{
	ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

quiet()
{
	on "$1" sh -c 'cd /proc/sys/net
		echo 0 > ipv6/conf/all/accept_dad
		echo 0 > ipv6/conf/default/accept_dad
		echo 0 > ipv6/conf/default/router_solicitations
		# Each refusal is to be told, however soon after the last.
		echo 0 > ipv6/icmp/ratelimit
		echo 0 > ipv4/icmp_ratelimit'
	ip -n "$1" link set lo up
}

# host NAME DEVICE-AT-GW ADDRESS4 ADDRESS6
host()
{
	ip netns add "$1"
	quiet "$1"
	ip -n gw link add "$2" type veth peer name eth0 netns "$1"
	ip -n gw link set "$2" up
	ip -n "$1" link set eth0 up
	ip -n "$1" addr add "$3" dev eth0
	ip -n "$1" addr add "$4" dev eth0 nodad
}

make_wg0()
{
	ip -n gw link add wg0 type bridge
	ip -n gw link set v1 master wg0
	ip -n gw link set v2 master wg0
	ip -n gw link set wg0 mtu 1300 up
	ip -n gw addr add 10.9.0.1/24 dev wg0
	ip -n gw addr add fd09::1/64 dev wg0 nodad
}

make_net()
{
	ip netns add gw
	quiet gw
	host p1 v1 10.9.0.2/32 fd09::2/128
	host p2 v2 10.9.0.3/32 fd09::3/128
	host lan lan0 192.168.50.2/24 fd50::2/64
	host wan wan0 203.0.113.2/24 2001:db8:1::2/64
	make_wg0
	ip -n gw addr add 192.168.50.1/24 dev lan0
	ip -n gw addr add fd50::1/64 dev lan0 nodad
	ip -n gw addr add 203.0.113.1/24 dev wan0
	ip -n gw addr add 2001:db8:1::1/64 dev wan0 nodad
	# Peers know nothing but the router: also each other only through it.
	for ns in p1 p2; do
		ip -n $ns route add default via 10.9.0.1 dev eth0 onlink
		ip -n $ns route add fd09::1 dev eth0
		ip -n $ns route add default via fd09::1 dev eth0
	done
	ip -n lan route add default via 192.168.50.1
	ip -n lan route add default via fd50::1
	on gw sh -c 'cd /proc/sys/net
		echo 1 > ipv4/ip_forward
		echo 1 > ipv6/conf/all/forwarding
		echo 0 > ipv4/conf/all/send_redirects
		echo 0 > ipv4/conf/wg0/send_redirects'
}

# --- packets ---

reach() { on "$1" ping -n -q -c 1 -W 5 "$2"; }

# lost NS ADDRESS: no answer at all
lost()
{
	on "$1" ping -n -c 1 -W 0.5 "$2" > "$tmp/ping" 2>&1 && return 1
	cat "$tmp/ping"
	! grep -q -i -E 'filtered|prohibited|permitted' "$tmp/ping"
}

# refused NS ADDRESS: an answer that says so
refused()
{
	on "$1" ping -n -c 1 -w 1 "$2" > "$tmp/ping" 2>&1 && return 1
	cat "$tmp/ping"
	grep -q -i -E 'filtered|prohibited|permitted' "$tmp/ping"
}

# both CMD NS ADDRESS4 ADDRESS6
both() { "$1" "$2" "$3" && "$1" "$2" "$4"; }

# count NS HOOK PRIORITY MATCH...: count packets there from now on
count()
{
	ns=$1 hook=$2 prio=$3
	shift 3
	on "$ns" nft "table inet count { counter hits { }
		chain c { type filter hook $hook priority $prio; $* counter name hits; }; }"
}

hits() { on "$1" nft list counter inet count hits | awk '$1 == "packets" { print $2 }'; }
count_end() { on "$1" nft delete table inet count; }

# hits_are NS COUNT: soon
hits_are()
{
	i=0
	until [ "$(hits "$1")" = "$2" ]; do
		i=$((i + 1))
		[ $i -lt 50 ] || { echo "counted $(hits "$1"), not $2"; return 1; }
		sleep 0.1
	done
}

quietly() { "$@" 2> /dev/null; }

# send NS ADDRESS PORT [,OPTION...]: one UDP packet
send() { echo x | quietly on "$1" socat -u - "UDP-SENDTO:$2:$3$4"; }

# syn NS ADDRESS: the attempt of a TCP connection to a port that is closed
syn() { not on "$1" socat -u /dev/null "TCP:$2:7,connect-timeout=2"; }

# --- the rules ---

up() { on gw "$fw" up "$@"; }
down() { on gw "$fw" down "${1:-wg0}"; }
rules() { quietly on gw nft -s list ruleset; }

# whole CMD...: it succeeds and says nothing
whole() { "$@" > "$tmp/said" 2>&1 && [ ! -s "$tmp/said" ] || { cat "$tmp/said"; return 1; }; }

# clean NAME: the rules are gone without a trace
clean()
{
	t "$1: removed" whole down
	rules | diff "$tmp/before" - > "$tmp/diff"
	t "$1: without a trace" not test -s "$tmp/diff"
}

has() { rules | grep -q -F -- "$1"; }
marks() { rules | grep -c "comment \"wgpeer-${1:-wg0}\""; }

test_base()
{
	t "peer reaches peer, no rules" both reach p1 10.9.0.3 fd09::3
	t "peer reaches LAN, no rules" both reach p1 192.168.50.2 fd50::2
	t "nobody translates, no rules" both lost p1 203.0.113.2 2001:db8:1::2
	t "the host reaches WAN, no rules" both reach gw 203.0.113.2 2001:db8:1::2
	t "down, nothing there" whole down
	t "up, no wish" whole up wg0 lans=10.0.0.0/8 mark=1
	t "nothing was made" not test -s "$tmp/before"
}

# A host that lets in only what it knows.
foreign()
{
	on gw nft -f - <<-END
		table inet host {
			chain in {
				type filter hook input priority filter; policy drop;
				udp dport 9 accept
				icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
			}
			chain fwd-1 {
				type filter hook forward priority filter + 5; policy drop;
				ct state established accept
			}
		}
		table ip last {
			chain in {
				type filter hook input priority 7;
				counter log reject
			}
			chain side { drop; }
			chain forwarded { type filter hook forward priority 7; tcp dport 1 drop; }
		}
	END
	rules > "$tmp/before"
}

foreign_end()
{
	on gw nft "delete table inet host; delete table ip last"
	rules > "$tmp/before"
}

test_open_port()
{
	foreign
	# A packet behind the first that always arrives says that both are through.
	on gw nft "insert rule ip last in udp dport 9 accept"
	rules > "$tmp/before"
	count gw input 100 udp dport 51820
	send wan 203.0.113.1 51820
	count_end gw
	count gw input 100 udp dport "{ 9, 51820 }"
	send wan 203.0.113.1 51820
	send wan 203.0.113.1 9
	t "port closed by others" hits_are gw 1
	count_end gw
	t "port: up" whole up wg0 port=51820
	count gw input 100 udp dport 51820
	send wan 203.0.113.1 51820
	t "port open" hits_are gw 1
	count_end gw
	t "in front of both chains" [ "$(marks)" = 2 ]
	t "port: another" whole up wg0 port=51821
	t "only that is open" [ "$(marks).$(rules | grep -c 51820)" = 2.0 ]
	t "of another interface" whole up wg1 port=51822
	count gw input 100 udp dport "{ 9, 51820, 51821, 51822 }"
	for port in 51820 51821 51822 9; do send wan 203.0.113.1 $port; done
	t "both ports open" hits_are gw 3
	count_end gw
	t "first interface down" whole down
	t "that of the other stays" [ "$(marks).$(marks wg1)" = 0.2 ]
	t "other interface down" whole down wg1
	clean "port"
	foreign_end
}

test_forward()
{
	foreign
	t "LAN closed by others" both lost p1 192.168.50.2 fd50::2
	t "forward: up" whole up wg0 forward lans=192.168.50.0/24,fd50::/64
	t "peer reaches LAN" both reach p1 192.168.50.2 fd50::2
	t "LAN reaches peer" both reach lan 10.9.0.2 fd09::2
	t "peer reaches peer" both reach p1 10.9.0.3 fd09::3
	t "peer is refused elsewhere" both refused p1 203.0.113.2 2001:db8:1::2
	ip -n wan route add 10.9.0.0/24 via 203.0.113.1
	ip -n wan route add fd09::/64 via 2001:db8:1::1
	t "others are refused" both refused wan 10.9.0.2 fd09::2
	ip -n wan route del 10.9.0.0/24
	ip -n wan route del fd09::/64
	t "only in front of the chain that drops" [ "$(marks)" = 2 ]
	t "isolate: up" whole up wg0 forward lans=192.168.50.0/24 isolate
	t "peer is refused at peer" both refused p1 10.9.0.3 fd09::3
	t "peer still reaches LAN" reach p1 192.168.50.2
	t "what is not shared any more is refused" refused p1 fd50::2
	clean "forward"
	foreign_end
}

test_nat()
{
	t "exit: up" whole up wg0 exit forward lans=192.168.50.0/24,fd50::/64
	t "peer reaches WAN" both reach p1 203.0.113.2 2001:db8:1::2
	count p2 input 0 ip saddr 10.9.0.2
	t "peer reaches peer beside NAT" reach p1 10.9.0.3
	t "peer to peer is not translated" hits_are p2 1
	count_end p2
	count lan input 0 ip saddr 10.9.0.2
	t "peer reaches LAN beside exit" reach p1 192.168.50.2
	t "under its own address" hits_are lan 1
	count_end lan
	ip -n lan route del default via 192.168.50.1
	ip -n lan -6 route del default
	t "LAN without a way back" both lost p1 192.168.50.2 fd50::2
	t "exit, nat-lans: up" whole up wg0 exit forward nat-lans lans=192.168.50.0/24,fd50::/64
	t "LAN needs no way back" both reach p1 192.168.50.2 fd50::2
	t "nat-lans: up" whole up wg0 forward nat-lans lans=192.168.50.0/24,fd50::/64
	t "nor without exit" both reach p1 192.168.50.2 fd50::2
	t "no exit, no WAN" both refused p1 203.0.113.2 2001:db8:1::2
	ip -n lan route add default via 192.168.50.1
	ip -n lan route add default via fd50::1
	clean "nat"
}

test_no_ipv6()
{
	t "no-ipv6: up" whole up wg0 exit forward no-ipv6 \
		tunnel=10.9.0.0/24,fd09::/64 lans=fd50::/64
	t "IPv6 is refused" refused p1 2001:db8:1::2
	t "IPv4 is not" reach p1 203.0.113.2
	t "nor IPv6 in the tunnel, to shares, to us" both reach p1 fd09::3 fd50::2
	t "nor our own address" reach p1 2001:db8:1::1
	ip -n gw -6 addr add fd66::1/64 dev wan0 nodad
	t "private IPv6 that is not shared is refused" refused p1 fd66::2
	ip -n gw -6 addr del fd66::1/64 dev wan0
	on gw sh -c 'echo 0 > /proc/sys/net/ipv6/conf/all/forwarding'
	t "IPv6 is refused by a host that does not forward it" refused p1 2001:db8:1::2
	down
	t "else it would be lost" lost p1 2001:db8:1::2
	on gw sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
	clean "no-ipv6"
}

# mss NAME FROM TO ADDRESS SIZE: what of a SYN arrives
mss()
{
	count "$3" input 0 "tcp flags syn tcp option maxseg size $5"
	quietly syn "$2" "$4"
	t "$1" hits_are "$3" 1
	count_end "$3"
}

test_clamp()
{
	mss "whole segments without rules" p1 lan 192.168.50.2 1460
	t "clamp: up" whole up wg0 forward lans=192.168.50.0/24,fd50::/64
	mss "segments fit from the tunnel" p1 lan 192.168.50.2 1260
	mss "segments fit from the tunnel, IPv6" p1 lan "[fd50::2]" 1240
	mss "segments fit into the tunnel" lan p1 10.9.0.2 1260
	mss "segments fit into the tunnel, IPv6" lan p1 "[fd09::2]" 1240
	mss "others are left alone" lan gw 192.168.50.1 1460
	clean "clamp"
}

test_own()
{
	ip -n wan route add 10.9.0.0/24 via 203.0.113.1
	ip -n wan route add fd09::/64 via 2001:db8:1::1
	t "our tunnel address from outside" both reach wan 10.9.0.1 fd09::1
	t "own: up" whole up wg0 own=10.9.0.1/24,fd09::1/64 mark=0xca6c
	t "not from outside" both lost wan 10.9.0.1 fd09::1
	t "but from the tunnel" both reach p1 10.9.0.1 fd09::1
	t "from this host" both reach gw 10.9.0.1 fd09::1
	t "and other addresses" both reach wan 203.0.113.1 2001:db8:1::1
	ip -n wan route del 10.9.0.0/24
	ip -n wan route del fd09::/64

	count gw prerouting -100 udp dport 51820 meta mark 0xca6c
	send gw 203.0.113.2 7 ,sourceport=51820,setsockopt-int=1:36:0xca6c
	send wan 203.0.113.1 51820 ,sourceport=7
	t "an answer gets the mark" hits_are gw 1
	count_end gw
	on gw nft "table ip user { chain c { type filter hook prerouting priority -160
		udp dport 9 meta mark set 7; }; }"
	count gw prerouting -100 udp dport 9 meta mark 7
	send wan 203.0.113.1 9
	t "other marks are left alone" hits_are gw 1
	count_end gw
	on gw nft delete table ip user
	clean "own"
}

test_kill_switch()
{
	killed="wg0 kill-switch mark=0xca6c kill-lans=192.168.50.0/24,fd50::/64"
	ip -n wan route add 192.168.50.0/24 via 203.0.113.1
	ip -n wan route add fd50::/64 via 2001:db8:1::1
	t "LAN reaches WAN" both reach lan 203.0.113.2 2001:db8:1::2
	# Connections are known only while somebody's rules ask for them.
	on gw nft "table inet user { chain c { type filter hook input priority 0
		ct state established counter; }; }"
	rules > "$tmp/before"
	send gw 203.0.113.2 7 ,sourceport=5000
	send wan 203.0.113.1 5000 ,sourceport=7
	t "kill-switch: up" whole up $killed
	t "nothing leaves" both refused gw 203.0.113.2 2001:db8:1::2
	t "but through the tunnel" both reach gw 10.9.0.2 fd09::2
	t "to this host" both reach gw 127.0.0.1 2001:db8:1::1
	ip -n gw neigh flush dev lan0
	t "to networks that stay" both reach gw 192.168.50.2 fd50::2
	count wan input 0 meta l4proto udp
	send gw 203.0.113.2 7 ,sourceport=5000
	send gw 203.0.113.2 7
	send gw "[2001:db8:1::2]" 7
	t "not on connections that exist" hits_are wan 0
	send gw 203.0.113.2 7 ,setsockopt-int=1:36:0xca6c
	t "the tunnel's own packets" hits_are wan 1
	send gw 203.0.113.2 67 ,sourceport=68
	send gw "[2001:db8:1::2]" 547 ,sourceport=546
	t "DHCP" hits_are wan 3
	count_end wan
	t "nothing is forwarded" both refused lan 203.0.113.2 2001:db8:1::2
	t "but into the tunnel" both reach lan 10.9.0.2 fd09::2
	t "the whole again" whole up $killed
	ip -n gw link set wg0 down
	t "nothing leaves, link down" both refused gw 203.0.113.2 2001:db8:1::2
	ip -n gw link del wg0
	t "nothing leaves, link gone" both refused gw 203.0.113.2 2001:db8:1::2
	t "nothing is forwarded, link gone" both refused lan 203.0.113.2 2001:db8:1::2
	make_wg0
	t "works again" both reach gw 10.9.0.2 fd09::2
	t "another tunnel" whole up wg1 exit forward port=1
	t "does not open the switch" [ "$(marks wg1)" = 0 ]
	down wg1
	t "kill-switch without LANs: up" whole up wg0 kill-switch mark=0xca6c
	t "nothing leaves to the LAN" both refused gw 192.168.50.2 fd50::2
	t "nor is forwarded there" both lost wan 192.168.50.2 fd50::2
	clean "kill-switch"
	t "as before" both reach gw 203.0.113.2 2001:db8:1::2
	on gw nft delete table inet user
	rules > "$tmp/before"
	ip -n wan route del 192.168.50.0/24
	ip -n wan route del fd50::/64
}

# says WORDS CMD...: it succeeds and says that
says()
{
	words=$1
	shift
	"$@" > "$tmp/said" 2>&1 || { cat "$tmp/said"; return 1; }
	cat "$tmp/said"
	grep -q -F -- "$words" "$tmp/said"
}

test_others()
{
	on gw nft "table inet firewalld {
		chain in { type filter hook input priority 10; reject with icmpx admin-prohibited; }
		chain forwarded { type filter hook forward priority 10; drop; }; }"
	rules > "$tmp/before"
	t "firewalld forgets: the port" says --add-port=51820/udp up wg0 port=51820 exit
	t "firewalld forgets: forwarding" grep -q -F -- --add-interface=wg0 "$tmp/said"
	t "it is open until then" [ "$(marks)" = 3 ]
	clean "firewalld"
	on gw nft delete table inet firewalld

	# A table whose owner is alive: nobody else may change it.
	mkfifo "$tmp/owner"
	on gw nft -i < "$tmp/owner" > /dev/null 2>&1 &
	pids="$pids $!"
	exec 3> "$tmp/owner"
	echo "add table ip mine { flags owner; }; add chain ip mine c { type filter hook input priority 0; policy drop; }" >&3
	i=0
	until has "chain c" || [ $((i += 1)) -gt 50 ]; do sleep 0.1; done
	t "a table that nobody may change" says "table \`mine'" up wg0 port=51820
	t "ours is there" has "table inet wgpeer-wg0"
	exec 3>&-
	wait
	rules > /dev/null
	: > "$tmp/before"
	clean "owner"

	if command -v iptables-nft > /dev/null && on gw iptables-nft -P INPUT DROP; then
		on gw iptables-nft -A FORWARD -j REJECT
		rules > "$tmp/before"
		t "iptables-nft: up" whole up wg0 port=51820 exit
		t "iptables-nft: in front" [ "$(marks)" = 3 ]
		t "iptables-nft understands" on gw iptables-nft -C INPUT -p udp --dport 51820 \
			-m comment --comment wgpeer-wg0 -j ACCEPT
		clean "iptables-nft"
		on gw nft delete table ip filter
	fi
	rules > "$tmp/before"
}

holds() { on gw "$fw" holds wg0 port=51820 forward lans=192.168.50.0/24; }

test_holds()
{
	wish="port=51820 forward lans=192.168.50.0/24"
	foreign
	f "holds: not before up" holds
	t "holds: up" whole up wg0 $wish
	t "it holds" whole holds
	on gw nft flush ruleset
	f "not after a flush" holds
	t "up again" whole up wg0 $wish
	t "it holds again" whole holds
	cp "$tmp/before" "$tmp/saved"
	foreign
	mv "$tmp/saved" "$tmp/before"
	f "not behind a new table that drops" holds
	t "up in front of that" whole up wg0 $wish
	t "it holds there" whole holds
	on gw nft delete table inet wgpeer-wg0
	f "not by openings alone" holds
	t "holds: no wishes" whole on gw "$fw" holds wg0
	clean "holds"
	foreign_end
}

# Where /proc says that rules of the old kind are in use.
with_legacy()
{
	mkdir -p "$tmp/proc"
	on gw unshare -m sh -c "mount --rbind /proc '$tmp/proc' && mount -t tmpfs tmpfs /proc &&
		ln -s '$tmp/proc/self' /proc/self && mkdir /proc/net &&
		printf 'nat\\nfilter\\n' > /proc/net/ip_tables_names &&
		exec env ASAN_OPTIONS=detect_leaks=0 '$fw' up wg0 port=51820 exit"
}

without_nft()
{
	on gw unshare -m sh -c 'mount -t tmpfs tmpfs /sbin && mount -t tmpfs tmpfs /usr/sbin &&
		PATH=/nonexistent && exec "$0" "$@"' "$fw" "$@"
}

test_programs()
{
	t "old iptables: the port" says "iptables-legacy -I INPUT -p udp --dport 51820 -j ACCEPT" \
		with_legacy
	t "old iptables: forwarding" grep -q "iptables-legacy -I FORWARD -o wg0" "$tmp/said"
	case $(command -v nft) in
	*/sbin/nft)
		t "nft beside the search path" whole on gw env PATH=/nonexistent \
			"$fw" up wg0 port=51820 ;;
	esac
	t "without nft" says "no program \`nft'" not without_nft up wg0 port=51820
	t "without nft nothing is removed" has wgpeer-wg0
	clean "legacy"
	t "without nft, nothing there" whole without_nft down wg0
}

# Every script of the unit tests is one that nft takes.
test_accepted()
{
	for words in "" "port=51820" "forward isolate lans=10.0.0.0/8,10.1.0.0/16,fd00::/8" \
		"exit no-ipv6 nat-lans forward lans=0.0.0.0/0,::/0 tunnel=fd09::/64" \
		"own=10.9.0.1/24,fd09::1/64 mark=0xffffffff kill-switch kill-lans=10.0.0.0/8,fe80::/10"; do
		"$fw" script wg-0_a.b $words > "$tmp/script"
		t "nft takes: $words" on gw nft -c -f "$tmp/script"
	done
}

make_net
rules > "$tmp/before"
test_base
test_accepted
test_open_port
test_forward
test_nat
test_no_ipv6
test_clamp
test_own
test_kill_switch
test_others
test_holds
test_programs
echo "1..$n"
