#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Ours here, the kernel's own module in the other machine, a cable between them:
# what leaves a machine is segmented and check-summed for good, and the kernels
# need not be the same.
#
#   a [wg0] -- eth0 10.0.0.1 ------- 10.0.0.2 eth0 -- [wg0] b, far.sh obeys
#
# spec 1, 2.1-2.3, 4.4-4.7, 5.2-5.4
# timeout: 300
. "$(dirname "$0")/../lib.sh"

# In the other machine: one line goes there, output and status come back.
far()
{
	local out line
	printf -v line '%q ' "$@"
	out=$(nsenter --net="/run/netns/$PFX-a" socat -t 3600 - \
		TCP6:'[fd00:cc::2]':2222 <<< "$line") || return 255
	[[ $out = *$'\n'rc=* ]] || return 255
	printf '%s' "${out%$'\n'rc=*}"
	return "${out##*rc=}"
}

# What lib.sh calls for a namespace is for b another machine.
on()
{
	local ns=$1
	shift
	if [ "$ns" = b ]; then
		far "$@"
	else
		nsenter --net="/run/netns/$PFX-$ns" -- "$@"
	fi
}

ipn()
{
	local ns=$1
	shift
	on "$ns" ip "$@"
}

wgc()
{
	local ns=$1
	shift
	if [ "$ns" = b ]; then far wg "$@"; else on a "$WG" "$@"; fi
}

# Emulated machines have long round trips: none is lost, however late it comes.
pings()
{
	local ns=$1 to=$2 count=$3
	shift 3
	on "$ns" ping -n -q -i 0.3 -c "$count" -W $((5 * SCALE)) "$@" "$to" | grep -w '0% packet loss'
}

plug_in()
{
	modprobe virtio_net
	wait_for 10 ip link show dev eth0
	ns_add a
	ip link set dev eth0 netns "$PFX-a"
	ip -n "$PFX-a" link set dev eth0 up
	ip -n "$PFX-a" addr add fd00:cc::1/64 dev eth0 nodad
	wait_for 20 far true
	equal "answer" "$(far printf '%s\n' "two  words" x)" $'two  words\nx'
	refute far false
	addr a eth0 10.0.0.1/24 fd00:aa::1/64
	far sh -ec 'ip addr add 10.0.0.2/24 dev eth0; ip addr add fd00:aa::2/64 dev eth0 nodad'
	far modinfo -n wireguard | grep -q '/kernel/drivers/net/wireguard/'
	echo "here: $(uname -r), there: $(far uname -r)"
}

# tunnel: fresh devices on both sides, without endpoints
tunnel()
{
	ip -n "$PFX-a" link del dev wg0 2> /dev/null || :
	wg_dev a wg0 a 1001 192.168.241.1/24 fd00:241::1/64
	far sh -ec "ip link del dev wg0 2> /dev/null || :
		ip link add wg0 type wireguard
		ip addr add 192.168.241.2/24 dev wg0
		ip addr add fd00:241::2/64 dev wg0
		ip link set dev wg0 up
		echo $(< "$TMP/b.key") | wg set wg0 private-key /dev/stdin listen-port 1002 \
			peer ${PUB[a]} allowed-ips 192.168.241.1/32,fd00:241::1/128"
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32,fd00:241::2/128
}

preshare()
{
	(umask 077; wg genpsk > "$TMP/psk")
	wgc a set wg0 peer "${PUB[b]}" preshared-key "$TMP/psk"
	far sh -c "echo $(< "$TMP/psk") | wg set wg0 peer ${PUB[a]} preshared-key /dev/stdin"
}

# send a b | send b a: a MiB over TCP through the tunnel, compared by digest
send()
{
	local at=192.168.241.2 rx
	[ "$1" != b ] || at=192.168.241.1
	on "$2" sh -c 'socat -u TCP-LISTEN:5300,reuseaddr - | sha256sum' > "$TMP/digest" &
	rx=$!
	wait_for 10 listening "$2" 5300
	on "$1" sh -c "seq $RANDOM 9999999 | head -c 1048576 | tee /tmp/sent |
		timeout $((15 * SCALE)) socat -u - TCP:$at:5300"
	wait $rx
	equal "digest" "$(< "$TMP/digest")" "$(on "$1" sh -c 'sha256sum < /tmp/sent')"
}

talk()
{
	pings a 192.168.241.2 3 -s 1392
	pings b 192.168.241.1 3 -s 4000
	pings a fd00:241::2 3 -s 900
	send a b
	send b a
}

we_start()
{
	tunnel
	if [ "$1" = 4 ]; then
		wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	else
		wgc a set wg0 peer "${PUB[b]}" endpoint '[fd00:aa::2]:1002'
	fi
	[ "$2" = none ] || preshare
	reach a 192.168.241.2
	has_handshake a wg0 b
	has_handshake b wg0 a
	talk
}

they_start()
{
	tunnel
	if [ "$1" = 4 ]; then
		wgc b set wg0 peer "${PUB[a]}" endpoint 10.0.0.1:1001
	else
		wgc b set wg0 peer "${PUB[a]}" endpoint '[fd00:aa::1]:1001'
	fi
	[ "$2" = none ] || preshare
	reach b 192.168.241.1
	case $1 in
	4) equal "learnt" "$(peer_field a wg0 b endpoint)" 10.0.0.2:1002 ;;
	6) equal "learnt" "$(peer_field a wg0 b endpoint)" '[fd00:aa::2]:1002' ;;
	esac
	talk
}

# Another preshared key on one side: nothing passes in either direction.
wrong_psk()
{
	wgc a set wg0 peer "${PUB[b]}" remove
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002 preshared-key <(wg genpsk) \
		allowed-ips 192.168.241.2/32
	no_reach a 192.168.241.2
	equal "handshake" "$(peer_field a wg0 b handshake)" 0
	wgc a set wg0 peer "${PUB[b]}" preshared-key "$TMP/psk"
	reach_soon a 192.168.241.2
}

# Each of the ways in which packets are bundled or not.
offloads()
{
	tunnel
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	on a ethtool --set-priv-flags wg0 udp-gso off udp-gro off
	reach a 192.168.241.2
	send a b
	send b a
	on a ethtool --set-priv-flags wg0 udp-gso on udp-gro on
	on a ethtool -K wg0 tso off gro off
	send a b
	send b a
	on a ethtool -K wg0 tso on gro on
	on a ethtool -K eth0 gro off gso off
	far ethtool -K eth0 gro off gso off
	send a b
	send b a
	on a ethtool -K eth0 gro on gso on
	far ethtool -K eth0 gro on gso on
	send a b
	send b a
	if ours; then
		equal "failed tags" "$(drops a wg0 bad_tag)" 0
		[ "$(on a ethtool -S wg0 | awk '$1 == "tx_bundles:" { print $2 }')" -gt 0 ]
		[ "$(on a ethtool -S wg0 | awk '$1 == "rx_bundles:" { print $2 }')" -gt 0 ]
	fi
}

# The same echo there and back must look the same on the wire: length, ECN and
# DSCP of the outer header are functions of the inner packet.
same_on_wire()
{
	local size tos n=0
	reach a 192.168.241.2
	capture a eth0 wire udp port 1001
	for size in 0 1 4 5 19 20 21 100 1391 1392; do
		on a ping -n -q -c 1 -W $((2 * SCALE)) -s $size 192.168.241.2
		n=$((n + 2))
	done
	for tos in 0x01 0x02 0x03 0xb8 0xba; do
		on a ping -n -q -c 1 -W $((2 * SCALE)) -Q $tos 192.168.241.2
		n=$((n + 2))
	done
	wait_for 5 captured_at_least wire $n 'udp[8] = 4 and udp[4:2] > 40'
	capture_end wire
	captured wire -v 'udp[8] = 4 and udp[4:2] > 40 and src host 10.0.0.1' | header > "$TMP/ours"
	captured wire -v 'udp[8] = 4 and udp[4:2] > 40 and src host 10.0.0.2' | header > "$TMP/theirs"
	paste "$TMP/ours" "$TMP/theirs"
	[ "$(wc -l < "$TMP/ours")" -ge $((n / 2)) ]
	cmp "$TMP/ours" "$TMP/theirs"
	# ECN is kept but for CE, which becomes ECT(0); DSCP is not.
	equal "outer marks" "$(tail -n 5 "$TMP/ours" | awk '{ print $1 }' | xargs)" \
		"0x1 0x2 0x2 0x0 0x2"
}

header() { sed -nE 's/.*\(tos (0x[0-9a-f]+).* length ([0-9]+)\)$/\1 \2/p'; }

learnt() { [ "$(peer_field "$1" wg0 "$2" endpoint)" = "$3" ]; }

# Either side moves, in the middle of a session.
roam()
{
	tunnel
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	reach a 192.168.241.2
	ip -n "$PFX-a" addr del 10.0.0.1/24 dev eth0
	addr a eth0 10.0.0.11/24
	reach a 192.168.241.2
	learnt b a 10.0.0.11:1001
	reach b 192.168.241.1
	wgc a set wg0 listen-port 1011
	reach a 192.168.241.2
	learnt b a 10.0.0.11:1011
	wgc b set wg0 listen-port 1012
	reach b 192.168.241.1
	learnt a b 10.0.0.2:1012
	far sh -ec 'ip addr del 10.0.0.2/24 dev eth0; ip addr add 10.0.0.12/24 dev eth0'
	reach b 192.168.241.1
	learnt a b 10.0.0.12:1012
	# To the other family and back.
	wgc a set wg0 peer "${PUB[b]}" endpoint '[fd00:aa::2]:1012'
	reach a 192.168.241.2
	learnt b a '[fd00:aa::1]:1011'
	reach b 192.168.241.1
	ip -n "$PFX-a" addr del 10.0.0.11/24 dev eth0
	addr a eth0 10.0.0.1/24
	far sh -ec 'ip addr del 10.0.0.12/24 dev eth0; ip addr add 10.0.0.2/24 dev eth0'
}

# They lose their session (the device is made anew) and we ours.
forgotten()
{
	tunnel
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	wgc b set wg0 peer "${PUB[a]}" endpoint 10.0.0.1:1001
	reach a 192.168.241.2
	far sh -ec 'ip link set dev wg0 down; ip link set dev wg0 up'
	reach b 192.168.241.1
	ip -n "$PFX-a" link set dev wg0 down
	ip -n "$PFX-a" link set dev wg0 up
	reach a 192.168.241.2
	# A timestamp of the same second as the last must be newer for them.
	wgc a set wg0 private-key "$TMP/a.key"
	wgc a set wg0 peer "${PUB[b]}" remove
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002 allowed-ips 192.168.241.2/32
	reach_soon a 192.168.241.2
}

rekeys()
{
	local seen=1 hs now start=$SECONDS
	[ -n "${WG_LONG:-}" ] || skip "takes seven minutes: --long"
	tunnel
	wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
	reach a 192.168.241.2
	hs=$(peer_field a wg0 b handshake)
	while [ $seen -lt 4 ]; do
		pings "$1" "$2" 20 -i 0.1
		now=$(peer_field a wg0 b handshake)
		[ "$now" = "$hs" ] || { seen=$((seen + 1)); hs=$now; }
		[ $((SECONDS - start)) -lt 500 ] || fail "$seen handshakes only"
	done
	[ $((SECONDS - start)) -gt 350 ]
}

the_end()
{
	ip -n "$PFX-a" link del dev wg0
	far sh -ec 'ip link del dev wg0; touch /tmp/pair.end'
}

key a b
subtest "two machines, one cable" plug_in
subtest "we start, over IPv4" we_start 4 none
subtest "they start, over IPv4" they_start 4 none
subtest "we start, over IPv6, preshared key" we_start 6 psk
subtest "they start, over IPv6, preshared key" they_start 6 psk
subtest "a wrong preshared key opens nothing" wrong_psk
subtest "bundles, segmentation and merging on and off" offloads
subtest "length and marks on the wire are the same" same_on_wire
subtest "both sides roam" roam
subtest "a lost session comes back" forgotten
subtest "rekeys in real time, we initiated" rekeys a 192.168.241.2
subtest "the other machine may go" the_end
finish
