#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Segmentation and receive offloads on, off and mixed, on the cable and on the
# tunnel: the same bytes arrive in every combination.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.2, 5.4; `local` is a veth as it is, `wire` sends single datagrams
# timeout: 300
. "$(dirname "$0")/../lib.sh"
need ethtool
need socat

two_peers 4
on a ethtool -k eth0 > /dev/null 2>&1 || skip_all "kernel without ethtool"
reach a 192.168.241.2 > /dev/null
KIB=1024

cable()
{
	local ns state=on
	[ "$1" = local ] || state=off
	for ns in a b; do
		# No kernel has all of these names.
		for what in tso gso tx-udp-segmentation tx-gso-list; do
			on "$ns" ethtool -K eth0 "$what" "$state" > /dev/null 2>&1 || :
		done
		on "$ns" ethtool -K eth0 gro on > /dev/null 2>&1 || :
	done
}

# tunnel NS FEATURE STATE...
tunnel()
{
	local ns=$1
	shift
	on "$ns" ethtool -K wg0 "$@" > /dev/null
}

both_ways()
{
	send_file a b 192.168.241.2 $KIB
	send_file b a fd00:241::1 $KIB
}

with_cable() { cable "$1"; both_ways; }

tunnel_features()
{
	cable "$1"
	tunnel a tso off gso off
	both_ways
	tunnel a tso on gso on gro off
	tunnel b gro off
	both_ways
	tunnel a gro on tx off
	tunnel b gro on sg off
	both_ways
	tunnel a tx on tso on
	tunnel b sg on tso on gso on
}

flags()
{
	ours || skip "needs our module"
	cable "$1"
	on a ethtool --set-priv-flags wg0 udp-gso "$2" udp-gro "$3"
	on b ethtool --set-priv-flags wg0 udp-gso "$4" udp-gro "$5"
	on a ethtool --show-priv-flags wg0 | grep -Eq "udp-gso *: $2"
	both_ways
	pings a 192.168.241.2 3 -s 1392
}

# Switched while data flows
flags_live()
{
	ours || skip "needs our module"
	local i sender
	bg b iperf3 -s -1 -p 5201 > /dev/null 2>&1
	wait_for 5 listening b 5201
	bg a iperf3 -c 192.168.241.2 -p 5201 -t 3
	sender=$BG
	for i in on off on off on; do
		on a ethtool --set-priv-flags wg0 udp-gso "$i" udp-gro "$i"
		on b ethtool --set-priv-flags wg0 udp-gso "$i" udp-gro "$i"
	done
	wait "$sender"
	both_ways
}

# UDP super-packets of a sender inside the tunnel (UDP_SEGMENT)
udp_segments()
{
	# A background program has no standard input.
	cat > "$TMP/receive.py" <<'P'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind(("192.168.241.2", 5400))
s.settimeout(60)
for i in range(120):
    d = s.recv(65535)
    want = i % 40
    assert len(d) == (1000 if want < 39 else 500) and d[0] == want, (i, len(d), d[0])
P
	bg b "$PY" "$TMP/receive.py"
	local rx=$BG
	wait_for 5 listening b 5400
	on a "$PY" - <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 103, 1000)
data = b"".join(bytes([i]) * 1000 for i in range(39)) + bytes([39]) * 500
for _ in range(3):
    s.sendto(data, ("192.168.241.2", 5400))
P
	wait "$rx"
}

subtest "local cable" with_cable "local"
subtest "wire-like cable" with_cable wire
subtest "features of the tunnel device, local" tunnel_features "local"
subtest "features of the tunnel device, wire-like" tunnel_features wire
subtest "UDP super-packets keep their order and sizes" udp_segments
for c in "local" wire; do
	for f in "on on on on" "off off off off" "on off off on" "off on on off"; do
		# shellcheck disable=SC2086 # four words
		subtest "udp-gso and udp-gro at a, at b: $f, $c" flags $c $f
	done
done
subtest "switched while data flows" flags_live
finish
