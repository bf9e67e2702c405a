#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# wireguard-go rekeys three times in real time, and not one packet is lost.
#
#   a [wg0, kernel] -- eth0 ------- eth0 -- [wg0, wireguard-go] b
#
# spec 2.3, 2.5, 2.6
# env: uml uml-smp qemu-*
# long: yes
# timeout: 480
export SECONDS_OF_TRAFFIC=390 REKEYS=3
# shellcheck source=selftests/scenarios/33-rekeys.sh
. "$(dirname "$0")/33-rekeys.sh"
