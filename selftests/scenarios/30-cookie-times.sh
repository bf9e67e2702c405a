#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How long cookies and what goes with them last: a second under load after a
# flood, 120 s a secret, 115 s a cookie at the one who got it; and the token
# bucket of 5 that gets one every 50 ms.
#
#   a: flood and peer in Python 10.0.0.1 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 1.6, 2.1, 2.9
# env: uml-time
. "$(dirname "$0")/../lib.sh"

two_ns
key far
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1

# far [ENDPOINT]: the script on standard input, as a peer nobody has heard of
far()
{
	wgc b set wg0 peer "${PUB[far]}" remove
	wgc b set wg0 peer "${PUB[far]}" allowed-ips 192.168.241.77/32 ${1:+endpoint "$1"}
	{
		cat <<-'P'
			from clock import *
			f = Far()
			key = hash_(b"mac1----", f.peer.remote)
			junk = struct.pack("<II", 1, 1) + bytes(108)
			junk += mac(key, junk) + bytes(16)
			flooder = Wire(("10.0.0.2", 1002))

			def flood():
			    """Puts the device under load: no time passes, so nobody empties
			    its queue meanwhile."""
			    for _ in range(1000):
			        flooder.send(junk)
			    return now()

			def ask():
			    """What an initiation of ours is answered with."""
			    f.wire.send(f.peer.initiation())
			    got = f.wire.recv(0.1)
			    if got and got[0] == 3:
			        f.peer.take_cookie(got)
			    return KINDS[got[0]] if got else None
		P
		cat
	} > "$TMP/far.py"
	NS=$PFX-b KEY=$(< "$TMP/far.key") PUB=${PUB[b]} PYTHONPATH=$PYDIR \
		on a "$PY" "$TMP/far.py"
}

load_ends()
{
	far <<'P'
assert ask() == "response", "under load without a flood"
start = flood()
for wait in 0.05, 0.5, 0.97:
    time.sleep(start + wait - now())
    f.peer.cookie = None
    assert ask() == "cookie", "not under load %.2f s after the flood" % wait
    assert ask() == "response", "the cookie is not taken"
time.sleep(start + 1.02 - now())
f.peer.cookie = None
assert ask() == "response", "under load 1.02 s after the flood"
P
}

secret_age()
{
	far <<'P'
time.sleep(130)     # one that is left of before is too old now
start = flood()
assert ask() == "cookie"
first = f.peer.cookie
for age in 30, 60, 119.9:
    time.sleep(start + age - now())
    flood()
    assert ask() == "response", "the cookie is not taken after %s s" % age
    # The secret is the same, so another cookie is the same.
    f.peer.cookie = None
    assert ask() == "cookie"
    assert f.peer.cookie == first, "a new secret after %s s" % age
time.sleep(start + 120.1 - now())
flood()
assert ask() == "cookie", "the cookie outlives its secret"
assert f.peer.cookie != first, "the same secret after 120 s"
assert ask() == "response"
# Without load nobody looks at it.
time.sleep(200)
assert ask() == "response"
P
}

# The device gets a cookie from us: mac2 for 115 s, and one cookie a message.
cookie_age()
{
	far 10.0.0.1:4001 <<'P'
cookie = os.urandom(16)
f.poke()
m = f.watch(0.01, until="initiation").msg
f.peer.accept(m)
assert m[132:] == bytes(16), "mac2 without a cookie"
reply = f.peer.make_cookie(cookie)
f.wire.send(reply[:40] + bytes([reply[40] ^ 1]) + reply[41:])
f.wire.send(reply)
got = now()
f.wire.send(f.peer.make_cookie(os.urandom(16)))     # one too many
f.watch(125, poke=1)
tries = [e for e in f.seen if e.kind == "initiation"][1:]
for at, _, m in tries:
    wanted = mac(cookie, m[:132]) if at - got < 115 else bytes(16)
    print("%.3f %s" % (at - got, m[132:].hex()))
    assert m[132:] == wanted, "mac2 %.3f s after the cookie" % (at - got)
assert len([e for e in tries if e.at - got < 115]) >= 19
assert len([e for e in tries if e.at - got >= 115]) >= 1
# A cookie for a message that is not the last any more is none.
f.peer.accept(tries[-1].msg)
f.peer.their_mac1 = tries[-2].msg[116:132]
f.wire.send(f.peer.make_cookie(cookie))
assert f.watch(7, until="initiation").msg[132:] == bytes(16)
P
}

# Who shows a cookie: five at once, then one every 50 ms.
tokens()
{
	ours || skip "needs our module's counters"
	far <<'P'
def refused(count):
    """Of so many initiations at once."""
    before = f.drops("rate_limited")
    for _ in range(count):
        f.wire.send(f.peer.initiation())
    time.sleep(0.001)
    return f.drops("rate_limited") - before

start = flood()
assert ask() == "cookie"
time.sleep(0.3)
assert refused(8) == 3, "the burst is not 5"
for _ in range(3):
    time.sleep(0.055)
    assert refused(2) == 1, "not one more every 50 ms"
time.sleep(0.21)
assert refused(6) == 2, "not four in 200 ms"
assert now() < start + 1
flood()
time.sleep(0.9)
assert refused(20) == 15, "it holds more than 5"
P
}

subtest "under load for a second after a flood" load_ends
subtest "a secret is replaced after 120 s" secret_age
subtest "a cookie is used for 115 s" cookie_age
subtest "tokens: 5, and one every 50 ms" tokens
finish
