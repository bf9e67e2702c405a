#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A machine that was cloned must not send with nonces that its twin uses too: no
# session sends any more, none that was being made comes about, and a new one is
# made at once. What comes in under the old session is still taken.
#
#   a: peer in Python 10.0.0.1:4001 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 2.5, 3.8
# env: qemu-6.* qemu-7
# timeout: 90
. "$(dirname "$0")/../lib.sh"

need gcc
words=$(cat "$WG_CACHE/headers/"*/make-words | grep -F "/$(uname -r | sed 's/-[^-]*$//')/") ||
	skip_all "no headers of this kernel"

two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32 endpoint 10.0.0.1:4001

build()
{
	mkdir "$TMP/fork"
	cp "$WG_SELFTESTS/qemu/vmfork.c" "$TMP/fork/"
	echo 'obj-m := vmfork.o' > "$TMP/fork/Kbuild"
	# shellcheck disable=SC2086 # words
	make -s $words M="$TMP/fork" modules
}

# Loading it says "Resource temporarily unavailable" when it has been done.
fork() { refute insmod "$TMP/fork/vmfork.ko" 2>&1 | tee "$TMP/fork.log"; grep -q temporarily "$TMP/fork.log"; }

# step WHAT: lets the peer go on, and waits until it has done so
step()
{
	touch "$TMP/$1"
	wait_for 20 test -e "$TMP/$1.done"
}

forked()
{
	cat > "$TMP/peer.py" <<'P'
import os, sys, time
from noise import *
p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002), ("10.0.0.1", 4001), 20)
tmp = sys.argv[3]


def step(name):
    while not os.path.exists(tmp + "/" + name):
        time.sleep(0.05)


def ready(name):
    open(tmp + "/" + name + ".done", "w").close()


def ask():
    w.send(p.data(echo("192.168.241.77", "192.168.241.2")))


step("begin")
w.session(p)
ask()
assert w.recv_kind(4, 20), "no answer before"
ready("begin")
step("cloned")
# Taken, but the answer waits for a new session: an initiation comes, at once.
ask()
m1 = w.recv(4)
assert m1 and m1[0] == 1, "no initiation but %r" % (m1 and m1[0])
fresh = Peer(sys.argv[1], sys.argv[2])
m2 = fresh.accept(m1)
ready("cloned")
step("again")
# Cloned once more while it waited for this answer.
w.send(m2)
assert w.recv_kind(4, 1) is None, "a handshake outlived the fork"
ask()
m1 = w.recv_kind(1, 4)
assert m1, "no second initiation"
w.send(fresh.accept(m1))
msg = w.recv_kind(4, 20)
assert msg, "no answer in the new session"
fresh.open(msg)
ready("again")
P
	PYTHONPATH=$PYDIR bg a "$PY" "$TMP/peer.py" "$(< "$TMP/py.key")" "${PUB[b]}" "$TMP"
	local peer=$BG
	step begin
	fork
	step cloned
	fork
	step again
	wait "$peer"
}

subtest "a module that tells the kernel so" build
subtest "sessions send no more and are renewed" forked
finish
