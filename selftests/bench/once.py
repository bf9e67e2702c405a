# SPDX-License-Identifier: GPL-2.0
"""What is measured once for a module, in namespace b: times and memory of many
peers, handshakes a second.  Lines "value LINK WORKLOAD CONTENDER NUMBER".

    once.py initiations PUBLIC-KEY COUNT FILE   write two initiations of each of as many peers, raw
    once.py many CONTENDER PRIVATE-KEY COUNT    add and remove idle peers
    once.py sessions CONTENDER FILE             a session with each of these peers
    once.py remove CONTENDER [WORKLOAD]         remove all peers, which takes WORKLOAD milliseconds
    once.py honest CONTENDER PUBLIC-KEY COUNT   so many new peers want a session while somebody floods
    once.py add CONTENDER COUNT                 so many idle peers, silently
"""
import base64
import functools
import os
import socket
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "py"))
import genl
import noise

AT_A_TIME = 128
PEER = 32 + 2 * 148               # public key, two initiations


def value(workload, number):
    print("value local", workload, sys.argv[2], int(number), flush=True)


def available():
    """KiB that are not in use, when what is freed later has been freed."""
    last = 0
    while True:
        subprocess.run(["sync"], check=True)
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3")
        with open("/proc/meminfo") as f:
            now = next(int(line.split()[1]) for line in f if line.startswith("MemAvailable"))
        if abs(now - last) < 200:
            return now
        last = now
        time.sleep(0.5)


def prefix_of(n):
    return "10.%d.%d.%d/32" % (n >> 16, n >> 8 & 255, n & 255)


def add(g, keys):
    for at in range(0, len(keys), 500):
        some = [genl.peer(k, genl.nest(genl.P_ALLOWED, genl.allowed(prefix_of(at + i))))
                for i, k in enumerate(keys[at:at + 500])]
        assert not g.call(genl.attr(genl.D_IFNAME, "wg0") + genl.peers(*some))


def remove_all(g):
    assert not g.call(genl.attr(genl.D_IFNAME, "wg0") + genl.u32(genl.D_FLAGS, 1))


def dump(g):
    """Reads it all into the same memory, looks at nothing but where it ends."""
    buffer = bytearray(g.size)
    g.begin("wg0")
    kind = None
    while kind != genl.DONE:
        end, at = g.sock.recv_into(buffer), 0
        while at < end:
            size, kind = struct.unpack_from("=IH", buffer, at)
            at += size + 3 & ~3


def timed(name, what, *args):
    begin = time.monotonic()
    what(*args)
    value(name, (time.monotonic() - begin) * 1000)


def initiations(key, count, path):
    """All with one ephemeral key: of eight multiplications a peer that leaves two."""
    noise.dh = functools.lru_cache(8)(noise.dh)
    noise.public = functools.lru_cache(8)(noise.public)
    e = os.urandom(32)
    with open(path, "wb") as f:
        for _ in range(count):
            p = noise.Peer(base64.b64encode(os.urandom(32)), key)
            f.write(p.public + p.initiation(noise.tai64n(), e=e) +
                    p.initiation(noise.tai64n(1), e=e))


def many(g, private, count):
    """Milliseconds, and bytes a peer."""
    keys = [genl.key(n) for n in range(count)]
    remove_all(g)
    before = available()
    timed("peers-add", add, g, keys)
    value("memory-idle", (before - available()) * 1024 / count)
    timed("peers-dump", dump, g)
    timed("peers-show", lambda: subprocess.run(["wg", "show", "wg0", "dump"], check=True,
                                               stdout=subprocess.DEVNULL))
    for key in os.urandom(32), base64.b64decode(private):
        timed("peers-key", lambda: g.call(genl.attr(genl.D_IFNAME, "wg0") +
                                          genl.attr(genl.D_PRIVATE, key)))
    timed("peers-remove", remove_all, g)


def shake(s, messages):
    """Handshakes a second. Never more than some are unanswered: the responder
    does not feel under load."""
    sent = done = 0
    begin = time.monotonic()
    while done < len(messages):
        while sent < len(messages) and sent - done < AT_A_TIME:
            s.send(messages[sent])
            sent += 1
        assert len(s.recv(200)) == 92
        done += 1
    return len(messages) / (time.monotonic() - begin)


def sessions(g, path):
    """Twice with each: what is computed once for a peer, some compute when it
    is added, some when it first comes. The memory of each is what is in use
    then, less that of idle peers."""
    with open(path, "rb") as f:
        data = f.read()
    data = [data[at:at + PEER] for at in range(0, len(data), PEER)]
    add(g, [d[:32] for d in data])
    idle = available()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", 1002))
        s.settimeout(5)
        value("handshakes-first", shake(s, [d[32:32 + 148] for d in data]))
        value("memory-session", max(0, idle - available()) * 1024 / len(data))
        value("handshakes", shake(s, [d[32 + 148:] for d in data]))


def shake_once(peer, address):
    """Seconds until the answer, with a cookie if one is asked for; None in vain."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((address, 0))
        s.connect(("127.0.0.1", 1002))
        s.settimeout(1)
        begin = time.monotonic()
        for _ in range(3):
            s.send(peer.initiation())
            try:
                answer = s.recv(200)
            except TimeoutError:
                continue
            if answer[0] == 2:
                return time.monotonic() - begin
            peer.take_cookie(answer)
    return None


def honest(g, key, count):
    peers = [noise.Peer(base64.b64encode(os.urandom(32)), key) for _ in range(count)]
    add(g, [p.public for p in peers])
    times = [shake_once(p, "127.1.%d.1" % i) for i, p in enumerate(peers)]
    done = [t for t in times if t is not None]
    value("honest", len(done) * 1000 / count)
    value("honest-time", statistics.median(done or [3]) * 1e6)


def main():
    what, *args = sys.argv[1:]
    if what == "initiations":
        return initiations(args[0], int(args[1]), args[2])
    g = genl.Genl()
    if what == "many":
        many(g, args[1], int(args[2]))
    elif what == "sessions":
        sessions(g, args[1])
    elif what == "remove":
        begin = time.monotonic()
        remove_all(g)
        if args[1:]:
            value(args[1], (time.monotonic() - begin) * 1000)
    elif what == "honest":
        honest(g, args[1], int(args[2]))
    elif what == "add":
        add(g, [genl.key(n) for n in range(int(args[1]))])
    return None


main()
