#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Allowed IPs: the source filter and its counter, moves between peers, removal
# of one entry, longest prefix first.
#
#   a [wg0 .241.1, also .50.x] -- eth0 ------- eth0 -- [wg0 .241.2] b
#
# spec 5.5, 6
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_peers 4
key c
allowed_of() { equal "allowed IPs of $1" "$(peer_field b wg0 "$1" allowed)" "$2"; }

wrong_source()
{
	local before
	reach a 192.168.241.2
	addr a wg0 192.168.50.1/32
	before=$(dev_stat b wg0 rx_frame_errors)
	refute on a ping -n -q -c 3 -i 0.05 -W 1 -I 192.168.50.1 192.168.241.2
	equal "rx_frame_errors" "$(dev_stat b wg0 rx_frame_errors)" $((before + 3))
	equal "rx_errors" "$(dev_stat b wg0 rx_errors)" $((before + 3))
	! ours || equal "drop_source_not_allowed" "$(drops b wg0 source_not_allowed)" 3
}

right_source()
{
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,fd00:241::1/128,192.168.50.0/24
	ip -n "$PFX-b" route add 192.168.50.0/24 dev wg0
	reach a 192.168.241.2 -I 192.168.50.1
}

# The same prefix given to another peer leaves the first one, which may not
# pretend to be that peer.
moves()
{
	local before
	wgc b set wg0 peer "${PUB[c]}" allowed-ips 192.168.50.0/24
	allowed_of c 192.168.50.0/24
	allowed_of a 192.168.241.1/32,fd00:241::1/128
	before=$(dev_stat b wg0 rx_frame_errors)
	refute on a ping -n -q -c 1 -W 1 -I 192.168.50.1 192.168.241.2
	equal "rx_frame_errors" "$(dev_stat b wg0 rx_frame_errors)" $((before + 1))
}

# A longer prefix of a wins over c's /24, in both directions.
longest()
{
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,fd00:241::1/128,192.168.50.1/32
	reach a 192.168.241.2 -I 192.168.50.1
	allowed_of c 192.168.50.0/24
}

masked()
{
	wgc b set wg0 peer "${PUB[c]}" allowed-ips 10.99.88.77/27,fd00:1234:5678:9abc::1/37,192.168.50.0/24
	allowed_of c 10.99.88.64/27,fd00:1234:5000::/37,192.168.50.0/24
}

gone_with_peer()
{
	# A default route may be owned too; all goes with its peer.
	wgc b set wg0 peer "${PUB[c]}" allowed-ips 0.0.0.0/0,::/0
	reach a 192.168.241.2
	wgc b set wg0 peer "${PUB[c]}" remove
	equal "peers" "$(wgc b show wg0 peers)" "${PUB[a]}"
	reach a 192.168.241.2
}

# One entry is removed by its owner only, and only the exact prefix.
remove_one()
{
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,192.168.50.0/24,fd00:241::1/128
	wgc b set wg0 peer "${PUB[c]}" allowed-ips 10.1.0.0/16
	PYTHONPATH=$PYDIR on b "$PY" - "${PUB[a]}" "${PUB[c]}" > "$TMP/out" 2>&1 <<'P' || {
import sys
from genl import *
g, c = Genl(), Check()
a, other = b64(sys.argv[1]), b64(sys.argv[2])
def drop(who, what, flags=1):
    return name(g.call(attr(D_IFNAME, "wg0") + peers(peer(who, nest(P_ALLOWED, allowed(what, flags))))))
first = drop(a, "192.168.50.0/24")
if first == "EINVAL":
    print("kernel without removal of one entry")
    sys.exit(44)
c.equal("removal", first, "0")
c.equal("not the owner", drop(other, "192.168.241.1/32"), "0")
c.equal("not the prefix", drop(a, "192.168.241.0/24"), "0")
c.equal("a cidr too long", drop(a, "192.168.241.1/33"), "EINVAL")
c.equal("unknown flags", drop(a, "192.168.241.1/32", 3), "EINVAL")
c.equal("left", sorted(g.get("wg0")[1][a][1]), ["192.168.241.1/32", "fd00:241::1/128"])
c.done()
P
		cat "$TMP/out"
		if grep -q 'kernel without' "$TMP/out" && ! ours; then
			skip "the module cannot remove one entry"
		fi
		return 1
	}
	reach a 192.168.241.2
	refute on a ping -n -q -c 1 -W 1 -I 192.168.50.1 192.168.241.2
}

remove_cli()
{
	ours || skip "needs our module"
	[ "$WG" != wg ] || skip "needs our tool"
	wgc b set wg0 peer "${PUB[a]}" allowed-ips +192.168.60.0/24
	allowed_of a 192.168.241.1/32,fd00:241::1/128,192.168.60.0/24
	wgc b set wg0 peer "${PUB[a]}" allowed-ips -192.168.60.0/24
	allowed_of a 192.168.241.1/32,fd00:241::1/128
}

subtest "a foreign source is dropped and counted" wrong_source
subtest "an allowed source passes" right_source
subtest "a prefix moves to the peer that asks last" moves
subtest "the longest prefix wins" longest
subtest "host bits are masked off" masked
subtest "a peer's prefixes go with it" gone_with_peer
subtest "one entry is removed by netlink" remove_one
subtest "one entry is removed by the tool" remove_cli
finish
