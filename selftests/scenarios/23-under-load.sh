#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Under load: a flood of initiations with a valid mac1 brings cookie replies; a
# peer that shows its cookie and an honest kernel peer still get through.
#
#   a: flood and peer in Python 10.0.0.1 ---\
#                                            s -- 10.0.0.2 [wg0] b
#   c: kernel peer 10.0.0.3 [wg0] ----------/
#
# spec 1.6, 2.9
# quick: uml
# timeout: 180
# cpus: 2
. "$(dirname "$0")/../lib.sh"

ns_add a b c s
ip -n "$PFX-s" link add br0 type bridge > /dev/null 2>&1 || skip_all "kernel without bridge"
ip -n "$PFX-s" link set dev br0 up
i=0
for ns in a b c; do
	i=$((i + 1))
	veth $ns eth0 s $ns
	ip -n "$PFX-s" link set dev $ns master br0
	addr $ns eth0 10.0.0.$i/24
done
key b c py
wg_dev b wg0 b 1002 192.168.241.2/24
wg_dev c wg0 c 1003 192.168.241.3/24
wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32 peer "${PUB[c]}" allowed-ips 192.168.241.3/32
wgc c set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32 endpoint 10.0.0.2:1002

# Two for each CPU: those that do the work are as many as the CPUs, and quick
# where the kernel around them is slow. Valid mac1, garbage inside.
cat > "$TMP/flood.py" <<'P'
import sys, os
from noise import *
w = Wire(("10.0.0.2", 1002))
key = hash_(b"mac1----", base64.b64decode(sys.argv[1]))
msgs = []
for i in range(64):
    m = struct.pack("<II", 1, i) + os.urandom(108)
    msgs.append(m + mac(key, m) + bytes(16))
send = w.sock.send
while True:
    for m in msgs:
        try:
            send(m)
        except OSError:
            pass
P

flood()
{
	: > "$TMP/floods"
	for _ in $(seq $((2 * $(nproc)))); do
		PYTHONPATH=$PYDIR bg a "$PY" "$TMP/flood.py" "${PUB[b]}"
		echo "$BG" >> "$TMP/floods"
	done
}

cookie()
{
	flood
	PYTHONPATH=$PYDIR on a "$PY" - "$(< "$TMP/py.key")" "${PUB[b]}" <<'P'
import sys
from noise import *
p = Peer(sys.argv[1], sys.argv[2])
w = Wire(("10.0.0.2", 1002))
end = time.monotonic() + 90
m1 = p.initiation()             # a late answer must fit, too
while True:
    assert time.monotonic() < end, "no cookie while there is a flood"
    w.send(m1)
    got = w.recv(0.7)
    if got and got[0] == 3:
        break
p.take_cookie(got)
print("cookie taken")
# With mac2 the token bucket decides: 20 per second for our address.  The
# flood has no mac2 and takes no tokens.
while True:
    assert time.monotonic() < end, "no response in spite of mac2"
    m1 = p.initiation()
    w.send(m1)
    got = w.recv_kind(2, 3.0)
    # What was asked for before may be answered late.
    while got and got[8:12] != m1[4:8]:
        got = w.recv_kind(2, 3.0)
    if got:
        break
p.response(got)
w.send(p.data(b""))
w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
while True:
    assert time.monotonic() < end, "no data"
    got = w.recv_kind(4, 1.0)
    if got:
        break
    w.send(p.data(echo("192.168.241.77", "192.168.241.2")))
P
}

# The kernel peer gets a cookie for its first try and comes back with mac2.
honest()
{
	local i
	for i in $(< "$TMP/floods"); do kill -0 "$i"; done
	reached() { on c ping -n -q -c 1 -W 2 192.168.241.2; }
	wait_for 30 reached
	for i in $(< "$TMP/floods"); do kill -0 "$i"; done
}

counted()
{
	ours || skip "needs our module"
	[ "$(drops b wg0 cookie_sent)" -gt 0 ]
}

# A second after the flood mac2 is not asked for.
calm()
{
	local i
	for i in $(< "$TMP/floods"); do bg_end "$i"; done
	gone() { ! kill -0 "$(head -n 1 "$TMP/floods")"; }
	wait_for 5 gone
	PYTHONPATH=$PYDIR on a "$PY" - "$(< "$TMP/py.key")" "${PUB[b]}" <<'P'
import sys
from noise import *
end = time.monotonic() + 30
while True:
    p, w = Peer(sys.argv[1], sys.argv[2]), Wire(("10.0.0.2", 1002))
    w.send(p.initiation())
    if w.recv_kind(2, 1.2):
        break
    assert time.monotonic() < end, "still asks for a cookie"
P
}

subtest "a cookie is sent, and accepted in return" cookie
subtest "an honest peer gets through the flood" honest
subtest "cookies are counted" counted
subtest "after the flood no cookie is asked for" calm
finish
