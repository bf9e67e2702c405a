#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel to wireguard-go, either side starting, with Debian's own and, where
# it has been fetched, a newer one that uses UDP segmentation offload.
#
#   a [wg0, kernel] -- eth0 ------- eth0 -- [tun, wireguard-go] b
#
# spec 1, 2, 4.2, 4.5, 5.4
# timeout: 240
. "$(dirname "$0")/../lib.sh"
[ -c /dev/net/tun ] || skip_all "no /dev/net/tun"
need wireguard-go
need socat

export WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1
two_ns
on b "$PY" -c 'import fcntl, struct; f = open("/dev/net/tun", "r+b", 0)
fcntl.ioctl(f, 0x400454ca, struct.pack("16sH", b"probe", 1))' 2> /dev/null || skip_all "kernel without TUN"
GO=go$((RANDOM % 10000))

# The user-space end has its socket in a place all namespaces share.
start()
{
	bg b "$1" -f $GO > "$TMP/go.log" 2>&1
	echo "$BG" > "$TMP/go.pid"
	wait_for 10 test -S /var/run/wireguard/$GO.sock
	on b wg set $GO private-key "$TMP/b.key" listen-port 1002 peer "${PUB[a]}" \
		allowed-ips 192.168.241.1/32,fd00:241::1/128
	addr b $GO 192.168.241.2/24 fd00:241::2/64
	ipn b link set $GO mtu 1420 up
	wg_dev a wg0 a 1001 192.168.241.1/24 fd00:241::1/64
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32,fd00:241::2/128
}

no_tun() { ! ipn b link show $GO > /dev/null 2>&1; }

stop()
{
	ipn a link del wg0
	bg_end "$(< "$TMP/go.pid")"
	wait_for 10 no_tun
	rm -f /var/run/wireguard/$GO.sock
}

# preshared: the same fresh key on both sides, unless $1 is "none"
preshared()
{
	[ "$1" != none ] || return 0
	(umask 077; wg genpsk > "$TMP/psk")
	wgc a set wg0 peer "${PUB[b]}" preshared-key "$TMP/psk"
	on b wg set $GO peer "${PUB[a]}" preshared-key "$TMP/psk"
}

# we_start PROGRAM 4|6 none|psk
we_start()
{
	[ -x "$1" ] || skip "$none"
	start "$1"
	preshared "$3"
	if [ "$2" = 4 ]; then
		wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	else
		wgc a set wg0 peer "${PUB[b]}" endpoint '[fd00:aa::2]:1002'
	fi
	reach a 192.168.241.2
	reach b fd00:241::1
	traffic
	stop
}

they_start()
{
	[ -x "$1" ] || skip "$none"
	start "$1"
	preshared "$3"
	if [ "$2" = 4 ]; then
		on b wg set $GO peer "${PUB[a]}" endpoint 10.0.0.1:1001
		reach b 192.168.241.1
		equal "endpoint learnt" "$(peer_field a wg0 b endpoint)" 10.0.0.2:1002
	else
		on b wg set $GO peer "${PUB[a]}" endpoint '[fd00:aa::1]:1001'
		reach b 192.168.241.1
		equal "endpoint learnt" "$(peer_field a wg0 b endpoint)" '[fd00:aa::2]:1002'
	fi
	reach a fd00:241::2
	traffic
	stop
}

traffic()
{
	pings a 192.168.241.2 3 -s 1392
	pings b 192.168.241.1 3 -s 4000
	send_file a b 192.168.241.2 1024
	send_file b a fd00:241::1 1024
}

learnt_by_us() { [ "$(peer_field a wg0 b endpoint)" = "$1" ]; }
learnt_by_go() { [ "$(on b wg show $GO endpoints | cut -f 2)" = "$1" ]; }

# Both sides move within a session, to other ports and addresses; to the other
# family with the old one only: the newer one then sends to a mixture of the
# two addresses (fd00:aa::), whoever is its peer.
roam()
{
	local hs
	[ -x "$1" ] || skip "$none"
	start "$1"
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	reach a 192.168.241.2
	hs=$(peer_field a wg0 b handshake)
	wgc a set wg0 listen-port 1011
	reach a 192.168.241.2
	learnt_by_go 10.0.0.1:1011
	ipn a addr del 10.0.0.1/24 dev eth0
	addr a eth0 10.0.0.11/24
	reach a 192.168.241.2
	learnt_by_go 10.0.0.11:1011
	on b wg set $GO listen-port 1012
	reach b 192.168.241.1
	learnt_by_us 10.0.0.2:1012
	if [ "$1" = "$old" ]; then
		on b wg set $GO peer "${PUB[a]}" endpoint '[fd00:aa::1]:1011'
		reach b 192.168.241.1
		learnt_by_us '[fd00:aa::2]:1012'
	fi
	traffic
	equal "handshake" "$(peer_field a wg0 b handshake)" "$hs"
	ipn a addr del 10.0.0.11/24 dev eth0
	addr a eth0 10.0.0.1/24
	stop
}

# Each way of bundling, on either side of the cable.
offloads()
{
	local how
	[ -x "$1" ] || skip "$none"
	start "$1"
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	reach a 192.168.241.2
	for how in "wg0 tso off gro off" "eth0 gso off gro off" "eth0 gso on gro on"; do
		# shellcheck disable=SC2086 # words
		on a ethtool -K $how
		traffic
	done
	on a ethtool -K wg0 tso on gro on
	if ours; then
		on a ethtool --set-priv-flags wg0 udp-gso off udp-gro off
		traffic
		equal "bundles" "$(bundles)" "$(traffic > /dev/null; bundles)"
		on a ethtool --set-priv-flags wg0 udp-gso on udp-gro on
		traffic
		[ "$(bundles)" != "0 0" ]
		equal "failed tags" "$(drops a wg0 bad_tag)" 0
	fi
	stop
}

bundles()
{
	on a ethtool -S wg0 | awk '/ [tr]x_bundles:/ { n[$1] = $2 } END { print n["tx_bundles:"], n["rx_bundles:"] }'
}

old=$(command -v wireguard-go)
new=$WG_CACHE/wireguard-go/wireguard-go
none="no newer wireguard-go (selftests/kernels/fetch-wireguard-go)"
subtest "we start, over IPv4" we_start "$old" 4 none
subtest "they start, over IPv6" they_start "$old" 6 none
subtest "they start, over IPv4, preshared key" they_start "$old" 4 psk
subtest "both sides roam" roam "$old"
subtest "newer wireguard-go, we start, over IPv4" we_start "$new" 4 none
subtest "newer wireguard-go, they start, over IPv6" they_start "$new" 6 none
subtest "newer wireguard-go, we start, over IPv6, preshared key" we_start "$new" 6 psk
subtest "newer wireguard-go, they start, over IPv4, preshared key" they_start "$new" 4 psk
subtest "newer wireguard-go, both sides roam" roam "$new"
subtest "newer wireguard-go, bundles and merging on and off" offloads "$new"
finish
