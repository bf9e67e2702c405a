#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `wgpeer client`: files as providers hand them out, behind two translating
# routers, with a kill switch, moving between two uplinks.
#
#   a 192.168.1.2 -- r1 -- 10.200.0.2 r2 -- 203.0.113.2 \
#     192.168.2.2 -- r3 ------------------- 203.0.114.2 -- b [wg0], "internet" 198.51.100.1
#
# spec 8.8
# env: uml uml-smp qemu-[0-9]*
# quick: uml
# timeout: 600
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need_nft
[ -x "$WGPEER" ] || skip_all "no program to test"

ETC=$TMP/etc
mkdir -m 700 "$ETC"

router()
{
	ns_sysctl "$1" net.ipv4.ip_forward 1
	ns_sysctl "$1" net.ipv6.conf.all.forwarding 1
	on "$1" nft -f - <<-'END'
		table ip nat {
			chain post {
				type nat hook postrouting priority 100
				oifname "up0" masquerade
			}
		}
	END
}

ns_add a r1 r2 r3 b
veth a eth0 r1 in0
veth r1 up0 r2 in0
veth r2 up0 b eth0
veth a eth1 r3 in0
veth r3 up0 b eth1
addr a eth0 192.168.1.2/24 2001:db8:1::2/64
addr a eth1 192.168.2.2/24
addr r1 in0 192.168.1.1/24 2001:db8:1::1/64
addr r1 up0 10.200.0.2/24
addr r2 in0 10.200.0.1/24
addr r2 up0 203.0.113.2/24
addr r3 in0 192.168.2.1/24
addr r3 up0 203.0.114.2/24
addr b eth0 203.0.113.1/24
addr b eth1 203.0.114.1/24
addr b lo 198.51.100.1/32 2001:db8:51::1/128
ipn a route add default via 192.168.1.1
ipn a -6 route add default via 2001:db8:1::1
ipn r1 route add default via 10.200.0.1
ipn r2 route add default via 203.0.113.1
ipn r3 route add default via 203.0.114.1
for r in r1 r2 r3; do router $r; done
key a b
wg genpsk > "$TMP/psk" 2> /dev/null
wg_dev b wg0 b 51820 10.64.0.1/24 fd64::1/64
wgc b set wg0 peer "${PUB[a]}" allowed-ips 10.64.0.2/32,fd64::2/128

client() { on a "$WGPEER" client "$@" --config-dir "$ETC"; }

# All that a client may touch on its host.
state()
{
	ipn a rule list
	ipn a -6 rule list
	ipn a route show table all type unicast
	ipn a -6 route show table all type unicast
	on a nft list ruleset
	ipn a -o link show | awk -F : '{ print $2 }'
	on a cat /proc/sys/net/ipv4/conf/all/src_valid_mark
	ls "$ETC"
}

# refused PART-OF-THE-ERROR WORD...: one line, and nothing has changed
refused()
{
	local part=$1 before
	shift
	before=$(state)
	refute client "$@" > "$TMP/out" 2> "$TMP/err"
	cat "$TMP/err"
	equal "lines of the error" "$(wc -l < "$TMP/err")" 1
	grep -qF -- "$part" "$TMP/err"
	[ ! -s "$TMP/out" ]
	equal "state" "$(state)" "$before"
}

# shape NAME: a file as one provider or another writes it
shape()
{
	local key psk
	key=$(< "$TMP/a.key") psk=$(< "$TMP/psk")
	case $1 in
	everything)
		printf '[Interface]\nPrivateKey = %s\nAddress = 10.64.0.2/32, fd64::2/128\nDNS = 10.64.0.1\n\n' "$key"
		printf '[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 203.0.113.1:51820\n' "${PUB[b]}"
		;;
	windows)
		printf '\xef\xbb\xbf[Interface]\r\n# Device: quick otter\r\nPrivateKey = %s\r\nAddress = 10.64.0.2/32\r\nMTU = 1320\r\n' "$key"
		printf '\r\n[Peer]\r\nPublicKey = %s\r\nAllowedIPs = 0.0.0.0/0\r\nEndpoint = 203.0.113.1:51820\r\n' "${PUB[b]}"
		;;
	split)
		printf '[Interface]\nAddress = 10.64.0.2/24,fd64::2/64\nPrivateKey=%s\n[Peer]\nPublicKey=%s\nPresharedKey=%s\n' \
			"$key" "${PUB[b]}" "$psk"
		printf 'AllowedIPs=10.64.0.0/24, fd64::/64\n'
		for n in $(seq 40); do printf 'AllowedIPs = 10.65.%d.0/24\n' "$n"; done
		printf 'AllowedIPs = 198.51.100.0/24\nEndpoint=203.0.113.1:51820\nPersistentKeepalive = 25\n'
		;;
	esac > "$TMP/$1.conf"
}

# The address under which the far side sees what is sent to 198.51.100.1.
seen_as()
{
	# shellcheck disable=SC2016 # for the shell that socat starts
	bg b socat -u UDP4-RECVFROM:7000,bind=198.51.100.1 SYSTEM:'echo $SOCAT_PEERADDR' > "$TMP/seen"
	listens() { on b ss -Hlun 'sport = :7000' | grep -q .; }
	wait_for 5 listens
	echo x | on a socat - UDP4-SENDTO:198.51.100.1:7000
	wait_for 5 test -s "$TMP/seen"
	cat "$TMP/seen"
}

everything()
{
	shape everything
	state > "$TMP/before"
	client join v0 "$TMP/everything.conf" --dns none
	equal "mode" "$(stat -c %a "$ETC/v0.conf")" 600
	reach a 198.51.100.1
	reach a 2001:db8:51::1
	equal "source" "$(seen_as)" 10.64.0.2
	client leave v0
	state | grep -v 'v0.conf.bak' | diff "$TMP/before" -
	equal "source" "$(seen_as)" 203.0.113.2
	rm "$ETC/v0.conf.bak"
}

windows()
{
	shape windows
	client join v0 "$TMP/windows.conf"
	reach a 198.51.100.1
	equal "MTU" "$(ipn a -o link show v0 | grep -o 'mtu [0-9]*')" "mtu 1320"
	equal "source" "$(seen_as)" 10.64.0.2
	client leave v0
}

split()
{
	shape split
	wgc b set wg0 peer "${PUB[a]}" preshared-key "$TMP/psk"
	client join v0 "$TMP/split.conf"
	reach a 198.51.100.1
	reach a fd64::1
	equal "source" "$(seen_as)" 10.64.0.2
	equal "routes" "$(ipn a route show dev v0 | grep -c '^10\.65\.')" 40
	ipn a route get 203.0.113.1 | grep -q eth0
	client leave v0
	wgc b set wg0 peer "${PUB[a]}" preshared-key /dev/null
}

again()
{
	local hs
	shape everything
	client join v0 "$TMP/everything.conf" --dns none
	reach a 198.51.100.1
	hs=$(peer_field a v0 b handshake)
	cp "$ETC/v0.conf" "$TMP/once"
	client join v0 - --dns none < "$TMP/everything.conf"
	diff "$TMP/once" "$ETC/v0.conf"
	equal "handshake" "$(peer_field a v0 b handshake)" "$hs"
	sed 's/^/QR-Code:/;2,$s/^QR-Code://' "$TMP/everything.conf" | client join v0 - --keepalive 25
	equal "keepalive" "$(peer_field a v0 b keepalive)" 25
	equal "handshake" "$(peer_field a v0 b handshake)" "$hs"
	client leave v0
}

# Whatever leaves the host but packets of the tunnel is a leak.
leaks() { captured leak | grep -vE 'ARP|ICMP6, (neighbor|router)|HBH ICMP6' || :; }

kill_switch()
{
	shape everything
	state > "$TMP/before"
	client join v0 "$TMP/everything.conf" --kill-switch --dns none
	reach a 198.51.100.1
	reach a 2001:db8:51::1
	capture r1 in0 leak not port 51820
	# Somebody takes the tunnel away.
	ipn a link del v0
	no_reach a 198.51.100.1
	no_reach a 2001:db8:51::1
	no_reach a 192.168.1.1
	on a timeout 2 "$PY" -c 'import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.51.100.1", 53))' || :
	capture_end leak
	equal "leaks" "$(leaks)" ""
	on a "$WGPEER" apply v0 --config-dir "$ETC"
	reach a 198.51.100.1
	client leave v0
	reach a 198.51.100.1
	state | grep -v 'v0.conf.bak' | diff "$TMP/before" -
}

# The LAN stays, and nothing else; also where the tunnel takes only some
# networks, whose own packets are let out.
kill_switch_lan()
{
	shape everything
	state > "$TMP/before"
	client join v0 "$TMP/everything.conf" --kill-switch --kill-switch-except 192.168.1.0/24 --dns none
	reach a 198.51.100.1
	reach a 192.168.1.1
	no_reach a 192.168.2.1
	ipn a link del v0
	reach a 192.168.1.1
	no_reach a 198.51.100.1
	# Leaving undoes the rest, although the interface is gone already.
	client leave v0
	reach a 198.51.100.1
	state | grep -v 'v0.conf.bak' | diff "$TMP/before" -
	equal "notes" "$(find /run/wgpeer -name 'v0*')" ""
	shape split
	wgc b set wg0 peer "${PUB[a]}" preshared-key "$TMP/psk"
	client join v0 "$TMP/split.conf" --kill-switch
	reach a 198.51.100.1
	no_reach a 203.0.113.1
	client join v0 "$TMP/split.conf" --no-kill-switch
	reach a 203.0.113.1
	client leave v0
	wgc b set wg0 peer "${PUB[a]}" preshared-key /dev/null
}

roams()
{
	shape everything
	client join v0 "$TMP/everything.conf" --dns none
	reach a 198.51.100.1
	equal "seen at" "$(peer_field b wg0 a endpoint | cut -d: -f1)" 203.0.113.2
	ipn a route replace default via 192.168.2.1
	wait_for 20 reach a 198.51.100.1
	equal "seen at" "$(peer_field b wg0 a endpoint | cut -d: -f1)" 203.0.114.2
	ipn a route replace default via 192.168.1.1
	wait_for 20 reach a 198.51.100.1
	equal "seen at" "$(peer_field b wg0 a endpoint | cut -d: -f1)" 203.0.113.2
	client leave v0
}

own_key()
{
	local pub
	pub=$(client new v0)
	equal "the same again" "$(client new v0)" "$pub"
	wgc b set wg0 peer "$pub" allowed-ips 10.64.0.9/32
	printf '[Interface]\nAddress = 10.64.0.9/32\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.64.0.1/32\nEndpoint = 203.0.113.1:51820\n' \
		"${PUB[b]}" > "$TMP/nokey.conf"
	client join v0 "$TMP/nokey.conf"
	reach a 10.64.0.1
	client leave v0
	wgc b set wg0 peer "$pub" remove
}

wrong()
{
	shape everything
	sed '/^PrivateKey/d' "$TMP/everything.conf" > "$TMP/bad"
	refused "has no PrivateKey" join v0 "$TMP/bad"
	sed '/^Address/d' "$TMP/everything.conf" > "$TMP/bad"
	refused "has no Address" join v0 "$TMP/bad"
	sed '/^Endpoint/d' "$TMP/everything.conf" > "$TMP/bad"
	refused "no peer has an Endpoint" join v0 "$TMP/bad"
	sed '/^AllowedIPs/d' "$TMP/everything.conf" > "$TMP/bad"
	refused "has no AllowedIPs" join v0 "$TMP/bad"
	sed '/Peer/,$d' "$TMP/everything.conf" > "$TMP/bad"
	refused "has no [Peer]" join v0 "$TMP/bad"
	sed '2iPostUp = touch /tmp/owned' "$TMP/everything.conf" > "$TMP/bad"
	refused "--allow-hooks" join v0 "$TMP/bad"
	sed 's/^Address.*/Address = 192.168.1.77\/24/' "$TMP/everything.conf" > "$TMP/bad"
	refused "192.168.1.0/24" join v0 "$TMP/bad"
	sed "s|^PublicKey.*|PublicKey = ${PUB[a]}|" "$TMP/everything.conf" > "$TMP/bad"
	refused "own public key" join v0 "$TMP/bad"
	refused "no-such" join v0 "$TMP/no-such"
	refused "right would be join" joyn v0
	refused "--frob" join v0 "$TMP/everything.conf" --frob
	refused "there is no such file" leave v1
}

alone()
{
	[ ! -f "$ETC/v0.conf" ] || client leave v0
	rm -f "$ETC/"*
	"$@"
}

subtest "everything through the tunnel, both families" alone everything
subtest "a file from Windows, IPv4 only" alone windows
subtest "some networks, a preshared key" alone split
subtest "join again: nothing, or what differs" alone again
subtest "kill switch: nothing leaves beside the tunnel" alone kill_switch
subtest "kill switch with exceptions" alone kill_switch_lan
subtest "two uplinks" alone roams
subtest "a key that never left" alone own_key
subtest "what is wrong changes nothing" alone wrong
finish
