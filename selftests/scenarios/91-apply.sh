#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `wgpeer apply`: only what differs is sent; whom it does not concern notices
# nothing; what fails leaves all as it was. And status, save, --dry-run.
#
#   a [wg1] -- eth0 10.0.0.1 -- 10.0.0.2 eth0 -- [wg0 192.168.241.2] b
#      |- eth1 10.1.0.1 ------- 10.1.0.2 eth0 -- [wg0 192.168.241.3] c
#
# spec 8.5, 8.8
# env: uml uml-smp qemu-6.12
# timeout: 600
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need_nft

ns_add a b c
veth a eth0 b eth0
veth a eth1 c eth0
addr a eth0 10.0.0.1/24
addr a eth1 10.1.0.1/24
addr b eth0 10.0.0.2/24
addr c eth0 10.1.0.2/24
key a b c d
wg genpsk > "$TMP/psk" 2> /dev/null
wg_dev b wg0 b 1002 192.168.241.2/24
wg_dev c wg0 c 1003 192.168.241.3/24
wgc b set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32
wgc c set wg0 peer "${PUB[a]}" allowed-ips 192.168.241.1/32
CONF=/etc/wireguard/wg1.conf
mkdir -p /etc/wireguard
ns_sysctl a net.ipv4.conf.all.send_redirects 0

# What goes out over netlink: "set LENGTH" to WireGuard, "route TYPE" to the rest
# of the kernel, but nothing that only asks.
cat > "$TMP/spy.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

ssize_t sendto(int fd, const void *data, size_t len, int flags,
	       const struct sockaddr *to, socklen_t to_len)
{
	const struct nlmsghdr *nlh = data;
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	const char *path = getenv("SPY");
	FILE *out = to && to->sa_family == AF_NETLINK && path ? fopen(path, "a") : NULL;
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *,
			socklen_t) = dlsym(RTLD_NEXT, "sendto");

	if (out && nlh->nlmsg_type > GENL_ID_CTRL && nlh->nlmsg_type < 128 && genl->cmd == 1)
		fprintf(out, "set %u\n", nlh->nlmsg_len);
	if (out && nlh->nlmsg_flags & NLM_F_ACK && nlh->nlmsg_type < 128 &&
	    (nlh->nlmsg_type & 3) != 2 && nlh->nlmsg_type > 16 && genl->cmd != 1)
		fprintf(out, "route %u\n", nlh->nlmsg_type);
	if (out)
		fclose(out);
	return real(fd, data, len, flags, to, to_len);
}
END
cc -O1 -shared -fPIC -o "$TMP/spy.so" "$TMP/spy.c" -ldl || skip_all "no compiler"

# our WORD...: the program in a, watched
our()
{
	: > "$TMP/sent"
	on a env LD_PRELOAD="$TMP/spy.so" SPY="$TMP/sent" "$WGPEER" "$@"
}

# write [LINE OF INTERFACE]...: the file that most tests begin with
write()
{
	umask 077
	{
		printf '%s\n' '[Interface]' "PrivateKey = $(< "$TMP/a.key")" \
			'Address = 192.168.241.1/24' 'ListenPort = 1001' "$@"
		printf '%s\n' '' '[Peer]' '# Name = bob' "PublicKey = ${PUB[b]}" 'Endpoint = 10.0.0.2:1002' \
			'AllowedIPs = 192.168.241.2/32, 10.9.0.0/16'
		printf '%s\n' '' '[Peer]' '# Name = carol' "PublicKey = ${PUB[c]}" \
			'Endpoint = 10.1.0.2:1003' 'AllowedIPs = 192.168.241.3/32, 10.8.0.0/16'
	} > "$CONF"
}

# carol SED-COMMANDS: edit the section of peer c
carol() { sed -i "/Name = carol/,\$ { $1 }" "$CONF"; }

state()
{
	ipn a rule list
	ipn a route show table all type unicast
	ipn a -6 route show table all type unicast
	ipn a -o addr show | sed 's/valid_lft.*//'
	ipn a -o link show | sed 's/ qlen .*//'
	on a nft list ruleset
	on a bash -c 'cd /proc/sys/net && grep -s . ipv4/ip_forward \
		ipv4/conf/*/{forwarding,rp_filter,src_valid_mark,accept_redirects,send_redirects} \
		ipv6/conf/*/{forwarding,accept_ra,disable_ipv6,mtu}'
	on a wg showconf wg1 2> /dev/null || :
}

brought_up()
{
	ours_down
	write "$@"
	our up wg1
	reach a 192.168.241.2
	reach a 192.168.241.3
}

ours_down() { on a "$WGPEER" down wg1 > /dev/null 2>&1 || :; }

allowed() { peer_field a wg1 "$1" allowed | tr , '\n' | sort | xargs; }

# watched ADDRESS: whether the monitor has come so far
watched()
{
	ipn a addr add "$1/32" dev lo 2> /dev/null || :
	grep -q "$1" "$TMP/monitor" || { ipn a addr del "$1/32" dev lo; return 1; }
}

# --- nothing, and a little ---------------------------------------------------

nothing()
{
	local hs
	brought_up 'MTU = 1400' 'DNS = 192.168.241.2' '# wgpeer dns = none'
	hs=$(peer_field a wg1 b handshake)
	state > "$TMP/before"
	bg a ip -o monitor all > "$TMP/monitor"
	wait_for 5 watched 127.9.9.1
	our apply wg1
	[ ! -s "$TMP/sent" ] || fail "sent: $(< "$TMP/sent")"
	our apply wg1 --dry-run > "$TMP/told"
	[ ! -s "$TMP/told" ] || fail "told: $(< "$TMP/told")"
	wait_for 5 watched 127.9.9.2
	bg_end "$BG"
	refute grep -v '127\.9\.9\.' "$TMP/monitor"
	ipn a addr flush dev lo to 127.9.9.0/24
	state | diff "$TMP/before" -
	equal "handshake" "$(peer_field a wg1 b handshake)" "$hs"
	# The spy sees what there is to see.
	carol 's/10.8/10.7/'
	our apply wg1
	grep -q '^set' "$TMP/sent"
	grep -q '^route' "$TMP/sent"
}

# A file that says the same in other words, and keys that the kernel has by a hook.
other_words()
{
	brought_up
	sed -i 's/AllowedIPs = 192.168.241.2.32, 10.9.0.0.16/AllowedIPs = 10.9.8.7\/16\nallowedips=192.168.241.2/' "$CONF"
	our apply wg1
	[ ! -s "$TMP/sent" ] || fail "sent: $(< "$TMP/sent")"
	sed -i '/^PrivateKey/d; /^ListenPort/d' "$CONF"
	our apply wg1
	[ ! -s "$TMP/sent" ] || fail "sent: $(< "$TMP/sent")"
	equal "key" "$(on a wg show wg1 private-key)" "$(< "$TMP/a.key")"
}

# One setting: one message of one peer.
minimal()
{
	brought_up
	echo 'PersistentKeepalive = 25' >> "$CONF"
	our apply wg1
	equal "messages" "$(grep -c ^set "$TMP/sent")" 1
	# Headers 20, name 8, nests 8, key 36, flags 8, keepalive 8.
	[ "$(awk '{ print $2 }' "$TMP/sent")" -le 96 ] || fail "$(< "$TMP/sent")"
	equal "keepalive" "$(peer_field a wg1 c keepalive)" 25
	sed -i '$d' "$CONF"
	our apply wg1
	equal "keepalive" "$(peer_field a wg1 c keepalive)" off
}

# --- who is not concerned ----------------------------------------------------

edits()
{
	carol 's/10.8.0.0.16/10.8.0.0\/16, 10.7.0.0\/16/'
	our apply wg1
	equal "allowed" "$(allowed c)" "10.7.0.0/16 10.8.0.0/16 192.168.241.3/32"
	ipn a route get 10.7.0.1 | grep -q 'dev wg1'
	carol 's/, 10.8.0.0.16//'
	our apply wg1
	equal "allowed" "$(allowed c)" "10.7.0.0/16 192.168.241.3/32"
	refute ipn a route get 10.8.0.1
	carol "s/^Endpoint.*/&\nPresharedKey = $(sed 's/[\/&]/\\&/g' "$TMP/psk")/"
	our apply wg1
	equal "psk" "$(peer_field a wg1 c psk)" "$(< "$TMP/psk")"
	carol '/^PresharedKey/d'
	our apply wg1
	sed -i '/Name = carol/,$d' "$CONF"
	sed -i '$d' "$CONF"
	our apply wg1
	equal "peers" "$(on a wg show wg1 peers)" "$(printf '%s\n' "${PUB[b]}")"
	printf '%s\n' '[Peer]' '# Name = dora' "PublicKey = ${PUB[d]}" 'AllowedIPs = 192.168.241.4/32' >> "$CONF"
	our apply wg1
	equal "peers" "$(on a wg show wg1 peers | sort | xargs)" \
		"$(printf '%s\n' "${PUB[b]}" "${PUB[d]}" | sort | xargs)"
	sed -i 's/^Address.*/Address = 192.168.241.1\/24, 192.168.243.1\/24, fd00:241::1\/64/; s/^\[Interface\]/&\nMTU = 1380/' "$CONF"
	our apply wg1
	ipn a addr show dev wg1 | grep -q fd00:241::1
	equal "mtu" "$(ipn a -o link show dev wg1 | grep -o 'mtu [0-9]*')" "mtu 1380"
	sed -i 's/^Address.*/Address = 192.168.241.1\/24/' "$CONF"
	our apply wg1
	refute grep -q 243 <(ipn a addr show dev wg1)
}

unconcerned()
{
	local hs sent got
	brought_up
	hs=$(peer_field a wg1 b handshake)
	bg a ping -n -q -i 0.02 192.168.241.2 > "$TMP/ping"
	edits
	kill -INT "$BG"
	wait "$BG" || :
	cat "$TMP/ping"
	equal "handshake" "$(peer_field a wg1 b handshake)" "$hs"
	read -r sent got < <(awk '/transmitted/ { print $1, $4 }' "$TMP/ping")
	[ "$sent" -gt 20 ] || fail "only $sent packets"
	# The last one may be under way.
	[ $((sent - got)) -le 1 ] || fail "$((sent - got)) of $sent packets lost"
}

# An address of a network takes the others of it along when it goes.
secondaries()
{
	ours_down
	write
	sed -i 's/^Address.*/Address = 192.168.241.1\/24, 192.168.241.11\/24, 192.168.241.12\/24/' "$CONF"
	our up wg1
	reach a 192.168.241.2
	sed -i 's/^Address.*/Address = 192.168.241.12\/24, 192.168.241.11\/24/' "$CONF"
	our apply wg1
	equal "addresses" "$(ipn a -o -4 addr show dev wg1 | awk '{ print $4 }' | sort | xargs)" \
		"192.168.241.11/24 192.168.241.12/24"
	ipn a route get 10.9.0.1 | grep -q 'dev wg1'
}

# --- endpoints ---------------------------------------------------------------

roams()
{
	brought_up
	wgc b set wg0 listen-port 1012 peer "${PUB[a]}" endpoint 10.0.0.1:1001
	reach b 192.168.241.1
	equal "endpoint" "$(peer_field a wg1 b endpoint)" 10.0.0.2:1012
	carol 's/10.8/10.7/'
	our apply wg1
	equal "endpoint kept" "$(peer_field a wg1 b endpoint)" 10.0.0.2:1012
	sed -i 's/^Endpoint = 10.0.0.2:1002/Endpoint = 10.0.0.2:1022/' "$CONF"
	our apply wg1
	equal "endpoint of the file" "$(peer_field a wg1 b endpoint)" 10.0.0.2:1022
	wgc b set wg0 listen-port 1002
	# Carried by nobody so far: it gets one.
	on a wg set wg1 peer "${PUB[c]}" remove
	carol 's/10.1.0.2:1003/10.1.0.2:1013/'
	our apply wg1
	equal "endpoint" "$(peer_field a wg1 c endpoint)" 10.1.0.2:1013
}

unresolvable()
{
	ours_down
	write
	carol 's/^Endpoint.*/Endpoint = nowhere.invalid:1003/'
	export WG_ENDPOINT_RESOLUTION_RETRIES=0
	our up wg1 2> "$TMP/told"
	cat "$TMP/told"
	grep -q '^Warning: peer carol .*nowhere.invalid' "$TMP/told"
	equal "endpoint" "$(peer_field a wg1 c endpoint)" '(none)'
	reach a 192.168.241.2
	our status wg1 > "$TMP/told"
	grep -q 'endpoint of the file: nowhere.invalid:1003' "$TMP/told"
	grep -q '^  look up the endpoint nowhere.invalid:1003 of peer carol' "$TMP/told"
	# It is asked for again, and comes.
	echo '10.1.0.2 nowhere.invalid' >> /etc/hosts
	our apply wg1
	equal "endpoint" "$(peer_field a wg1 c endpoint)" 10.1.0.2:1003
	sed -i '$d' /etc/hosts
	# Now it is there and its line is the same: nobody is asked.
	our apply wg1 2> "$TMP/told"
	[ ! -s "$TMP/told" ] || fail "$(< "$TMP/told")"
}

# --- what fails --------------------------------------------------------------

# fails_back LINE...: an edit that would change everything, and cannot be made.
fails_back()
{
	local hs
	brought_up 'MTU = 1400'
	hs=$(peer_field a wg1 b handshake)
	state > "$TMP/before"
	find /run/wgpeer -name '*.state' -exec cat {} + > "$TMP/noted"
	sed -i 's/^Address.*/Address = 192.168.241.1\/24, 192.168.244.1\/24/; s/^MTU.*/MTU = 1350/; /Name = carol/,$d' "$CONF"
	printf '%s\n' "PublicKey = ${PUB[d]}" 'AllowedIPs = 0.0.0.0/0, 10.55.0.0/16' >> "$CONF"
	for line; do sed -i "s|^\[Interface\]|&\n$line|" "$CONF"; done
	refute our apply wg1 2> "$TMP/told"
	equal "lines of the error" "$(grep -vc '^To do' "$TMP/told")" 1
	cat "$TMP/told"
	# Peer c went and came back: only it has no session.
	equal "handshake" "$(peer_field a wg1 b handshake)" "$hs"
	state | diff "$TMP/before" -
	find /run/wgpeer -name '*.state' -exec cat {} + | diff "$TMP/noted" -
	reach a 192.168.241.3
}

route_in_the_way()
{
	ipn a route add 10.55.0.0/16 dev eth0
	fails_back
	ipn a route del 10.55.0.0/16 dev eth0
}

# --- looking only ------------------------------------------------------------

dry()
{
	ours_down
	write 'PostUp = touch '"$TMP"'/hook' 'DNS = 192.168.241.2'
	sed -i 's/10.8.0.0.16/0.0.0.0\/0/' "$CONF"
	rm -f "$TMP/hook"
	state > "$TMP/before"
	our up wg1 --dry-run > "$TMP/told"
	cat "$TMP/told"
	[ ! -s "$TMP/sent" ]
	for line in 'add interface wg1' 'set private key' 'set listen port 1001' 'add peer bob *' \
		'add address 192.168.241.1/24' 'add route 10.9.0.0/16 *' 'add rules for IPv4*' \
		'set net/ipv4/conf/all/src_valid_mark = 1' 'set firewall rules' 'run PostUp: *'; do
		grep -q "^${line//\*/.*}" "$TMP/told" || fail "no line $line"
	done
	refute grep -qF "$(< "$TMP/a.key")" "$TMP/told"
	state | diff "$TMP/before" -
	our up wg1
	rm "$TMP/hook"
	# Nobody here takes name servers: that is tried anew each time.
	sed -i /DNS/d "$CONF"
	state > "$TMP/before"
	carol 's/^Endpoint.*/Endpoint = 10.1.0.2:1004/'
	our apply wg1 --dry-run > "$TMP/told"
	equal "told" "$(< "$TMP/told")" "change peer carol (${PUB[c]}), endpoint 10.1.0.2:1004"
	our down wg1 --dry-run > "$TMP/told"
	grep -qx 'remove interface wg1' "$TMP/told"
	grep -q '^remove rules for IPv4' "$TMP/told"
	[ ! -s "$TMP/sent" ]
	state | diff "$TMP/before" -
	our down wg1
}

# --- status ------------------------------------------------------------------

status()
{
	local rc=0
	ours_down
	write '# wgpeer role = client'
	our status wg1 > "$TMP/told" || rc=$?
	equal "status of what is down" "$rc" 3
	grep -q 'state: not up' "$TMP/told"
	our status wg1 --json > "$TMP/told" || :
	jq -e '.up == false and .role == "client" and (.peers | length) == 2' "$TMP/told"
	our up wg1
	reach a 192.168.241.2
	our status wg1 > "$TMP/told"
	cat "$TMP/told"
	grep -qx 'peer: bob' "$TMP/told"
	grep -q 'latest handshake: \(now\|.* ago\)$' "$TMP/told"
	refute grep -q differs "$TMP/told"
	our status wg1 --json > "$TMP/told"
	jq -e '.up and .listen_port == 1001 and .addresses == ["192.168.241.1/24"] and .differences == []
		and .peers[0].name == "bob" and .peers[0].endpoint == "10.0.0.2:1002"
		and .peers[0].latest_handshake > 0 and .peers[0].rx_bytes > 0' "$TMP/told"
	# By hand, beside the file.
	on a wg set wg1 peer "${PUB[d]}" allowed-ips 10.3.0.0/16
	on a wg set wg1 peer "${PUB[b]}" persistent-keepalive 7
	our status wg1 > "$TMP/told"
	grep -q 'in the kernel, but not in the file' "$TMP/told"
	grep -q "^  remove peer ${PUB[d]}" "$TMP/told"
	grep -q "^  change peer bob .*, keepalive 0" "$TMP/told"
	# The last one in the file has it.
	write
	carol 's/^AllowedIPs.*/AllowedIPs = 192.168.241.2\/32, 10.9.0.0\/16/'
	our apply wg1
	our status wg1 | grep -q 'configured but empty in the kernel'
	our apply wg1
	[ ! -s "$TMP/sent" ] || fail "sent: $(< "$TMP/sent")"
	our status "$CONF" > "$TMP/told"
	rm "$CONF"
	our status wg1 | grep -q 'file: (none)'
	our down wg1
}

# --- save and strip ----------------------------------------------------------

saves()
{
	ours_down
	write 'SaveConfig = true' '# a comment' 'PostUp = true # x'
	sed -i 's/10.9.0.0.16/0.0.0.0\/0/' "$CONF"
	carol 's/10.1.0.2:1003/carol.wgpeer-test:1003/'
	echo '10.1.0.2 carol.wgpeer-test' >> /etc/hosts
	our up wg1
	equal "mark" "$(on a wg show wg1 fwmark)" 0xca6c
	cp "$CONF" "$TMP/saved"
	our save wg1
	diff "$TMP/saved" "$CONF"
	on a wg set wg1 peer "${PUB[d]}" allowed-ips 10.3.0.0/16 persistent-keepalive 9 \
		preshared-key "$TMP/psk" endpoint 10.0.0.9:9
	on a wg set wg1 peer "${PUB[b]}" endpoint 10.0.0.2:1099
	ipn a addr add 192.168.245.1/24 dev wg1
	our down wg1
	equal "mode" "$(stat -c %a "$CONF")" 600
	diff "$TMP/saved" "$CONF" > "$TMP/diff" || :
	cat "$TMP/diff"
	grep -qx '> Address = 192.168.241.1/24, 192.168.245.1/24' "$TMP/diff"
	grep -qx '> Endpoint = 10.0.0.2:1099' "$TMP/diff"
	grep -qx "> PublicKey = ${PUB[d]}" "$TMP/diff"
	grep -qx "> PresharedKey = $(< "$TMP/psk")" "$TMP/diff"
	grep -qx '> AllowedIPs = 10.3.0.0/16' "$TMP/diff"
	grep -qx '> PersistentKeepalive = 9' "$TMP/diff"
	equal "lines that went" "$(grep -c '^<' "$TMP/diff")" 2
	refute grep -q FwMark "$CONF"
	sed -i '$d' /etc/hosts
	our strip wg1 > "$TMP/stripped"
	refute grep -qE 'Address|SaveConfig|PostUp' "$TMP/stripped"
	equal "peers" "$(grep -c '^\[Peer\]' "$TMP/stripped")" 3
	equal "the previous one" "$(grep -c PublicKey "$CONF.bak")" 2
}

# Who edits the file at the moment is waited for.
saves_later()
{
	brought_up
	on a wg set wg1 peer "${PUB[d]}" allowed-ips 10.3.0.0/16
	# shellcheck disable=SC2016 # the inner shell's
	bg - flock /etc/wireguard sh -c 'cp "$0" "$1/edit"; touch "$1/locked"; sleep 1
		echo "# edited" >> "$1/edit"; mv "$1/edit" "$0"' "$CONF" "$TMP"
	wait_for 5 test -e "$TMP/locked"
	our save wg1
	wait "$BG"
	grep -qx '# edited' "$CONF"
	grep -qx "PublicKey = ${PUB[d]}" "$CONF"
}

subtest "nothing changed, nothing sent" nothing
subtest "the same in other words" other_words
subtest "one setting, one small message" minimal
subtest "others notice nothing" unconcerned
subtest "addresses of one network" secondaries
subtest "learned endpoints stay" roams
subtest "a name that does not resolve" unresolvable
subtest "a failure takes all back" route_in_the_way
subtest "looking only" dry
subtest "status" status
subtest "save and strip" saves
subtest "save, after others" saves_later
finish
