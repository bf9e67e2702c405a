#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Several peers at once: their packets share the queues of one device and arrive
# whole; peers come and go while data of others, and their own, are on the way;
# cookie replies for nobody are no burden.
#
#   a [wg0, 4 peers, several queues] -- eth0 ------- eth0 -- [wg1] ... [wg4] b
#
# spec 2.4, 4.1-4.5, 5.2, 7.6
# quick: uml
# timeout: 120
# cpus: 2
. "$(dirname "$0")/../lib.sh"

two_ns
ALL='1 2 3 4'
KIB=1500
head -c $((KIB * 1024)) /dev/urandom > "$TMP/data"
SUM=$(sha256sum < "$TMP/data")

add_peer()
{
	wgc a set wg0 peer "${PUB[p$1]}" allowed-ips "192.168.241.1$1/32" endpoint "10.0.0.2:200$1"
}

setup()
{
	ip -n "$PFX-a" link add wg0 numtxqueues 4 type wireguard
	wgc a set wg0 private-key "$TMP/a.key" listen-port 1001
	addr a wg0 192.168.241.1/24
	ip -n "$PFX-a" link set dev wg0 up
	on a tc qdisc replace dev wg0 root fq_codel
	for n in $ALL; do
		key "p$n"
		wg_dev b "wg$n" "p$n" "200$n" "192.168.241.1$n/32"
		wgc b set "wg$n" peer "${PUB[a]}" allowed-ips 192.168.241.1/32 endpoint 10.0.0.1:1001
		ip -n "$PFX-b" rule add from "192.168.241.1$n" lookup "10$n"
		ip -n "$PFX-b" route add 192.168.241.1 dev "wg$n" table "10$n"
		add_peer "$n"
	done
}
setup

# Starts a transfer from a to peer N, and one back; PIDS says who is done when.
transfers()
{
	local n
	PIDS=
	for n; do
		rm -f "$TMP/there$n" "$TMP/back$n"
		bg b socat -u "TCP-LISTEN:530$n,bind=192.168.241.1$n,reuseaddr" "OPEN:$TMP/there$n,creat,trunc"
		PIDS="$PIDS $BG"
		bg a socat -u "TCP-LISTEN:530$n,reuseaddr" "OPEN:$TMP/back$n,creat,trunc"
		PIDS="$PIDS $BG"
	done
	for n; do
		wait_for 5 listening b "530$n"
		wait_for 5 listening a "530$n"
		bg a socat -u "OPEN:$TMP/data" "TCP:192.168.241.1$n:530$n"
		PIDS="$PIDS $BG"
		bg b socat -u "OPEN:$TMP/data" "TCP:192.168.241.1:530$n,bind=192.168.241.1$n"
		PIDS="$PIDS $BG"
	done
}

intact()
{
	local n
	for n; do
		equal "to peer $n" "$(sha256sum < "$TMP/there$n")" "$SUM"
		equal "from peer $n" "$(sha256sum < "$TMP/back$n")" "$SUM"
	done
}

ended() { refute kill -0 "$@" 2> /dev/null; }

wait_all()
{
	local pid
	for pid in $PIDS; do wait_for 20 ended "$pid"; done
}

shared()
{
	# shellcheck disable=SC2086 # numbers
	transfers $ALL
	wait_all
	# shellcheck disable=SC2086
	intact $ALL
}

# Peer 4 comes and goes; now and then its address belongs to somebody else.
coming_and_going()
{
	local n=0 flood
	bg a ping -n -q -i 0.002 -c 1000000 192.168.241.14 > /dev/null
	flood=$BG
	bg b ping -n -q -i 0.002 -c 1000000 -I 192.168.241.14 192.168.241.1 > /dev/null
	flood="$flood $BG"
	transfers 1 2 3
	while kill -0 "${PIDS##* }" 2> /dev/null || [ $n -lt 20 ]; do
		n=$((n + 1))
		wgc a set wg0 peer "${PUB[p4]}" remove
		[ $((n % 3)) != 0 ] ||
			wgc a set wg0 peer "${PUB[p1]}" allowed-ips +192.168.241.14/32
		add_peer 4
	done
	wait_all
	for BG in $flood; do bg_end "$BG"; done
	intact 1 2 3
	echo "$n times"
	reach_soon a 192.168.241.14
}

# An index that nobody has is looked up and forgotten; one that somebody has
# costs an attempt to open, and changes nothing.
cookies()
{
	local sent=20000 before after
	reach_soon a 192.168.241.11
	capture a eth0 index 'udp[4:2] >= 40 and udp[8] = 4 and src 10.0.0.2 and src port 2001'
	reach a 192.168.241.11
	wait_for 5 captured_at_least index 1
	capture_end index
	! ours || before=$(drops a wg0 unknown_index)
	PYTHONPATH=$PYDIR on b "$PY" - "$TMP/index.pcap" $sent <<'P'
import os, socket, struct, sys
pcap = open(sys.argv[1], "rb").read()
# The receiver index of the last datagram: one of a's.
at, last = 24, None
while at < len(pcap):
    size = struct.unpack("<I", pcap[at + 8:at + 12])[0]
    last = pcap[at + 16:at + 16 + size]
    at += 16 + size
known = last[14 + 20 + 8 + 4:][:4]
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(int(sys.argv[2])):
    sock.sendto(b"\3\0\0\0" + (known if n % 100 == 0 else os.urandom(4)) +
                os.urandom(56), ("10.0.0.1", 1001))
P
	pings a 192.168.241.11 5
	if ours; then
		after=$(drops a wg0 unknown_index)
		# What the socket had no room for never came to us.
		[ $((after - before + $(drops a wg0 socket))) -ge $((sent * 99 / 100)) ]
		[ "$(drops a wg0 bad_handshake)" -gt 0 ]
	fi
	# Not under load either: a handshake needs no cookie.
	wgc a set wg0 peer "${PUB[p1]}" remove
	add_peer 1
	reach a 192.168.241.11
}

subtest "several peers share a device's queues" shared
subtest "a peer comes and goes under traffic" coming_and_going
subtest "cookie replies for nobody" cookies
finish
