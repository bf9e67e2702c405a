#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# When initiations are sent, to the hundredth of a second: retransmissions and
# giving up, the new handshake after silence, at most one in five seconds, and
# what resets that.
#
#   a: peer in Python 10.0.0.1:4001 ------- eth0 10.0.0.2, .22 -- [wg0] b
#
# spec 2.1, 2.2, 2.6, 2.7, 3.5
# env: uml-time
. "$(dirname "$0")/../lib.sh"

two_ns
addr b eth0 10.0.0.22/24
key far other
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1

# fresh [ENDPOINT]: the peer as nobody has heard of it yet
fresh()
{
	wgc b set wg0 peer "${PUB[far]}" remove
	wgc b set wg0 peer "${PUB[far]}" allowed-ips 192.168.241.77/32 ${1:+endpoint "$1"}
}

# far: the script on standard input, as the peer
far()
{
	{
		echo 'from clock import *'
		cat
	} > "$TMP/far.py"
	NS=$PFX-b KEY=$(< "$TMP/far.key") PUB=${PUB[b]} OTHER=$TMP/other.key OWN=$TMP/b.key \
		WG=$WG PYTHONPATH=$PYDIR on a "$PY" "$TMP/far.py" "$@"
}

clock()
{
	# An hour passes at once, and nothing that works takes time.
	far <<'P'
start = now()
time.sleep(3600)
within("an hour", now() - start, 3600, 3600)
start = now()
sum(range(1000000))
within("a million steps", now() - start, 0, 0)
P
}

give_up()
{
	fresh 10.0.0.1:4001
	far <<'P'
f = Far()
dropped, unsent = f.stat("tx_dropped"), OURS and f.drops("no_session")
start = now()
for _ in range(3):
    f.poke()
f.watch(94)
assert f.stat("tx_dropped") == dropped, "dropped before giving up"
f.watch(206)
tries = f.times("initiation")
assert len(tries) == 20, "%d initiations" % len(tries)
within("first", tries[0] - start, 0, 0)
for gap in gaps(tries):
    within("gap", gap, 5, latest(5, 1 / 3))
assert max(gaps(tries)) - min(gaps(tries)) > 0.05, "no jitter"
assert len({e.msg[4:8] for e in f.seen}) == 20, "an index twice"
assert len({e.msg[8:40] for e in f.seen}) == 20, "an ephemeral key twice"
assert len(f.seen) == 20, "not only initiations"
assert f.stat("tx_dropped") == dropped + 3, "what waited is not dropped"
if OURS:
    assert f.drops("no_session") == unsent + 3
# New traffic begins anew, and what was given up does not come.
f.poke(b"new")
m = f.watch(0.02, until="initiation")
f.answer(m.msg)
m = f.watch(0.02, until="data")
assert f.peer.open(m.msg)[28:31] == b"new"
P
}

# Who gives up keeps the handshake, for the answer may be under way, but not
# for ever.
answer_after()
{
	fresh 10.0.0.1:4001
	far "$1" "$2" <<'P'
import sys
wait, taken = float(sys.argv[1]), sys.argv[2] == "taken"
f = Far()
f.poke()
f.watch(130)
last = [e for e in f.seen if e.kind == "initiation"][-1]
# Given up 5 s and something later.
time.sleep(last.at + latest(5, 1 / 3) - now() + wait)
unknown = OURS and f.drops("unknown_index")
f.answer(last.msg)
got = [e.kind for e in f.watch(3)]
assert got == (["keepalive"] if taken else []), got
if OURS:
    assert f.drops("unknown_index") == unknown + (not taken)
P
}

# While there is traffic, attempts are counted from the last packet on.
traffic_goes_on()
{
	fresh 10.0.0.1:4001
	far <<'P'
f = Far()
f.watch(200.5, poke=0.25)
end = now()
tries = f.times("initiation")
assert 33 <= len(tries) <= 41, len(tries)
f.watch(200)
tries = f.times("initiation")
for gap in gaps(tries):
    within("gap", gap, 5, latest(5, 1 / 3))
after = f.times("initiation", since=end)
assert len(after) == 19, "%d retries after the last packet" % len(after)
P
}

silence()
{
	fresh
	far <<'P'
f = Far()
f.start()
f.watch(1)
# Answered: nothing. The second packet does not put it off.
sent = now()
f.poke()
f.watch(14)
f.peer.open(f.seen[-1].msg)
f.wire.send(f.peer.data(b""))
assert not f.watch(40), "a handshake though we were heard"
sent = now()
f.poke()
f.watch(9)
f.poke()
f.watch(100)
tries = f.times("initiation")
within("new handshake", tries[0] - sent, 15, latest(15, 1 / 3))
within("then a retry", tries[1] - tries[0], 5, latest(5, 1 / 3))
f.watch(60)
assert len(f.times("initiation")) == 20, len(f.times("initiation"))
P
}

# The same if what nobody answers is what waited for the session, on either side.
silence_from_the_start()
{
	fresh 10.0.0.1:4001
	far "$1" <<'P'
import sys
f = Far()
if sys.argv[1] == "responder":
    f.wire.send(f.peer.initiation())
    f.peer.response(f.watch(1, until="response").msg)
    f.poke()
    assert not f.watch(1), "sent in a session that we have not confirmed"
    f.wire.send(f.peer.data(b""))
else:
    f.poke()
    f.answer(f.watch(1, until="initiation").msg)
sent = f.watch(1, until="data").at
f.watch(20)
within("new handshake", f.times("initiation", since=sent)[0] - sent, 15, latest(15, 1 / 3))
P
}

# Our address that the peer uses is used for the first try, not for the others.
source_forgotten()
{
	fresh
	capture b eth0 source udp
	far <<'P'
f = Far()
f.wire.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
f.wire.sock.bind(("10.0.0.1", 4001))
f.wire.sock.connect(("10.0.0.22", 1002))
f.start()
f.watch(1)
f.poke()
# After 15 s of silence: from another address, so not to this socket.
f.watch(30)
# Heard there again; then traffic of an old session, unanswered.
f.start()
f.watch(181)
f.poke()
f.watch(7)
P
	capture_end source
	trace source | awk '$2 ~ /:1002$/ { sub(/:.*/, "", $2); print $4, $2 }' > "$TMP/got"
	diff "$TMP/got" - <<-'END'
		response 10.0.0.22
		data 10.0.0.22
		initiation 10.0.0.2
		initiation 10.0.0.2
		initiation 10.0.0.2
		response 10.0.0.22
		initiation 10.0.0.22
		initiation 10.0.0.2
	END
}

# Who has answered does not initiate for five seconds.
response_blocks()
{
	fresh
	far <<'P'
f = Far()
f.wire.send(f.peer.initiation())
answered = f.watch(1, until="response").at
f.watch(7, poke=0.1)
tries = f.times("initiation")
assert len(tries) == 1, tries
within("after the response", tries[0] - answered, 5, 5.11)
assert not f.times("data"), "sent in a session that we have not confirmed"
P
}

# A retry that comes within these five seconds is put off, not forgotten: what
# waits is sent or given up in the end.
response_puts_off()
{
	fresh 10.0.0.1:4001
	far <<'P'
f = Far()
dropped = f.stat("tx_dropped")
f.poke()
first = f.watch(0.02, until="initiation").at
f.watch(4.5)
f.wire.send(f.peer.initiation())
# Never confirmed.
answered = f.watch(0.02, until="response").at
f.watch(150)
tries = f.times("initiation", since=answered)
assert tries, "no retry any more"
assert tries[0] - answered >= 5, "within five seconds of a response"
within("retry", tries[0] - first, 10, 2 * latest(5, 1 / 3))
assert f.stat("tx_dropped") == dropped + 1, "what waited is not dropped"
P
}

# Nor is what a single packet asks for within them.
response_refuses()
{
	fresh 10.0.0.1:4001
	far <<'P'
f = Far()
dropped = f.stat("tx_dropped")
f.wire.send(f.peer.initiation())
# Never confirmed.
answered = f.watch(0.02, until="response").at
f.poke()
f.watch(150)
tries = f.times("initiation", since=answered)
assert tries, "what waits is forgotten"
within("first try", tries[0] - answered, 5, latest(5, 1 / 3) + 0.02)
assert f.stat("tx_dropped") == dropped + 1, "what waited is not dropped"
P
}

# Down and up, or a new private key: initiates at once, though it just has.
resets()
{
	fresh 10.0.0.1:4001
	far <<'P'
f = Far()

def at_once(what):
    before = now()
    f.poke()
    within(what, f.watch(4, until="initiation").at - before, 0, 0.01)

def not_yet(what):
    f.poke()
    assert not f.watch(1), what

at_once("first")
not_yet("twice in five seconds")
for state in "down", "up":
    inside(f.ns, "ip", "link", "set", "dev", "wg0", state)
at_once("after up")
not_yet("twice after up")
inside(f.ns, os.environ["WG"], "set", "wg0", "private-key", os.environ["OTHER"])
at_once("after a new key")
not_yet("twice after a new key")
inside(f.ns, os.environ["WG"], "set", "wg0", "private-key", os.environ["OTHER"])
not_yet("the same key is no change")
inside(f.ns, os.environ["WG"], "set", "wg0", "private-key", os.environ["OWN"])
P
}

subtest "the clock jumps" clock
subtest "20 initiations, then it gives up" give_up
subtest "an answer is taken after giving up" answer_after 500 taken
subtest "but not nine minutes later" answer_after 585 refused
subtest "traffic keeps it trying" traffic_goes_on
subtest "a new handshake after 15 s without an answer" silence
subtest "the same for what the responder had waiting" silence_from_the_start responder
subtest "and the initiator" silence_from_the_start initiator
subtest "retries forget our learned address" source_forgotten
subtest "a response blocks initiations for 5 s" response_blocks
subtest "it puts retries off, and forgets none" response_puts_off
subtest "and what is wanted meanwhile comes after" response_refuses
subtest "down and up, or a new key, end the wait" resets
finish
