# SPDX-License-Identifier: GPL-2.0
"""A peer of a device in another namespace, for scenarios about time on a machine
whose clock jumps (uml-time).  It notes what comes when, to the millisecond:
there nothing takes time but waiting.

The environment says who is who: NS (the device's namespace), KEY (our private
key), PUB (the device's public key).  Topology as in the scenarios:

    far 10.0.0.1:4001, 192.168.241.77 ----- 10.0.0.2:1002 [wg0] 192.168.241.2"""
import copy
import ctypes
import json
import os
import subprocess
from collections import namedtuple

from noise import *

HZ = 100        # of that machine's kernel
KINDS = {1: "initiation", 2: "response", 3: "cookie", 4: "data"}
OURS = os.environ.get("WG_MODULE") == "ours"
Event = namedtuple("Event", "at kind msg")
now = time.monotonic


def latest(delay, spread=0.0):
    """When a kernel timer fires at the latest: the further away, the coarser."""
    level = 0
    while (delay + spread) * HZ >= 63 * 8 ** level:
        level += 1
    return delay + spread + (8 ** level + 1) / HZ


def within(what, value, low, high):
    """Give or take a tick: ages are told by a clock that goes by ticks."""
    print("%s: %.3f" % (what, value))
    assert low - 1 / HZ <= value <= high + 1 / HZ, "%s: %.3f, wanted %.3f .. %.3f" % (
        what, value, low, high)


def gaps(times):
    return [b - a for a, b in zip(times, times[1:])]


def inside(ns, *command):
    """A command in a namespace."""
    return subprocess.run(["nsenter", "--net=/run/netns/" + ns, "--", *command],
                          check=True, capture_output=True, text=True).stdout


def socket_inside(ns):
    """A UDP socket of a namespace: it stays there."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + ns, os.O_RDONLY)
    assert libc.setns(there, 0) == 0
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    assert libc.setns(home, 0) == 0
    os.close(home)
    os.close(there)
    return made


class Far:
    """Our end, and a socket at the device's end of the tunnel."""

    def __init__(self, port=4001, address="192.168.241.77"):
        self.ns, self.address, self.port = os.environ["NS"], address, port
        self.peer = Peer(os.environ["KEY"], os.environ["PUB"])
        self.wire = Wire(("10.0.0.2", 1002), ("10.0.0.1", port))
        # Who keeps quiet would make the device's kernel learn it by ICMP.
        self.inner = socket_inside(self.ns)
        self.inner.bind(("192.168.241.2", 0))
        self.inner.setblocking(False)
        self.seen = []

    def poke(self, data=b"poke"):
        """The device sends us one packet."""
        self.inner.sendto(data, (self.address, 9))

    def say(self, data=b"say", session=None):
        """We send one packet that the device does not answer."""
        session = session or self.peer
        udp = struct.pack("!HHHH", 9, self.inner.getsockname()[1],
                          8 + len(data), 0) + data
        self.wire.send(session.data(ipv4(self.address, "192.168.241.2", udp)))

    def heard(self):
        """What has arrived at the device's end of the tunnel since."""
        time.sleep(0.005)
        got = []
        while True:
            try:
                got.append(self.inner.recv(2000))
            except BlockingIOError:
                return got

    def note(self, msg):
        kind = KINDS[msg[0]]
        if kind == "data" and len(msg) == 32:
            kind = "keepalive"
        self.seen.append(Event(now(), kind, msg))
        return self.seen[-1]

    def watch(self, seconds, poke=None, until=None, each=None):
        """Note what comes within the time, and return it.

        poke: have the device send every so many seconds, at once first.
        until: end with the first message of this kind, which is returned.
        each: called for each event."""
        end, first = now() + seconds, len(self.seen)
        next_poke = now() if poke else end
        while True:
            if poke and now() >= next_poke and now() < end:
                self.poke()
                next_poke += poke
            msg = self.wire.recv(max(min(end, next_poke) - now(), 0.0005))
            if msg:
                event = self.note(msg)
                if each:
                    each(event)
                if event.kind == until:
                    return event
            elif now() >= end:
                assert not until, "no %s within %s s" % (until, seconds)
                return self.seen[first:]

    def times(self, *kinds, since=0.0):
        """When messages of these kinds came."""
        return [e.at for e in self.seen if e.kind in kinds and e.at >= since]

    def start(self):
        """A session we initiate; its time of birth."""
        self.watch(0.001)
        self.wire.session(self.peer)
        return now()

    def answer(self, initiation):
        """A session the device initiates; its time of birth."""
        self.wire.send(self.peer.accept(initiation))
        return now()

    def drops(self, reason):
        """Our module's counter."""
        for line in inside(self.ns, "ethtool", "-S", "wg0").splitlines():
            if line.strip().startswith("drop_%s:" % reason):
                return int(line.split()[1])

    def stat(self, name):
        """One of the device's statistics."""
        out = inside(self.ns, "ip", "-s", "-s", "-j", "link", "show", "wg0")
        part, field = name.split("_", 1)
        return json.loads(out)[0]["stats64"][part][field]


__all__ = [n for n in dir() if not n.startswith("_")]
