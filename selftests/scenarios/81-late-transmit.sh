#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who sends past the queue discipline may be preempted between "is the device
# up?" and the device's transmission, and come back when that is closed and
# unlisted. What such a packet touches must still be there.
#
# On one CPU only: with more, the kernel's packet_pick_tx_queue() divides by the
# number of the device's queues, which is 0 by then.
#
# env: uml uml-kasan
# timeout: 300
. "$(dirname "$0")/../lib.sh"

ns_add a

late()
{
	local i senders
	for i in $(seq 12); do
		ipn a link add wg0 type wireguard
		ipn a link set dev wg0 mtu 65000 up
		bg a "$PY" "$PYDIR/late.py" wg0 40
		senders=$BG
		wait_for 10 sending
		ipn a link del dev wg0
		wait "$senders"
	done
}

sending() { [ "$(dev_stat a wg0 tx_errors)" -ge 40 ]; }

subtest "packets that come after the device's end" late
finish
