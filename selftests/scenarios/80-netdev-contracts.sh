#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the rest of the stack expects of any network device: timestamps and
# departure times of senders, the limits of GRO, no polling by applications,
# packets of other tunnels, and that nobody's control group judges the traffic
# of all.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.2, 5.4
# timeout: 60
. "$(dirname "$0")/../lib.sh"

two_peers 4

counted() { on a ethtool -S wg0 | awk -v k="$1:" '$1 == k { print $2 }'; }
hello() { reach a 192.168.241.2; }

# A socket learns when its packet was sent.
tx_timestamp()
{
	on a "$PY" - <<'P'
import select, socket
SO_TIMESTAMPING, TX_SOFTWARE, SOFTWARE, TSONLY = 37, 1 << 1, 1 << 4, 1 << 11
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TX_SOFTWARE | SOFTWARE | TSONLY)
s.sendto(b"x" * 100, ("192.168.241.2", 9))
p = select.poll()
p.register(s, select.POLLERR)
assert p.poll(5000), "nothing in the error queue"
_, found, _, _ = s.recvmsg(2000, 1000, socket.MSG_ERRQUEUE)
print(found)
assert any(kind == SO_TIMESTAMPING for _, kind, _ in found)
P
}

# A packet that is to leave later does, by the queue discipline of the cable.
departure_time()
{
	on a tc qdisc replace dev eth0 root fq || skip "no fq"
	# Not the answers: nobody listens there.
	capture a eth0 fq udp dst port 1002
	on a "$PY" - <<'P'
import socket, struct, time
SO_TXTIME = 61
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, SO_TXTIME, struct.pack("iI", time.CLOCK_MONOTONIC, 0))
for ms in (0, 800):
    when = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + ms * 1000000
    s.sendmsg([b"y" * 500], [(socket.SOL_SOCKET, SO_TXTIME, struct.pack("Q", when))], 0,
              ("192.168.241.2", 9))
P
	wait_for 5 captured_at_least fq 2 'udp[4:2] > 500'
	capture_end fq
	on a tc qdisc del dev eth0 root
	captured fq -tt 'udp[4:2] > 500' |
		awk '{ t[NR] = $1 } END { print t[2] - t[1]; exit !(t[2] - t[1] > 0.5) }'
}

# The NAPI that delivers is no hardware: nobody may spin on it.
no_busy_poll()
{
	bg b "$PY" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7777)); s.settimeout(30); s.recvfrom(2000)
print(s.getsockopt(socket.SOL_SOCKET, 56), flush=True)' > "$TMP/napi"
	wait_for 5 listening b 7777
	on a "$PY" -c 'import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.168.241.2", 7777))'
	wait_for 5 test -s "$TMP/napi"
	equal "SO_INCOMING_NAPI_ID" "$(cat "$TMP/napi")" 0
}

largest() { captured gro | grep -o 'length [0-9]*' | awk '$2 > m { m = $2 } END { print +m }'; }

# Merged packets are no larger than the device says.
gro_size()
{
	ipn b link set dev wg0 gro_max_size 20000 gro_ipv4_max_size 20000 2> /dev/null ||
		ipn b link set dev wg0 gro_max_size 20000 || skip "ip(8) without gro_max_size"
	capture b wg0 gro tcp
	send_file a b 192.168.241.2 2048
	wait_for 5 captured_at_least gro 100
	capture_end gro
	ipn b link set dev wg0 gro_max_size 65536
	echo "largest: $(largest)"
	[ "$(largest)" -gt 2000 ]
	[ "$(largest)" -le 20000 ]
}

# UFO from a virtual machine is one large datagram, not a bundle.
ufo()
{
	local before after
	before=$(($(drops b wg0 unknown_index) + $(drops b wg0 malformed)))
	on b "$PY" "$PYDIR/ufo.py" 1002
	wait_for 5 ufo_counted $((before + 1))
	after=$(($(drops b wg0 unknown_index) + $(drops b wg0 malformed)))
	equal "datagrams counted" $((after - before)) 1
}

ufo_counted() { [ $(($(drops b wg0 unknown_index) + $(drops b wg0 malformed))) -ge "$1" ]; }

# A megabyte of TCP through the tunnel t0 inside of ours: arrives, in packets
# that are right outside and inside.
through_t0()
{
	py <<'P'
tap = Tap("b", "wg0")
with ns("b"):
    listener = socket.create_server(("fd00:99::2", 7), family=socket.AF_INET6)
with ns("a"):
    sender = socket.create_connection(("fd00:99::2", 7), timeout=20)
receiver, _ = listener.accept()
receiver.settimeout(20)
data = os.urandom(1 << 20)
threading.Thread(target=lambda: (sender.sendall(data), sender.close())).start()
got = b"".join(iter(lambda: receiver.recv(1 << 16), b""))
assert got == data
SIT, GRE = 41, 47
inner = lambda f: dissect(f.data[8 + 14:] if f.proto == UDP else f.body[8:] if f.proto == GRE else f.body)
for f in tap.collect(800, keep=lambda f: f.proto in (UDP, SIT, GRE)):
    assert f.good and len(f.raw) <= 1420, "outside: %r" % vars(f)
    assert inner(f).good, "inside: %r" % vars(inner(f))
P
}

# overlay KIND [OPTION]...: a tunnel of another kind inside of ours: its
# super-packets come whole and leave in bundles. Where there is one CPU nothing
# of it needs a worker, and nothing is dropped.
overlay()
{
	local kind=$1 lanes workers bundles
	shift
	ipn a link add t0 type "$kind" "$@" local 192.168.241.1 remote 192.168.241.2 ||
		skip "no $kind"
	ipn b link add t0 type "$kind" "$@" local 192.168.241.2 remote 192.168.241.1
	addr a t0 fd00:99::1/64
	addr b t0 fd00:99::2/64
	ipn a link set dev t0 mtu 1280 up
	ipn b link set dev t0 mtu 1280 up
	# Single packets are looked at.
	on b ethtool -K wg0 gro off
	lanes=$(drops a wg0 lane_full)
	workers=$(counted crypto_worker)
	bundles=$(counted tx_bundles)
	reach_soon a fd00:99::2
	through_t0
	[ "$(counted tx_bundles)" -ge $((bundles + 10)) ]
	equal "dropped" "$(drops a wg0 lane_full)" "$lanes"
	[ "$(nproc)" -gt 1 ] || equal "given to workers" "$(counted crypto_worker)" "$workers"
	ipn a link del dev t0
	ipn b link del dev t0
	on b ethtool -K wg0 gro on
}

# The program of one group drops all that its members receive: what others
# receive by a tunnel that a member has set up is none of its business.
control_group()
{
	mkdir "$TMP/cg"
	mount -t cgroup2 none "$TMP/cg" || skip "no cgroup2"
	mkdir "$TMP/cg/drop"
	"$PY" "$PYDIR/cgdrop.py" "$TMP/cg/drop" || { umount "$TMP/cg"; skip "no cgroup programs"; }
	ipn b link set dev wg0 down
	sh -c "echo \$\$ > $TMP/cg/drop/cgroup.procs; exec ip -n $PFX-b link set dev wg0 up"
	wait_for 10 on a ping -n -q -c 1 -W 2 192.168.241.2
	rmdir "$TMP/cg/drop"
	umount "$TMP/cg"
}

subtest "handshake" hello
subtest "a sender gets its software timestamp" tx_timestamp
subtest "a departure time survives the tunnel" departure_time
subtest "applications cannot poll the device" no_busy_poll
if ours; then
	printf 'import threading\n' > "$TMP/py.head"
	py_serve a
	subtest "merged packets keep to the device's GRO size" gro_size
	subtest "UFO is one datagram" ufo
	subtest "vxlan inside" overlay vxlan id 5 dstport 4789
	subtest "sit inside" overlay sit
	subtest "gre inside" overlay gre csum
fi
subtest "control groups do not filter the tunnel's sockets" control_group
finish
