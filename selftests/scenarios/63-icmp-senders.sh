#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A packet that cannot go: its sender is told by ICMP that quotes what it sent,
# with its own address, whatever NAT has made of it; counters of each case.
#
#   lan [eth0 172.16.0.2] ---- [eth1 172.16.0.1] a [wg0] -- eth0 ---- b
#
# spec 4.1, 4.7 (5), 4.9
# quick: uml
# timeout: 60
. "$(dirname "$0")/../lib.sh"

two_peers 4
ns_add lan
veth lan eth0 a eth1
addr lan eth0 172.16.0.2/24 fd00:ee::2/64
addr a eth1 172.16.0.1/24 fd00:ee::1/64
ipn lan route add default via 172.16.0.1
ipn lan route add default via fd00:ee::1
ns_sysctl a net.ipv4.ip_forward 1
ns_sysctl a net.ipv6.conf.all.forwarding 1
ns_sysctl a net.ipv4.icmp_ratelimit 0
ns_sysctl a net.ipv6.icmp.ratelimit 0
key c
ipn a route add 192.168.99.0/24 dev wg0
ipn a route add fd00:99::/64 dev wg0
wgc a set wg0 peer "${PUB[c]}" allowed-ips 192.168.241.7/32,fd00:241::7/128
cat > "$TMP/py.head" <<'P'
# While nothing gets out, both ends look for each other in between, every five
# seconds at most: what is counted is counted again if that has come in between.
TRIES = 20

def told(to):
    """Sends a datagram from the lan; type, code and sender of the ICMP error
    that the socket gets, for which the quotation must match it."""
    with ns("lan"):
        s = socket.socket(family(to), socket.SOCK_DGRAM)
    s.setsockopt(*((41, 25, 1) if ":" in to else (0, 11, 1)))
    s.connect((to, 7))
    s.send(b"q" * 30)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            data, cmsgs, _, _ = s.recvmsg(200, 200, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        error = cmsgs[0][2]
        errno, origin, kind, code = struct.unpack("IBBB", error[:7])
        by = error[24:40] if ":" in to else error[20:24]
        assert data == b"q" * 30, "quoted %r" % data
        return kind, code, socket.inet_ntop(family(to), by)
    return None
P
py_serve a

errors()
{
	py <<'P'
for to, wanted in (("192.168.99.1", (3, 1, "172.16.0.1")), ("fd00:99::1", (1, 3, "fd00:ee::1")),
                   ("192.168.241.7", (3, 1, "172.16.0.1")), ("fd00:241::7", (1, 3, "fd00:ee::1"))):
    # Reports of multicast groups, which go nowhere either, may come between.
    for tries in range(3):
        before = stat("a", "wg0", "tx_errors")
        got = told(to)
        assert got == wanted, "%s: %r" % (to, got)
        grew = stat("a", "wg0", "tx_errors") - before
        if grew == 1:
            break
    assert grew == 1, "tx_errors grew by %d" % grew
P
}

behind_nat()
{
	on a nft -f - <<'N' || skip "kernel without nftables NAT"
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "wg0" masquerade
	}
}
table ip6 nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "wg0" masquerade
	}
}
N
	errors
	# With an address that is nobody's, not even the router's
	on a nft flush ruleset
	on a nft -f - <<'N'
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "wg0" snat to 203.0.113.9
	}
}
table ip6 nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "wg0" snat to 2001:db8::9
	}
}
N
	errors
	on a nft flush ruleset
}

# What is routed to nowhere outside is lost without a word and without a count.
no_route()
{
	reach a 192.168.241.2
	reach a fd00:241::2
	py "$1" <<'P'
six = sys.argv[1] == "6"
with ns("a"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(0, 11, 1)
names = "tx_errors", "tx_dropped", "tx_packets", "tx_bytes"
look = lambda: ([stat("a", "wg0", n) for n in names], output("a", "$WG show wg0 transfer"))
for kind in "unreachable", "blackhole", "prohibit":
    sh("a", "ip route add %s %s" % (kind, "fd00:aa::2/128 metric 1" if six else "10.0.0.2/32"))
    for tries in range(TRIES):
        before = look()
        for i in range(3):
            s.sendto(b"x", ("192.168.241.2", 9))
        after = look()
        if before == after:
            break
    sh("a", "ip route del %s %s" % (kind, "fd00:aa::2/128 metric 1" if six else "10.0.0.2/32"))
    assert before == after, "%s: %r, %r" % (kind, before, after)
P
	reach a 192.168.241.2
}

# A new session: one of two minutes would ask for the next all the while.
anew()
{
	local ns
	for ns in a b; do
		ns_sysctl $ns net.ipv6.conf.wg0.keep_addr_on_down 1
		ipn $ns link set wg0 down
		ipn $ns link set wg0 up
	done
	reach a 192.168.241.2
}

# A packet filter that drops outside: counted, in each family as its tunnel helper
# does; the peer's counter has what was handed over.
filtered()
{
	anew
	on a nft -f - <<'N' || skip "kernel without nftables"
table inet f {
	chain out {
		type filter hook output priority 0
		udp sport 1001 drop
	}
}
N
	# Who hears nothing would initiate, and be answered.
	ipn b link set wg0 down
	py "$1" <<'P'
with ns("a"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names = "tx_dropped", "tx_errors", "tx_aborted_errors", "tx_packets", "tx_bytes"
look = lambda: [stat("a", "wg0", n) for n in names] + \
    [sum(int(l.split()[2]) for l in output("a", "$WG show wg0 transfer").splitlines())]
one = [0, 1, 1] if sys.argv[1] == "6" else [1, 0, 0]
# 100 bytes inside, 112 padded, 32 more; and every five seconds an initiation,
# which on a slow machine may come with each try.
wanted = [[(4 + again) * n for n in one] + [0, 0, 4 * 144 + again * 148]
          for again in range(4)]
for tries in range(TRIES):
    before = look()
    for i in range(4):
        s.sendto(bytes(72), ("192.168.241.2", 9))
    after = look()
    grew = [b - a for a, b in zip(before, after)]
    if grew in wanted:
        break
assert grew in wanted, "grew by %r, wanted %r" % (grew, wanted[0])
P
	on a nft delete table inet f
	anew
}

subtest "told with what was sent" errors
subtest "told by the address before NAT" behind_nat
subtest "no way out in IPv4: no counter" no_route 4
subtest "dropped by a filter in IPv4: counted" filtered 4
outer 6
subtest "no way out in IPv6: no counter" no_route 6
subtest "dropped by a filter in IPv6: counted" filtered 6
finish
