# SPDX-License-Identifier: GPL-2.0
"""What is measured once for a module, in namespace b: handshakes a second, and
times and memory of many peers.

    once.py CONTENDER PRIVATE-KEY PEERS    lines "value LINK WORKLOAD CONTENDER NUMBER"
    once.py --initiation PUBLIC-KEY        one initiation of a stranger, raw
"""
import base64
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "py"))
import genl
import noise

HANDSHAKES, AT_A_TIME = 1000, 128


def value(workload, number):
    print("value local", workload, sys.argv[1], int(number), flush=True)


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


def handshakes(g, private):
    """A thousand peers, each with one initiation, never more than some
    unanswered: the responder does not feel under load."""
    public = noise.public(base64.b64decode(private))
    ours = [noise.Peer(base64.b64encode(os.urandom(32)), base64.b64encode(public))
            for _ in range(HANDSHAKES)]
    add(g, [p.public for p in ours])
    idle = available()
    messages = [p.initiation() for p in ours]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", 1002))
        s.settimeout(5)
        sent = done = 0
        begin = time.monotonic()
        while done < HANDSHAKES:
            while sent < HANDSHAKES and sent - done < AT_A_TIME:
                s.send(messages[sent])
                sent += 1
            assert len(s.recv(200)) == 92
            done += 1
        took = time.monotonic() - begin
    value("handshakes", HANDSHAKES / took)
    value("memory-session", max(0, idle - available()) * 1024 / HANDSHAKES)
    remove_all(g)


def many(g, count):
    """Milliseconds, and bytes a peer."""
    def timed(name, what):
        begin = time.monotonic()
        what()
        value(name, (time.monotonic() - begin) * 1000)

    keys = [genl.key(n) for n in range(count)]
    before = available()
    timed("peers-add", lambda: add(g, keys))
    value("memory-idle", (before - available()) * 1024 / count)
    timed("peers-dump", lambda: subprocess.run(["wg", "show", "wg0", "dump"], check=True,
                                               stdout=subprocess.DEVNULL))
    timed("peers-key", lambda: g.call(genl.attr(genl.D_IFNAME, "wg0") +
                                      genl.attr(genl.D_PRIVATE, os.urandom(32))))
    timed("peers-remove", lambda: remove_all(g))


def main():
    if sys.argv[1] == "--initiation":
        stranger = noise.Peer(base64.b64encode(os.urandom(32)), sys.argv[2])
        sys.stdout.buffer.write(stranger.initiation())
        return
    g = genl.Genl()
    remove_all(g)
    handshakes(g, sys.argv[2])
    many(g, int(sys.argv[3]))


main()
