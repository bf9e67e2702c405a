#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Up and down under traffic: sessions are forgotten; port, peers, endpoints and
# counters are kept.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 3.4, 3.5
# timeout: 180
# cpus: 2
. "$(dirname "$0")/../lib.sh"

two_peers 4
down() { ip -n "$PFX-$1" link set wg0 down; }
up() { ip -n "$PFX-$1" link set wg0 up; }

bound() { on "$1" ss -Hlnu "sport = :$2" | grep -q .; }

kept()
{
	local ep rx tx
	reach a 192.168.241.2
	wgc b set wg0 listen-port 0
	reach b 192.168.241.1
	wgc b show wg0 listen-port > "$TMP/port"
	[ "$(< "$TMP/port")" != 0 ]
	ep=$(peer_field b wg0 a endpoint)
	rx=$(peer_field b wg0 a rx) tx=$(peer_field b wg0 a tx)
	down b
	equal "port while down" "$(wgc b show wg0 listen-port)" "$(< "$TMP/port")"
	refute bound b "$(< "$TMP/port")"
	has_handshake b wg0 a
	up b
	equal "port after up" "$(wgc b show wg0 listen-port)" "$(< "$TMP/port")"
	equal "endpoint" "$(peer_field b wg0 a endpoint)" "$ep"
	[ "$(peer_field b wg0 a rx)" -ge "$rx" ]
	[ "$(peer_field b wg0 a tx)" -ge "$tx" ]
	bound b "$(< "$TMP/port")"
}

# The next packet after up needs a handshake: an initiation is seen.
forgotten()
{
	reach b 192.168.241.1
	capture a eth0 init 'udp[4:2] = 156 and src 10.0.0.2'
	down b
	up b
	# A cleared session does not wait for the 5 s limit.
	reach b 192.168.241.1
	wait_for 2 captured_at_least init 1
	capture_end init
}

in_use()
{
	# The kept port may be taken meanwhile: up fails, nothing else does.
	wgc b set wg0 listen-port 1002
	outer 4
	down b
	bg b socat -u UDP4-RECVFROM:1002,fork STDOUT
	wait_for 5 listening b 1002
	refute up b
	bg_end "$BG"
	up b
	reach b 192.168.241.1
}

cycles()
{
	reach a 192.168.241.2
	bg a ping -n -q -i 0.002 -c 1000000 192.168.241.2 > /dev/null
	bg b ping -n -q -i 0.002 -c 1000000 -s 1380 fd00:241::1 > /dev/null
	for _ in 1 2 3 4 5 6 7 8; do
		down b
		up b
		down a
		up a
	done
	# Down takes IPv6 addresses along.
	addr a wg0 fd00:241::1/64
	addr b wg0 fd00:241::2/64
	reach_soon a 192.168.241.2
	reach_soon a fd00:241::2
}

no_link_local()
{
	equal "IPv6 link-local addresses" "$(ip -n "$PFX-a" -6 addr show dev wg0 scope link | wc -l)" 0
	equal "send_redirects" "$(on a cat /proc/sys/net/ipv4/conf/wg0/send_redirects)" 0
}

# A worker that gives up its turn just then, after 32 messages, is refused by the
# workqueue: on one CPU it is the only one, and nobody would look at the queue
# any more. It takes a few dozen tries to meet it there.
flooded()
{
	local rounds=50
	case $WG_ENV in uml | uml-smp) rounds=300 ;; esac
	cat > "$TMP/flooded.py" <<'P'
import sys
from noise import *
from rtnl import *

pub, there, here = sys.argv[1:4]
mac1_key = hash_(b"mac1----", base64.b64decode(pub))
flood = os.fork()
if not flood:
    libc.prctl(1, 9)    # goes when we do
    setns(os.open("/run/netns/" + there, os.O_RDONLY))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_UDP, 103, 148)   # UDP_SEGMENT
    bundle = b""
    for n in range(64):
        m = struct.pack("<II", 1, n) + os.urandom(108)
        bundle += m + mac(mac1_key, m) + bytes(16)
    while True:
        try:
            sock.sendto(bundle, ("10.0.0.2", 1002))
        except OSError:
            pass
setns(os.open("/run/netns/" + here, os.O_RDONLY))
route = Ns.__new__(Ns)
route.route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
for _ in range(int(sys.argv[4])):
    done(route.link("wg0", up=False))
    done(route.link("wg0", up=True))
    # There is more in the queue then than he does in one turn.
    time.sleep(0.02)
os.kill(flood, 9)
os.waitpid(flood, 0)
P
	wgc b set wg0 listen-port 1002
	outer 4
	PYTHONPATH=$PYDIR "$PY" "$TMP/flooded.py" "${PUB[b]}" "$PFX-a" "$PFX-b" $rounds
	# The initiation is a's, so b has to answer.
	down a
	up a
	reach_soon a 192.168.241.2
}

# A device deleted while it is busy
delete_busy()
{
	ip -n "$PFX-b" link del wg0
	ip -n "$PFX-a" link del wg0
	two_again
	reach_soon a 192.168.241.2
}

two_again()
{
	wg_dev a wg0 a 1001 192.168.241.1/24
	wg_dev b wg0 b 1002 192.168.241.2/24
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32 endpoint 10.0.0.2:1002
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32
}

subtest "what is kept over down and up" kept
subtest "sessions are forgotten" forgotten
subtest "a port that is taken meanwhile" in_use
subtest "up and down under traffic" cycles
subtest "up and down under a flood of handshakes" flooded
subtest "no link-local address, no redirects" no_link_local
subtest "deleted under traffic and made again" delete_busy
finish
