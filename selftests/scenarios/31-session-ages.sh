#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a session is good for as it grows old: rekeyed by its initiator from
# 120 s on when sending, from 165 s on when receiving; not used by anybody from
# 180 s on; the one before it still received; everything wiped after 540 s.
#
#   a: peer in Python 10.0.0.1:4001 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 2.1, 2.3, 2.5, 2.6
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

			def initiated():
			    """A session that the device has initiated."""
			    f.poke()
			    return f.answer(f.watch(1, until="initiation").msg)

			def wait(born, age):
			    """Until a session has this age."""
			    time.sleep(born + age - now())

			def hears(wanted):
			    """The device has taken just these of our packets."""
			    got = f.heard()
			    assert got == wanted, got

			def alive(event):
			    """Lets the device know that we hear it."""
			    if event.kind == "data":
			        f.wire.send(f.peer.data(b""))
		P
		cat
	} > "$TMP/far.py"
	NS=$PFX-b KEY=$(< "$TMP/far.key") PUB=${PUB[b]} PYTHONPATH=$PYDIR \
		on a "$PY" "$TMP/far.py"
}

initiator_sends()
{
	far 10.0.0.1:4001 <<'P'
born = initiated()
assert f.watch(1, until="data"), "what waited"
for n in range(5):
    new = f.watch(125, poke=0.5, until="initiation", each=alive)
    within("rekeyed at the age of", new.at - born, 120, 123.51)
    # The old session carries on while the new one is being made.
    before = len(f.times("data"))
    f.watch(2, poke=0.5, each=alive)
    assert len(f.times("data")) == before + 4
    assert f.seen[-1].kind != "initiation", "twice in five seconds"
    born = f.answer(new.msg)
P
}

# Not answered, the initiator uses the old session to the end, and no longer.
initiator_unanswered()
{
	far 10.0.0.1:4001 <<'P'
born = initiated()
f.watch(1, until="data")
wait(born, 0.25)
f.watch(born + 200.2 - now(), poke=0.5, each=alive)
within("last data at", f.times("data")[-1] - born, 179.74, 179.76)
tries = f.times("initiation", since=born + 1)
within("first rekey at", tries[0] - born, 120, 123.51)
for gap in gaps(tries):
    within("gap", gap, 5, latest(5, 1 / 3))
# What was sent since has waited.
last = [e for e in f.seen if e.kind == "initiation"][-1]
f.answer(last.msg)
got = [e.kind for e in f.watch(0.1)]
assert got == ["data"] * 40, got
P
}

responder_sends()
{
	far <<'P'
born = f.start()
f.watch(179.9, poke=0.5, each=alive)
assert len(f.times("data")) == 360, len(f.times("data"))
assert not f.times("initiation"), "the responder rekeys"
last = f.times("data")[-1]
new = f.watch(2, poke=0.5, until="initiation")
within("initiates at", new.at - born, 180, 180.51)
within("last data at", f.times("data")[-1] - born, 179.4, 180)
P
}

# Nothing to send: who has initiated rekeys when it hears something after 165 s.
initiator_hears()
{
	far 10.0.0.1:4001 <<'P'
born = initiated()
f.watch(1, until="data")
for age in 1, 30, 119, 121, 150, 164.9:
    wait(born, age)
    f.wire.send(f.peer.data(b""))
assert not f.watch(0.05), "something before 165 s"
wait(born, 165.05)
f.wire.send(f.peer.data(b""))
f.watch(0.01, until="initiation")
P
}

responder_hears()
{
	far <<'P'
born = f.start()
for age in 30, 121, 165.1, 170, 179.9:
    wait(born, age)
    f.wire.send(f.peer.data(b""))
assert not f.watch(30), "the responder rekeys"
P
}

reject()
{
	far <<'P'
born = f.start()
wait(born, 179.8)
f.say(b"young")
hears([b"young"])
wait(born, 180.1)
expired = OURS and f.drops("expired")
f.say(b"old")
assert not f.heard(), "received in a session of 180 s"
assert not OURS or f.drops("expired") == expired + 1
# What cannot be opened is no reason for a handshake.
assert "initiation" not in [e.kind for e in f.watch(1)]
P
}

# New session, then data of the one before, and of the one before that.
previous()
{
	far <<'P'
born = f.start()
f.say(b"1")
first = copy.copy(f.peer)
wait(born, 60)
f.wire.send(f.peer.initiation())
f.peer.response(f.watch(1, until="response").msg)
second = copy.copy(f.peer)
# Not confirmed yet: the device sends in the first session.
f.poke()
first.open(f.watch(0.1, until="data").msg)
f.say(b"2", first)
f.say(b"3", second)
f.say(b"4", first)
f.poke()
second.open(f.watch(0.1, until="data").msg)
hears([b"1", b"2", b"3", b"4"])
f.wire.send(f.peer.data(b""))
# A third one on its way takes the first one's place.
wait(born, 90)
f.wire.send(f.peer.initiation())
f.peer.response(f.watch(1, until="response").msg)
f.say(b"5", first)
f.say(b"6", second)
f.say(b"7")
f.say(b"8", second)
hears([b"6", b"7", b"8"])
wait(born, 60 + 180.1)
f.say(b"9", second)
f.say(b"10")
hears([b"10"])      # the previous one is too old
P
}

# The same where the device initiates.
previous_of_initiator()
{
	far 10.0.0.1:4001 <<'P'
born = initiated()
alive(f.watch(1, until="data"))
first = copy.copy(f.peer)
wait(born, 123.1)
f.poke()
new = f.watch(0.1, until="initiation").msg
f.answer(new)
f.watch(0.01, until="keepalive")
second = f.peer
f.say(b"1", first)
f.say(b"2", second)
f.say(b"3", first)
f.poke()
second.open(f.watch(0.1)[-1].msg)
hears([b"1", b"2", b"3"])
P
}

# The keys are gone 540 s after the last session: their index is not known.
wipe()
{
	ours || skip "needs our module's counters"
	far <<'P'
def known():
    before = f.drops("expired"), f.drops("unknown_index")
    f.say()
    time.sleep(0.01)
    after = f.drops("expired"), f.drops("unknown_index")
    return {(1, 0): True, (0, 1): False}[after[0] - before[0], after[1] - before[1]]

born = f.start()
wait(born, 200)
assert known()
wait(born, 539.9)
assert known(), "wiped too early"
wait(born, latest(540))
assert not known(), "not wiped"
assert not f.watch(0.01)
# Each new session puts it off; the old ones go with the new.
born = f.start()
first = copy.copy(f.peer)
wait(born, 300)
f.start()
wait(born, 300 + 539.9)
assert known(), "not put off"
wait(born, 300 + latest(540))
assert not known(), "not wiped"
f.peer = first
assert not known(), "the previous session was not wiped"
f.poke()
f.watch(0.01, until="initiation")
P
}

subtest "the initiator rekeys when it sends after 120 s" initiator_sends
subtest "and uses the old session up to 180 s" initiator_unanswered
subtest "the responder sends up to 180 s" responder_sends
subtest "the initiator rekeys when it hears after 165 s" initiator_hears
subtest "the responder does not" responder_hears
subtest "nothing is received after 180 s" reject
subtest "the previous session is still received" previous
subtest "also by the initiator" previous_of_initiator
subtest "all keys are wiped after 540 s" wipe
finish
