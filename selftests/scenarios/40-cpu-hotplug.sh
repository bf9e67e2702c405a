#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A processor comes and goes while packets are on their way: what waited for it
# goes on elsewhere, nothing stalls, and datagrams leave in the order of their
# counters.
#
#   a [wg0] -- eth0 ------- eth0 -- [wg0] b
#
# spec 4.3-4.5, 5.3, 5.4
# env: qemu-*
# timeout: 60
# cpus: 2
. "$(dirname "$0")/../lib.sh"

CPU=/sys/devices/system/cpu/cpu1/online
[ -w $CPU ] || skip_all "a kernel or machine without CPU hotplug"
two_peers 4

# Off and on until the file that says so is gone.
toggle()
{
	touch "$TMP/toggle"
	(
		while [ -e "$TMP/toggle" ]; do
			echo 0 > $CPU
			echo 1 > $CPU
			echo x >> "$TMP/toggled"
		done
	) &
	BG=$!
	echo "$BG" >> "$TMP/pids"
}

moving()
{
	local toggler
	reach a 192.168.241.2
	capture a eth0 out 'udp[8] = 4 and src 10.0.0.1' -s 80
	toggle
	toggler=$BG
	bg b ping -n -q -i 0.01 -c 1000000 192.168.241.1 > /dev/null
	local flood=$BG
	for _ in 1 2; do
		send_file a b 192.168.241.2 256
		send_file b a fd00:241::1 256
	done
	rm "$TMP/toggle"
	wait "$toggler"
	bg_end "$flood"
	capture_end out
	equal "processors" "$(nproc --all)" "$(nproc)"
	[ "$(wc -l < "$TMP/toggled")" -ge 5 ]
	pings a 192.168.241.2 5
}

# A bundle is captured as one datagram with the first one's counter.
in_order()
{
	"$PY" - "$TMP/out.pcap" <<'P'
import struct, sys
pcap = open(sys.argv[1], "rb").read()
at, last, seen, wrong = 24, {}, 0, 0
while at + 16 <= len(pcap):
    size, = struct.unpack("<I", pcap[at + 8:at + 12])
    kind, index, counter = struct.unpack("<IIQ", pcap[at + 16 + 42:at + 16 + 58])
    at += 16 + size
    seen += 1
    wrong += counter <= last.get(index, -1)
    last[index] = counter
print("%d packets, %d out of order" % (seen, wrong))
assert seen > 100 and not wrong
P
}

subtest "no transfer stalls" moving
subtest "datagrams leave in order" in_order
[ "$(< $CPU)" = 1 ] || echo 1 > $CPU
finish
