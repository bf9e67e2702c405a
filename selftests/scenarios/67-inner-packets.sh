#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every shape of inner packet: fragments, options, extension headers, multicast
# and broadcast, bytes behind the end, foreign sources; queueing disciplines on
# the tunnel.
#
#   a: peer in Python 10.0.0.1 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 3.1, 4.1, 5.4, 5.5
# quick: uml
# timeout: 60
. "$(dirname "$0")/../lib.sh"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32,fd00:241::77/128,fe80::77/128
cat > "$TMP/py.head" <<'P'
time.sleep(0.03)
p = Peer(sys.argv[1], sys.argv[2])
key = base64.b64encode(p.public).decode()
w = Anywhere(("10.0.0.2", 1002))
w.session(p)
V4 = "192.168.241.77", "192.168.241.2"
V6 = "fd00:241::77", "fd00:241::2"

def listen(address, port=7000):
    with ns("b"):
        s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.bind((address, port))
    s.settimeout(3)
    return s

def data(keep=lambda f: f.proto == UDP, timeout=3.0):
    """The next inner packet that `keep` likes, None if none comes."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        msg = w.recv_kind(4, max(end - time.monotonic(), 0.001))
        plain = msg and p.open(msg)
        if plain and keep(dissect(plain)):
            return dissect(plain)
    return None

names = "rx_errors", "rx_frame_errors", "rx_length_errors", "rx_packets", "rx_bytes"
def counters():
    return [stat("b", "wg0", n) for n in names]
P
py_serve a
run() { py "$(< "$TMP/py.key")" "${PUB[b]}"; }

# In: fragments are put together, in any order; out: what was cut stays cut
fragments()
{
	run <<'P'
four, six = listen(V4[1]), listen(V6[1])
text = os.urandom(3000)
body = udp_body(*V4, text, 9, 7000)
cuts = [(0, 800), (800, 1600), (1600, 2400), (2400, len(body))]
for order in (0, 1, 2, 3), (3, 1, 0, 2):
    for i in order:
        at, end = cuts[i]
        w.send(p.data(ip(*V4, UDP, body[at:end], frag=at // 8 | (0 if i == 3 else 0x2000), ident=77 + order[0])))
    assert four.recv(5000) == text, "IPv4 fragments"
body = udp_body(*V6, text, 9, 7000)
for order in (0, 1, 2, 3), (2, 0, 3, 1):
    for i in order:
        at, end = cuts[i]
        head = struct.pack("!BBHI", UDP, 0, at | (0 if i == 3 else 1), 99 + order[0])
        w.send(p.data(ip(*V6, 44, head + body[at:end])))
    assert six.recv(5000) == text, "IPv6 fragments"
for s, to in (four, V4[0]), (six, V6[0]):
    s.sendto(text, (to, 7))
    parts = [data(lambda f: f.frag & 0x3fff or f.ext) for i in range(3)]
    assert all(len(f.raw) <= 1420 for f in parts)
    assert sum(len(f.body) for f in parts) == 3008
P
}

options()
{
	run <<'P'
four, six = listen(V4[1]), listen(V6[1])
for options in b"\1\1\1\0", b"\x94\4\0\0", b"\1" * 40:
    w.send(p.data(udp(*V4, options, 9, 7000, options=options)))
    assert four.recv(100) == options
for first, ext in (0, b"\x11\0\1\4\0\0\0\0"), (60, b"\x11\1\x1e\x0c" + bytes(12)), \
        (0, b"\x3c\0\1\4\0\0\0\0\x11\0\1\4\0\0\0\0"):
    w.send(p.data(ip(*V6, first, ext + udp_body(*V6, ext, 9, 7000))))
    assert six.recv(100) == ext
# out: record route, destination options
four.setsockopt(socket.IPPROTO_IP, 4, b"\x07\x07\4\0\0\0\0\0")
four.sendto(b"four", (V4[0], 7))
f = data()
assert f.good and len(f.ext) == 8 and f.data == b"four"
six.setsockopt(socket.IPPROTO_IPV6, 59, b"\0\0\1\4\0\0\0\0")
six.sendto(b"six", (V6[0], 7))
f = data()
assert f.good and len(f.ext) == 8 and f.data == b"six"
P
}

# What stands behind the stated length is cut off, whatever it is; the counters
# have it all.
trimmed()
{
	run <<'P'
four, six = listen(V4[1]), listen(V6[1])
tap = Tap("b", "wg0")
for s, way in (four, V4), (six, V6):
    for behind in b"", b"\0", b"\xff" * 15, b"\0" * 16, os.urandom(700):
        before = counters()
        plain = udp(*way, b"text", 9, 7000) + behind
        w.send(p.data(plain))
        assert s.recv(2000) == b"text"
        f = tap.collect(1, lambda f: f.proto == UDP)[0]
        assert f.len == len(f.raw) and f.good, "%d bytes behind" % (len(f.raw) - f.len)
        grew = [b - a for a, b in zip(before, counters())]
        assert grew == [0, 0, 0, 1, len(plain) + 32], grew
P
}

# The destination is not looked at when receiving; when sending a group is an
# address like any other.
groups()
{
	run <<'P'
import errno
with ns("b"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    t = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    dev = socket.if_nametoindex("wg0")
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(0, 11, 1)
t.setsockopt(41, 25, 1)
t.setsockopt(41, 26, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wg0")
s.setsockopt(0, 32, struct.pack("4s4si", raw("239.1.2.3"), bytes(4), dev))        # IP_MULTICAST_IF
s.setsockopt(0, 35, struct.pack("4s4si", raw("239.1.2.3"), bytes(4), dev))        # IP_ADD_MEMBERSHIP
s.setsockopt(0, 34, 0)                                                            # no loop
t.setsockopt(41, 20, struct.pack("16si", raw("ff05::7"), dev))
t.setsockopt(41, 17, dev)
t.setsockopt(41, 19, 0)
s.bind(("", 7000))
t.bind(("::", 7000))
s.settimeout(3)
t.settimeout(3)
for f, to in (s, "239.1.2.3"), (s, "255.255.255.255"), (s, "192.168.241.255"), (t, "ff05::7"):
    way = (V4 if f is s else V6)[0], to
    if to != "192.168.241.255":         # that one has no route of its own here
        w.send(p.data(udp(*way, to.encode(), 9, 7000)))
        assert f.recv(100) == to.encode(), to
    before = stat("b", "wg0", "tx_errors")
    try:
        f.sendto(b"x", (to, 7))
        raise AssertionError("sent to nobody: " + to)
    except OSError as e:
        assert e.errno == errno.ENOKEY, (to, e)
    # Reports of the membership go nowhere either, in their own time.
    assert stat("b", "wg0", "tx_errors") > before
sh("b", "$WG set wg0 peer %s allowed-ips 192.168.241.77/32,fd00:241::77/128,fe80::77/128,224.0.0.0/4,"
   "255.255.255.255/32,192.168.241.255/32,ff00::/8" % key)
for f, to in (s, "239.1.2.3"), (s, "255.255.255.255"), (s, "192.168.241.255"), (t, "ff05::7"):
    f.sendto(b"group", (to, 7))
    f = data()
    assert f and f.dst == to and f.data == b"group", to
# A group is no source, unless someone is allowed to be it.
sh("b", "$WG set wg0 peer %s allowed-ips 192.168.241.77/32,fd00:241::77/128,fe80::77/128" % key)
P
}

# Neither family's foreign source passes; each is counted once.
foreign()
{
	run <<'P'
four, six = listen(V4[1]), listen(V6[1])
before = counters()
for src, way in (("192.168.241.78", V4), ("0.0.0.0", V4), ("127.0.0.1", V4), ("255.255.255.255", V4), ("192.168.241.2", V4),
                 ("fd00:241::78", V6), ("::", V6), ("::1", V6), ("fe80::1", V6), ("::ffff:192.168.241.77", V6)):
    w.send(p.data(udp(src, way[1], b"foreign", 9, 7000)))
w.send(p.data(udp(*V6, b"ours", 9, 7000)))
w.send(p.data(udp(*V4, b"ours", 9, 7000)))
assert four.recv(100) == b"ours" and six.recv(100) == b"ours"
grew = [b - a for a, b in zip(before, counters())]
assert grew[:4] == [10, 10, 0, 2], grew
P
}

# What is refused for its source was authentic all the same: b answers there.
moved()
{
	run <<'P'
old = w
w = Anywhere(("10.0.0.2", 1002))
w.send(p.data(udp("192.168.241.78", V4[1], b"foreign")))
end = time.monotonic() + 5
while not output("b", "$WG show wg0 endpoints").endswith(":%d" % w.sock.getsockname()[1]):
    assert time.monotonic() < end, "the endpoint stayed"
listen(V4[1]).sendto(b"here", (V4[0], 9))
assert data().data == b"here"
P
}

# Empty inner bodies, the least of each family, and one too few
least()
{
	run <<'P'
tap, before = Tap("b", "wg0"), counters()
for plain in ip(*V4, 99, b""), ip(*V6, 59, b""):
    w.send(p.data(plain))
    f = tap.collect(1)[0]
    assert f.raw == plain
    w.send(p.data(plain[:-1]))
w.send(p.data(bytes(1)))
w.send(p.data(b"\x45"))
w.send(p.data(b"\x60" + bytes(19)))
w.send(p.data(b"\x40" + ip(*V4, 99, b"")[1:]))      # a header of no words: the stack's own business
w.send(p.data(echo(*V4)))
assert data(lambda f: f.proto == ICMP)
grew = [b - a for a, b in zip(before, counters())]
assert grew[:3] == [5, 5, 0], grew
P
}

# With a discipline on the tunnel, errors and order are the same. The order is
# that of the nonces; between two namespaces each CPU has a queue of its own, so
# only with one CPU it is that of arrival as well.
disciplines()
{
	local disc
	[ "$(ipn b -j link show dev wg0 | "$PY" -c 'import json, sys; print(json.load(sys.stdin)[0]["qdisc"])')" = noqueue ]
	for disc in fq_codel "tbf rate 20mbit burst 20k latency 400ms" "netem delay 3ms" pfifo; do
		# shellcheck disable=SC2086 # words
		on b tc qdisc replace dev wg0 root $disc 2> "$TMP/tc" || { cat "$TMP/tc"; continue; }
		run <<'P'
s = listen(V4[1])
for i in range(60):
    s.sendto(struct.pack("!I", i) + bytes(1000), (V4[0], 7))
got = []
while len(got) < 60:
    msg = w.recv_kind(4, 3)
    assert msg, "lost"
    plain = p.open(msg)
    inner = plain and dissect(plain)
    if inner and inner.proto == UDP:
        got.append((struct.unpack("<Q", msg[8:16]), struct.unpack("!I", inner.data[:4])[0]))
if os.cpu_count() > 1:
    got.sort()
assert [number for nonce, number in got] == list(range(60)), "order"
before = stat("b", "wg0", "tx_errors")
try:
    s.sendto(b"x", ("192.168.241.99", 7))
except OSError:
    pass
end = time.monotonic() + 3
while stat("b", "wg0", "tx_errors") <= before:
    assert time.monotonic() < end, "not counted"
P
		echo "$disc" >> "$TMP/disciplines"
	done
	on b tc qdisc del dev wg0 root 2> /dev/null || :
	[ -s "$TMP/disciplines" ] || skip "kernel without queueing disciplines"
}

subtest "fragments, both ways" fragments
subtest "options and extension headers, both ways" options
subtest "bytes behind the end are cut off" trimmed
subtest "multicast and broadcast" groups
subtest "foreign sources" foreign
subtest "a foreign source moves the endpoint" moved
subtest "the least of each family" least
subtest "queueing disciplines" disciplines
finish
