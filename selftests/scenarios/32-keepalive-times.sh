#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# When keepalives are sent: passive ones 10 s after data that nothing answered,
# persistent ones before their interval is over; and the time of the latest
# handshake is that of the wall clock.
#
#   a: peer in Python 10.0.0.1:4001 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 2.1, 2.6, 3.4, 7.4
# env: uml-time
. "$(dirname "$0")/../lib.sh"

two_ns
key far
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1

# far [PEER OPTION]...: the script on standard input, as a peer that nobody has
# heard of
far()
{
	wgc b set wg0 peer "${PUB[far]}" remove
	wgc b set wg0 peer "${PUB[far]}" allowed-ips 192.168.241.77/32 "$@"
	{
		cat <<-'P'
			from clock import *
			f = Far()

			def wg(*words):
			    """Configures the device's side of us."""
			    return inside(f.ns, os.environ["WG"], "set", "wg0", "peer",
			                  base64.b64encode(f.peer.public).decode(), *words)

			def answer(event):
			    """Lets the device rekey."""
			    if event.kind == "initiation":
			        f.answer(event.msg)

			def interval(seconds):
			    """The shortest and the longest time to a persistent keepalive."""
			    return seconds - min(seconds / 16, 1) - 0.01, seconds + 0.02
		P
		cat
	} > "$TMP/far.py"
	NS=$PFX-b KEY=$(< "$TMP/far.key") PUB=${PUB[b]} WG=$WG PYTHONPATH=$PYDIR \
		on a "$PY" "$TMP/far.py"
}

passive()
{
	far <<'P'
f.start()
f.watch(20)
assert not f.seen, "an empty packet was answered"
said = now()
f.say()
f.watch(100)
got = [(e.kind, e.at - said) for e in f.seen]
assert len(got) == 1 and got[0][0] == "keepalive", got
within("keepalive", got[0][1], 10, latest(10))
P
}

# More data while the keepalive is pending has another one sent 10 s later, but
# for the keepalive itself: it is something that was sent.
no_more()
{
	far <<'P'
f.start()
said = now()
for _ in range(4):
    f.say()
    f.watch(2)
f.watch(100)
assert [e.kind for e in f.seen] == ["keepalive"], f.seen
within("keepalive", f.seen[0].at - said, 10, latest(10))
f.say()
said = now()
f.watch(100)
assert [e.kind for e in f.seen] == ["keepalive"] * 2, f.seen
within("the next", f.seen[1].at - said, 10, latest(10))
P
}

# What is sent anyway takes the place of a keepalive.
sent_instead()
{
	far <<'P'
f.start()
for _ in range(6):
    f.say()
    f.watch(9)
    f.poke()
    f.watch(1)
f.wire.send(f.peer.data(b""))
f.watch(100)
assert [e.kind for e in f.seen] == ["data"] * 6, [e.kind for e in f.seen]
P
}

# Be it what waited for the session that the data confirms.
flushed_instead()
{
	far <<'P'
f.wire.send(f.peer.initiation())
f.peer.response(f.watch(1, until="response").msg)
f.poke()
assert not f.watch(1), "sent in a session that we have not confirmed"
f.say()
f.watch(14)
kinds = [e.kind for e in f.seen]
assert kinds == ["response", "data"], kinds
P
}

# The first on up; each packet, in or out, puts off the next.
persistent()
{
	ipn b link set dev wg0 down
	far endpoint 10.0.0.1:4001 persistent-keepalive 25 <<'P'
assert not f.watch(60), "sent while down"
inside(f.ns, "ip", "link", "set", "dev", "wg0", "up")
f.watch(0.01, until="initiation", each=answer)
f.watch(1000, each=answer)
assert 8 <= len(f.times("initiation")) <= 10, "a rekey every five or six keepalives"
# A new session begins with a keepalive right behind the other.
at = [gap for gap in gaps(f.times("keepalive")) if gap > 0.01]
assert 39 <= len(at) <= 42, len(at)
for gap in at:
    within("gap", gap, *interval(25))
# Of a session that we initiate: no rekey comes in between.
f.start()
f.watch(10)
f.wire.send(f.peer.data(b""))
heard = now()
within("after a packet in", f.watch(30, until="keepalive").at - heard, *interval(25))
f.watch(10)
f.poke()
f.watch(0.01)
f.wire.send(f.peer.data(b""))
sent = now()
within("after one out", f.watch(30, until="keepalive").at - sent, *interval(25))
P
}

# One that cannot be sent, as the session has just come to its end and whoever has
# answered a handshake does not initiate for five seconds, is not the last.
blocked()
{
	far endpoint 10.0.0.1:4001 <<'P'
f.start()
wg("persistent-keepalive", "2")
f.watch(178)
f.wire.send(f.peer.initiation())
# Never confirmed.
answered = f.watch(0.01, until="response").at
f.watch(20)
tries = f.times("initiation", since=answered)
assert tries, "silent for good"
within("after the response", tries[0] - answered, 5, 7.02)
P
}

# Set, shortened, lengthened, switched off on a live interface.
changed()
{
	far endpoint 10.0.0.1:4001 <<'P'
def gap():
    start = f.seen[-1].at
    # Not the one that begins a session.
    while f.watch(70, until="keepalive", each=answer).at < start + 0.02:
        pass
    return f.seen[-1].at - start

assert not f.watch(60)
wg("persistent-keepalive", "10")
f.watch(0.01, until="initiation", each=answer)
f.watch(0.01, until="keepalive")
for _ in range(5):
    within("every 10 s", gap(), *interval(10))
# A shorter one counts from the change on, a longer one from the next packet.
f.watch(3)
wg("persistent-keepalive", "2")
changed = now()
within("first of 2 s", f.watch(9, until="keepalive").at - changed, 0, 2.02)
for _ in range(5):
    within("every 2 s", gap(), *interval(2))
wg("persistent-keepalive", "60")
within("last of 2 s", gap(), *interval(2))
within("every 60 s", gap(), *interval(60))
wg("persistent-keepalive", "1")
within("first of 1 s", gap(), 0, 1.02)
for _ in range(20):
    within("every second", gap(), *interval(1))
wg("persistent-keepalive", "off")
assert not f.watch(3600), "sent though switched off"
wg("persistent-keepalive", "65535")
f.watch(0.01, until="initiation", each=answer)
start = f.watch(0.01, until="keepalive").at
# The session has been forgotten meanwhile.
within("the longest", f.watch(70000, until="initiation").at - start, *interval(65535))
P
}

# Who is told nothing of us learns where we are from our keepalive.
nat()
{
	ns_add c
	veth c eth0 a eth1
	addr c eth0 10.0.1.2/24
	addr a eth1 10.0.1.1/24
	ipn c route add default via 10.0.1.1
	ipn b route add 10.0.1.0/24 via 10.0.0.1
	ns_sysctl a net.ipv4.ip_forward 1
	key c
	wg_dev c wg0 c 1003 192.168.241.3/24
	wgc c set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32 endpoint 10.0.0.2:1002 persistent-keepalive 25
	wgc b set wg0 peer "${PUB[c]}" allowed-ips 192.168.241.3/32
	sleep 600
	reach b 192.168.241.3
	equal "endpoint" "$(peer_field b wg0 c endpoint)" 10.0.1.2:1003
	# It has never been silent for longer than the interval, so there is a session.
	[ $(($(date +%s) - $(peer_field b wg0 c handshake))) -lt 180 ]
	ns_del c
	wgc b set wg0 peer "${PUB[c]}" remove
}

# Many peers do not all start in the same moment.
spread()
{
	local i conf=$TMP/many.conf
	ours || skip "needs our module"
	ipn b link add wg1 type wireguard
	addr b wg1 192.168.242.1/24
	(umask 077; : > "$conf")
	{
		echo "[Interface]"
		echo "PrivateKey = $(wg genkey)"
		for i in $(seq 200); do
			printf '[Peer]\nPublicKey = %s\nEndpoint = 10.0.0.1:%d\nPersistentKeepalive = 120\n' \
				"$(head -c 32 /dev/urandom | base64)" $((5000 + i))
		done
	} >> "$conf"
	wgc b setconf wg1 "$conf"
	capture b eth0 spread udp dst portrange 5001-5200
	ipn b link set dev wg1 up
	date +%s.%N > "$TMP/up"
	sleep 4.9
	capture_end spread
	ipn b link del wg1
	trace spread | awk -v up="$(< "$TMP/up")" '
		$4 == "initiation" { n++; if ($1 - up < 1) early++; if ($1 - up > 3.1) late++ }
		END { print n, early + 0, late + 0 > "/dev/stderr"; exit !(n == 200 && early > 30 && early < 110 && !late) }'
}

wall_clock()
{
	local shown later=3600
	far <<< 'f.start()'
	shown=$(peer_field b wg0 far handshake)
	[ $(($(date +%s) - shown)) -le 1 ]
	date -s "@$(($(date +%s) + later))" > /dev/null
	equal "shown after a step of the clock" "$(peer_field b wg0 far handshake)" "$shown"
	# Initiations need 20 ms between them.
	sleep 1
	NS=$PFX-b KEY=$(< "$TMP/far.key") PUB=${PUB[b]} PYTHONPATH=$PYDIR on a "$PY" "$TMP/far.py"
	shown=$(($(peer_field b wg0 far handshake) - shown))
	[ $shown -ge $((later + 1)) ]
	[ $shown -le $((later + 2)) ]
	# Neither the session's wiping nor time without it changes what is shown.
	shown=$(peer_field b wg0 far handshake)
	sleep 1000
	equal "shown after the keys are gone" "$(peer_field b wg0 far handshake)" "$shown"
}

# A step of the wall clock is no reason to take a session for old.
clock_steps()
{
	far <<'P'
f.start()
for step in 86400, -2 * 86400, 86400:
    subprocess.run(["date", "-s", "@%d" % (time.time() + step)], check=True, capture_output=True)
    f.poke()
    f.watch(0.01, until="data")
    f.say()
    assert f.heard()
f.watch(14)
assert "initiation" not in [e.kind for e in f.seen]
P
}

subtest "passive: 10 s after data, once" passive
subtest "passive: one for several packets" no_more
subtest "passive: not when something was sent" sent_instead
subtest "passive: nor when that waited for a session" flushed_instead
subtest "persistent: from up on, never later than 25 s" persistent
subtest "persistent: one that cannot be sent is not the last" blocked
subtest "persistent: changed while it runs, off, 65535 s" changed
subtest "persistent: the peer that gets it knows our endpoint" nat
subtest "persistent: 200 peers take three seconds to start" spread
subtest "the latest handshake is shown by the wall clock" wall_clock
subtest "sessions do not age by the wall clock" clock_steps
finish
