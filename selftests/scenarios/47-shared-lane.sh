#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Several peers share a lane. While one of them fills it, the others get their
# sessions all the same.
#
#   a [wg0, many peers] 10.0.0.1 ------- 10.0.0.2 [wg0] b, and nobody
#
# spec 2.5, 2.7
# env: uml-smp qemu-[0-9]*
# cpus: 2
. "$(dirname "$0")/../lib.sh"

ours || skip_all "needs our module's counters"
[ "$(nproc)" -ge 2 ] || skip_all "needs two CPUs"
two_peers
reach a 192.168.241.2 > /dev/null
# Peers get the lanes in turn; there are fewer than 64 of them here.
N=128
for n in $(seq $N); do
	echo "[Peer]"
	echo "PublicKey = $(head -c 32 /dev/urandom | base64)"
	echo "AllowedIPs = 192.168.242.$n/32"
	echo "Endpoint = 10.0.0.2:9"
done > "$TMP/peers"
wgc a addconf wg0 "$TMP/peers"
ip -n "$PFX-a" route add 192.168.242.0/24 dev wg0

# Senders that no worker gets the better of: hardly one runs while these do.
cat > "$TMP/fill.py" <<'P'
import os, socket, sys, time
n = int(sys.argv[1])
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(40))
children = []
end = time.monotonic() + 0.5
for _ in range(2):
    pid = os.fork()
    if not pid:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_UDP, 103, 1372)        # UDP_SEGMENT
        s.connect(("192.168.241.2", 9))
        while time.monotonic() < end:
            try:
                s.send(bytes(40 * 1372))
            except OSError:
                pass
        os._exit(0)
    children.append(pid)
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
time.sleep(0.3)
for i in range(n):
    s.sendto(b"x", ("192.168.242.%d" % (i + 1), 9))
for pid in children:
    os.waitpid(pid, 0)
P

# All peers but the one that has a session, and how many of them have been
# sent an initiation.
initiated() { wgc a show wg0 transfer | awk -v b="${PUB[b]}" '$1 != b && $3 >= 148' | wc -l; }
all_initiated() { [ "$(initiated)" = $N ]; }

a_full_lane()
{
	local full
	full=$(drops a wg0 lane_full)
	on a "$PY" "$TMP/fill.py" $N
	full=$(($(drops a wg0 lane_full) - full))
	diag "$full packets found a lane full"
	[ "$full" -gt 0 ]
	wait_for 5 all_initiated
}

subtest "a full lane keeps no peer from its session" a_full_lane
finish
