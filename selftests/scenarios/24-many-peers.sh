#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A thousand peers: added by one setconf, dumped, found by traffic, removed,
# each in bounded time.
#
#   a [wg0, 1000 peers] -- eth0 ------- eth0 -- [wg0] b
#
# spec 7.4-7.6, 8.4
# quick: uml
# timeout: 180
. "$(dirname "$0")/../lib.sh"

two_peers 4
N=1000

within()
{
	local limit=$1 start=$EPOCHREALTIME took
	shift
	"$@"
	took=$(ms_since "$start")
	echo "$* took $took ms"
	[ "$took" -le $((limit * SCALE * 1000)) ]
}

make_conf()
{
	printf '[Interface]\nPrivateKey=%s\nListenPort=1001\n' "$(< "$TMP/a.key")"
	printf '[Peer]\nPublicKey=%s\nAllowedIPs=192.168.241.2/32,fd00:241::2/128\nEndpoint=10.0.0.2:1002\n' "${PUB[b]}"
	PYTHONPATH=$PYDIR "$PY" - $N <<'P'
import sys, base64
from genl import key
for n in range(int(sys.argv[1])):
    print("[Peer]\nPublicKey=%s\nAllowedIPs=172.16.%d.%d/32, fd16::%x/128\nPersistentKeepalive=%d" %
          (base64.b64encode(key(n)).decode(), n >> 8, n & 255, n, n % 3 * 25))
P
}

added()
{
	make_conf > "$TMP/conf"
	within 20 wgc a setconf wg0 "$TMP/conf"
	equal "peers" "$(wgc a show wg0 peers | wc -l)" $((N + 1))
}

dumped()
{
	within 5 wgc a show wg0 dump > "$TMP/dump"
	equal "lines" "$(grep -c . "$TMP/dump")" $((N + 3))
	equal "different peers" "$(awk -F '\t' 'NF > 5 { print $1 }' "$TMP/dump" | sort -u | wc -l)" $((N + 1))
	grep -q 'fd16::3e7/128' "$TMP/dump"
	equal "kernel order" "$(awk -F '\t' 'NF > 5 && $4 ~ /^172/ { print $4 }' "$TMP/dump" | sed -n 500p)" \
		"172.16.1.243/32,fd16::1f3/128"
}

traffic() { reach a 192.168.241.2; }

synced()
{
	local hs
	hs=$(peer_field a wg0 b handshake)
	within 20 wgc a syncconf wg0 "$TMP/conf"
	equal "peers" "$(wgc a show wg0 peers | wc -l)" $((N + 1))
	equal "handshake" "$(peer_field a wg0 b handshake)" "$hs"
}

updown()
{
	within 10 ip -n "$PFX-a" link set wg0 down
	within 10 ip -n "$PFX-a" link set wg0 up
	within 20 wgc a set wg0 fwmark 1
	within 20 wgc a set wg0 private-key "$TMP/b.key"
	within 20 wgc a set wg0 private-key "$TMP/a.key" fwmark 0
}

removed()
{
	printf '[Interface]\nPrivateKey=%s\nListenPort=1001\n' "$(< "$TMP/a.key")" > "$TMP/none"
	within 30 wgc a setconf wg0 "$TMP/none"
	equal "peers" "$(wgc a show wg0 peers | wc -l)" 0
}

deleted()
{
	within 20 wgc a setconf wg0 "$TMP/conf"
	within 30 ip -n "$PFX-a" link del wg0
}

subtest "added by one setconf" added
subtest "dumped whole and in order" dumped
subtest "traffic to one of them" traffic
subtest "syncconf keeps the session" synced
subtest "down, up, mark, new identity" updown
subtest "all removed at once" removed
subtest "the device deleted with all of them" deleted
finish
