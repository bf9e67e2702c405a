#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whose turn it is among handshakes that wait: who came first as long as they are
# few, who came last while 512 wait or more, for the others have waited too long.
# When the queue is full, the oldest make room.
#
#   a: Python 10.0.0.1 ------- 10.0.0.2 [wg0] b
#
# spec 2.9
# env: uml-time
. "$(dirname "$0")/../lib.sh"

ours || skip_all "the kernel's own module drops the newest"
two_ns
key one
key two
wg_dev b wg0 b 1002 192.168.241.2/24
wgc b set wg0 peer "${PUB[one]}" allowed-ips 192.168.241.77/32 \
	peer "${PUB[two]}" allowed-ips 192.168.241.78/32

# order: the script on standard input, where send_all() lets nobody work before
# all have come, and answers() is what came back: kind and whose.
order()
{
	{
		cat <<-'P'
			import sys
			from noise import *
			one, two = (Peer(key, sys.argv[3]) for key in sys.argv[1:3])
			wire = Wire(("10.0.0.2", 1002))
			SO_RCVBUFFORCE = 33
			wire.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)

			def send_all(msgs):
			    # There is one CPU, and only who has no real-time priority shares it.
			    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
			    for msg in msgs:
			        wire.send(msg)
			    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

			def answers():
			    got = iter(lambda: wire.recv(0.1), None)
			    return [(msg[0], msg[8:12] if msg[0] == 2 else msg[4:8]) for msg in got]
		P
		cat
	} > "$TMP/order.py"
	PYTHONPATH=$PYDIR on a "$PY" "$TMP/order.py" "$(< "$TMP/one.key")" "$(< "$TMP/two.key")" "${PUB[b]}"
}

few()
{
	order <<'P'
msgs = [one.initiation(), two.initiation()]
send_all(msgs)
assert answers() == [(2, msg[4:8]) for msg in msgs], "not in the order they came in"
P
}

# A right mac1 and no mac2: under load that is worth a cookie.
full()
{
	order <<'P'
QUEUE, LOADED = 4096, 512
key = hash_(b"mac1----", one.remote)
msgs = [struct.pack("<II", 1, n) + bytes(108) for n in range(2 * QUEUE)]
send_all(msg + mac(key, msg) + bytes(16) for msg in msgs)
left = msgs[QUEUE:]
turns = left[:LOADED - 2:-1] + left[:LOADED - 1]
got = answers()
assert len(got) == QUEUE, "%d of them answered" % len(got)
assert got == [(3, msg[4:8]) for msg in turns], "not the newest first"
# Not under load any more: the queue knows how long it is.
time.sleep(1.1)
msg = one.initiation()
wire.send(msg)
assert answers() == [(2, msg[4:8])], "no response after the flood"
P
	[ "$(drops b wg0 handshake_full)" = 4096 ]
}

subtest "few: first come, first served" few
subtest "a full queue: the newest first, the oldest dropped" full
finish
