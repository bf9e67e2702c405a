# SPDX-License-Identifier: GPL-2.0
"""Reads back what `wgpeer export` writes.

  exports.py uci JSON < UCI    the sections say what the JSON form says
  exports.py pbm < TEXT        the QR code of a terminal, as a picture
"""
import json
import sys


def uci_words(line):
    """The words of a line: blanks part them, quotes of both kinds and a
    backslash keep characters together, as in libuci."""
    words, word, quote, chars = [], None, "", iter(line)
    for c in chars:
        if quote == "'" and c != "'":
            word += c
        elif c == quote and quote:
            quote = ""
        elif c == "\\":
            word = (word or "") + next(chars)
        elif quote:
            word += c
        elif c in "'\"":
            quote, word = c, word or ""
        elif c in " \t":
            words += [] if word is None else [word]
            word = None
        elif c == "#" and word is None:
            break
        else:
            word = (word or "") + c
    if quote:
        raise SystemExit(f"a quote without an end: {line}")
    return words + ([] if word is None else [word])


def uci_sections(text):
    """[type, name, {option: value, list: [values]}]"""
    sections = []
    for words in map(uci_words, text.splitlines()):
        match words:
            case []:
                pass
            case ["config", kind]:
                sections.append([kind, None, {}])
            case ["config", kind, name]:
                sections.append([kind, name, {}])
            case ["option", key, value] if key not in sections[-1][2]:
                sections[-1][2][key] = value
            case ["list", key, value]:
                sections[-1][2].setdefault(key, []).append(value)
            case _:
                raise SystemExit(f"no line of UCI: {words}")
    return sections


def without_nothing(options):
    return {k: v for k, v in options.items() if v not in (None, "0", [])}


def uci_wanted(want):
    """The sections that the JSON form makes one expect."""
    route = None if want["table"] == "off" else "1"
    table = None if want["table"] in ("auto", "off") else str(want["table"])
    yield ["interface", want["name"], without_nothing({
        "proto": "wireguard", "private_key": want["private_key"],
        "listen_port": str(want["listen_port"]), "mtu": str(want["mtu"]),
        "fwmark": hex(want["fwmark"]) if want["fwmark"] else None,
        "addresses": want["addresses"], "dns": want["dns"],
        "dns_search": want["dns_search"], "ip4table": table,
        "ip6table": table})]
    for peer in want["peers"]:
        host, _, port = (peer["endpoint"] or "").rpartition(":")
        yield ["wireguard_" + want["name"], None, without_nothing({
            "description": peer["name"], "public_key": peer["public_key"],
            "preshared_key": peer["preshared_key"],
            "endpoint_host": host.strip("[]") or None,
            "endpoint_port": port or None,
            "allowed_ips": peer["allowed_ips"], "route_allowed_ips": route,
            "persistent_keepalive": str(peer["persistent_keepalive"])})]


def uci(path):
    got = uci_sections(sys.stdin.read())
    with open(path, encoding="utf-8") as file:
        want = list(uci_wanted(json.load(file)))
    if got != want:
        raise SystemExit(f"got    {got}\nwanted {want}")


def pbm(scale=4):
    """Blocks are light, as on a dark terminal; each character is two modules,
    one above the other."""
    halves = {" ": "11", "\u2584": "10", "\u2580": "01", "\u2588": "00"}
    rows = []
    for line in sys.stdin.read().splitlines():
        for half in range(2):
            row = "".join(halves[c][half] * scale for c in line)
            rows += [row] * scale
    print(f"P1\n{len(rows[0])} {len(rows)}")
    for row in rows:
        # Plain PBM has lines of at most 70 characters.
        print("\n".join(row[i:i + 64] for i in range(0, len(row), 64)))


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")
    {"uci": uci, "pbm": pbm}[sys.argv[1]](*sys.argv[2:])
