#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A tunnel to wireguard-go, either side starting, with Debian's own and, where
# it has been fetched, a newer one that uses UDP segmentation offload.
#
#   a [wg0, kernel] -- eth0 ------- eth0 -- [tun, wireguard-go] b
#
# spec 1, 2
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

we_start()
{
	[ -x "$1" ] || skip "$2"
	start "$1"
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	reach a 192.168.241.2
	reach b fd00:241::1
	traffic
	stop
}

they_start()
{
	[ -x "$1" ] || skip "$2"
	start "$1"
	on b wg set $GO peer "${PUB[a]}" endpoint '[fd00:aa::1]:1001'
	reach b 192.168.241.1
	equal "endpoint learnt" "$(peer_field a wg0 b endpoint)" '[fd00:aa::2]:1002'
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

with_psk()
{
	start "$1"
	(umask 077; wg genpsk > "$TMP/psk")
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002 preshared-key "$TMP/psk"
	on b wg set $GO peer "${PUB[a]}" preshared-key "$TMP/psk"
	reach a 192.168.241.2
	stop
}

old=$(command -v wireguard-go)
new=$WG_CACHE/wireguard-go/wireguard-go
none="no newer wireguard-go (selftests/kernels/fetch-wireguard-go)"
subtest "we start" we_start "$old" ""
subtest "they start, over IPv6" they_start "$old" ""
subtest "with a preshared key" with_psk "$old"
subtest "newer wireguard-go, we start" we_start "$new" "$none"
subtest "newer wireguard-go, they start, over IPv6" they_start "$new" "$none"
finish
