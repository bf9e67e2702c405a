#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client behind masquerading with a mapping that lives a few seconds: with a
# persistent keepalive the server can always reach the client, without it not.
#
#   a [wg0] eth0 192.168.1.100 --- 192.168.1.1 r 10.0.0.1 --- eth0 10.0.0.100 [wg0] b
#
# spec 2.6, 4.7
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"
need nft
need_nft

ns_add a r b
veth a eth0 r in0
veth b eth0 r out0
addr a eth0 192.168.1.100/24
addr r in0 192.168.1.1/24
addr r out0 10.0.0.1/24
addr b eth0 10.0.0.100/24
ip -n "$PFX-a" route add default via 192.168.1.1
ns_sysctl r net.ipv4.ip_forward 1
on r nft -f - <<'N'
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		ip saddr 192.168.1.0/24 oifname "out0" masquerade
	}
}
N
LIFE=$((2 * SCALE))
ns_sysctl r net.netfilter.nf_conntrack_udp_timeout $LIFE
ns_sysctl r net.netfilter.nf_conntrack_udp_timeout_stream $LIFE
key a b
wg_dev a wg0 a 1001 192.168.241.1/24
wg_dev b wg0 b 1002 192.168.241.2/24
wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32 endpoint 10.0.0.100:1002
wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32

through()
{
	reach a 192.168.241.2
	equal "endpoint at b" "$(peer_field b wg0 a endpoint)" "10.0.0.1:1001"
	reach b 192.168.241.1
}

mapping_gone() { [ -z "$(on r conntrack -L -p udp --orig-port-dst 1002 2> /dev/null)" ]; }

# Without keepalives the way back closes.
closes()
{
	refute mapping_gone
	wait_for 10 mapping_gone
	no_reach b 192.168.241.1
}

mapping_there() { ! mapping_gone; }

# Three times the lifetime of the mapping, no traffic at all but keepalives.
stays_open()
{
	wgc a set wg0 peer "${PUB[b]}" persistent-keepalive 1
	wait_for 3 mapping_there
	stays $((3 * LIFE)) mapping_there
	reach_now
}

reach_now() { on b ping -n -q -c 1 -W $((2 * SCALE)) 192.168.241.1; }

# A restarted router (all mappings lost, another port) heals by itself.
router_restart()
{
	ip -n "$PFX-r" addr add 10.0.0.2/24 dev out0
	ip -n "$PFX-r" addr del 10.0.0.1/24 dev out0
	ip -n "$PFX-r" addr show dev out0 | grep -q 10.0.0.2 ||
		addr r out0 10.0.0.2/24
	wait_for 5 reach_now
	equal "endpoint at b" "$(peer_field b wg0 a endpoint | cut -d: -f1)" 10.0.0.2
}

subtest "through the NAT and back" through
subtest "the mapping expires, the way back is closed" closes
subtest "a persistent keepalive holds it open" stays_open
subtest "a new address of the router" router_restart
finish
