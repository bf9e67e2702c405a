#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One handshake, one session. The device initiates again and again; each time it
# gets several valid responses, each of them more than once, in any order, and
# those to earlier initiations as well. It must send with the keys of one of them
# only, and take data of no other.
#
#   a: peer in Python 10.0.0.1:4001 ------- eth0 10.0.0.2 -- [wg0] b
#
# spec 2.2, 2.3, 2.4
# quick: uml
# timeout: 90
# cpus: 2
. "$(dirname "$0")/../lib.sh"

two_ns
key py one two
wg_dev b wg0 one 1002 192.168.241.2/24
ns_sysctl b net.ipv6.conf.wg0.disable_ipv6 1
case $WG_ENV in uml*) ROUNDS=25 ;; *) ROUNDS=8 ;; esac

# A new private key starts over at once, without the pause between initiations.
race()
{
	wgc b set wg0 peer "${PUB[py]}" allowed-ips 192.168.241.77/32 endpoint 10.0.0.1:4001
	cat > "$TMP/race.py" <<'P'
import os, random, subprocess, sys, time
from noise import *

private, keys, publics = sys.argv[1], sys.argv[2:4], sys.argv[4:6]
rounds, wg, ns_b = int(sys.argv[6]), sys.argv[7], sys.argv[8]
seed = random.randrange(1 << 32)
rnd = random.Random(seed)
print("seed", seed)
wire = Wire(("10.0.0.2", 1002), ("10.0.0.1", 4001))
other = Wire(("10.0.0.2", 1002), ("10.0.0.1", 4002))
late = []               # what answered earlier initiations


def renew(n):
    subprocess.run(["nsenter", "--net=" + ns_b, wg, "set", "wg0", "private-key",
                    keys[n % 2], "peer", base64.b64encode(public(base64.b64decode(private))).decode(),
                    "endpoint", "10.0.0.1:4001"], check=True)


def ping():
    return subprocess.Popen(["nsenter", "--net=" + ns_b, "ping", "-n", "-q", "-c", "1",
                             "-W", "20", "192.168.241.77"], stdout=subprocess.DEVNULL)


def reply(plain):
    """The answer to an echo request."""
    return ipv4("192.168.241.77", "192.168.241.2",
                (lambda b: b[:2] + struct.pack("!H", checksum(b)) + b[4:])(
                    b"\0\0\0\0" + plain[24:struct.unpack("!H", plain[2:4])[0]]), 1)


for n in range(rounds):
    renew(n)
    echo_ = ping()
    m1 = wire.recv_kind(1, 20)
    assert m1, "no initiation in round %d" % n
    peers = [Peer(private, publics[n % 2]) for _ in range(3)]
    answers = [p.accept(m1) for p in peers]
    burst = answers * 3 + rnd.sample(late, min(len(late), 6))
    rnd.shuffle(burst)
    for msg in burst:
        rnd.choice((wire, wire, other)).send(msg)
    late = (late + answers)[-12:]
    # Whose keys does the device use?
    used, end = set(), time.monotonic() + 0.15
    got = None
    while time.monotonic() < end or not got:
        for w in (wire, other):
            msg = w.recv(0.02)
            if not msg or msg[0] != 4:
                assert time.monotonic() < end + 20, "no data in round %d" % n
                continue
            mine = [p for p in peers if struct.pack("<I", p.index) == msg[4:8]]
            assert mine, "data for an older session in round %d" % n
            plain = mine[0].open(msg)
            used.add(peers.index(mine[0]))
            if plain:
                got = plain
        # More of them while the session is in use.
        wire.send(rnd.choice(answers))
    assert len(used) == 1, "%d sessions of one handshake in round %d" % (len(used), n)
    # Data of the others, under the same index, are none.
    for p in peers:
        if peers.index(p) not in used:
            wire.send(p.data(reply(got), counter=1))
    try:
        echo_.wait(0.05)
        raise SystemExit("data of a session that there is not were taken")
    except subprocess.TimeoutExpired:
        pass
    wire.send(peers[used.pop()].data(reply(got), counter=2))
    assert echo_.wait(20) == 0, "the session does not work in round %d" % n
P
	PYTHONPATH=$PYDIR on a timeout $((20 * SCALE)) "$PY" "$TMP/race.py" "$(< "$TMP/py.key")" \
		"$TMP/one.key" "$TMP/two.key" "${PUB[one]}" "${PUB[two]}" "$ROUNDS" "$WG" \
		"/run/netns/$PFX-b"
}

# What was refused is told, and no index is left over.
told()
{
	ours || skip "counters of ours"
	[ "$(drops b wg0 unknown_index)" -gt "$ROUNDS" ]
	[ "$(drops b wg0 bad_tag)" -ge "$ROUNDS" ]
}

subtest "several responses, one session" race
subtest "the refused ones are counted" told
finish
