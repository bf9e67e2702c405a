#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Namespaces and devices that live across them, taken away in every order: the
# one that holds the sockets, the one that holds the device, the other end, all
# of them, while ports are set, links go up and down, devices move and packets
# are sent.
#
#   b: [wg0] --sockets--> a -- eth0 ------- eth0 -- c [wg1]
#   a: [wgx] --sockets--> b -- eth1 -- eth1 -- a --sockets-- [wg0]
#
# spec 3.5, 3.6, 3.7
# quick: uml
# timeout: 90
. "$(dirname "$0")/../lib.sh"

key w x c
case $WG_ENV in uml*) N=12 ;; *) N=6 ;; esac

# py SECONDS < what is to be done with worlds
py()
{
	{
		cat <<'P'
import itertools, random, sys
from rtnl import *

keys = {n: open("%s/%s.key" % (sys.argv[1], n)).read() for n in "wxc"}
pub = dict(a.split("=", 1) for a in sys.argv[3:])
watch, probes = Ns(), []
seed = random.randrange(1 << 32)
rnd = random.Random(seed)
end = time.monotonic() + float(sys.argv[2])


class World:
    def __init__(self):
        a, b, c = self.ns = [Ns(), Ns(), Ns()]
        self.a, self.b, self.c, self.home, self.up = a, b, c, b, True
        for ns in self.ns:
            probes.append("p%d" % len(probes))
            done(ns.veth("probe", watch, probes[-1]))
        done(a.veth("eth0", c, "eth0"))
        done(a.veth("eth1", b, "eth1"))
        done(a.address("eth0", "10.0.0.1", 24))
        done(c.address("eth0", "10.0.0.2", 24))
        done(a.address("eth1", "10.1.0.1", 24))
        done(b.address("eth1", "10.1.0.2", 24))
        if rnd.random() < 0.5:
            done(a.add("wg0", "wireguard", to=b))
        else:
            done(a.add("wg0", "wireguard"))
            done(a.link("wg0", to=b))
        done(b.add("wgx", "wireguard", to=a))
        done(c.add("wg1", "wireguard"))
        done(b.wg("wg0", key=keys["w"], port=1001,
                  peer=(pub["c"], "192.168.241.2/32", ("10.0.0.2", 1002), 1)))
        done(b.wg("wg0", peer=(pub["x"], "192.168.241.3/32")))
        done(a.wg("wgx", key=keys["x"], port=1003,
                  peer=(pub["w"], "192.168.241.1/32", ("10.1.0.1", 1001), 1)))
        done(c.wg("wg1", key=keys["c"], port=1002, peer=(pub["w"], "192.168.241.1/32")))
        # Who initiates is the last: it would wait five seconds for an answer.
        for ns, dev, ip in ((c, "wg1", 2), (b, "wg0", 1), (a, "wgx", 3)):
            done(ns.address(dev, "192.168.241.%d" % ip, 24))
            done(ns.link(dev, up=True))
        # Sessions, and with them routes that are remembered.
        into = c.socket(socket.AF_INET, socket.SOCK_DGRAM)
        into.bind(("192.168.241.2", 7))
        into.settimeout(20)
        self.send()
        into.recv(100)
        into.sendto(b"", ("192.168.241.1", 7))

    def alive(self, ns):
        return ns is not None and ns.fd >= 0

    def close(self, ns):
        if not self.alive(ns):
            return
        ns.close()
        if self.home is ns:
            self.home = None
        # When the sockets have gone the device knows it, soon.
        if ns is self.a and self.home and rnd.random() < 0.7:
            until(lambda: self.home.wg("wg0", fwmark=1) == errno.EPERM)
            self.known = True

    known = False

    # What a step may say: nothing wrong, or what it has to when the sockets'
    # namespace has gone; while it goes, either.
    def judge(self, err, gone):
        if self.alive(self.a):
            fine = (0,)
        elif self.known:
            fine = (gone,)
        else:
            fine = (0, errno.EPERM, errno.ENONET)
        assert err in fine, (errno.errorcode.get(err, err), fine)

    def set_port(self):
        self.judge(self.home.wg("wg0", port=rnd.randrange(2000, 60000)), errno.EPERM)

    def set_down(self):
        done(self.home.link("wg0", up=False))
        self.up = False

    def set_up(self):
        err = self.home.link("wg0", up=True)
        self.judge(err, 0 if self.up else errno.ENONET)
        self.up |= not err

    def send(self):
        sock = self.home.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for ip in (2, 3):
            try:
                sock.sendto(b"x", ("192.168.241.%d" % ip, 7))
            except OSError:
                pass        # there may be no route any more
        sock.close()

    def dump(self):
        # Not each time: who it is does not change.
        assert len(self.home.genl.get("wg0")[1]) == 2

    def move(self):
        to = rnd.choice([ns for ns in self.ns + [Ns()] if self.alive(ns)])
        if to is not self.home:
            if to not in self.ns:
                self.ns.append(to)
            done(self.home.link("wg0", to=to))
            self.home, self.up = to, False

    def delete(self):
        done(self.home.delete("wg0"))
        self.home = None

    def others(self):
        return [self.set_port, self.set_down, self.set_up, self.send, self.dump,
                self.move]

    def run(self, steps):
        names = []
        try:
            for step in steps:
                if isinstance(step, Ns):
                    names.append("close %s" % "abcd"[self.ns.index(step)])
                    self.close(step)
                elif self.home:
                    names.append(step.__name__)
                    step()
        except BaseException:
            print("seed", seed, "steps:", ", ".join(names))
            raise
        for ns in self.ns:
            if ns.fd >= 0:
                ns.close()


def settle(limit=40):
    """All that was taken away has gone, and nothing holds it."""
    until(lambda: not any(watch.index(p) for p in probes), limit)
    probes.clear()
P
		cat
	} > "$TMP/script.py"
	PYTHONPATH=$PYDIR "$PY" "$TMP/script.py" "$TMP" "$1" w="${PUB[w]}" x="${PUB[x]}" c="${PUB[c]}"
}

# In each order of the three, at once and with time in between.
closed()
{
	py $N <<'P'
worlds = 0
for wait in (False, True):
    for order in itertools.permutations(range(3)):
        w = World()
        steps = []
        for n in order:
            steps.append(w.ns[n])
            if wait:
                steps += [w.send, w.set_port, w.dump, w.set_down, w.set_up]
        w.run(steps)
        worlds += 1
    settle()
print(worlds, "worlds")
P
}

shuffled()
{
	py $N <<'P'
worlds = 0
while time.monotonic() < end or worlds < 3:
    w = World()
    steps = w.ns + w.others() + w.others()
    if rnd.random() < 0.3:
        steps.append(w.delete)
    rnd.shuffle(steps)
    w.run(steps)
    worlds += 1
    if worlds % 20 == 0:
        settle()
settle()
print(worlds, "worlds")
P
}

# The module goes while namespaces do.
unloaded()
{
	[ -e /sys/module/wireguard/refcnt ] || skip "WireGuard is built into this kernel"
	for _ in 1 2 3; do
		py 0 <<'P'
for order in ((0, 1, 2), (1, 0, 2), (2, 1, 0)):
    w = World()
    w.run([w.ns[n] for n in order])
P
		rmmod wireguard
		modprobe wireguard
	done
}

subtest "closed in each order" closed
subtest "closed in any order, busy meanwhile" shuffled
subtest "the module unloaded right after" unloaded
finish
