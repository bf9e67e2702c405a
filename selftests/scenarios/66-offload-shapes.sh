#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets that come to the tunnel as drivers hand them over: checksums to be
# finished, super-packets to be cut, options and extension headers between;
# what arrives is compared byte by byte with what was meant.
#
#   a: tun0 (a program with virtio headers) -> wg0 -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.2, 4.4
# quick: uml
# timeout: 60
. "$(dirname "$0")/../lib.sh"

two_peers 4
wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32,fd00:241::2/128
wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,fd00:241::1/128,172.20.0.0/16,fd00:20::/64
ns_sysctl a net.ipv4.ip_forward 1
ns_sysctl a net.ipv6.conf.all.forwarding 1
for ns in a b; do
	for dev in all default wg0; do ns_sysctl $ns net.ipv4.conf.$dev.rp_filter 0; done
done
ns_sysctl b net.ipv4.conf.wg0.accept_source_route 1
reach a 192.168.241.2 > /dev/null
reach a fd00:241::2 > /dev/null
# Single segments are looked at.
on b ethtool -K wg0 gro off > /dev/null 2>&1 || skip_all "kernel without ethtool"
cat > "$TMP/py.head" <<'P'
import fcntl
V4 = "172.20.0.5", "192.168.241.2"
V6 = "fd00:20::5", "fd00:241::2"
tun = os.open("/dev/net/tun", os.O_RDWR)
# TUN, without its own header, with that of virtio
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x0001 | 0x1000 | 0x4000))
sh("a", """ip link set dev tun0 up mtu 1420; ip addr add 172.20.0.1/24 dev tun0
    ip addr add fd00:20::1/64 dev tun0""")
time.sleep(0.05)
tap = Tap("b", "wg0")

def pseudo(src, dst, proto, size):
    """The sum that a stack leaves in the field for the hardware to finish."""
    return ~checksum(raw(src) + raw(dst) + struct.pack("!II", size, proto)) & 0xffff

def put(packet, start=0, offset=0, kind=0, size=0, head=0):
    """kind: 1 TCP over IPv4, 4 over IPv6, 5 UDP, 0x80 with ECN"""
    os.write(tun, struct.pack("=BBHHHH", 1 if start else 0, kind, head, size, start, offset) + packet)

def seg(way, proto, data, flags=0x18, seq=1000, options=b"", check=None, sport=40000):
    """TCP or UDP with what a driver would find in the checksum field."""
    if proto == TCP:
        size = 20 + len(options)
        body = struct.pack("!HHIIBBHHH", sport, 9, seq, 1, size // 4 << 4, flags, 1000, 0, 0) + options + data
        at = 16
    else:
        body = struct.pack("!HHHH", sport, 9, 8 + len(data), 0) + data
        at = 6
    sum_ = pseudo(*way, proto, len(body)) if check is None else check
    return body[:at] + struct.pack("!H", sum_) + body[at + 2:]

mine = lambda f: f.src in (V4[0], V6[0])
P
py_serve a

# CHECKSUM_PARTIAL in every place where it can be
partial()
{
	py <<'P'
hop = b"\x11\0\1\4\0\0\0\0"             # hop-by-hop with padding, then UDP
sent, got = [], []

def came(*what):
    sent.append(what)
    got.extend(tap.collect(1, mine))

for n in (0, 1, 2, 7, 100, 1001, 1300):
    data = os.urandom(n)
    for way, base in (V4, 20), (V6, 40):
        for proto, at in (UDP, 6), (TCP, 16):
            put(ip(*way, proto, seg(way, proto, data)), base, at)
            came(base, proto, data)
    put(ip(*V4, UDP, seg(V4, UDP, data), options=b"\1\1\1\0" * 3), 32, 6)
    came(20, UDP, data)
    put(ip(*V6, 0, hop + seg(V6, UDP, data)), 48, 6)
    came(40, UDP, data)
# A sum that comes out as zero must leave as all ones in UDP.
for way, base in (V4, 20), (V6, 40):
    body = seg(way, UDP, bytes(2))
    rest = checksum(raw(way[0]) + raw(way[1]) + struct.pack("!II", 10, UDP) + body[:6] + b"\0\0")
    data = struct.pack("!H", rest)
    put(ip(*way, UDP, seg(way, UDP, data)), base, 6)
    came(base, UDP, data)
for f, (base, proto, data) in zip(got, sent):
    assert f.good and (f.proto, f.data) == (proto, data), \
        "version %d, protocol %d, %d bytes: %s" % (f.version, proto, len(data), f.raw.hex())
assert [f.sum for f in got[-2:]] == [0xffff, 0xffff], "a zero sum of UDP"
P
}

# Super-packets: sequence numbers, flags, IP ids, lengths and every checksum
supers()
{
	py <<'P'
def check(what, got, proto, data, size, ids=True, flags=0x18, cwr=False):
    assert b"".join(f.data for f in got) == data, what + ": other bytes"
    assert all(f.good for f in got), what + ": a checksum"
    assert all(len(f.data) == size for f in got[:-1]), what + ": sizes"
    assert all(f.len == len(f.raw) for f in got), what
    if got[0].version == 4:
        assert [f.ident for f in got] == [7 + i for i in range(len(got))], "%s: ids" % what
    if proto == TCP:
        at = 1000
        for i, f in enumerate(got):
            last = i == len(got) - 1
            seq, got_flags = struct.unpack("!I", f.body[4:8])[0], f.body[13]
            want = flags & ~(0 if last else 9) & ~(0x80 if i else 0)
            assert seq == at and got_flags == want, \
                "%s, segment %d: sequence %d, flags %#x, wanted %#x" % (what, i, seq, got_flags, want)
            at += len(f.data)
    else:
        assert all(struct.unpack("!H", f.body[4:6])[0] == 8 + len(f.data) for f in got), what
sack = b"\1\1\x08\x0a" + bytes(8)         # time stamps
hop = b"\x06\0\1\4\0\0\0\0"
port = 40000
for way, base, kind in (V4, 20, 1), (V6, 40, 4):
    for what, flags, options, ecn, ext in (
            ("plain", 0x18, b"", 0, b""), ("FIN", 0x19, sack, 0, b""), ("CWR", 0x90, b"", 0x80, b""),
            ("options", 0x10, b"", 0, b"\1\1\1\0" if kind == 1 else hop)):
        for total in 2801, 1001, 30000:
            size, port = 1000, port + 1
            data = os.urandom(total)
            body = seg(way, TCP, data, flags, options=options, sport=port)
            if kind == 1:
                packet = ip(*way, TCP, body, ident=7, options=ext)
                start = 20 + len(ext)
            else:
                packet = ip(*way, 0 if ext else TCP, ext + body)
                start = 40 + len(ext)
            put(packet, start, 16, kind | ecn, size, start + 20 + len(options))
            # Several processors may overtake each other on the cable.
            got = sorted(tap.collect(-(-total // size), lambda f: mine(f) and f.sport == port),
                         key=lambda f: f.body[4:8])
            check("TCP%d %s %d" % (6 if kind == 4 else 4, what, total), got, TCP, data, size, flags=flags)
P
}

supers_udp()
{
	py <<'P'
port = 41000
for way, base in (V4, 20), (V6, 40):
    for total, size in (5000, 1000), (5001, 1000), (4999, 1000), (640, 10), (3000, 1372 if base == 20 else 1352):
        port += 1
        data = os.urandom(total)
        try:
            put(ip(*way, UDP, seg(way, UDP, data, sport=port), ident=7), base, 6, 5, size, base + 8)
        except OSError as e:
            print("this kernel takes no UDP super-packets:", e)
            sys.exit(4)
        got = tap.collect(-(-total // size), lambda f: mine(f) and f.sport == port)
        assert b"".join(f.data for f in got) == data
        assert all(f.good for f in got), "%d in %d" % (total, size)
        assert all(len(f.data) == size for f in got[:-1])
P
}

udp_or_skip()
{
	local rc=0
	supers_udp > "$TMP/udp.out" || rc=$?
	cat "$TMP/udp.out"
	[ $rc != 4 ] || skip "tun takes no UDP super-packets"
	return $rc
}

# A copy that someone else holds must not be changed: a tap sees plain text.
shared()
{
	py <<'P'
out = Tap("a", "wg0", outgoing=True)
for i in range(20):
    data = bytes([i]) * (50 + i * 60)
    put(ip(*V4, UDP, seg(V4, UDP, data)), 20, 6)
for i, (f, g) in enumerate(zip(out.collect(20, mine), tap.collect(20, mine))):
    wanted = bytes([i]) * (50 + i * 60)
    assert f.data == wanted, "the tap saw something else"
    assert g.good and g.data == wanted
P
}

# What claims nonsense harms nobody, and what comes after it passes.
nonsense()
{
	py <<'P'
import random
random.seed(7)
data = os.urandom(3000)
for i in range(300):
    way, base, kind = random.choice(((V4, 20, 1), (V6, 40, 4), (V4, 20, 5), (V6, 40, 5), (V4, 20, 3)))
    packet = ip(*way, random.choice((TCP, UDP, 99)), seg(way, random.choice((TCP, UDP)), data[:random.randrange(3000)]))
    try:
        put(packet[:random.randrange(20, len(packet) + 1)], random.choice((base, base, 0, 10, 60, 1000)),
            random.choice((6, 16, 0, 100)), random.choice((0, kind, kind, 0x80 | kind)),
            random.choice((0, 1, 10, 1000, 65535)), random.choice((0, base, base + 8, base + 20, 200)))
    except OSError:
        pass
late = Tap("b", "wg0")
put(ip(*V4, UDP, seg(V4, UDP, b"still there", sport=55)), 20, 6)
f = late.collect(1, lambda f: mine(f) and f.proto == UDP and f.sport == 55)[0]
assert f.good and f.data == b"still there"
P
}

subtest "checksums to be finished" partial
subtest "TCP super-packets" supers
subtest "UDP super-packets" udp_or_skip
subtest "a tap sees plain text" shared
subtest "nonsense from a driver" nonsense
on a ethtool -K wg0 tx off sg off tso off gso off > /dev/null
subtest "checksums, with all offloads off" partial
subtest "TCP super-packets, with all offloads off" supers
finish
