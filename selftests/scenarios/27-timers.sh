#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# That timers keep time by a real clock, watched side by side: persistent
# keepalive 1 s, retransmission after 5 s, the keepalive sent at once by up. All
# the other times: 30 to 33, where the clock jumps.
#
#   b [wg0] eth0 10.0.0.2 ------- 10.0.0.1 a: peers in Python, one port each
#
# spec 2.1, 2.6, 3.4
# quick: uml
# timeout: 120
. "$(dirname "$0")/../lib.sh"

two_ns
key dead lively
wg_dev b wg0 b 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
wgc b set wg0 \
	peer "${PUB[dead]}" allowed-ips 192.168.241.73/32 endpoint 10.0.0.1:4003 \
	peer "${PUB[lively]}" allowed-ips 192.168.241.74/32 endpoint 10.0.0.1:4004

# Everything that takes time runs together; each watcher prints its own times.
cat > "$TMP/watch.py" <<'P'
import sys, threading
from noise import *
pub, keys = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
AT, END = ("10.0.0.2", 1002), time.monotonic() + 9
out, lock = open(sys.argv[0] + ".out", "w"), threading.Lock()

def note(*words):
    with lock:
        print("%s %s %.3f" % (words[0], words[1], words[2]), file=out, flush=True)

def rest(w, p, tag, start):
    """Everything that still arrives, by type, with its time."""
    while time.monotonic() < END:
        m = w.recv(max(END - time.monotonic(), 0.001))
        if not m:
            continue
        kind = {1: "initiation", 2: "response", 4: "data"}[m[0]]
        if m[0] == 4 and not p.open(m):
            kind = "keepalive"
        note(tag, kind, time.monotonic() - start)

def dead():
    # Initiations to us are never answered: retransmissions.
    p, w = Peer(keys["dead"], pub), Wire(AT, ("10.0.0.1", 4003))
    w.sock.close()
    w.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    w.sock.bind(("10.0.0.1", 4003))
    note("dead", "ready", 0)
    first = w.recv(30)
    start = time.monotonic()
    note("dead", "initiation", 0)
    rest(w, p, "dead", start)

def lively():
    # Keepalive every second, from the handshake on; we start when up sends it.
    p, w = Peer(keys["lively"], pub), Wire(AT, ("10.0.0.1", 4004))
    note("lively", "ready", 0)
    m = w.recv_kind(1, 30)
    w.send(p.accept(m))
    start = time.monotonic()
    rest(w, p, "lively", start)

threads = [threading.Thread(target=f) for f in (dead, lively)]
for t in threads:
    t.start()
for t in threads:
    t.join()
P
args=()
for n in dead lively; do args+=("$n" "$(< "$TMP/$n.key")"); done
PYTHONPATH=$PYDIR bg a "$PY" "$TMP/watch.py" "${PUB[b]}" "${args[@]}" > "$TMP/watch.log" 2>&1
WATCH=$BG
OUT=$TMP/watch.py.out
ready() { [ "$(grep -c ready "$OUT")" = 2 ]; }
wait_for 10 ready || diag "the watcher did not start: $(< "$TMP/watch.log")"

# times TAG KIND: when it arrived
times() { awk -v t="$1" -v k="$2" '$1 == t && $2 == k { print $3 }' "$OUT"; }

# between VALUE LOW HIGH; the high bound gives way on a slow machine
between()
{
	awk -v v="$1" -v l="$2" -v h="$3" -v s="$SCALE" 'BEGIN { exit !(v >= l && v <= h + 0.25 * s) }' ||
		{ echo "got '$1', wanted $2 .. $3"; return 1; }
}

# Packets to the dead peer must not be lost in an interface that goes down.
no_reach b 192.168.241.73 > /dev/null
# Setting the interval on a live interface sends one at once.
wgc b set wg0 peer "${PUB[lively]}" persistent-keepalive 1

up_at_once()
{
	ns_add u
	key u
	ipn u link add wg0 type wireguard
	ipn u link add dummy0 type dummy || skip "kernel without dummy"
	addr u dummy0 10.9.0.1/24
	ipn u link set dummy0 up
	wgc u set wg0 private-key "$TMP/u.key" listen-port 7 peer "${PUB[dead]}" \
		endpoint 10.9.0.2:9 persistent-keepalive 60
	ipn u neigh add 10.9.0.2 lladdr 02:00:00:00:00:09 dev dummy0
	equal "sent while down" "$(dev_stat u wg0 tx_packets)" 0
	ipn u link set wg0 up
	sent() { [ "$(dev_stat u wg0 tx_bytes)" = 148 ]; }
	wait_for 2 sent
}

persistent()
{
	local n=0 last="" t
	while read -r t; do
		if [ -n "$last" ]; then
			between "$(awk "BEGIN { print $t - $last }")" 0.80 1.15
			n=$((n + 1))
		fi
		last=$t
	done < <(times lively keepalive | head -n 12)
	[ $n -ge 5 ]
}

retransmit()
{
	local last=0 t n=0
	while read -r t; do
		between "$(awk "BEGIN { print $t - $last }")" 4.95 5.45
		last=$t n=$((n + 1))
	done < <(times dead initiation | sed 1d | head -n 1)
	equal "gaps" $n 1
}

subtest "up sends a keepalive at once" up_at_once
ended() { ! kill -0 "$WATCH" 2> /dev/null; }
wait_for 40 ended
[ ! -s "$TMP/watch.log" ] || sed 's/^/# /' "$TMP/watch.log"
diag "times: $(tr '\n' ';' < "$OUT")"
subtest "persistent keepalive every second" persistent
subtest "an unanswered initiation is repeated after 5 s" retransmit
finish
