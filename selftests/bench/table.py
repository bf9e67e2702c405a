#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Medians and ratios of what bench.sh has measured.

    table.py [--json FILE] ENV < lines
"""
import argparse
import json
import statistics
import sys

# Workloads: what they are called, their unit, and whether less is better.
WORKLOADS = {
    "tcp1": ("TCP, 1 stream, IPv4", "Mbit/s", False),
    "tcp1-v6": ("TCP, 1 stream, IPv6", "Mbit/s", False),
    "tcp4": ("TCP, 4 streams", "Mbit/s", False),
    "udp64": ("UDP 64 B, no loss", "packets/s", False),
    "udp1200": ("UDP 1200 B, no loss", "packets/s", False),
    "flood64": ("UDP 64 B, flood", "packets/s", False),
    "flood1200": ("UDP 1200 B, flood", "packets/s", False),
    "flood64-lost": ("UDP 64 B, flood: lost", "per mille", True),
    "flood1200-lost": ("UDP 1200 B, flood: lost", "per mille", True),
    "ping": ("ping, idle", "us", True),
    "ping-loaded": ("ping beside TCP", "us", True),
    "flood64-calm": ("UDP 64 B, one peer active", "packets/s", False),
    "flood64-sessions": ("UDP 64 B, all peers active", "packets/s", False),
    "handshakes-first": ("handshakes, of new peers", "1/s", False),
    "handshakes": ("handshakes, responder", "1/s", False),
    "tcp-calm": ("TCP, nobody floods", "Mbit/s", False),
    "tcp-under-flood": ("TCP, initiations flood", "Mbit/s", False),
    "honest": ("new peers served, flood", "per mille", False),
    "honest-time": ("their handshake, flood", "us", True),
    "peers-add": ("add all peers", "ms", True),
    "peers-dump": ("dump all peers", "ms", True),
    "peers-show": ("wg show of all peers", "ms", True),
    "peers-key": ("new private key", "ms", True),
    "peers-remove": ("remove all, idle", "ms", True),
    "peers-remove-active": ("remove all, active", "ms", True),
    "link-delete": ("delete a link of 1000", "ms", True),
    "memory-idle": ("memory of an idle peer", "bytes", True),
    "memory-session": ("memory of a session", "bytes", True),
}

# What grows, in ns a datagram: the cost of "size-64" and so on.
GROWTH = {
    "size": "UDP payload, bytes",
    "bundle": "datagrams of 1372 B sent at once",
    "streams": "TCP streams",
    "peers": "peers, each with an allowed IP",
}


def read(lines):
    values, order = {}, []
    for line in lines:
        words = line.split()
        if len(words) != 5 or words[0] != "value":
            continue
        key = tuple(words[1:4])
        if key not in values:
            order.append(key)
        values.setdefault(key, []).append(float(words[4]))
    return {k: statistics.median(v) for k, v in values.items()}, order


def ratio(median, key, to="intree"):
    other = median.get((key[0], key[1], to))
    return median[key] / other if other and key in median else None


def share(median, key):
    """Part of the time in the cipher, for what has been measured so."""
    return median.get((key[0], "share-" + key[1], "wgpeer-clock")) if key[2] == "wgpeer" else None


def print_table(median, order):
    """A row for each workload, a column for each contender. The ratio is ours to
    the kernel's own, and to the baseline if there is one."""
    bound = median.get(("none", "cipher1424", "cipher"))
    if bound:
        print(f"the bare cipher, both ends on one CPU: {bound:.0f} Mbit/s of 1424-byte packets")
    columns = list(dict.fromkeys(k[2] for k in order if k[1] in WORKLOADS))
    print(f"{'link':5} {'workload':27} {'unit':10}" +
          "".join(f" {c.replace('wgpeer-', '-').replace('wireguard', 'wg'):>7}" for c in columns) +
          "  ratio cipher" + "   base" * ("baseline" in columns))
    for workload, (title, unit, _) in WORKLOADS.items():
        for link in dict.fromkeys(k[0] for k in order if k[1] == workload):
            cells = [median.get((link, workload, c)) for c in columns]
            key = (link, workload, "wgpeer")
            tail = [ratio(median, key, "intree"), share(median, key), ratio(median, key, "baseline")]
            print(f"{link:5} {title:27} {unit:10}" +
                  "".join(f" {'' if c is None else f'{c:.0f}':>7}" for c in cells) +
                  f" {'' if tail[0] is None else f'{tail[0]:.2f}':>6}" +
                  f" {'' if tail[1] is None else f'{tail[1] / 10:.0f} %':>6}" +
                  f" {'' if tail[2] is None else f'{tail[2]:.2f}':>6}" * ("baseline" in columns))


def growth_of(workload):
    what, _, number = workload.rpartition("-")
    return (what, number) if what in GROWTH and number.isdigit() else None


def print_growth(median, order):
    rows = [k for k in order if growth_of(k[1]) and k[2] == "wgpeer"]
    if rows:
        print(f"{'nanoseconds a datagram':34} {'':>7} {'in-tree':>8} {'wgpeer':>8} {'ratio':>6}")
    for key in rows:
        what, number = growth_of(key[1])
        theirs = median.get((key[0], key[1], "intree"))
        print(f"{GROWTH[what]:34} {number:>7} {theirs or 0:8.0f} {median[key]:8.0f} "
              f"{'' if not theirs else f'{median[key] / theirs:.2f}':>6}")


def write_json(path, env, median, order):
    with open(path, "a") as out:
        for key in order:
            if key[1] not in WORKLOADS and not growth_of(key[1]):
                continue
            r, s = ratio(median, key), share(median, key)
            out.write(json.dumps({
                "env": env.split("-")[0], "machine": env, "link": key[0], "workload": key[1],
                "contender": key[2], "median": round(median[key]), "unit": "ns" if growth_of(key[1]) else WORKLOADS[key[1]][1],
                "ratio_intree": None if r is None else round(r, 3),
                "cipher_share": None if s is None else round(s / 1000, 3)}) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("env")
    args = parser.parse_args()
    median, order = read(sys.stdin)
    print_table(median, order)
    print_growth(median, order)
    if args.json:
        write_json(args.json, args.env, median, order)


main()
