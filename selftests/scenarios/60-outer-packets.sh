#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a datagram looks like outside: headers, padding to the byte, fragments
# where it does not fit; marks and priorities stay on their side.
#
#   a: peer in Python 10.0.0.1 --- ra [r] rb --- eth0 10.2.0.2 -- [wg0] b
#
# spec 1.3, 4.4, 4.6, 4.7, 5.4
# quick: uml
# timeout: 90
. "$(dirname "$0")/../lib.sh"

ns_add a r b
veth a eth0 r ra
veth b eth0 r rb
addr a eth0 10.0.0.1/24 fd00:aa::1/64
addr r ra 10.0.0.254/24 fd00:aa::ff/64
addr r rb 10.2.0.254/24 fd00:cc::ff/64
addr b eth0 10.2.0.2/24 fd00:cc::2/64
ns_sysctl r net.ipv4.ip_forward 1
ns_sysctl r net.ipv6.conf.all.forwarding 1
ipn a route add default via 10.0.0.254
ipn a route add default via fd00:aa::ff
ipn b route add 10.0.0.0/24 via 10.2.0.254
ipn b route add fd00:aa::/64 via fd00:cc::ff
# No checksum is left to be done by the cable, nothing is merged.
for what in tx gso tso tx-udp-segmentation; do
	on b ethtool -K eth0 $what off > /dev/null 2>&1 || :
done
key b py
wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32,fd00:241::77/128
cat > "$TMP/py.head" <<'P'
time.sleep(0.03)
p, six = Peer(sys.argv[1], sys.argv[2]), sys.argv[3] == "6"
at = "fd00:cc::2" if six else "10.2.0.2"
w = Anywhere((at, 1002))
w.session(p)
ours = lambda f: f.proto == UDP and getattr(f, "sport", 1002) == 1002

def sender(inner6=False, probe=False):
    with ns("b"):
        s = socket.socket(socket.AF_INET6 if inner6 else socket.AF_INET, socket.SOCK_DGRAM)
    if probe:                   # beyond the MTU of the route, never in fragments
        s.setsockopt(*((41, 23, 3) if inner6 else (0, 10, 3)))
    s.connect(("fd00:241::77" if inner6 else "192.168.241.77", 9))
    return s

def data():
    """The next message with a UDP packet inside: message, packet."""
    while True:
        msg = w.recv_kind(4)
        assert msg, "nothing came"
        plain = p.open(msg)
        if plain and dissect(plain).proto == UDP:
            return msg, plain
P
py_serve a
run() { py "$(< "$TMP/py.key")" "${PUB[b]}" "$@"; }

headers()
{
	run "$1" <<'P'
for limit in 64, 17:
    sh("b", "ip route replace %s via %s hoplimit %d" %
       (("fd00:aa::/64", "fd00:cc::ff", limit) if six else ("10.0.0.0/24", "10.2.0.254", limit)))
    tap = Tap("r", "rb")
    time.sleep(0.03)
    w.session(p)                                # a response
    s = sender()
    s.send(b"x" * 10)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 3)
    s.setsockopt(socket.IPPROTO_IP, 10, 2)      # with DF inside
    s.send(b"y" * 1000)
    sizes = set()
    for f in tap.collect(3, ours):
        assert f.good and f.sum, "checksum of %d bytes" % len(f.data)
        assert f.ttl == limit, "TTL %d" % f.ttl
        assert f.frag == 0 and f.ext == b"" and f.label == 0, "DF, options or flow label"
        assert f.len == len(f.raw), "bytes behind"
        sizes.add(len(f.data))
    assert sizes == {92, 80, 32 + 1040}, sizes
sh("b", "ip route replace %s" % ("fd00:aa::/64 via fd00:cc::ff" if six else "10.0.0.0/24 via 10.2.0.254"))
P
}

# Zeroes to a multiple of 16, but never beyond the MTU of the packet's route; for
# what is longer than that the rest counts.
padding()
{
	run 4 <<'P'
for v6 in False, True:
    s, head = sender(v6, True), 48 if v6 else 28
    for mtu in 1420, 1419, 1408, 1313, 1301, 1285, 1281:
        sh("b", "ip route replace %s dev wg0 mtu %d" % ("fd00:241::77" if v6 else "192.168.241.77", mtu))
        s.connect(s.getpeername())
        for size in {head, 48, 49, 63, 64, 65, 800, 1264, 1265, 1279, 1280, mtu - 17, mtu - 16,
                     mtu - 15, mtu - 1, mtu, min(mtu + 1, 1420), min(mtu + 9, 1420), 1420}:
            s.send(b"\xff" * (size - head))
            msg, plain = data()
            last = size if size <= mtu else size % mtu
            wanted = size + min(mtu, (last + 15) // 16 * 16) - last
            assert len(plain) == wanted and not any(plain[size:]), \
                "%d bytes, MTU %d: %d, wanted %d" % (size, mtu, len(plain), wanted)
    sh("b", "ip route del %s dev wg0" % ("fd00:241::77" if v6 else "192.168.241.77"))
P
}

# The cable takes less than a datagram: fragments, made here.
fragments()
{
	run "$1" <<'P'
def cable(mtu):
    for name, dev in ("a", "eth0"), ("r", "ra"), ("r", "rb"), ("b", "eth0"):
        sh(name, "ip link set dev %s mtu %d" % (dev, mtu))
cable(1280)
for inner6 in False, True:
    s, tap = sender(inner6), Tap("r", "rb")
    text = os.urandom(1420 - (48 if inner6 else 28))
    s.send(text)
    msg, plain = data()
    assert len(msg) == 1452 and dissect(plain).data == text
    parts = tap.collect(2, ours)
    assert all(len(f.raw) <= 1280 for f in parts), [len(f.raw) for f in parts]
    assert [f.frag & 7 if six else f.frag >> 13 for f in parts] == [1, 0], "more fragments, DF"
# What fits is left whole.
tap = Tap("r", "rb")
sender().send(b"x" * 100)
assert len(data()[0]) == 128 + 32
assert tap.collect(1, ours)[0].frag == 0
# and what comes in fragments is taken as well
text = os.urandom(1300)
w.send(p.data(udp("192.168.241.77", "192.168.241.2", text)))
w.send(p.data(echo("192.168.241.77", "192.168.241.2", 1, text)))
while True:
    msg = w.recv_kind(4)
    assert msg, "no answer to an echo in fragments"
    f = dissect(p.open(msg))
    if f.proto == ICMP and f.body[0] == 0:
        break
assert f.body[8:] == text
cable(1500)
P
}

# Inner MTU of 65000: messages of almost 64 KiB in many fragments, both ways
huge()
{
	run "$1" <<'P'
sh("b", "ip link set dev wg0 mtu 65000")
text = os.urandom(65000 - 28)
s = sender(False, True)
s.send(text)
msg, plain = data()
assert len(msg) == 65032 and dissect(plain).data == text
# The kernel's own module does not open what came in more than 18 pieces.
if os.environ["WG_MODULE"] != "ours":
    text = text[:20000]
with ns("b"):
    r = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r.bind(("192.168.241.2", 7000))
r.settimeout(10)
w.send(p.data(udp("192.168.241.77", "192.168.241.2", text, 9, 7000)))
assert r.recv(65535) == text
sh("b", "ip link set dev wg0 mtu 1420")
P
}

# Behind the router a cable takes less: IPv4 routers cut what has no DF; IPv6
# says so, and from then on it is cut here. The tunnel's MTU stays as it is.
narrow()
{
	run "$1" <<'P'
sh("r", "ip link set dev ra mtu 1280")
s = sender(False, True)
text = os.urandom(1400 - 28)
for tries in range(5):
    s.send(text)
    msg = w.recv_kind(4, 1.5)
    if msg and len(p.open(msg)) == 1408:
        break
else:
    raise AssertionError("never arrived")
assert tries <= (1 if six else 0), "%d were lost" % tries
s.send(text)
assert len(data()[1]) == 1408
assert "mtu" not in output("b", "ip route get 192.168.241.77")
sh("r", "ip link set dev ra mtu 1500")
sh("b", "ip route flush cache; ip -6 route flush cache")
P
}

# Mark and priority of the inner packet stay inside, those of the outer outside.
marks()
{
	on b nft -f - <<'N' || skip "kernel without nftables"
table inet m {
	counter inside { }
	counter leaked_out { }
	counter outside { }
	counter leaked_in { }
	chain set_out {
		type route hook output priority -150
		oifname "wg0" meta mark set 0x99 meta priority set 1:7 counter name inside
	}
	chain look_out {
		type filter hook output priority 0
		udp sport 1002 meta mark != 0 counter name leaked_out
		udp sport 1002 meta priority != 0 counter name leaked_out
	}
	chain set_in {
		type filter hook prerouting priority -150
		iifname "eth0" meta mark set 0x55 counter name outside
		iifname "wg0" meta mark != 0 counter name leaked_in
	}
}
N
	run "$1" <<'P'
def count(name):
    return int(output("b", "nft list counter inet m %s" % name).split("packets")[1].split()[0])
s = sender()
for i in range(3):
    s.send(b"x")
    data()
    w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
assert count("inside") >= 3 and count("outside") >= 3, "the rules saw nothing"
assert count("leaked_out") == 0, "inner mark or priority outside"
assert count("leaked_in") == 0, "outer mark inside"
P
	on b nft delete table inet m
}

for f in 4 6; do
	subtest "IPv$f: headers" headers $f
	subtest "IPv$f: fragments where the cable is narrow" fragments $f
	subtest "IPv$f: 64 KiB inside" huge $f
	subtest "IPv$f: a narrow cable behind a router" narrow $f
	subtest "IPv$f: marks and priorities do not cross" marks $f
done
subtest "padding to the byte" padding
finish
