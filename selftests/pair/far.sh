#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The machine with the kernel's own module: plugs in the cable and does what
# near.sh asks of it, one command a connection, until it asks for the end.
#
# timeout: 300
# For each connection: a line to run, back go what it says and its status.
if [ "${1:-}" = answer ]; then
	IFS= read -r line
	eval "$line" 2>&1 </dev/null
	printf '\nrc=%d\n' $?
	exit
fi
. "$(dirname "$0")/../lib.sh"

plug_in()
{
	modprobe virtio_net
	wait_for 10 ip link show dev eth0
	ip link set dev eth0 up
	# For the commands alone.
	ip addr add fd00:cc::2/64 dev eth0 nodad
}

obey()
{
	bg - socat -t 3600 TCP6-LISTEN:2222,fork,reuseaddr EXEC:"$0 answer"
	local limit=$SECONDS
	[ -z "${WG_LONG:-}" ] || limit=$((limit + 1200))
	limit=$((limit + 270 * WG_SLOW))
	until [ -e "$1" ]; do
		[ $SECONDS -lt $limit ] || fail "was not asked to end"
		sleep 0.2
	done
	ip link show type wireguard | grep . && fail "a device is left"
	bg_end "$BG"
}

subtest "plugged in" plug_in
subtest "did what was asked" obey /tmp/pair.end
finish
