#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The edges of what is a message: genuine ones that are a byte too long or too
# short, reserved bytes, outer checksums and options, the replay window to the
# counter, sessions that take turns.  Whatever is refused is genuine but for the
# one thing under test.
#
#   a: peer in Python 10.0.0.1, fd00:aa::1 ------- eth0 .2 -- [wg0] b
#
# spec 1.1-1.3, 1.6, 1.7, 2.2, 2.3, 2.8, 4.6, 5.1, 5.4
# quick: uml
# timeout: 90
. "$(dirname "$0")/../lib.sh"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32
cat > "$TMP/py.head" <<'P'
time.sleep(0.03)                # initiations closer than 20 ms are refused
p = Peer(sys.argv[1], sys.argv[2])
key = base64.b64encode(p.public).decode()
w = Anywhere((sys.argv[3], 1002))

def ask(peer=p, counter=None):
    w.send(peer.data(echo("192.168.241.77", "192.168.241.2"), counter))

def answer(limit=None, peer=p):
    """The next echo reply; keepalives are passed over."""
    while True:
        msg = w.recv_kind(4, limit)
        if msg is None or len(msg) > 32:
            return msg

def quiet(what):
    """Nothing but an answer to a last, genuine, question comes."""
    ask()
    msg = answer()
    assert msg, what + ": the genuine one was not answered"
    assert w.recv(0.1) is None, what + ": answered"
P
py_serve a
run() { py "$(< "$TMP/py.key")" "${PUB[b]}" "$@"; }

# What is authentic but for its length or its reserved bytes
lengths()
{
	run 10.0.0.2 <<'P'
def again(msg):
    """With mac1 over what it is now."""
    body = msg[:-32]
    return p.macs(body)
m1 = p.initiation()
for bad in m1 + b"\0", m1[:-1], again(b"\1\0\1\0" + m1[4:]), again(b"\1\1\0\0" + m1[4:]), \
        again(b"\1\0\0\x80" + m1[4:]), again(m1[:40] + b"\0" + m1[40:]):
    w.send(bad)
w.send(m1)
m2 = w.recv_kind(2)
assert m2, "the genuine initiation was refused"
assert len(m2) == 92 and m2[:4] == b"\2\0\0\0" and not any(m2[-16:]), "mac2 without a cookie"
assert m2[60:76] == mac(hash_(b"mac1----", p.public), m2[:60]), "mac1 of the response"
p.response(m2)
assert w.recv(0.1) is None, "two answers"
w.send(p.data(b""))
# The header of data is not authenticated: reserved bytes must be looked at.
for i in range(1, 4):
    msg = p.data(echo("192.168.241.77", "192.168.241.2"))
    w.send(msg[:i] + b"\x40" + msg[i + 1:])
# nor does it help to be an old type with a new length
w.send(b"\3\0\0\0" + p.data(bytes(48))[4:])
quiet("reserved bytes")
# 31 bytes at most cannot be data; 32 are a keepalive
w.send(p.data(b"")[:31])
w.send(p.data(b"")[:16])
quiet("short data")
P
}

# Our response, the device as initiator: the same for type 2
response_lengths()
{
	run 10.0.0.2 <<'P'
sh("b", "$WG set wg0 peer %s remove; $WG set wg0 peer %s endpoint 10.0.0.1:%d persistent-keepalive 60 "
   "allowed-ips 192.168.241.77/32" % (key, key, w.sock.getsockname()[1]))
m1 = w.recv_kind(1)
assert m1 and len(m1) == 148 and m1[:4] == b"\1\0\0\0" and not any(m1[-16:])
assert m1[116:132] == mac(hash_(b"mac1----", p.public), m1[:116]), "mac1 of the initiation"
m2 = p.accept(m1)
assert p.stamp[8:12][1:] == b"\0\0\0", "the stamp is too exact: %r" % p.stamp
assert abs(struct.unpack(">Q", p.stamp[:8])[0] - 0x400000000000000A - time.time()) < 5
for bad in m2 + b"\0", m2[:-1], p.macs(b"\2\0\0\1" + m2[4:-32]), p.macs(m2[:-33]):
    w.send(bad)
    assert w.recv(0.1) is None, "a response of %d bytes was taken" % len(bad)
w.send(m2)
msg = w.recv_kind(4)
assert msg and p.open(msg) == b"", "no keepalive to confirm the session"
assert w.recv(0.1) is None, "more than one"
sh("b", "$WG set wg0 peer %s persistent-keepalive 0" % key)
P
}

# A datagram in another's outer clothes: UDP checksum none, right or wrong, IP
# options, bytes behind the UDP packet
checksums()
{
	run 10.0.0.2 <<'P'
def raw4(msg, dst="10.0.0.2", options=b"", sum=None, behind=b""):
    body = udp_body("10.0.0.1", dst, msg, port, 1002)
    if sum is not None:
        body = body[:6] + struct.pack("!H", sum(struct.unpack("!H", body[6:8])[0])) + body[8:]
    out.sendto(ip("10.0.0.1", dst, UDP, body + behind, options=options), (dst, 0))
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
port = w.sock.getsockname()[1]
wrong, none = lambda s: s ^ 0x1111, lambda s: 0
# handshakes: none is fine in IPv4, a wrong one is not
raw4(p.initiation(), sum=wrong)
assert w.recv(0.2) is None, "an initiation with a wrong checksum was answered"
time.sleep(0.03)
raw4(p.initiation(), sum=none)
m2 = w.recv_kind(2)
assert m2, "an initiation without a checksum was refused"
p.response(m2)
def good(what, **how):
    raw4(p.data(echo("192.168.241.77", "192.168.241.2")), **how)
    assert answer(), what + " was refused"
good("data without a checksum", sum=none)
good("data with IP options", options=b"\1\1\1\0")
good("data with many IP options", options=b"\x94\4\0\0" + b"\1" * 36)
good("bytes behind the UDP packet", behind=b"garbage!")
good("bytes behind, and options", behind=b"x", options=b"\1" * 8)
time.sleep(0.03)
raw4(p.initiation(), options=b"\1" * 12, behind=b"zzz")
assert w.recv_kind(2), "an initiation with IP options was refused"
# UDP that says it is longer than it is
msg = p.data(echo("192.168.241.77", "192.168.241.2"))
body = udp_body("10.0.0.1", "10.0.0.2", msg, port, 1002)
out.sendto(ip("10.0.0.1", "10.0.0.2", UDP, body[:4] + struct.pack("!HH", len(body) + 1, 0) + body[8:]), ("10.0.0.2", 0))
quiet("a wrong UDP length")
# the header of IP was right: where it came from is known
assert output("b", "$WG show wg0 endpoints").endswith("10.0.0.1:%d" % port)
P
}

checksums_6()
{
	run fd00:aa::2 <<'P'
w.session(p)
ask()
assert answer()
# 101: UDP_NO_CHECK6_TX.  IPv6 demands a checksum.
w.sock.setsockopt(socket.IPPROTO_UDP, 101, 1)
ask()
assert answer(0.3) is None, "data without a checksum were taken"
time.sleep(0.03)
w.send(p.initiation())
assert w.recv_kind(2, 0.3) is None, "an initiation without a checksum was answered"
w.sock.setsockopt(socket.IPPROTO_UDP, 101, 0)
# extension headers outside: destination options, hop-by-hop
q = Peer(sys.argv[1], sys.argv[2])
for option in 59, 54:
    w.sock.setsockopt(socket.IPPROTO_IPV6, option, b"\0\0\1\4\0\0\0\0")
    time.sleep(0.03)
    w.session(q)
    ask(q)
    assert answer(), "data with extension headers were refused"
    w.sock.setsockopt(socket.IPPROTO_IPV6, option, b"")
P
}

# 8128 back is in, 8129 is out; the last counter there is, and none behind it
window()
{
	run 10.0.0.2 <<'P'
w.session(p)
def taken(counter):
    ask(counter=counter)
    return answer(0.25 if counter in out else None) is not None
top, out = 50000, set()
assert taken(top)
out |= {top, top - 8129, top - 8130, top - 9000, 0, 3}
for c in top - 8128, top - 8127, top - 64, top - 63, top - 1:
    assert taken(c), "%d back was refused" % (top - c)
    out.add(c)
for c in sorted(out):
    assert not taken(c), "%d back was taken" % (top - c)
# A step of one moves the edge by one.
assert taken(top + 1)
out |= {top - 8128, top + 1 - 8129}
assert not taken(top + 1 - 8129)
# A whole ring ahead and more: nothing of the old one shows through.
new = top + 3 * 8192
assert taken(new) and taken(new - 8128) and taken(new - 8127)
last = (1 << 64) - 8130 - 1
out |= {last + 1, last + 2, last - 1, (1 << 64) - 1}
assert not taken(last + 1), "REJECT was taken"
assert not taken((1 << 64) - 1)
assert taken(last), "REJECT - 1 was refused"
# With that the session is used up.
assert not taken(last - 1)
P
}

# Of its own datagrams the device counts from 0 by 1, whatever their kind.
counters()
{
	run 10.0.0.2 <<'P'
w.session(p)
for i in range(5):
    ask()
got = [answer() for i in range(5)]
got.append(None)
sh("b", "$WG set wg0 peer %s persistent-keepalive 60; $WG set wg0 peer %s persistent-keepalive 0" % (key, key))
got[-1] = w.recv_kind(4)
assert [struct.unpack("<Q", m[8:16])[0] for m in got] == list(range(6)), got
assert all(m[:8] == struct.pack("<II", 4, p.index) for m in got)
P
}

# Three sessions: the newest is not used before we have spoken on it; the one
# before still opens; with the next but one it is gone.
sessions()
{
	run 10.0.0.2 <<'P'
with ns("b"):
    inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def say(text):
    inner.sendto(text, ("192.168.241.77", 9))
def heard_by(peer, text):
    msg = answer()
    assert msg, "nothing came"
    assert msg[4:8] == struct.pack("<I", peer.index), "by another session"
    assert dissect(peer.open(msg)).data == text
def handshake():
    peer = Peer(sys.argv[1], sys.argv[2])
    time.sleep(0.03)
    w.send(peer.initiation())
    peer.response(w.recv_kind(2))
    return peer
sh("b", "ip link set dev wg0 down; ip link set dev wg0 up; ip addr replace 192.168.241.2/24 dev wg0")
first = handshake()
say(b"early")
assert w.recv(0.3) is None, "sent before the session was confirmed"
def since():
    return int(output("b", "$WG show wg0 latest-handshakes").split()[1])
before = since()
w.send(first.data(b""))
heard_by(first, b"early")
assert since() >= before and since(), "complete, but not shown"
second = handshake()
say(b"one")
heard_by(first, b"one")         # not confirmed: the old one goes on
w.send(first.data(b""))         # the old one does not confirm
say(b"two")
heard_by(first, b"two")
w.send(second.data(b""))
say(b"three")
heard_by(second, b"three")
ask(first)                      # previous still opens, the answer uses the new one
msg = answer()
assert msg and msg[4:8] == struct.pack("<I", second.index), "previous was refused"
third = handshake()             # a responder's new session takes the previous one away
ask(first)
assert answer(0.3) is None, "the last but one was taken"
ask(second)
assert answer(), "current was refused"
fourth = handshake()            # and an unconfirmed one gives way to a newer
ask(third)
assert answer(0.3) is None, "a session that was never confirmed was taken"
ask(fourth)
msg = answer()
assert msg and msg[4:8] == struct.pack("<I", fourth.index)
P
}

# The last stamp outlives down and up, but not the peer.
stamps()
{
	run 10.0.0.2 <<'P'
m1 = p.initiation()
w.send(m1)
assert w.recv_kind(2)
sh("b", "ip link set dev wg0 down; ip link set dev wg0 up; ip addr replace 192.168.241.2/24 dev wg0")
time.sleep(0.03)
w.send(m1)
assert w.recv(0.3) is None, "replayed after down and up"
equal = tai64n(1)
w.send(p.initiation(stamp=equal))
assert w.recv_kind(2), "a newer stamp was refused"
time.sleep(0.03)
w.send(p.initiation(stamp=equal))
assert w.recv(0.3) is None, "the same stamp was taken twice"
sh("b", "$WG set wg0 peer %s remove; $WG set wg0 peer %s allowed-ips 192.168.241.77/32" % (key, key))
w.send(m1)
assert w.recv_kind(2), "a peer made anew remembers stamps"
P
}

subtest "genuine but for length or reserved bytes" lengths
subtest "a response, genuine but for its length" response_lengths
subtest "outer checksums, options and lengths, IPv4" checksums
subtest "outer checksums and extension headers, IPv6" checksums_6
subtest "the replay window to the counter" window
subtest "counters of what is sent" counters
subtest "sessions take turns" sessions
subtest "stamps outlive down and up" stamps
finish
