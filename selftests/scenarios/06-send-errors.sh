#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a sender is told when its packet cannot go: no peer for the destination,
# a peer without endpoint.  Errors of the socket, ICMP to a forwarded sender,
# counters.
#
#   lan [eth0 172.16.0.2] ---- [eth1 172.16.0.1] a [wg0] -- eth0 ---- b
#
# spec 4.1, 4.2
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
ns_add lan
veth lan eth0 a eth1
addr lan eth0 172.16.0.2/24 fd00:ee::2/64
addr a eth1 172.16.0.1/24 fd00:ee::1/64
ip -n "$PFX-lan" route add default via 172.16.0.1
ip -n "$PFX-lan" route add default via fd00:ee::1
ns_sysctl a net.ipv4.ip_forward 1
ns_sysctl a net.ipv6.conf.all.forwarding 1
key c d
ip -n "$PFX-a" route add 192.168.99.0/24 dev wg0
ip -n "$PFX-a" route add fd00:99::/64 dev wg0
# c has an address but no endpoint; 192.168.99.0/24 has no peer
wgc a set wg0 peer "${PUB[c]}" allowed-ips 192.168.241.7/32,fd00:241::7/128

# errno of a datagram sent to ADDR: the local sender of a lockless device sees it
send_errno()
{
	on a "$PY" - "$1" <<'P'
import errno, socket, sys
to = sys.argv[1]
s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(*((socket.IPPROTO_IPV6, 25, 1) if ":" in to else (socket.IPPROTO_IP, 11, 1)))
try:
    s.sendto(b"x", (to, 9))
    print("sent")
except OSError as e:
    print(errno.errorcode[e.errno])
P
}

no_peer()
{
	local before
	before=$(dev_stat a wg0 tx_errors)
	equal "errno for IPv4" "$(send_errno 192.168.99.1)" ENOKEY
	equal "errno for IPv6" "$(send_errno fd00:99::1)" ENOKEY
	equal "tx_errors" "$(dev_stat a wg0 tx_errors)" $((before + 2))
	! ours || [ "$(drops a wg0 no_peer)" -ge 2 ]
}

no_endpoint()
{
	local before
	before=$(dev_stat a wg0 tx_errors)
	equal "errno for IPv4" "$(send_errno 192.168.241.7)" EDESTADDRREQ
	equal "errno for IPv6" "$(send_errno fd00:241::7)" EDESTADDRREQ
	equal "tx_errors" "$(dev_stat a wg0 tx_errors)" $((before + 2))
	! ours || [ "$(drops a wg0 no_endpoint)" -ge 2 ]
}

icmp()
{
	local out
	out=$(on lan ping -n -c 1 -W 5 "$1" || :)
	echo "$out"
	grep -q "From $2 .*$3" <<< "$out"
}

local_ping()
{
	# A local ping is told by the socket or by ICMP, at once either way.
	local out
	out=$(on a ping -n -c 1 -W 5 192.168.99.1 2>&1 || :)
	echo "$out"
	grep -Eq 'Host Unreachable|Required key not available' <<< "$out"
}

# Behind masquerading the sender inside is told, not the router.
icmp_nat()
{
	command -v nft > /dev/null || skip "no nft"
	on a nft -f - <<'N' || skip "kernel without nftables NAT"
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "wg0" masquerade
	}
}
N
	icmp 192.168.99.1 172.16.0.1 "Destination Host Unreachable"
}

# While there is no session the youngest 129 of them wait: whoever waits already
# is cut to 128 before the next is added. The keys of d answer nothing.
waiting()
{
	local before
	wgc a set wg0 peer "${PUB[d]}" allowed-ips 192.168.241.8/32 endpoint 10.0.0.2:9
	before=$(dev_stat a wg0 tx_dropped)
	on a "$PY" - <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(300):
    s.sendto(b"x" * 100, ("192.168.241.8", 9))
P
	equal "tx_dropped" "$(dev_stat a wg0 tx_dropped)" $((before + 300 - 129))
	wgc a set wg0 peer "${PUB[d]}" remove
}

still_works()
{
	reach a 192.168.241.2
}

not_ip()
{
	local before
	# A raw frame with a version nibble that is neither 4 nor 6.
	before=$(dev_stat a wg0 tx_errors)
	on a "$PY" - <<'P' || skip "kernel without packet sockets"
import socket, sys
try:
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
except OSError:
    sys.exit(1)
for proto, data in ((0x0800, b"\x55" * 40), (0x86dd, b"\x45" + b"\0" * 60), (0x0806, b"\x45" * 40)):
    try:
        s.sendto(data, ("wg0", proto))
    except OSError as e:
        print(e)
P
	equal "tx_errors" "$(dev_stat a wg0 tx_errors)" $((before + 3))
}

# Whoever watches dropped packets is told why, in the kernel's own words.
reasons()
{
	local t=/sys/kernel/tracing
	mount -t tracefs tracefs $t || skip "no tracefs"
	echo 1 > $t/events/skb/kfree_skb/enable
	send_errno 192.168.99.1
	send_errno 192.168.241.7
	echo 0 > $t/events/skb/kfree_skb/enable
	cat $t/trace
	grep -q 'reason: IP_OUTNOROUTES' $t/trace
	grep -q 'reason: NO_SOCKET' $t/trace
}

subtest "no peer: ENOKEY, counted" no_peer
subtest "no endpoint: EDESTADDRREQ, counted" no_endpoint
subtest "no peer: ICMP host unreachable to a forwarded sender" icmp 192.168.99.1 172.16.0.1 "Destination Host Unreachable"
subtest "no peer: ICMPv6 address unreachable" icmp fd00:99::1 fd00:ee::1 "Address unreachable"
subtest "no endpoint: ICMP host unreachable" icmp 192.168.241.7 172.16.0.1 "Destination Host Unreachable"
subtest "no endpoint: ICMPv6 address unreachable" icmp fd00:241::7 fd00:ee::1 "Address unreachable"
subtest "a local sender is told at once" local_ping
subtest "ICMP reaches a sender behind NAT" icmp_nat
case $WG_ENV in qemu-[67]*) ! ours || subtest "drops have reasons" reasons ;; esac
subtest "frames that are not IP are refused and counted" not_ip
subtest "a bounded number of packets waits for a session" waiting
subtest "the tunnel still works" still_works
finish
