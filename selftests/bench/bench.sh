#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Contenders in turns, in one boot: every round runs each of them over each
# link once. Says what it measures in lines for table.py:
#
#   value LINK WORKLOAD CONTENDER NUMBER
#
#   a 192.168.241.1 -- eth0 10.0.0.1 ------- 10.0.0.2 eth0 -- 192.168.241.2 b
#
# local  the cable as it is: super-packets cross it
# wire   its offloads are off, GRO is on: single datagrams cross it
#
# Words come from the file $WG_ROOT/build/bench/words: ROUNDS, SECONDS,
# CONTENDERS, WORKLOADS, LINKS, ONCE, PEERS, GROWTH.
#
# timeout: 7200
. "$(dirname "$0")/../lib.sh"
set -e
# shellcheck source=/dev/null
. "$WG_ROOT/build/bench/words"
INTREE=/lib/modules/$WG_RELEASE/kernel/drivers/net/wireguard/wireguard.ko
BUILT=$WG_ROOT/build/bench/$WG_ENV
GO=/usr/bin/wireguard-go
[ ! -x "$WG_CACHE/wireguard-go/wireguard-go" ] || GO=$WG_CACHE/wireguard-go/wireguard-go
CONTENDER='' LINK='' FLOOD_RATE=20000

say() { echo "# $*"; }
# value WORKLOAD NUMBER
value() { echo "value $LINK $1 $CONTENDER $2"; }

# --- contenders --------------------------------------------------------------

load() { "$WG_SELFTESTS/vm/load" "$@"; }

unload()
{
	[ -d /sys/module/wireguard ] || return 0
	no_links() { [ -z "$(ip -o link show type wireguard)" ] && rmmod wireguard; }
	wait_for 10 no_links
}

priv_flags()
{
	local ns
	for ns in a b; do
		on $ns ethtool --set-priv-flags wg0 udp-gso "$1" udp-gro "$1"
	done
}

inner()
{
	addr a "$1" 192.168.241.1/24 fd00:241::1/64
	addr b "$1" 192.168.241.2/24 fd00:241::2/64
}

up_veth() { two_ns; inner eth0; }
up_wgpeer() { load "$WG_KO"; two_peers 4; }
up_baseline() { load "$BUILT/baseline/wireguard.ko"; two_peers 4; }
up_wgpeer-clock() { load "$BUILT/clock/wireguard.ko"; two_peers 4; }
up_wgpeer-nogso() { up_wgpeer; priv_flags off; }
up_intree() { load "$INTREE"; two_peers 4; }

up_wireguard-go()
{
	local ns
	two_ns
	export WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1
	for ns in a b; do
		bg $ns "$GO" -f wgo$ns > /dev/null 2>&1
		wait_for 10 test -S /var/run/wireguard/wgo$ns.sock
		on $ns wg set wgo$ns private-key "$TMP/$ns.key" listen-port 1001
		ipn $ns link set wgo$ns mtu 1420 up
	done
	on a wg set wgoa peer "${PUB[b]}" endpoint 10.0.0.2:1001 allowed-ips 192.168.241.2/32,fd00:241::2/128
	on b wg set wgob peer "${PUB[a]}" endpoint 10.0.0.1:1001 allowed-ips 192.168.241.1/32,fd00:241::1/128
	addr a wgoa 192.168.241.1/24 fd00:241::1/64
	addr b wgob 192.168.241.2/24 fd00:241::2/64
}

# esp_half NS MINE THEIRS INNER-MINE INNER-THEIRS SPI-OUT SPI-IN
esp_half()
{
	local ns=$1 mine=$2 theirs=$3 key=0x${ESP_KEY}
	ipn "$ns" xfrm state add src "$mine" dst "$theirs" proto esp spi "$6" reqid 1 mode tunnel \
		aead 'rfc7539esp(chacha20,poly1305)' "$key" 128
	ipn "$ns" xfrm state add src "$theirs" dst "$mine" proto esp spi "$7" reqid 1 mode tunnel \
		aead 'rfc7539esp(chacha20,poly1305)' "$key" 128
	local from=$4 to=$5
	ipn "$ns" xfrm policy add src "$from" dst "$to" dir out tmpl src "$mine" dst "$theirs" \
		proto esp reqid 1 mode tunnel
	ipn "$ns" xfrm policy add src "$to" dst "$from" dir in tmpl src "$theirs" dst "$mine" \
		proto esp reqid 1 mode tunnel
}

up_esp()
{
	two_ns
	ESP_KEY=$(head -c 36 /dev/urandom | od -An -tx1 | tr -d ' \n')
	addr a lo 192.168.241.1/32
	addr b lo 192.168.241.2/32
	ipn a route add 192.168.241.2/32 via 10.0.0.2 src 192.168.241.1
	ipn b route add 192.168.241.1/32 via 10.0.0.1 src 192.168.241.2
	esp_half a 10.0.0.1 10.0.0.2 192.168.241.1/32 192.168.241.2/32 0x11 0x12
	esp_half b 10.0.0.2 10.0.0.1 192.168.241.2/32 192.168.241.1/32 0x12 0x11
}

up()
{
	"up_$CONTENDER"
	[ "$LINK" = local ] || wire
	on b bash -c 'echo sink 9 > /proc/net/wg_bench'
	reach a 192.168.241.2 > /dev/null
}

wire()
{
	local ns
	for ns in a b; do
		on $ns ethtool -K eth0 tso off gso off tx-udp-segmentation off gro on > /dev/null
	done
}

down()
{
	local pid
	while read -r pid; do bg_end "$pid"; done < "$TMP/pids"
	: > "$TMP/pids"
	ns_del a b
	unload
}

# --- workloads ---------------------------------------------------------------

# tcp NAME ADDRESS [OPTION]...: Mbit/s
tcp()
{
	local name=$1 to=$2
	shift 2
	bg b iperf3 -s -1 -p 5201 > /dev/null 2>&1
	wait_for 5 listening b 5201
	on a iperf3 -c "$to" -p 5201 -t "$SECONDS_EACH" -J "$@" > "$TMP/iperf"
	value "$name" "$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$TMP/iperf")"
	wait "$BG" || :
}

# kernel NS WORD...: a command for the sender in the kernel, and its answer
kernel()
{
	local ns=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's
	on "$ns" bash -c 'echo "$1" > /proc/net/wg_bench && cat /proc/net/wg_bench' - "$*"
}

# The highest rate without loss. $1: payload
udp() { value "udp$1" "$(kernel a best 192.168.241.2 9 "$1" $((SECONDS_EACH * 100)) | awk '{ print $2 }')"; }

# Datagrams a second that arrive of all that can be sent, and the per mille lost.
# $1: payload, $2: more of the workload's name
flood()
{
	local sent received ns
	read -r _ sent _ received _ ns < <(kernel a send 192.168.241.2 9 "$1" 0 $((SECONDS_EACH * 300)))
	value "flood$1${2:-}" $((received * 1000000 / (ns / 1000)))
	value "flood$1${2:-}-lost" $(((sent - received) * 1000 / sent))
}

# Microseconds. $1: name, $2: count
ping_us()
{
	value "$1" "$(on a ping -n -q -i 0.002 -c "$2" 192.168.241.2 | awk -F/ '/^rtt/ { print $5 * 1000 }')"
}

# shellcheck disable=SC2016 # awk's
eth0_bytes() { on b awk '/eth0:/ { print $2 }' /proc/net/dev; }

# The same while a stream runs.
ping_loaded()
{
	local server client idle
	bg b iperf3 -s -1 -p 5202 > /dev/null 2>&1
	server=$BG
	wait_for 5 listening b 5202
	bg a iperf3 -c 192.168.241.2 -p 5202 -t 30 > /dev/null 2>&1
	client=$BG idle=$(eth0_bytes)
	flowing() { [ $(($(eth0_bytes) - idle)) -gt 10000000 ]; }
	wait_for 10 flowing
	ping_us ping-loaded 200
	bg_end "$client"
	bg_end "$server"
}

# The part of the time that is spent in the cipher, in per mille, in the middle
# of what the command does for MILLISECONDS.
# share NAME MILLISECONDS COMMAND...: the command's own value does not count
share()
{
	local name=$1 ms=$2 file=/sys/module/wireguard/parameters/cipher_ns ns begin
	shift 2
	ns=$(< $file)
	"$@" > /dev/null &
	busy() { [ $(($(< "$file") - ns)) -gt 20000000 ]; }
	wait_for 10 busy
	ns=$(< $file) begin=${EPOCHREALTIME/./}
	sleep "$((ms * 6 / 10000)).$(printf %03d $((ms * 6 / 10 % 1000)))"
	value "share-$name" $((($(< $file) - ns) / (${EPOCHREALTIME/./} - begin) / $(nproc)))
	wait $!
}

shares()
{
	local ms=$((SECONDS_EACH * 1000))
	share tcp1 $ms tcp tcp1 192.168.241.2
	share tcp1-v6 $ms tcp tcp1 fd00:241::2
	share tcp4 $ms tcp tcp4 192.168.241.2 -P 4
	share flood1200 $ms kernel a send 192.168.241.2 9 1200 0 $ms
}

traffic()
{
	local workload
	if [ "$CONTENDER" = wgpeer-clock ]; then shares; return; fi
	for workload in $WORKLOADS; do
		case $workload in
		tcp1) tcp tcp1 192.168.241.2 ;;
		tcp1-v6) [ "$CONTENDER" = esp ] || tcp tcp1-v6 fd00:241::2 ;;
		tcp4) tcp tcp4 192.168.241.2 -P 4 ;;
		udp*) udp "${workload#udp}" ;;
		flood*) flood "${workload#flood}" ;;
		ping) ping_us ping 300 ;;
		ping-loaded) ping_loaded ;;
		esac
	done
}

# --- what is measured once for a module --------------------------------------

once_py() { on "$1" "$PY" "$WG_SELFTESTS/bench/once.py" "${@:2}"; }

# The peer a, which once.py does not know, is back.
peer_a()
{
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,fd00:241::1/128
	reach a 192.168.241.2 > /dev/null
}

once()
{
	local public
	LINK=local
	key once
	public=${PUB[once]}
	once_py - initiations "$public" "$PEERS" "$TMP/initiations"
	for CONTENDER in intree wgpeer; do
		up
		wgc b set wg0 private-key "$TMP/once.key"
		wgc a set wg0 peer "${PUB[b]}" remove peer "$public" \
			endpoint 10.0.0.2:1002 allowed-ips 192.168.241.2/32,fd00:241::2/128
		once_py b many "$CONTENDER" "$(< "$TMP/once.key")" "$PEERS"
		peer_a
		handshake_flood "$public"
		flood 64 -calm
		once_py b sessions "$CONTENDER" "$TMP/initiations"
		flood 64 -sessions
		once_py b remove "$CONTENDER" peers-remove-active
		link_delete
		down
	done
}

# The kernel's own module waits for each peer then, outside the lock under which
# that is quick.
link_delete()
{
	local begin
	once_py b add "$CONTENDER" 1000
	begin=${EPOCHREALTIME/./}
	ipn b link del wg0
	value link-delete $(((${EPOCHREALTIME/./} - begin) / 1000))
}

# A stream, and new peers, while somebody floods the responder with initiations
# of one peer. $1: its key
handshake_flood()
{
	local flood
	tcp tcp-calm 192.168.241.2
	once_py - initiations "$1" 1 "$TMP/initiations1"
	tail -c 148 "$TMP/initiations1" > "$TMP/initiation"
	bg a "$TMP/flood" 10.0.0.2 1002 "$TMP/initiation" 120000 $FLOOD_RATE
	flood=$BG
	tcp tcp-under-flood 192.168.241.2
	once_py b honest "$CONTENDER" "$1" 200
	bg_end "$flood"
}

# --- how cost grows -----------------------------------------------------------

# cost NAME PAYLOAD [SEGMENTS]: nanoseconds a datagram
cost()
{
	local sent received ns
	read -r _ sent _ received _ ns < <(kernel a send 192.168.241.2 9 "$2" 0 $((SECONDS_EACH * 150)) "${3:-1}")
	value "$1" $((ns / received))
}

# The same of TCP. $1: streams
cost_of_streams()
{
	local mbits
	mbits=$(tcp - 192.168.241.2 -P "$1" | awk '{ print $5 }')
	value "streams-$1" $((1368 * 8 * 1000 / mbits))
}

growth()
{
	local n ns
	LINK=local
	for CONTENDER in intree wgpeer; do
		up
		for n in 16 64 256 512 1024 1372; do cost size-$n $n; done
		for n in 1 2 4 8 16 32 43; do cost bundle-$n 1372 $n; done
		for n in 1 4 16 64; do cost_of_streams $n; done
		cost peers-1 64
		for n in 100 10000 100000; do
			for ns in a b; do
				once_py $ns add "$CONTENDER" $n
			done
			cost peers-$n 64
		done
		for ns in a b; do once_py $ns remove "$CONTENDER"; done
		down
	done
}

# --- all of it ---------------------------------------------------------------

cc -O2 -o "$TMP/flood" "$WG_SELFTESTS/bench/flood.c"
: > "$TMP/pids"
unload
load "$BUILT/wg_bench.ko"
say "kernel $WG_RELEASE, $WG_ENV, $(nproc) CPU, $ROUNDS rounds of ${SECONDS_EACH} s"
for round in $(seq "$ROUNDS"); do
	say "round $round of $ROUNDS"
	LINK=none CONTENDER=cipher
	read -r _ seal _ open < <(kernel - cipher 1424)
	value cipher1424 $((8 * 1424 * 1000 / (seal + open)))
	for LINK in $LINKS; do
		for CONTENDER in $CONTENDERS; do
			up
			traffic
			down
		done
	done
done
[ -z "$ONCE" ] || once
for round in $(seq "$GROWTH"); do
	say "growth, round $round of $GROWTH"
	growth
done
rmmod wg_bench
rm -rf "$TMP"
trap - EXIT
echo "bench: PASS"
