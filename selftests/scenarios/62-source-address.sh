#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# By which source address and which cable datagrams leave: what was learnt, when
# it is forgotten, and what the routing says then.
#
#   a: peer in Python 10.0.0.1 --- eth0 10.0.0.2, .22, fd00:aa::2, ::22 -- [wg0] b
#                     10.1.0.1 --- eth1 10.1.0.2, fd00:bb::2
#                     10.5.5.5, fd00:5::5 on lo       10.9.9.9, fd00:9::9 on lo
#
# spec 4.7
# quick: uml
# timeout: 90
. "$(dirname "$0")/../lib.sh"

two_ns
veth a eth1 b eth1
addr a eth1 10.1.0.1/24 fd00:bb::1/64
addr b eth1 10.1.0.2/24 fd00:bb::2/64
addr a lo 10.5.5.5/32 fd00:5::5/128
addr b lo 10.9.9.9/32 fd00:9::9/128
for ns in a b; do
	for dev in all eth0 eth1; do ns_sysctl $ns net.ipv4.conf.$dev.rp_filter 0; done
done
ipn a route add 10.9.9.9/32 via 10.0.0.2
ipn a route add fd00:9::9/128 via fd00:aa::2
key py
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32
cat > "$TMP/py.head" <<'P'
p, six = Peer(sys.argv[1], sys.argv[2]), sys.argv[3] == "6"
me = base64.b64encode(p.public).decode()
# addresses of b: first and second of eth0, eth1, lo; of a: eth0, lo
first, second, other, far = ("fd00:aa::2", "fd00:aa::22", "fd00:bb::2", "fd00:9::9") if six else \
    ("10.0.0.2", "10.0.0.22", "10.1.0.2", "10.9.9.9")
here, there = ("fd00:aa::1", "fd00:5::5") if six else ("10.0.0.1", "10.5.5.5")
way = "[%s]:4001" if six else "%s:4001"
with ns("b"):
    inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
w = Anywhere((first, 1002), 4001)

def reset():
    sh("b", """ip addr replace 10.0.0.2/24 dev eth0; ip addr replace 10.0.0.22/24 dev eth0
        ip addr replace fd00:aa::2/64 dev eth0; ip addr replace fd00:aa::22/64 dev eth0 preferred_lft 0
        ip route replace 10.5.5.5/32 via 10.0.0.1; ip route replace fd00:5::5/128 via fd00:aa::1""")

def speak(to):
    """b hears us at `to`."""
    w.to = (to, 1002)
    w.send(p.data(b""))

def source():
    """By which address b's own next datagram leaves."""
    while w.recv(0.01):
        pass
    inner.sendto(b"x", ("192.168.241.77", 9))
    assert w.recv_kind(4), "nothing came"
    return w.source

def learnt(to):
    """b hears us there; awaited, as the datagram takes its time."""
    speak(to)
    end = time.monotonic() + 5
    while source() != to:
        assert time.monotonic() < end, "not learnt: " + to

def wanted(what, address):
    got = source()
    assert got == address, "%s: left from %s, not %s" % (what, got, address)

def answered():
    """b has taken all we sent: it answers an echo."""
    while w.recv(0.01):
        pass
    w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
    assert w.recv_kind(4)

reset()
time.sleep(0.03)
w.session(p)
answered()
P
py_serve a
run() { py "$(< "$TMP/py.key")" "${PUB[b]}" "$@"; }

# Each datagram teaches; handshakes are answered by the address they came to.
follows()
{
	run "$1" <<'P'
for to in second, first, far, second:
    learnt(to)
    wanted("again", to)
time.sleep(0.03)
w.to = (far, 1002)
w.send(p.initiation())
m2 = w.recv_kind(2)
assert m2 and w.source == far, "the response came from %s" % w.source
P
}

# What is not ours any more is not used, whether or not it comes back.
removed()
{
	run "$1" <<'P'
learnt(second)
sh("b", "ip addr del %s dev eth0" % (second + ("/64" if six else "/24")))
wanted("address removed", first)
reset()
wanted("address back, but forgotten", first)
learnt(far)
sh("b", "ip addr del %s dev lo" % (far + ("/128" if six else "/32")))
wanted("address of another device removed", first)
sh("b", "ip addr add %s dev lo" % (far + ("/128" if six else "/32")))
wanted("forgotten", first)
# The last one for this family of addresses: it moves to another device.
learnt(second)
sh("b", "ip addr del %s dev eth0; ip addr add %s dev eth1" % ((second + ("/64" if six else "/24"),) * 2))
wanted("moved to another device", second)
sh("b", "ip addr del %s dev eth1" % (second + ("/64" if six else "/24")))
P
}

# The route leaves by another cable. IPv4: the source is forgotten, as it was
# learnt together with the cable. IPv6: it stays while it is ours.
other_cable()
{
	run "$1" <<'P'
w.sock.close()
with ns("a"):
    w = Anywhere((first, 1002))
    w.sock.close()
    w.sock = socket.socket(family(first), socket.SOCK_DGRAM)
    w.sock.bind((there, 4001))
time.sleep(0.03)
w.session(p)
answered()
learnt(second)
taps = Tap("a", "eth0"), Tap("a", "eth1")
sh("b", "ip route replace %s" % ("fd00:5::5/128 via fd00:bb::1" if six else "10.5.5.5/32 via 10.1.0.1"))
ours = lambda f: f.proto == UDP and f.sport == 1002
wanted("another cable", second if six else other)
assert taps[1].collect(1, ours)[0].src == (second if six else other)
reset()
wanted("back again", second if six else first)
# From there it is heard and learnt anew.
learnt(far)
P
}

# What is set by hand or found out by timers is forgotten: mark, port, endpoint,
# an initiation that had to be repeated.
forgotten()
{
	run "$1" <<'P'
learnt(second)
sh("b", "$WG set wg0 fwmark 0x5")
wanted("mark set", first)
learnt(second)
sh("b", "$WG set wg0 fwmark 0x5")
wanted("the same mark set", first)
sh("b", "$WG set wg0 fwmark 0")
learnt(second)
sh("b", "$WG set wg0 listen-port 1002")
wanted("the same port set", second)
sh("b", "$WG set wg0 listen-port 1012")
wanted("port set", first)
sh("b", "$WG set wg0 listen-port 1002")
learnt(second)
sh("b", "$WG set wg0 peer %s endpoint %s" % (me, way % here))
wanted("the same endpoint set", first)
learnt(second)
P
}

repeated()
{
	run "$1" <<'P'
learnt(second)
# Sessions go with down, what was learnt stays.
sh("b", "ip link set dev wg0 down; ip link set dev wg0 up")
while w.recv(0.01):
    pass
inner.sendto(b"x", ("192.168.241.77", 9))
assert w.recv_kind(1) and w.source == second, "first initiation from %s" % w.source
assert w.recv_kind(1, 8) and w.source == first, "repeated initiation from %s" % w.source
P
}

# An address that cannot be a source is not tried: a broadcast, IPv4 only
broadcast()
{
	run 4 <<'P'
time.sleep(0.03)
w.to = ("10.0.0.255", 1002)
w.send(p.initiation())
m2 = w.recv_kind(2)
assert m2 and w.source == first, "the response came from %s" % w.source
p.response(m2)
w.send(p.data(b""))
w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
assert w.recv_kind(4) and w.source == first
P
}

# A mark chooses the table in IPv6 as in IPv4 (29-fwmark).
marked_6()
{
	run 6 <<'P'
taps = Tap("a", "eth0"), Tap("a", "eth1")
ours = lambda f: f.proto == UDP and f.sport == 1002
sh("b", """ip -6 route add fd00:aa::1/128 via fd00:bb::1 table 77
    ip -6 rule add fwmark 0x77 lookup 77; $WG set wg0 fwmark 0x77""")
wanted("by mark", other)
assert taps[1].collect(1, ours)
sh("b", "$WG set wg0 fwmark 0")
wanted("without", first)
sh("b", "ip -6 rule del fwmark 0x77; ip -6 route flush table 77")
P
}

# Link-local addresses are the same on both cables; the scope decides.
scoped()
{
	local dev
	for dev in eth0 eth1; do
		addr a $dev fe80::a/64
		addr b $dev fe80::b/64
	done
	run 6 <<'P'
taps = dict((dev, Tap("a", dev)) for dev in ("eth0", "eth1"))
ours = lambda f: f.proto == UDP and f.sport == 1002
for dev in "eth1", "eth0":
    # by hand: to the scope that was said
    sh("b", "$WG set wg0 peer %s endpoint [fe80::a%%%s]:4001" % (me, dev))
    wanted("by hand, " + dev, "fe80::b")
    assert taps[dev].collect(1, ours)
    # learnt: to where it came from
for dev in "eth1", "eth0":
    w.to = ("fe80::b", 1002, 0, socket.if_nametoindex(dev))
    w.send(p.data(b""))
    answered()
    wanted("learnt, " + dev, "fe80::b")
    assert taps[dev].collect(2, ours)
    assert output("b", "$WG show wg0 endpoints").endswith("[fe80::a%%%s]:4001" % dev)
P
}

for f in 4 6; do
	subtest "IPv$f: as the peer addressed us" follows $f
	subtest "IPv$f: an address that is gone" removed $f
	subtest "IPv$f: a route by another cable" other_cable $f
	subtest "IPv$f: forgotten with mark, port and endpoint" forgotten $f
	subtest "IPv$f: forgotten when an initiation is repeated" repeated $f
done
subtest "a broadcast address is no source" broadcast
subtest "IPv6: a mark chooses the table" marked_6
subtest "IPv6: the scope of a link-local endpoint" scoped
finish
