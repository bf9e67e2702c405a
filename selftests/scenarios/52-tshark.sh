#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tshark, a third implementation, reads what our module says on the wire: four
# conversations, either side starting, with and without a preshared key. One end
# is in Python and tells its keys; the kernel's own secrets stay where they are.
#
#   a [wg0, kernel] -- eth0 ------- eth0 -- Python b, captured here
#
# spec 1.2, 1.3, 1.5-1.7
# env: uml uml-smp
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need tshark

two_ns
wg_dev a wg0 a 51820 192.168.241.1/24
touch "$TMP/keylog"

# One end: it starts, or answers the device's ping; an echo with a content of its
# own goes through the tunnel and comes back.
cat > "$TMP/talk.py" << 'EOF'
import base64, sys
sys.path.insert(0, sys.argv[1])
from noise import *

role, key, remote, psk, port, text, keylog = sys.argv[2:]
psk = base64.b64decode(psk) if psk else ZERO
text = text.encode()
peer = Peer(key, remote, psk)
wire = Wire(("10.0.0.1", 51820), ("10.0.0.2", int(port)))

def padded(packet):
    return packet + bytes(-len(packet) % 16)

if role == "starts":
    wire.session(peer)
    wire.send(peer.data(padded(echo("192.168.241.2", "192.168.241.1", data=text))))
    assert text in peer.open(wire.recv_kind(4)), "not our echo"
else:
    wire.send(peer.accept(wire.recv_kind(1, 10)))
    asked = peer.open(wire.recv_kind(4))
    assert text in asked, "not the echo"
    body = bytes(4) + asked[24:struct.unpack("!H", asked[2:4])[0]]
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    wire.send(peer.data(padded(ipv4("192.168.241.2", "192.168.241.1", body, 1))))
with open(keylog, "a") as log:
    print("LOCAL_STATIC_PRIVATE_KEY =", key, file=log)
    print("REMOTE_STATIC_PUBLIC_KEY =", remote, file=log)
    print("LOCAL_EPHEMERAL_PRIVATE_KEY =", base64.b64encode(peer.e).decode(), file=log)
    if psk != ZERO:
        print("PRESHARED_KEY =", base64.b64encode(psk).decode(), file=log)
EOF

is_there() { on b ss -Hun "sport = :$1" | grep -q .; }

# converse starts|answers PSK TEXT
converse()
{
	local port=$((2000 + RANDOM % 1000)) talk
	key b
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32 preshared-key <(printf %s "$2")
	[ "$1" = starts ] || wgc a set wg0 peer "${PUB[b]}" endpoint "10.0.0.2:$port"
	bg b "$PY" "$TMP/talk.py" "$PYDIR" "$1" "$(< "$TMP/b.key")" "${PUB[a]}" "$2" $port "$3" \
		"$TMP/keylog"
	talk=$BG
	if [ "$1" = answers ]; then
		wait_for 10 is_there $port
		reach a 192.168.241.2 -p "$(printf %s "$3" | od -An -tx1 | tr -d ' \n')"
	fi
	wait "$talk"
	wgc a set wg0 peer "${PUB[b]}" remove
}

# read_all NAME: what tshark makes of each datagram, in one table
read_all()
{
	local field args=()
	for field in wg.type udp.length ip.src wg.handshake_ok wg.static.known_pubkey \
		wg.timestamp.nanoseconds icmp.type data.data wg.decryption_error wg.keepalive; do
		args+=(-e "$field")
	done
	tshark -n -r "$TMP/talk.pcap" -d udp.port==51820,wg -o "wg.keylog_file:$TMP/keylog" \
		-T fields "${args[@]}" > "$TMP/$1" 2> "$TMP/tshark.err"
}

# seen NAME CONDITION: how many lines of the table are like that
seen() { awk -F '\t' "$2 { n++ } END { print n + 0 }" "$TMP/$1"; }

# Each could be opened with the keys of one end.
handshakes()
{
	read_all all
	cat "$TMP/all"
	equal "initiations" "$(seen all '$1 == 1')" 4
	equal "known senders" "$(seen all '$1 == 1 && $5 == 1')" 4
	equal "responses" "$(seen all '$1 == 2')" 4
	equal "good responses" "$(seen all '$1 == 2 && $4 == 1')" 4
	# The clock that the device shows is a coarse one.
	equal "stamps" "$(seen all '$1 == 1 && $3 == "10.0.0.1" && $6 != "" && $6 % 16777216 == 0')" 2
}

# contents TEXT...: each was asked by one end and answered by the other
contents()
{
	local text
	cat "$TMP/all"
	for text; do
		equal "echoes of $text" \
			"$(grep -c "$(printf %s "$text" | od -An -tx1 | tr -d ' \n')" "$TMP/all")" 2
	done
	equal "requests" "$(seen all '$7 == "8"')" 4
	equal "replies" "$(seen all '$7 == "0"')" 4
	equal "sealed with other keys" "$(seen all '$9 != ""')" 0
	# The two that started said so with a keepalive.
	equal "keepalives" "$(seen all '$10 != ""')" 2
	equal "odd lengths" "$(seen all '$1 == 4 && ($2 - 8 - 32) % 16')" 0
}

# Without the preshared keys the same file opens two conversations only.
needs_psk()
{
	sed -i /PRESHARED/d "$TMP/keylog"
	read_all fewer
	equal "good responses" "$(seen fewer '$1 == 2 && $4 == 1')" 2
	equal "replies" "$(seen fewer '$7 == "0"')" 2
}

capture b eth0 talk udp
wg genpsk > "$TMP/psk" 2> /dev/null
subtest "the device answers" converse starts "" "hello one"
subtest "the device starts" converse answers "" "hello two"
subtest "the device answers, preshared key" converse starts "$(< "$TMP/psk")" "hello three"
subtest "the device starts, preshared key" converse answers "$(< "$TMP/psk")" "hello four"
wait_for 5 captured_at_least talk 18
capture_end talk
subtest "tshark opens every handshake" handshakes
subtest "tshark opens every datagram" contents "hello one" "hello two" "hello three" "hello four"
subtest "and not without the preshared keys" needs_psk
finish
