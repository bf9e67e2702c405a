#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Identity changes on live devices: another private key, none at all, a peer
# that carries our own key.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 7.5 (7), 7.6 (4), 2.5
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
key a2 x

stranger()
{
	reach a 192.168.241.2
	wgc a set wg0 private-key "$TMP/a2.key"
	equal "public key" "$(wgc a show wg0 public-key)" "${PUB[a2]}"
	# b does not know the new key
	no_reach a 192.168.241.2
}

known_again()
{
	wgc b set wg0 peer "${PUB[a2]}" allowed-ips 192.168.241.1/32,fd00:241::1/128
	reach a 192.168.241.2
	reach b 192.168.241.1
	wgc b set wg0 peer "${PUB[a]}" remove
}

# The same key again ends nothing.
same_key()
{
	local hs
	hs=$(peer_field a wg0 b handshake)
	wgc a set wg0 private-key "$TMP/a2.key"
	reach a 192.168.241.2
	equal "handshake time" "$(peer_field a wg0 b handshake)" "$hs"
}

own_key_ignored()
{
	wgc a set wg0 peer "${PUB[a2]}" allowed-ips 192.168.241.9/32
	equal "peers" "$(wgc a show wg0 peers)" "${PUB[b]}"
}

own_key_removed()
{
	wgc a set wg0 peer "${PUB[x]}" allowed-ips 192.168.241.9/32
	equal "peers" "$(wgc a show wg0 peers | wc -l)" 2
	wgc a set wg0 private-key "$TMP/x.key"
	equal "peers" "$(wgc a show wg0 peers)" "${PUB[b]}"
	wgc a set wg0 private-key "$TMP/a2.key"
	reach a 192.168.241.2
}

no_identity()
{
	local tx
	wgc a set wg0 private-key /dev/null
	equal "public key" "$(wgc a show wg0 public-key)" "(none)"
	tx=$(dev_stat a wg0 tx_packets)
	no_reach a 192.168.241.2
	no_reach b 192.168.241.1
	equal "datagrams sent without identity" "$(dev_stat a wg0 tx_packets)" "$tx"
}

# Giving the key flushes what is staged: the echo below was sent before it.
identity_appears()
{
	bg a ping -n -q -c 1 -W $((5 * SCALE)) 192.168.241.2 > "$TMP/ping.out"
	wait_for 3 staged
	wgc a set wg0 private-key "$TMP/a2.key"
	wait "$BG"
}

# The echo was handed over when the device has routed one more packet.
staged() { on a ip route get 192.168.241.2 > /dev/null && pgrep -x ping > /dev/null; }

clamped()
{
	PYTHONPATH=$PYDIR on a "$PY" - <<'P'
from genl import *
g, c = Genl(), Check()
raw = bytes([0xff] * 32)
c.equal("set", name(g.call(attr(D_IFNAME, "wg0") + attr(D_PRIVATE, raw))), "0")
c.equal("shown", g.get("wg0")[0][D_PRIVATE].hex(), "f8" + "ff" * 30 + "7f")
c.done()
P
}

subtest "a new private key is a stranger" stranger
subtest "made known, it has a session at once" known_again
subtest "the same key changes nothing" same_key
subtest "a peer with our own key is not created" own_key_ignored
subtest "a peer whose key becomes ours is removed" own_key_removed
subtest "without identity nothing is sent" no_identity
subtest "an identity sends what was waiting" identity_appears
subtest "the key shown is the clamped one" clamped
finish
