#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Dumps while peers and allowed IPs change, and while traffic runs: every dump
# ends well or says that it was interrupted, and none shows nonsense.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 7.4
# quick: uml
# timeout: 120
# cpus: 2
. "$(dirname "$0")/../lib.sh"

two_peers 4

changing()
{
	cat > "$TMP/change.py" <<'P'
import time
from genl import *
g = Genl()
n = 0
while True:
    time.sleep(0.3)     # some dumps shall come through whole
    n += 1
    ips = [allowed("10.%d.%d.%d/32" % (n & 127, i >> 8, i & 255)) for i in range(300)]
    g.call(attr(D_IFNAME, "wg0") + peers(*[peer(key(k), u32(P_FLAGS, 2), nest(P_ALLOWED, *ips[k::40])) for k in range(40)]))
    g.call(attr(D_IFNAME, "wg0") + peers(peer(key(n % 40), u32(P_FLAGS, 1))))
P
	PYTHONPATH=$PYDIR bg a "$PY" "$TMP/change.py"
	bg a ping -n -q -i 0.01 -c 100000 192.168.241.2 > /dev/null
	PYTHONPATH=$PYDIR on a "$PY" - "${PUB[b]}" <<'P'
import sys, time
from genl import *
g = Genl()
want = b64(sys.argv[1])
whole = cut = 0
end = time.monotonic() + 6
while time.monotonic() < end:
    device, found, blocks = g.get("wg0")
    assert device[D_IFNAME] == b"wg0\0" and device[D_PRIVATE]
    for who, (fields, ips) in found.items():
        assert who == want or who in [key(k) for k in range(40)], who.hex()
    if g.interrupted:
        cut += 1
    else:
        whole += 1
        assert want in found, "the steady peer is missing"
        assert len(found) <= 41
print("%d whole, %d interrupted" % (whole, cut))
assert whole + cut > 3
P
}

tool_copes()
{
		# The tools start again when a dump was interrupted.
	for _ in 1 2 3; do
		timeout $((10 * SCALE)) nsenter --net="/run/netns/$PFX-a" "$WG" show wg0 dump | grep -q "${PUB[b]}"
	done
}

# Without changes the split of one peer over many messages is put together.
splitting()
{
	PYTHONPATH=$PYDIR on b "$PY" - <<'P'
from genl import *
g, c = Genl(), Check()
many = ["10.%d.%d.%d/32" % (i >> 16, i >> 8 & 255, i & 255) for i in range(3000)]
six = ["fd00:%x::%x/128" % (1 + (i & 7), 1 + i) for i in range(1000)]
order = [p for pair in zip(many, six) for p in pair] + many[1000:]
for at in range(0, len(order), 500):
    c.equal("set", name(g.call(attr(D_IFNAME, "wg0") + peers(
        peer(key(1), nest(P_ALLOWED, *[allowed(p) for p in order[at:at + 500]]))))), "0")
c.equal("set", name(g.call(attr(D_IFNAME, "wg0") + peers(peer(key(2), nest(P_ALLOWED, allowed("11.0.0.1/32")))))), "0")
device, found, blocks = g.get("wg0")
c.true("several messages", len(blocks) > 3)
c.true("not interrupted", not g.interrupted)
c.equal("allowed IPs in order", found[key(1)][1], order)
c.equal("the next peer", found[key(2)][1], ["11.0.0.1/32"])
c.equal("peers", len(found), 3)
c.true("messages of bounded size", max(map(len, blocks)) <= 32768)
# The device's own attributes come first.
c.true("first message", {D_PORT, D_FWMARK, D_IFINDEX, D_IFNAME, D_PEERS} <= set(k for k, _ in split(blocks[0])))
c.done()
P
}

# The first peer overflows: the device's attributes are there all the same.
first_overflows()
{
	PYTHONPATH=$PYDIR on b "$PY" - <<'P'
from genl import *
g, c = Genl(), Check()
g.call(attr(D_IFNAME, "wg0") + u32(D_FLAGS, 1))
many = ["10.%d.%d.%d/32" % (i >> 16, i >> 8 & 255, i & 255) for i in range(2500)]
for at in range(0, 2500, 500):
    g.call(attr(D_IFNAME, "wg0") + peers(peer(key(1), nest(P_ALLOWED, *[allowed(p) for p in many[at:at + 500]]))))
device, found, blocks = g.get("wg0")
c.equal("allowed IPs", found[key(1)][1], many)
c.equal("port", device.get(D_PORT), struct.pack("=H", 1002))
c.done()
P
}

subtest "dumps while peers change" changing
subtest "the tool copes" tool_copes
subtest "one peer over many messages" splitting
subtest "the first peer overflows" first_overflows
finish
