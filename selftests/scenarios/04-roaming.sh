#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Roaming: the endpoint follows the sender of authentic datagrams, after a new
# address, a new port and another family; nothing else moves it.
#
#   a [wg0] -- eth0 10.0.0.1, .3, fd00:aa::1 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 5.4 (1), 7.6 (7)
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
at_b() { equal "endpoint at b" "$(peer_field b wg0 a endpoint)" "$1"; }

learnt()
{
	# b knows no endpoint until a speaks.
	wgc b set wg0 peer "${PUB[a]}" remove
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,fd00:241::1/128
	at_b "(none)"
	reach a 192.168.241.2
	at_b 10.0.0.1:1001
}

new_port()
{
	wgc a set wg0 listen-port 1077
	reach a 192.168.241.2
	at_b 10.0.0.1:1077
	# b uses it at once
	reach b 192.168.241.1
}

new_address()
{
	addr a eth0 10.0.0.3/24
	ip -n "$PFX-a" addr del 10.0.0.1/24 dev eth0
	ip -n "$PFX-a" addr show dev eth0 | grep -q 10.0.0.3 || addr a eth0 10.0.0.3/24
	reach a 192.168.241.2
	at_b 10.0.0.3:1077
}

new_family()
{
	wgc a set wg0 peer "${PUB[b]}" endpoint '[fd00:aa::2]:1002'
	reach a 192.168.241.2
	at_b '[fd00:aa::1]:1077'
	reach b fd00:241::1
}

same_session()
{
	equal "handshakes since the start" "$(peer_field b wg0 a handshake)" "$(< "$TMP/hs")"
}

forged_stays()
{
	# The address of a genuine peer, the wrong content: data, and an initiation.
	on a "$PY" -c '
import socket, os
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("fd00:aa::1", 4444))
for t, n in (4, 32), (4, 112), (1, 148), (2, 92), (3, 64):
    for i in range(3):
        s.sendto(bytes([t, 0, 0, 0]) + os.urandom(n - 4), ("fd00:aa::2", 1002))
'
	reach b 192.168.241.1
	at_b '[fd00:aa::1]:1077'
}

keepalive_moves()
{
	# No data, only a keepalive from the new port.
	wgc a set wg0 listen-port 1099
	wgc a set wg0 peer "${PUB[b]}" persistent-keepalive 1
	wait_for 3 at_b '[fd00:aa::1]:1099'
}

subtest "learnt from the first authentic datagram" learnt
peer_field b wg0 a handshake > "$TMP/hs"
subtest "a new source port" new_port
subtest "a new source address" new_address
subtest "another family" new_family
subtest "all in one session" same_session
subtest "forged datagrams do not move it" forged_stays
subtest "a keepalive moves it" keepalive_moves
finish
