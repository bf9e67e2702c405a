#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
#
# The KUnit suites ran when the module was loaded; their results lie in debugfs.
set -e

cd /sys/kernel/debug/kunit
shopt -s nullglob
suites=(*/results)
[ ${#suites[@]} -gt 0 ] || { echo "no KUnit suite in the module" >&2; exit 1; }
echo "KTAP version 1"
echo "1..${#suites[@]}"
for suite in "${suites[@]}"; do
	# Each file is a KTAP document of its own; inside a larger one it
	# stands without its first line.
	grep -v '^KTAP version\|^1\.\.' "$suite"
done
! grep -hq '^not ok' "${suites[@]}"
