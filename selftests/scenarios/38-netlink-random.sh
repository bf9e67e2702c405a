#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Requests at random: valid ones compared with a plain model of peers and
# allowed IPs, and valid ones with something broken in them, after which the
# device must work as before.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# Each seed is printed when it fails; put it into the lists below then.
# spec 6, 7.2, 7.5-7.7
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

KEPT_MODEL="1 2 3"
KEPT_FUZZ="1 2 3 4"
case $WG_ENV in
uml | uml-smp) SECONDS_EACH=12 ;;
*) SECONDS_EACH=5 ;;
esac

two_peers 4

# Adds, moves, removals and replacements; after each few requests the dump must
# be what the model says, in its order.
model()
{
	# shellcheck disable=SC2086 # a list
	nl a "$SECONDS_EACH" $KEPT_MODEL <<'P'
import os, random, time, ipaddress

class Model:
    def __init__(self):
        self.peers = {}     # key: [prefix], in order of insertion

    def drop(self, prefix, who=None):
        for k, list in self.peers.items():
            if prefix in list and who in (None, k):
                list.remove(prefix)

def prefixes(r):
    """From a few dense ranges, with host bits, so that many meet."""
    if r.random() < 0.5:
        cidr = r.choice((0, 1, 7, 8, 9, 15, 16, 17, 23, 24, 25, 30, 31, 32, 32, 32))
        ip = ipaddress.IPv4Address(r.choice((0x0a000000, 0x0a000100, 0xc0a80000, 0x80000000)) | r.randrange(8))
    else:
        cidr = r.choice((0, 1, 16, 32, 63, 64, 65, 96, 127, 128, 128, 128))
        ip = ipaddress.IPv6Address(r.choice((0xfd00 << 112, 0xfd00 << 112 | 1 << 64, 1 << 127)) | r.randrange(8))
    return "%s/%d" % (ip, cidr), str(ipaddress.ip_network("%s/%d" % (ip, cidr), strict=False))

def one(r, m):
    """One peer of a request, done in the model too."""
    who, flags, parts = key(r.randrange(6)), 0, []
    if r.random() < 0.25:
        flags = r.randrange(8)
    known = who in m.peers
    if flags & 1 and known:
        del m.peers[who]
    gone = bool(flags & 1) or (bool(flags & 4) and not known)
    if not gone:
        m.peers.setdefault(who, [])
        if flags & 2:
            m.peers[who] = []
    for _ in range(r.randrange(5)):
        raw, masked = prefixes(r)
        remove = OURS and r.random() < 0.3
        parts.append(allowed(raw, 1 if remove else None))
        if gone:
            continue
        m.drop(masked, who if remove else None)
        if not remove:
            m.peers[who].append(masked)
    return peer(who, *([u32(P_FLAGS, flags)] if flags else []), nest(P_ALLOWED, *parts))

def play(seed):
    r, m = random.Random(seed), Model()
    replace = u32(D_FLAGS, 1)
    for step in range(60):
        if replace:
            m.peers = {}
        what = [one(r, m) for _ in range(r.randrange(6))]
        err = g.call(W + (replace or b"") + peers(*what))
        c.equal("seed %d, step %d" % (seed, step), name(err), "0")
        replace = u32(D_FLAGS, 1) if r.random() < 0.03 else None
        if step % 3:
            continue
        got = {k: v[1] for k, v in g.get("wg0")[1].items()}
        c.equal("seed %d, step %d: peers" % (seed, step), list(got), list(m.peers))
        for k in m.peers:
            c.equal("seed %d, step %d: allowed IPs" % (seed, step), got.get(k), m.peers[k])
        if c.bad:
            c.done()

saved = g.get("wg0")[1]
end = time.monotonic() + float(sys.argv[1])
seeds = [int(s) for s in sys.argv[2:]]
count = 0
while seeds or time.monotonic() < end:
    play(seeds.pop() if seeds else struct.unpack("I", os.urandom(4))[0])
    count += 1
print(count, "seeds")
e("clear", W + u32(D_FLAGS, 1), "0")
P
}

fuzz()
{
	# Somebody else asks all the time.
	bg a sh -c "while :; do $WG show all dump; done > /dev/null 2>&1"
	local asker=$BG
	# shellcheck disable=SC2086 # a list
	nl a "$SECONDS_EACH" $KEPT_FUZZ <<'P'
import os, time
import fuzz
end = time.monotonic() + float(sys.argv[1])
seeds = [int(s) for s in sys.argv[2:]]
count = good = 0
while seeds or time.monotonic() < end:
    seed = seeds.pop() if seeds else struct.unpack("I", os.urandom(4))[0]
    try:
        good += fuzz.run(seed, "wg0", 150)
    except BaseException:
        print("seed", seed)
        raise
    count += 150
    if count % 600 == 0:
        e("clear", W + u32(D_FLAGS, 1), "0")
print("%d requests, %d of them carried out" % (count, good))
# Neither all nonsense nor all right
c.true("some were carried out", count // 20 < good < count - count // 20)
P
	bg_end "$asker"
}

# After all that: the same configuration as at first, and traffic.
works()
{
	nl a "$(< "$TMP/a.key")" "${PUB[b]}" <<'P'
e("all of it", W + u32(D_FLAGS, 1) + u16(D_PORT, 1001) + u32(D_FWMARK, 0) + attr(D_PRIVATE, b64(sys.argv[1])) + peers(
    peer(b64(sys.argv[2]), attr(P_ENDPOINT, sockaddr4("10.0.0.2", 1002)),
         nest(P_ALLOWED, allowed("192.168.241.2/32"), allowed("fd00:241::2/128")))), "0")
d, found, _ = g.get("wg0")
c.equal("port, mark, key", (d[D_PORT], d[D_FWMARK], d[D_PRIVATE]),
        (struct.pack("=H", 1001), bytes(4), b64(sys.argv[1])))
c.equal("allowed IPs", {k: v[1] for k, v in found.items()}, {b64(sys.argv[2]): ["192.168.241.2/32", "fd00:241::2/128"]})
P
	wgc b set wg0 peer "${PUB[a]}" endpoint 10.0.0.1:1001
	reach a 192.168.241.2
	reach b fd00:241::1
}

subtest "allowed IPs like a plain model" model
subtest "works after it" works
subtest "broken requests" fuzz
subtest "works after them" works
finish
