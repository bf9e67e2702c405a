#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# DSCP and ECN: the inner DSCP does not leak, ECN is copied out and a congestion
# mark of the path comes back in; handshakes are AF41, keepalives plain.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.6, 5.5
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"
need tcpdump

two_peers 4
capture b eth0 out udp and dst port 1002 2> /dev/null || skip_all "kernel without packet sockets"
wgc a set wg0 peer "${PUB[b]}" persistent-keepalive 1
reach a 192.168.241.2 > /dev/null

handshake_tos()
{
	wait_for 3 captured_at_least out 1 'udp[4:2] = 156'
	captured_at_least out 1 'udp[4:2] = 156 and ip[1] = 0x88'
	refute captured_at_least out 1 'udp[4:2] = 156 and ip[1] != 0x88'
}

keepalive_tos()
{
	wait_for 5 captured_at_least out 1 'udp[4:2] = 40'
	refute captured_at_least out 1 'udp[4:2] = 40 and ip[1] != 0'
}

# outer_of INNER WANTED SIZE: echoes of one size with TOS INNER leave with WANTED
outer_of()
{
	local len=$((($3 + 28 + 15) / 16 * 16 + 32 + 8))
	pings a 192.168.241.2 2 -Q "$1" -s "$3"
	wait_for 3 captured_at_least out 2 "udp[4:2] = $len"
	refute captured_at_least out 1 "udp[4:2] = $len and ip[1] != $2"
}

outer_of_6()
{
	local len=$((($3 + 48 + 15) / 16 * 16 + 32 + 8))
	pings a fd00:241::2 2 -Q "$1" -s "$3"
	wait_for 3 captured_at_least out 2 "udp[4:2] = $len"
	refute captured_at_least out 1 "udp[4:2] = $len and ip[1] != $2"
}

over_6()
{
	outer 6
	capture b eth0 six udp and dst port 1002
	pings a 192.168.241.2 2 -Q 0xba -s 700
	wait_for 3 captured_at_least six 2 'ip6[4:2] = 776'
	refute captured_at_least six 1 'ip6[4:2] = 776 and ip6[0:4] & 0x0fffffff != 0x00200000'
	capture_end six
	outer 4
}

# A peer in Python sets the outer bits; what arrives inside is captured.
mark_back()
{
	key py
	wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32
	capture b wg0 in icmp and src 192.168.241.77
	PYTHONPATH=$PYDIR on a "$PY" - "$(< "$TMP/py.key")" "${PUB[b]}" <<'P'
import sys
from noise import *
p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002))
w.session(p)
# (outer, inner): the size tells which one it was
for i, (outer, inner) in enumerate(((3, 2), (3, 1), (3, 0), (0, 2), (1, 2), (3, 3), (0, 0))):
    w.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, outer)
    w.send(p.data(echo("192.168.241.77", "192.168.241.2", i, b"y" * (100 + i), inner)))
P
	wait_for 5 captured_at_least in 7
	capture_end in
	captured in -v
	marked 100 3
	marked 101 3
	marked 103 2
	marked 105 3
	marked 106 0
	# Spec: the verdict "drop" for a mark on a packet without ECN is ignored.
	captured_at_least in 1 'ip[2:2] = 130'
	# ECT(1) outside may change ECT(0) inside to ECT(1).
	captured_at_least in 1 'ip[2:2] = 132'
}

marked() { captured_at_least in 1 "ip[2:2] = $(($1 + 28)) and ip[1] & 3 = $2"; }

subtest "handshakes carry AF41" handshake_tos
subtest "keepalives carry nothing" keepalive_tos
subtest "inner DSCP EF does not leak" outer_of 0xb8 0 100
subtest "ECT(0) is copied" outer_of 0x02 2 200
subtest "ECT(1) is copied, DSCP is not" outer_of 0xb9 1 300
subtest "CE leaves as ECT(0)" outer_of 0x03 2 400
subtest "ECT(0) of inner IPv6 is copied" outer_of_6 0xba 2 500
subtest "the same in IPv6, flow label zero" over_6
subtest "a mark of the path comes back" mark_back
capture_end out
finish
