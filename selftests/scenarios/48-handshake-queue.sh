#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# When the queue of incoming handshakes is full, the oldest make room: who came
# last is answered, for he is still waiting.
#
#   a: Python 10.0.0.1 ------- 10.0.0.2 [wg0] b
#
# spec 2.9
# env: uml
. "$(dirname "$0")/../lib.sh"

ours || skip_all "the kernel's own module drops the newest"
two_ns
key py
wg_dev b wg0 b 1002 192.168.241.2/24
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32
# There is one CPU. Who has a real-time priority and no throttle keeps it from
# the workers that would empty the queue.
echo -1 > /proc/sys/kernel/sched_rt_runtime_us

# All have a right mac1 and no mac2; in a long queue each is worth a cookie.
oldest()
{
	PYTHONPATH=$PYDIR on a "$PY" - "$(< "$TMP/py.key")" "${PUB[b]}" <<'P'
import sys
from noise import *
QUEUE = 4096
peer = Peer(sys.argv[1], sys.argv[2])
first, flood, last = (Wire(("10.0.0.2", 1002)) for _ in range(3))
m1 = peer.initiation()
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
first.send(m1)
for _ in range(QUEUE - 1):
    flood.send(m1)
last.send(m1)
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
assert last.recv_kind(3, 10), "the last was not answered"
assert flood.recv_kind(3, 1), "nobody else was"
assert not first.recv(0.1), "the first was answered"
P
	[ "$(drops b wg0 handshake_full)" = 1 ]
}

subtest "a full queue drops the oldest" oldest
finish
