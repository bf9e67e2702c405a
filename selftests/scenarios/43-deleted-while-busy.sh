#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A device is deleted, or moved and deleted elsewhere, or goes with a namespace,
# again and again, while packets go through it in both directions, handshakes
# flood it, programs ask it and change it, and its timers are pending; and the
# module goes right after it.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b, deleted and made again
#
# spec 3.3, 3.5, 3.7, 3.9
# quick: uml
# timeout: 90
# cpus: 2
. "$(dirname "$0")/../lib.sh"

key a b f
case $WG_ENV in uml*) N=3 ;; *) N=2 ;; esac

# busy SECONDS ACTOR...: device b lives and dies while the actors do their best.
busy()
{
	PYTHONPATH=$PYDIR "$PY" "$TMP/busy.py" "$TMP" "${PUB[a]}" "${PUB[b]}" "${PUB[f]}" "$@"
}

cat > "$TMP/busy.py" <<'P'
import random, signal, sys
from rtnl import *
from noise import Peer

tmp, pub_a, pub_b, pub_f = sys.argv[1:5]
seconds, actors = float(sys.argv[5]), sys.argv[6:]
keys = {n: open("%s/%s.key" % (tmp, n)).read() for n in "abf"}
a, b = Ns(), Ns()
seed = random.randrange(1 << 32)
rnd = random.Random(seed)


def device():
    done(b.add("wg0", "wireguard"))
    done(b.wg("wg0", key=keys["b"], port=1002,
              peer=(pub_a, "192.168.241.1/32", ("10.0.0.1", 1001), 1)))
    done(b.wg("wg0", peer=(pub_f, "192.168.241.9/32")))
    # Nobody answers this one: there is always a timer that is due.
    done(b.wg("wg0", peer=(lost, "192.168.241.8/32", ("10.0.0.8", 9), 1)))
    done(b.address("wg0", "192.168.241.2", 24))
    done(b.link("wg0", up=True))


def send(to, size):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        try:
            for _ in range(50):
                sock.sendto(bytes(size), (to, 7))
        except OSError:
            time.sleep(0.001)   # no device, no route, no buffer


def there():
    setns(a.fd)
    send("192.168.241.2", 1300)


def back():
    setns(b.fd)
    send("192.168.241.1", 200)


def handshakes():
    setns(a.fd)
    p = Peer(keys["f"], pub_b)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        # Fresh ones, and the same ones too late.
        some = [p.initiation() for _ in range(10)]
        for n in range(200):
            try:
                sock.sendto(some[n % 10], ("10.0.0.2", 1002))
            except OSError:
                pass


def dumps():
    setns(b.fd)
    genl = Genl()
    while True:
        try:
            genl.get("wg0")
        except OSError:
            pass


def changes():
    setns(b.fd)
    b.genl = Genl()
    n = 0
    while True:
        n += 1
        who = base64.b64encode(key(n % 7)).decode()
        b.wg("wg0", fwmark=n & 1, peer=(who, "10.9.%d.0/24" % (n % 7), ("10.0.0.7", 9), 1))
        b.wg("wg0", port=1002 + n % 3, remove=who)
        b.wg("wg0", port=1002)


def arrived():
    """Packets of a's have come through, since now."""
    into.setblocking(False)
    try:
        while True:
            into.recv(2000)
    except BlockingIOError:
        pass
    into.settimeout(30)
    into.recv(2000)


lost = base64.b64encode(key(99)).decode()
done(a.veth("eth0", b, "eth0"))
done(a.address("eth0", "10.0.0.1", 24))
done(b.address("eth0", "10.0.0.2", 24))
done(a.add("wg0", "wireguard"))
done(a.wg("wg0", key=keys["a"], port=1001, peer=(pub_b, "192.168.241.2/32", ("10.0.0.2", 1002))))
done(a.address("wg0", "192.168.241.1", 24))
done(a.link("wg0", up=True))
into = b.socket(socket.AF_INET, socket.SOCK_DGRAM)
into.bind(("", 7))

pids = []
for actor in actors:
    pid = os.fork()
    if not pid:
        libc.prctl(1, signal.SIGKILL)    # goes when we do
        globals()[actor]()
        os._exit(1)
    pids.append(pid)

end = time.monotonic() + seconds
lives = 0
try:
    while time.monotonic() < end or lives < 3:
        device()
        if "there" in actors and lives % 8 == 0:
            arrived()
        time.sleep(rnd.random() * 0.02)
        how = rnd.randrange(4)
        if how < 2:
            done(b.delete("wg0"))
        else:
            d = Ns()
            done(b.link("wg0", to=d))
            if how == 2:
                done(d.delete("wg0"))
            d.close()
        lives += 1
    device()
    if "there" in actors:
        arrived()
    for pid in pids:
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), "an actor died"
finally:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
print("%d lives, seed %d" % (lives, seed))
P

# What a namespace still has when it goes is deleted by the kernel.
unloaded()
{
	[ -e /sys/module/wireguard/refcnt ] || skip "WireGuard is built into this kernel"
	for _ in 1 2 3; do
		busy 0 there back handshakes dumps changes
		rmmod wireguard
		modprobe wireguard
	done
}

subtest "while packets go both ways" busy $N there back
subtest "while handshakes flood it" busy $N there handshakes
subtest "while it is asked and changed" busy $N dumps changes
subtest "all of it" busy $N there back handshakes dumps changes
subtest "the module unloaded right after" unloaded
finish
