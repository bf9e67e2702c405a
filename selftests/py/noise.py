# SPDX-License-Identifier: GPL-2.0
"""A WireGuard peer in Python for tests: it builds genuine, slightly wrong and
forged messages.  Written from the protocol description (spec chapter 1)."""
import base64
import hashlib
import hmac
import os
import socket
import struct
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey, X25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

ZERO = bytes(32)


def hash_(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key, *parts):
    return hashlib.blake2s(b"".join(parts), key=key, digest_size=16).digest()


def kdf(count, chain, data):
    key = hmac.new(chain, data, hashlib.blake2s).digest()
    out, last = [], b""
    for i in range(1, count + 1):
        last = hmac.new(key, last + bytes([i]), hashlib.blake2s).digest()
        out.append(last)
    return out


def seal(key, counter, plain, aad=b""):
    nonce = bytes(4) + struct.pack("<Q", counter)
    return ChaCha20Poly1305(key).encrypt(nonce, plain, aad)


def unseal(key, counter, text, aad=b""):
    nonce = bytes(4) + struct.pack("<Q", counter)
    return ChaCha20Poly1305(key).decrypt(nonce, text, aad)


def public(private):
    key = X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)


def dh(private, pub):
    """X25519; the zero result of a low-order point is returned, not refused."""
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(
            X25519PublicKey.from_public_bytes(pub))
    except ValueError:
        return ZERO


C0 = hash_(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
H0 = hash_(C0, b"WireGuard v1 zx2c4 Jason@zx2c4.com")


def tai64n(offset=0.0):
    now = time.time() + offset
    nsec = int((now % 1) * 1e9) & ~((1 << 24) - 1)
    return struct.pack(">QI", 0x400000000000000A + int(now), nsec)


class Peer:
    """One end of a session with the device under test (the responder)."""

    def __init__(self, private, remote, psk=ZERO):
        self.private = base64.b64decode(private)
        self.public = public(self.private)
        self.remote = base64.b64decode(remote)
        self.psk = psk
        self.cookie = None

    def macs(self, msg):
        msg += mac(hash_(b"mac1----", self.remote), msg)
        self.mac1 = msg[-16:]
        return msg + (mac(self.cookie, msg) if self.cookie else bytes(16))

    def initiation(self, stamp=None, ephemeral=None, static=None, e=None):
        """Message 1.  `ephemeral`: public bytes to send instead of our own;
        `e`: our own, where it need not be fresh."""
        self.index = struct.unpack("<I", os.urandom(4))[0]
        self.e = e or os.urandom(32)
        shown = ephemeral or public(self.e)
        h, ck = hash_(H0, self.remote), C0
        h = hash_(h, shown)
        ck, = kdf(1, ck, shown)
        es = ZERO if ephemeral else dh(self.e, self.remote)
        ck, k = kdf(2, ck, es)
        stat = seal(k, 0, static or self.public, h)
        h = hash_(h, stat)
        ck, k = kdf(2, ck, dh(self.private, self.remote))
        enc = seal(k, 0, stamp or tai64n(), h)
        self.h, self.ck = hash_(h, enc), ck
        return self.macs(struct.pack("<II", 1, self.index) + shown + stat + enc)

    def response(self, msg):
        """Take message 2; the session keys come out."""
        kind, self.their, mine = struct.unpack("<III", msg[:12])
        assert (kind, mine, len(msg)) == (2, self.index, 92), "not our response"
        theirs = msg[12:44]
        h = hash_(self.h, theirs)
        ck, = kdf(1, self.ck, theirs)
        ck, = kdf(1, ck, dh(self.e, theirs))
        ck, = kdf(1, ck, dh(self.private, theirs))
        ck, tau, k = kdf(3, ck, self.psk)
        unseal(k, 0, msg[44:60], hash_(h, tau))
        self.tx, self.rx = kdf(2, ck, b"")
        self.counter = 0

    def accept(self, msg1, index=None, ephemeral=None):
        """Answer the device's message 1 with our message 2."""
        kind, their = struct.unpack("<II", msg1[:8])
        assert (kind, len(msg1)) == (1, 148), "not an initiation"
        h, ck = hash_(H0, self.public), C0
        theirs = msg1[8:40]
        h = hash_(h, theirs)
        ck, = kdf(1, ck, theirs)
        ck, k = kdf(2, ck, dh(self.private, theirs))
        static = unseal(k, 0, msg1[40:88], h)
        assert static == self.remote, "initiation of a stranger"
        h = hash_(h, msg1[40:88])
        ck, k = kdf(2, ck, dh(self.private, static))
        self.stamp = unseal(k, 0, msg1[88:116], h)
        h = hash_(h, msg1[88:116])
        self.their, self.their_mac1 = their, msg1[116:132]
        self.index = index or struct.unpack("<I", os.urandom(4))[0]
        self.e = os.urandom(32)
        shown = ephemeral or public(self.e)
        h = hash_(h, shown)
        ck, = kdf(1, ck, shown)
        ck, = kdf(1, ck, ZERO if ephemeral else dh(self.e, theirs))
        ck, = kdf(1, ck, ZERO if ephemeral else dh(self.e, static))
        ck, tau, k = kdf(3, ck, self.psk)
        h = hash_(h, tau)
        nothing = seal(k, 0, b"", h)
        self.rx, self.tx = kdf(2, ck, b"")
        self.counter = 0
        return self.macs(struct.pack("<III", 2, self.index, their) + shown + nothing)

    def data(self, plain, counter=None):
        """Message 4 with the next counter, or the given one."""
        if counter is None:
            counter = self.counter
            self.counter += 1
        return (struct.pack("<IIQ", 4, self.their, counter) +
                seal(self.tx, counter, plain))

    def open(self, msg):
        kind, index, counter = struct.unpack("<IIQ", msg[:16])
        assert (kind, index) == (4, self.index), "not our data"
        return unseal(self.rx, counter, msg[16:])

    def take_cookie(self, msg):
        """Message 3: XChaCha20-Poly1305 with a key bound to the remote."""
        kind, index = struct.unpack("<II", msg[:8])
        assert (kind, index, len(msg)) == (3, self.index, 64), "not our cookie"
        key = hash_(b"cookie--", self.remote)
        self.cookie = xopen(key, msg[8:32], msg[32:64], self.mac1)


    def make_cookie(self, cookie):
        """Message 3: our answer to message 1 that accept() took last."""
        nonce = os.urandom(24)
        return (struct.pack("<II", 3, self.their) + nonce +
                xseal(hash_(b"cookie--", self.public), nonce, cookie, self.their_mac1))


def rotl(x, n):
    return ((x << n) | (x >> (32 - n))) & 0xFFFFFFFF


def hchacha(key, nonce):
    x = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        x[a] = (x[a] + x[b]) & 0xFFFFFFFF
        x[d] = rotl(x[d] ^ x[a], 16)
        x[c] = (x[c] + x[d]) & 0xFFFFFFFF
        x[b] = rotl(x[b] ^ x[c], 12)
        x[a] = (x[a] + x[b]) & 0xFFFFFFFF
        x[d] = rotl(x[d] ^ x[a], 8)
        x[c] = (x[c] + x[d]) & 0xFFFFFFFF
        x[b] = rotl(x[b] ^ x[c], 7)

    for _ in range(10):
        for i in range(4):
            quarter(i, i + 4, i + 8, i + 12)
        quarter(0, 5, 10, 15)
        quarter(1, 6, 11, 12)
        quarter(2, 7, 8, 13)
        quarter(3, 4, 9, 14)
    return struct.pack("<8I", *(x[:4] + x[12:]))


def xopen(key, nonce, text, aad):
    sub = hchacha(key, nonce[:16])
    return ChaCha20Poly1305(sub).decrypt(bytes(4) + nonce[16:], text, aad)


def xseal(key, nonce, plain, aad):
    sub = hchacha(key, nonce[:16])
    return ChaCha20Poly1305(sub).encrypt(bytes(4) + nonce[16:], plain, aad)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def ipv4(src, dst, payload, proto=17, tos=0, total=None):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos,
                       total if total is not None else 20 + len(payload), 1, 0,
                       64, proto, 0, socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def echo(src, dst, seq=1, data=b"x" * 32, tos=0):
    """An ICMP echo request in IPv4."""
    body = struct.pack("!BBHHH", 8, 0, 0, 7, seq) + data
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ipv4(src, dst, body, 1, tos)


class Wire:
    """A UDP socket towards the device under test."""

    def __init__(self, at, local=None, timeout=5.0):
        family = socket.AF_INET6 if ":" in at[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        if local:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(local)
        self.sock.connect(at)
        self.timeout = timeout

    def send(self, msg):
        self.sock.send(msg)

    def recv(self, timeout=None):
        """The next datagram, or None when none comes in time."""
        self.sock.settimeout(self.timeout if timeout is None else timeout)
        try:
            return self.sock.recv(65535)
        except (socket.timeout, ConnectionRefusedError):
            return None

    def recv_kind(self, kind, timeout=None):
        """The next datagram of one type; others are passed over."""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            left = end - time.monotonic()
            msg = self.recv(max(left, 0.001))
            if msg is None and left <= 0:
                return None
            if msg and msg[0] == kind:
                return msg

    def session(self, peer):
        """A handshake with the device as responder, confirmed by a keepalive."""
        self.send(peer.initiation())
        msg = self.recv_kind(2)
        assert msg, "no response"
        peer.response(msg)
        self.send(peer.data(b""))


__all__ = [n for n in dir() if not n.startswith("_")]
