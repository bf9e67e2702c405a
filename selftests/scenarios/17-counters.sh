#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Byte and packet counters of the device and the peer after a fixed exchange.
#
#   a: peer in Python 10.0.0.1 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 4.9, 5.2, 5.5
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32

# Nothing unforeseen may leave by the device.
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1

exchange()
{
	PYTHONPATH=$PYDIR on a "$PY" - "$(< "$TMP/py.key")" "${PUB[b]}" <<'P'
import sys
from noise import *
p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002))
w.session(p)
# 20 + 8 + 33 = 61 bytes, padded by us to 80: the device counts before the trim
plain = echo("192.168.241.77", "192.168.241.2", 1, b"z" * 33)
w.send(p.data(plain + bytes(19)))
reply = p.open(w.recv_kind(4))
# the reply is 61 bytes, padded by the device to 64
assert len(reply) == 64 and not any(reply[61:]), reply
# no padding at all is as good
w.send(p.data(plain))
assert len(p.open(w.recv_kind(4))) == 64
P
}

# stats: rx packets, rx bytes, tx packets, tx bytes
stats()
{
	local c out=
	for c in rx_packets rx_bytes tx_packets tx_bytes; do out="$out $(dev_stat b wg0 $c)"; done
	equal "device counters (rx p, rx b, tx p, tx b)" "${out# }" "$1"
}

after_exchange()
{
	local rx=$((148 + 32 + 32 + 80 + 32 + 61)) tx=$((92 + 32 + 64 + 32 + 64))
	stats "4 $rx 3 $tx"
	equal "peer rx" "$(peer_field b wg0 py rx)" $rx
	equal "peer tx" "$(peer_field b wg0 py tx)" $tx
	wgc b show wg0 transfer | grep -q "$(printf '%s\t%d\t%d' "${PUB[py]}" $rx $tx)"
}

# Each inner error has its counter; the datagram is authentic all the same.
inner_errors()
{
	local frame length errors
	frame=$(dev_stat b wg0 rx_frame_errors)
	length=$(dev_stat b wg0 rx_length_errors)
	errors=$(dev_stat b wg0 rx_errors)
	PYTHONPATH=$PYDIR on a "$PY" - "$(< "$TMP/py.key")" "${PUB[b]}" <<'P'
import sys, time
from noise import *
p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002))
time.sleep(0.03)    # initiations closer than 20 ms are refused
w.session(p)
ok = ipv4("192.168.241.77", "192.168.241.2", b"q" * 20)
w.send(p.data(b"\x55" * 60))                                                   # frame: version 5
w.send(p.data(ok[:19]))                                                        # frame: shorter than a header
w.send(p.data(b"\x65" + bytes(38)))                                            # frame: IPv6 of 39 bytes
w.send(p.data(ipv4("192.168.241.99", "192.168.241.2", b"q" * 20)))             # frame: source
w.send(p.data(ipv4("192.168.241.77", "192.168.241.2", b"q" * 20, total=19)))   # length: too small
w.send(p.data(ipv4("192.168.241.77", "192.168.241.2", b"q" * 20, total=41)))   # length: beyond the end
w.send(p.data(b"\x60\0\0\0\0\x29\x3b\x40" + bytes(32) + b"q" * 40))            # length: IPv6 beyond the end
w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
assert w.recv_kind(4)
P
	equal "rx_frame_errors" "$(dev_stat b wg0 rx_frame_errors)" $((frame + 4))
	equal "rx_length_errors" "$(dev_stat b wg0 rx_length_errors)" $((length + 3))
	equal "rx_errors" "$(dev_stat b wg0 rx_errors)" $((errors + 7))
	if ours; then
		equal "drop_source_not_allowed" "$(drops b wg0 source_not_allowed)" 1
		equal "drop_inner_malformed" "$(drops b wg0 inner_malformed)" 6
	fi
}

# A staged packet that finds no session is counted when it is purged.
staged_purged()
{
	local before
	key dead
	wgc b set wg0 peer "${PUB[dead]}" allowed-ips 192.168.241.66/32 endpoint 10.0.0.1:9
	before=$(dev_stat b wg0 tx_dropped)
	no_reach b 192.168.241.66
	wgc b set wg0 peer "${PUB[dead]}" remove
	gone() { [ "$(dev_stat b wg0 tx_dropped)" = $((before + 1)) ]; }
	wait_for 3 gone
}

subtest "an exchange with a known number of bytes" exchange
subtest "the counters agree to the byte" after_exchange
subtest "inner errors are counted by kind" inner_errors
subtest "a purged packet counts as dropped" staged_purged
finish
