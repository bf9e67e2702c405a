#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Before the machine sleeps all sessions and running handshakes are forgotten:
# who finds it asleep finds no keys. Afterwards the next packet starts over at
# once. The kernel's own rehearsals go as far as freezing all processes.
#
#   a: peer in Python 10.0.0.1:4001 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 1.8, 3.8
# env: qemu-*
# timeout: 60
# cpus: 2
. "$(dirname "$0")/../lib.sh"

[ -w /sys/power/pm_test ] || skip_all "a kernel that cannot rehearse suspend"

two_ns
key py idle
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32 endpoint 10.0.0.1:4001
# A peer without any session is no trouble.
wgc b set wg0 peer "${PUB[idle]}" allowed-ips 192.168.241.78/32 persistent-keepalive 5

# sleeps LEVEL STATE: falls asleep, up to there, for a second
sleeps()
{
	local delay=/sys/module/suspend/parameters/pm_test_delay
	[ ! -w $delay ] || echo 1 > $delay
	echo "$1" > /sys/power/pm_test
	echo "$2" > /sys/power/state
	echo none > /sys/power/pm_test
}

# suspended LEVEL STATE
suspended()
{
	grep -qw "$1" /sys/power/pm_test || skip "no level $1"
	grep -qw "$2" /sys/power/state || skip "no state $2"
	rm -f "$TMP/asleep" "$TMP/awake"
	cat > "$TMP/peer.py" <<'P'
import os, sys, time
from noise import *
p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002), ("10.0.0.1", 4001), 20)
tmp = sys.argv[3]


def answers(peer, wait):
    w.send(peer.data(echo("192.168.241.77", "192.168.241.2")))
    return w.recv_kind(4, wait)


w.session(p)
assert answers(p, 20), "no answer before"
open(tmp + "/asleep", "w").close()
while not os.path.exists(tmp + "/awake"):
    time.sleep(0.05)
old = answers(p, 1)
assert old is None, "the old session lives"
w.session(p)
assert answers(p, 20), "no answer after"
P
	PYTHONPATH=$PYDIR bg a "$PY" "$TMP/peer.py" "$(< "$TMP/py.key")" "${PUB[b]}" "$TMP"
	local peer=$BG
	wait_for 20 test -e "$TMP/asleep"
	sleeps "$@"
	touch "$TMP/awake"
	wait "$peer"
}

# The device has initiated, then sleeps: the answer comes too late.
half_way()
{
	wgc b set wg0 peer "${PUB[py]}" remove
	wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32 endpoint 10.0.0.1:4001
	rm -f "$TMP/asleep" "$TMP/awake"
	cat > "$TMP/peer.py" <<'P'
import os, sys, time
from noise import *
p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002), ("10.0.0.1", 4001), 20)
tmp = sys.argv[3]
m1 = w.recv_kind(1, 20)
assert m1, "no initiation"
m2 = p.accept(m1)
open(tmp + "/asleep", "w").close()
while not os.path.exists(tmp + "/awake"):
    time.sleep(0.05)
w.send(m2)
# Nor does the pause of five seconds go on: the next packet initiates.
end = time.monotonic() + 3
while time.monotonic() < end:
    msg = w.recv(0.1)
    assert not msg or msg[0] != 4, "a handshake outlived the sleep"
    if msg and msg[0] == 1:
        break
else:
    raise SystemExit("no new initiation")
w.send(Peer.accept(p, msg))
assert w.recv_kind(4, 20), "no session afterwards"
P
	PYTHONPATH=$PYDIR bg a "$PY" "$TMP/peer.py" "$(< "$TMP/py.key")" "${PUB[b]}" "$TMP"
	local peer=$BG
	bg b ping -n -q -i 0.2 -c 1000000 192.168.241.77 > /dev/null
	wait_for 20 test -e "$TMP/asleep"
	sleeps freezer freeze
	touch "$TMP/awake"
	wait "$peer"
	bg_end "$BG"
}

subtest "sessions are forgotten, to idle" suspended freezer freeze
subtest "sessions are forgotten, to memory" suspended freezer mem
subtest "a running handshake is forgotten" half_way
finish
