#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The MTU that a file without one gets, by the path to its endpoint; in a
# namespace that nobody else sees, and without making the interface.
cd "$(dirname "$0")/.." || exit 1
bin=$PWD/build/san/wgpeer

skip()
{
	printf 'ok 1 - mtu net # SKIP %s\n1..1\n' "$1"
	exit 0
}

for program in ip unshare; do
	command -v $program > /dev/null || skip "no program $program"
done
if [ -z "$MTU_NET" ]; then
	root=
	[ "$(id -u)" = 0 ] || root=-r
	unshare $root -mn ip link add v0 type veth 2> /dev/null ||
		skip "may not make namespaces with links"
	exec env MTU_NET=y unshare $root -mn "$0"
fi

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
umask 077
n=0 bad=0
ip link add v0 type veth peer name v1
ip addr add 10.0.0.1/24 dev v0
ip link set v0 up
ip link set v1 up

# mtu NAME WANTED PATH-MTU ADDRESS ALLOWED-IPS [LINE]
mtu()
{
	ip link set v0 mtu "$3"
	printf '%s\n' '[Interface]' "Address = $4" "$6" '[Peer]' \
		'PublicKey = KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY=' \
		'Endpoint = 10.0.0.2:5' "AllowedIPs = $5" > "$tmp/wgm.conf"
	"$bin" up --dry-run "$tmp/wgm.conf" > "$tmp/out" 2>&1
	n=$((n + 1))
	if grep -qx "set MTU $2" "$tmp/out"; then
		echo "ok $n - mtu net: $1"
	else
		bad=1
		echo "not ok $n - mtu net: $1"
		sed 's/^/# /' "$tmp/out"
	fi
}

mtu "what fits" 1420 1500 192.168.1.1/24,fd01::1/64 10.9.0.0/16,fd09::/48
mtu "a narrow path" 1220 1300 192.168.1.1/24 10.9.0.0/16
mtu "a narrow path, IPv6" 1280 1300 192.168.1.1/24,fd01::1/64 10.9.0.0/16
mtu "a narrow path, only routes of IPv6" 1280 1300 192.168.1.1/24 fd09::/48
mtu "what the file says" 1200 1300 192.168.1.1/24,fd01::1/64 10.9.0.0/16 "MTU = 1200"
echo "1..$n"
exit $bad
