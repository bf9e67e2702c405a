# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# lib.sh - what every scenario needs: namespaces, topologies, waiting for a
# condition, KTAP result lines, counters, one clean-up.
#
# A scenario sources this file, calls `subtest NAME FUNCTION [ARG]...` for each
# behaviour and `finish` at the end.  A subtest runs in a subshell with `set -e`:
# the first failing command ends this subtest, never the next one.  State that
# subtests share lives in the kernel or in files below $TMP.
#
# Environment: WG_ENV, WG_MODULE (ours|intree), WG_KO, WGPEER, WG_SELFTESTS,
# WG_CACHE; WG_VERBOSE=1 shows the output of passing subtests too.

set -uE

: "${WG_ENV:=local}" "${WG_MODULE:=intree}" "${WG_KO:=}" "${WGPEER:=}"
: "${WG_SELFTESTS:=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}"
: "${WG_CACHE:=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/wgpeer}"
: "${WG_VERBOSE:=}"
# shellcheck disable=SC2034 # used by scenarios
PY=/usr/bin/python3 PYDIR=$WG_SELFTESTS/py
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C WG_COLOR_MODE=never

# The program under test where it exists, else the stock one.
if [ -n "$WGPEER" ] && [ -x "$WGPEER" ]; then WG=$WGPEER; else WG=wg; fi

# Limits are stretched where the machine is emulated or instrumented.  Protocol
# time is real time everywhere and is never stretched.
case $WG_ENV in
*kasan* | *debug*) SCALE=8 ;;
uml*) SCALE=2 ;;
*) SCALE=4 ;;
esac
[ "${WG_SLOW:-1}" -le $SCALE ] || SCALE=$WG_SLOW

TMP=$(mktemp -d "${TMPDIR:-/tmp}/wgtest.XXXXXX")
PFX=t$$
tests=0 passed=0 failed=0 skipped=0
declare -A PUB=()

# --- results -----------------------------------------------------------------

diag() { printf '# %s\n' "$*"; }

# Inside a subtest: end it as failed or skipped.
fail()
{
	echo "FAIL: $*"
	exit 1
}

skip()
{
	echo "$*" > "$TMP/skip"
	exit 4
}

# shellcheck disable=SC2317 # called by the trap
on_error() { echo "status $1 at line $2: $3" >&2; }

# refute CMD...: succeeds when CMD fails (`! cmd` would slip through set -e).
refute()
{
	if "$@"; then
		echo "unexpected success: $*"
		return 1
	fi
}

# equal WHAT GOT WANTED
equal()
{
	[ "$2" = "$3" ] || { echo "$1: got '$2', wanted '$3'"; return 1; }
}

# subtest NAME FUNCTION [ARG]...
subtest()
{
	local name=$1 rc start=$EPOCHREALTIME
	shift
	tests=$((tests + 1))
	rm -f "$TMP/skip"
	(
		trap 'on_error $? $LINENO "$BASH_COMMAND"' ERR
		trap - EXIT
		set -e
		"$@"
	) > "$TMP/log" 2>&1 < /dev/null
	rc=$?
	if [ $rc = 0 ]; then
		passed=$((passed + 1))
		printf 'ok %d - %s\n' "$tests" "$name"
		[ -z "$WG_VERBOSE" ] || sed 's/^/# /' "$TMP/log"
	elif [ $rc = 4 ] && [ -s "$TMP/skip" ]; then
		skipped=$((skipped + 1))
		printf 'ok %d - %s # SKIP %s\n' "$tests" "$name" "$(< "$TMP/skip")"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' "$tests" "$name"
		tail -n 60 "$TMP/log" | cut -c 1-300 | sed 's/^/#   /'
	fi
	[ -z "$WG_VERBOSE" ] ||
		diag "took $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
}

# skip_all REASON: the whole scenario cannot run here.
skip_all()
{
	printf 'ok 1 - %s # SKIP %s\n1..1\n' "$(basename "$0" .sh)" "$*"
	cleanup
	trap - EXIT
	exit 4
}

finish()
{
	subtest "nothing is left behind" check_leftovers
	printf '1..%d\n' "$tests"
	trap - EXIT
	rm -rf "$TMP"
	[ "$failed" = 0 ] || exit 1
	# The leftover check alone proves nothing.
	[ "$passed" -gt 1 ] || [ "$skipped" = 0 ] || exit 4
	exit 0
}

# --- waiting -----------------------------------------------------------------

# wait_for SECONDS CMD...: poll until CMD succeeds; the limit is stretched.
wait_for()
{
	local limit=$(($1 * SCALE * 1000000)) start=${EPOCHREALTIME/./}
	shift
	local log=$TMP/wait.$BASHPID
	until "$@" > "$log" 2>&1; do
		if [ $((${EPOCHREALTIME/./} - start)) -gt "$limit" ]; then
			echo "waited in vain for: $*"
			cat "$log"
			return 1
		fi
		sleep 0.05
	done
}

# stays SECONDS CMD...: CMD holds over the whole real time (for "nothing happens").
stays()
{
	local limit=$(($1 * 1000000)) start=${EPOCHREALTIME/./}
	shift
	while :; do
		"$@" || { echo "did not stay: $*"; return 1; }
		[ $((${EPOCHREALTIME/./} - start)) -lt "$limit" ] || return 0
		sleep 0.2
	done
}

ms_since() { echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000)); }

# bg NS CMD...: start in the background, ended by the clean-up at the latest.
# No function may stand between: $! must be the program itself.
bg()
{
	local ns=$1
	shift
	if [ "$ns" = - ]; then
		"$@" &
	else
		nsenter --net="/run/netns/$PFX-$ns" -- "$@" &
	fi
	BG=$!
	echo "$BG" >> "$TMP/pids"
}

bg_end()
{
	kill "$1" 2> /dev/null || return 0
	wait "$1" 2> /dev/null || true
}

# --- namespaces and links ----------------------------------------------------

# on NS CMD...: run in a namespace ("-" is where the scenario itself runs, "@PID"
# the user and network namespace of a process).
on()
{
	local ns=$1
	shift
	case $ns in
	-) "$@" ;;
	@*) nsenter -U -n --preserve-credentials -t "${ns#@}" -- "$@" ;;
	*) nsenter --net="/run/netns/$PFX-$ns" -- "$@" ;;
	esac
}

# on_bare NS CMD...: the same, where no other program is found; CMD is a path
on_bare()
{
	local ns=$1
	shift
	# shellcheck disable=SC2016 # the inner shell's
	on "$ns" unshare -m sh -c 'mount -t tmpfs none /sbin; mount -t tmpfs none /usr/sbin
		PATH=/nowhere; exec "$0" "$@"' "$@"
}

# ipn NS ARG...: ip(8) in a namespace
ipn()
{
	local ns=$1
	shift
	ip -n "$PFX-$ns" "$@"
}

ns_quiet()
{
	# No duplicate address detection: addresses work at once.
	on "$1" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad
		echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
		echo 0 > /proc/sys/net/ipv6/conf/default/router_solicitations' 2> /dev/null || :
	ip -n "$PFX-$1" link set dev lo up
}

ns_add()
{
	local ns
	for ns; do
		ip netns add "$PFX-$ns"
		ns_quiet "$ns"
	done
}

ns_del()
{
	local ns
	for ns; do ip netns del "$PFX-$ns"; done
}

# ns_exec_sysctl NS KEY VALUE
ns_sysctl() { on "$1" sh -c "echo $3 > /proc/sys/$(echo "$2" | tr . /)"; }

# veth NS1 DEV1 NS2 DEV2: a cable, both ends up
veth()
{
	ip -n "$PFX-$1" link add "$2" type veth peer name "$4" netns "$PFX-$3"
	ip -n "$PFX-$1" link set dev "$2" up
	ip -n "$PFX-$3" link set dev "$4" up
}

# addr NS DEV ADDR...
addr()
{
	local ns=$1 dev=$2 a
	shift 2
	for a; do ip -n "$PFX-$ns" addr add "$a" dev "$dev"; done
}

# --- WireGuard ---------------------------------------------------------------

# key NAME...: a key pair: $TMP/NAME.key and ${PUB[NAME]}
key()
{
	local name
	for name; do
		(umask 077; wg genkey > "$TMP/$name.key")
		PUB[$name]=$(wg pubkey < "$TMP/$name.key")
	done
}

# wgc NS ARG...: the tool under test in a namespace
wgc()
{
	local ns=$1
	shift
	on "$ns" "$WG" "$@"
}

# wg_dev NS DEV NAME PORT [ADDR]...: a device with NAME's identity, up
wg_dev()
{
	local ns=$1 dev=$2 name=$3 port=$4
	shift 4
	ip -n "$PFX-$ns" link add "$dev" type wireguard
	wgc "$ns" set "$dev" private-key "$TMP/$name.key" listen-port "$port"
	[ $# = 0 ] || addr "$ns" "$dev" "$@"
	ip -n "$PFX-$ns" link set dev "$dev" up
}

# peer_field NS DEV PEER psk|endpoint|allowed|handshake|rx|tx|keepalive
peer_field()
{
	local n
	case $4 in
	psk) n=2 ;; endpoint) n=3 ;; allowed) n=4 ;; handshake) n=5 ;;
	rx) n=6 ;; tx) n=7 ;; keepalive) n=8 ;;
	esac
	wgc "$1" show "$2" dump | awk -F '\t' -v k="${PUB[$3]}" -v n=$n 'NR > 1 && $1 == k { print $n }'
}

has_handshake() { [ "$(peer_field "$1" "$2" "$3" handshake)" != 0 ]; }

# dev_stat NS DEV COUNTER: one of /sys/class/net/DEV/statistics
dev_stat() { ip netns exec "$PFX-$1" cat "/sys/class/net/$2/statistics/$3"; }

# drops NS DEV REASON: our module's counter of dropped datagrams
drops() { on "$1" ethtool -S "$2" | awk -v k="drop_$3:" '$1 == k { print $2 }'; }

# ours: whether the counters of our own module can be asked for
ours() { [ "$WG_MODULE" = ours ]; }

# nl NS [ARG]...: runs the Python program at standard input in a namespace.  It
# has all of py/genl.py, a socket g, a Check c, wg0's name as attribute W, and
# e(WHAT, ATTRIBUTES, ERRNO...): one SET that must give one of these.
nl()
{
	local ns=$1
	shift
	{
		printf 'import sys\nfrom genl import *\ng, c = Genl(), Check()\nW = attr(D_IFNAME, "wg0")\n'
		printf 'OURS = %s\n' "$(ours && echo True || echo False)"
		printf 'def e(what, payload, *want):\n'
		printf '    got = name(g.call(payload))\n'
		printf '    c.true("%%s: %%s, wanted %%s" %% (what, got, " or ".join(want)), got in want)\n'
		cat
		printf '\nc.done()\n'
	} > "$TMP/nl.py"
	PYTHONPATH=$PYDIR on "$ns" "$PY" "$TMP/nl.py" "$@"
}

# Two peers over one cable; the shape of most scenarios:
#
#   a: wg0 192.168.241.1 fd00:241::1          b: wg0 192.168.241.2 fd00:241::2
#      eth0 10.0.0.1 fd00:aa::1 ------------- eth0 10.0.0.2 fd00:aa::2
#      port 1001                                 port 1002
two_ns()
{
	ns_add a b
	veth a eth0 b eth0
	addr a eth0 10.0.0.1/24 fd00:aa::1/64
	addr b eth0 10.0.0.2/24 fd00:aa::2/64
	key a b
}

# two_peers [4|6]: which family carries the tunnel
two_peers()
{
	two_ns
	wg_dev a wg0 a 1001 192.168.241.1/24 fd00:241::1/64
	wg_dev b wg0 b 1002 192.168.241.2/24 fd00:241::2/64
	wgc a set wg0 peer "${PUB[b]}" allowed-ips 192.168.241.2/32,fd00:241::2/128
	wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32,fd00:241::1/128
	outer "${1:-4}"
}

# outer 4|6: (re)set both endpoints
outer()
{
	if [ "$1" = 4 ]; then
		wgc a set wg0 peer "${PUB[b]}" endpoint 10.0.0.2:1002
		wgc b set wg0 peer "${PUB[a]}" endpoint 10.0.0.1:1001
	else
		wgc a set wg0 peer "${PUB[b]}" endpoint '[fd00:aa::2]:1002'
		wgc b set wg0 peer "${PUB[a]}" endpoint '[fd00:aa::1]:1001'
	fi
}

# reach NS ADDR [PING OPTION]...: one echo, with time for a handshake
reach()
{
	local ns=$1 to=$2
	shift 2
	on "$ns" ping -n -q -c 1 -W $((5 * SCALE)) "$@" "$to"
}

# no_reach NS ADDR: and nothing may answer within a second
no_reach() { refute on "$1" ping -n -q -c 1 -W 1 "$2"; }

# reach_soon NS ADDR: one of several tries; for times when a flood pushes single
# packets out of the queue that waits for a session
reach_soon() { wait_for 15 on "$1" ping -n -q -c 1 -W 2 "$2"; }

# pings NS ADDR COUNT [OPTION]...: COUNT answers, each echo sent when the last
# came back.  A few more may be under way where the round trip is long.
pings()
{
	local ns=$1 to=$2 count=$3 out
	shift 3
	if ! out=$(on "$ns" ping -n -q -A -c "$count" -w $((5 * SCALE)) "$@" "$to") ||
		[ "$(awk '/packets transmitted/ { print $1 - $4 }' <<< "$out")" -gt 3 ]; then
		echo "$out"
		return 1
	fi
}

# --- peers in Python ---------------------------------------------------------

# py_serve NS: from now on scripts of `py` run in that namespace, with all of
# noise.py and packets.py.  What is in $TMP/py.head stands before each of them.
py_serve()
{
	mkfifo "$TMP/py.do" "$TMP/py.done"
	export PFX WG
	PYTHONPATH=$PYDIR bg "$1" "$PY" "$PYDIR/serve.py" "$TMP" > "$TMP/py.log" 2>&1
	PYSERVER=$BG
}

# py [WORD]...: the script on standard input, sys.argv as given; the status is
# that of the script
py()
{
	local rc
	cat "$TMP/py.head" - > "$TMP/py.script"
	kill -0 "$PYSERVER" || { cat "$TMP/py.log"; return 1; }
	echo "$*" > "$TMP/py.do"
	rc=$(< "$TMP/py.done")
	cat "$TMP/py.out"
	return "$rc"
}

# --- traffic -----------------------------------------------------------------

listening() { on "$1" ss -Hln "sport = :$2" | grep -q .; }

# iperf NS1 NS2 ADDR [CLIENT OPTION]...: one bounded iperf3 run NS1 -> NS2
iperf()
{
	local from=$1 to=$2 at=$3 srv
	shift 3
	bg "$to" iperf3 -s -1 -p 5201 > "$TMP/iperf.srv" 2>&1
	srv=$BG
	wait_for 5 listening "$to" 5201
	on "$from" timeout $((15 * SCALE)) iperf3 -c "$at" -p 5201 "$@" || {
		bg_end "$srv"
		return 1
	}
	wait "$srv" || :
}

# send_file NS1 NS2 ADDR KIB: random bytes over TCP, compared by digest
send_file()
{
	local from=$1 to=$2 at=$3 kib=$4 rx
	case $at in *:*) at=[$at] ;; esac
	[ -f "$TMP/file.$kib" ] || head -c $((kib * 1024)) /dev/urandom > "$TMP/file.$kib"
	rm -f "$TMP/got"
	bg "$to" socat -u TCP6-LISTEN:5300,ipv6only=0,reuseaddr OPEN:"$TMP/got",creat,trunc
	rx=$BG
	wait_for 5 listening "$to" 5300
	on "$from" timeout $((15 * SCALE)) socat -u OPEN:"$TMP/file.$kib" "TCP:$at:5300"
	wait "$rx"
	equal "digest of the received file" "$(sha256sum < "$TMP/got")" \
		"$(sha256sum < "$TMP/file.$kib")"
}

# capture NS DEV NAME FILTER...: packets to $TMP/NAME.pcap until capture_end NAME
capture()
{
	local ns=$1 dev=$2 name=$3
	shift 3
	bg "$ns" tcpdump -p -U --immediate-mode -n -i "$dev" -w "$TMP/$name.pcap" "$@" \
		2> "$TMP/$name.tcpdump"
	echo "$BG" > "$TMP/$name.pid"
	wait_for 10 grep -q 'listening on' "$TMP/$name.tcpdump"
}

# captured NAME [OPTION]... : what was captured so far, as text
captured()
{
	local name=$1
	shift
	tcpdump -n -r "$TMP/$name.pcap" "$@" 2> /dev/null || :
}

# trace NAME: what was captured so far, one WireGuard message a line (py/trace.py)
trace() { "$PY" "$PYDIR/trace.py" "$TMP/$1.pcap"; }

# captured_at_least NAME COUNT FILTER...
captured_at_least()
{
	local name=$1 count=$2
	shift 2
	[ "$(captured "$name" "$@" | wc -l)" -ge "$count" ]
}

capture_end()
{
	local pid
	pid=$(< "$TMP/$1.pid")
	kill "$pid" 2> /dev/null || :
	wait "$pid" 2> /dev/null || :
}

# --- needs -------------------------------------------------------------------

need() { command -v "$1" > /dev/null || skip_all "no program $1"; }

need_nft()
{
	ns_add probe
	if ! on probe nft add table inet probe > /dev/null 2>&1 ||
		! on probe nft 'add chain inet probe c { type nat hook postrouting priority 100; }' > /dev/null 2>&1; then
		skip_all "kernel without nftables NAT"
	fi
	ns_del probe
}

# --- the end -----------------------------------------------------------------

ours_ns() { ip netns list | awk -v p="$PFX-" 'index($1, p) == 1 { print $1 }'; }

# shellcheck disable=SC2317 # called by the trap
cleanup()
{
	local pid ns
	if [ -f "$TMP/pids" ]; then
		while read -r pid; do kill "$pid" 2> /dev/null; done < "$TMP/pids"
		rm -f "$TMP/pids"
	fi
	for ns in $(ours_ns); do
		# A probe in our own namespace vanishes with the other one.
		ip netns del "$ns" 2> /dev/null
	done
	rm -rf "$TMP/netns"
}

no_ns_left() { [ -z "$(ours_ns)" ]; }

# A namespace is really gone when its devices are: a cable from each of them
# into one last namespace must vanish from there.
check_leftovers()
{
	local ns i=0 list
	list=$(ours_ns)
	ip netns add "$PFX-last"
	for ns in $list; do
		i=$((i + 1))
		ip -n "$PFX-last" link add "probe$i" type veth peer name "last$i" netns "$ns"
	done
	cleanup_but_last
	# Reference leaks show as devices that wait ten seconds or for ever.
	wait_for 30 no_probes_left
	ip netns del "$PFX-last"
	equal "WireGuard devices left in the first namespace" \
		"$(ip -o link show type wireguard | wc -l)" "$WG_BEFORE"
	equal "namespaces left" "$(ours_ns)" ""
	refute grep -q 'waiting for .* to become free' <(dmesg | tail -n +"$((DMESG_BEFORE + 1))")
}

no_probes_left() { [ "$(ip -n "$PFX-last" -o link show type veth | wc -l)" = 0 ]; }

cleanup_but_last()
{
	local pid ns
	if [ -f "$TMP/pids" ]; then
		while read -r pid; do kill "$pid" 2> /dev/null || :; done < "$TMP/pids"
		rm -f "$TMP/pids"
	fi
	for ns in $(ours_ns); do
		[ "$ns" = "$PFX-last" ] || ip netns del "$ns"
	done
}

WG_BEFORE=$(ip -o link show type wireguard 2> /dev/null | wc -l)
DMESG_BEFORE=$(dmesg | wc -l)
trap 'cleanup; rm -rf "$TMP"' EXIT
