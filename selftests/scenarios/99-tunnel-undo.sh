#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What `wgpeer up` changes on a host is undone: when a step fails, when two
# tunnels need the same, after a crash, on a signal.
#
# spec 8.8
# env: uml uml-smp qemu-6.12
# timeout: 600
# shellcheck source=selftests/tunnel.sh
. "${WG_SELFTESTS:=$(dirname "$0")/..}/tunnel.sh"

# bare WORD...: the program in a, on a host that has no other
bare() { on_bare a "$WGPEER" "$@"; }

# --- steps that fail ---------------------------------------------------------

# fails NAME: it must not come up, with one line that says why, and all is as
# it was
fails()
{
	refute our up "$1" 2> "$TMP/told"
	cat "$TMP/told"
	equal "lines of the error" "$(grep -c . "$TMP/told")" 1
	all_undone
}

steps()
{
	local all='0.0.0.0/0, ::/0, 10.9.0.0/16'
	local addr='Address = 192.168.241.1/24, fd00:241::1/64'
	write wg1 "$all" "$addr" 'PreUp = false'
	fails wg1
	write wg1 "$all" "$addr" 'Address = ff02::1/64'
	fails wg1
	write wg1 "$all" "$addr" 'MTU = 2147483647'
	fails wg1
	write wg1 "$all" "$addr" 'PostUp = false'
	fails wg1
	write wg1 "$all" "$addr" 'ListenPort = 5353'
	bg a socat -u UDP6-RECVFROM:5353,ipv6only=0 /dev/null
	wait_for 5 sh -c "nsenter --net=/run/netns/$PFX-a ss -Hlnu 'sport = :5353' | grep -q ."
	fails wg1
	bg_end "$BG"
	ipn a route add 10.9.0.0/16 dev eth1
	state > "$TMP/before"
	write wg1 "$all" "$addr"
	fails wg1
	grep -q 10.9.0.0/16 "$TMP/told"
	ipn a route del 10.9.0.0/16 dev eth1
	state > "$TMP/before"
	write wg1 "$all" "$addr" '# wgpeer role = sever'
	fails wg1
	# A kill switch that cannot be is none: not without nft.
	write wg1 "$all" "$addr" '# wgpeer kill-switch = yes'
	refute bare up "$DIR/wg1.conf"
	all_undone
}

exists()
{
	write wg1 192.168.241.0/24 'Address = 192.168.241.1/24'
	our up wg1
	refute our up wg1 2> "$TMP/told"
	grep -q 'up already' "$TMP/told"
	reach a 192.168.241.2
	our down wg1
	ipn a link add wg1 type dummy
	refute our up wg1 2> "$TMP/told"
	grep -q 'no WireGuard interface' "$TMP/told"
	refute our apply wg1
	refute our down wg1
	ipn a link show dev wg1
	ipn a link del wg1
	refute our down wg1 2> "$TMP/told"
	equal "told" "$(< "$TMP/told")" "\`wg1' is not up"
	for name in '' a/b 'a b' abcdefghijklmnop .. '*'; do
		refute our up "$name" 2> "$TMP/told"
		equal "lines" "$(wc -l < "$TMP/told")" 1
	done
	refute our up wg1 wg2
	refute our up none 2> "$TMP/told"
	equal "lines" "$(wc -l < "$TMP/told")" 1
	all_undone
}

# --- without other programs --------------------------------------------------

alone()
{
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24' 'DNS = 192.168.241.2'
	ns_sysctl a net.ipv4.conf.all.rp_filter 2
	bare up "$DIR/wg1.conf" 2> "$TMP/told"
	cat "$TMP/told"
	grep -q '^Warning: wg1: no firewall rules' "$TMP/told"
	grep -q '^Warning: wg1: name servers' "$TMP/told"
	reach a 198.51.100.1
	bare apply "$DIR/wg1.conf"
	bare status "$DIR/wg1.conf"
	bare save "$DIR/wg1.conf"
	bare down "$DIR/wg1.conf"
	ns_sysctl a net.ipv4.conf.all.rp_filter 0
	all_undone
}

# A program that does what the kernel cannot.
userspace()
{
	local go=${WIREGUARD_GO:-$(command -v wireguard-go)}
	[ -n "$go" ] || skip "no wireguard-go"
	rmmod wireguard 2> /dev/null || skip "the module is in use"
	mkdir -p /etc/modprobe.d
	echo 'install wireguard /bin/false' > /etc/modprobe.d/aa-none.conf
	write wg1 192.168.241.0/24 'Address = 192.168.241.1/24'
	WG_QUICK_USERSPACE_IMPLEMENTATION=/bin/false refute our up wg1
	all_undone
	WG_QUICK_USERSPACE_IMPLEMENTATION=$go our up wg1
	our status wg1
	our apply wg1
	on a "$WGPEER" show wg1 endpoints | grep -q 10.0.0.2:1002
	our down wg1
	rm /etc/modprobe.d/aa-none.conf
	wait_for 5 refute pgrep -f "$go wg1"
	all_undone
	modprobe wireguard
}

# --- who needs what ----------------------------------------------------------

shared()
{
	local server='# wgpeer role = server'
	# One interface forwarded before; it has to again, afterwards.
	ns_sysctl a net.ipv4.conf.eth1.forwarding 1
	ns_sysctl a net.ipv4.conf.all.accept_redirects 0
	state > "$TMP/before"
	write wg1 192.168.241.0/24 'Address = 192.168.241.1/24, fd00:241::1/64' 'ListenPort = 2001' "$server"
	write wg2 192.168.242.0/24 'Address = 192.168.242.1/24, fd00:242::1/64' 'ListenPort = 2002' "$server"
	our up wg1
	equal "forwarding" "$(settings)" "1 1"
	equal "accept_ra" "$(setting ipv6/conf/eth0/accept_ra)" 2
	our up wg2
	our down wg1
	equal "the other needs it" "$(settings)" "1 1"
	equal "accept_ra" "$(setting ipv6/conf/eth0/accept_ra)" 2
	our up wg1
	our down wg2
	equal "and the other way round" "$(settings)" "1 1"
	# An edit gives it up as well.
	write wg1 192.168.241.0/24 'Address = 192.168.241.1/24, fd00:241::1/64' 'ListenPort = 2001'
	our apply wg1
	equal "nobody needs it" "$(settings)" "0 0"
	equal "accept_ra" "$(setting ipv6/conf/eth0/accept_ra)" 1
	equal "single" "$(setting ipv4/conf/eth1/forwarding)" 1
	our down wg1
	all_undone
	# What somebody else changed since is his.
	write wg1 192.168.241.0/24 'Address = 192.168.241.1/24' "$server"
	our up wg1
	ns_sysctl a net.ipv4.ip_forward 0
	ns_sysctl a net.ipv4.conf.all.accept_redirects 0
	our down wg1
	equal "forwarding" "$(setting ipv4/ip_forward)" 0
	ns_sysctl a net.ipv4.ip_forward 1
	our up wg1
	our down wg1
	equal "it was on before" "$(setting ipv4/ip_forward)" 1
	ns_sysctl a net.ipv4.ip_forward 0
	ns_sysctl a net.ipv4.conf.all.accept_redirects 1
	state > "$TMP/before"
}

# Two tunnels for everything: each has its table and its rules.
two_exits()
{
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24'
	write wg2 '0.0.0.0/0, ::/0' 'Address = 192.168.242.1/24, fd00:242::1/64'
	our up wg1
	our up wg2
	equal "marks" "$(on a wg show all fwmark | awk '{ print $2 }' | xargs)" "0xca6c 0xca6d"
	our apply wg1
	our down wg1
	equal "rules" "$(ipn a rule list | grep -c 'ca6d\|suppress')" 2
	equal "order" "$(ipn a rule list | awk '/suppress|ca6d/ { print $1 == a ? "same" : $0 }' | sed -n '1s/.*\(suppress\).*/\1/p')" suppress
	our up wg1
	our down wg2
	equal "rules" "$(ipn a rule list | grep -c 'ca6c\|suppress')" 2
	equal "src_valid_mark" "$(setting ipv4/conf/all/src_valid_mark)" 1
	our down wg1
	all_undone
}

# Less than IPv6 needs is left between both ends.
narrow()
{
	local ns
	for ns in a b; do ipn $ns link set eth0 mtu 1300; done
	state > "$TMP/before"
	write wg1 '0.0.0.0/0, ::/0' 'Address = 192.168.241.1/24, fd00:241::1/64'
	our up wg1
	equal "mtu" "$(ipn a -o link show dev wg1 | grep -o 'mtu [0-9]*')" "mtu 1280"
	reach a fd00:241::2
	on a ping -n -c 1 -W 5 -M "do" -s 1232 fd00:241::2
	our down wg1
	all_undone
	for ns in a b; do ipn $ns link set eth0 mtu 1500; done
}

# A mark that another tunnel needs no more can be anybody's.
mark_changes()
{
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24'
	our up wg1
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24' 'FwMark = 0x77'
	our apply wg1
	equal "mark" "$(on a wg show wg1 fwmark)" 0x77
	ipn a rule list | grep -q 'fwmark 0x77 lookup 119'
	refute grep -q ca6c <(ipn a rule list)
	reach a 198.51.100.1
	# Somebody flushed what is ours: apply mends it.
	ipn a rule flush
	ipn a rule add from all table main pref 32766
	ipn a rule add from all table default pref 32767
	ipn a route flush table 119
	our apply wg1
	reach a 198.51.100.1
	write wg1 '10.9.0.0/16' 'Address = 192.168.241.1/24'
	our apply wg1
	equal "mark" "$(on a wg show wg1 fwmark)" off
	our down wg1
	all_undone
}

# --- crashes -----------------------------------------------------------------

crash()
{
	write wg1 '0.0.0.0/0, 192.168.241.0/24' 'Address = 192.168.241.1/24, fd00:241::1/64' \
		'ListenPort = 2001' '# wgpeer role = server' '# wgpeer exit = yes' "PostUp = kill -9 \$PPID"
	refute our up wg1
	equal "forwarding" "$(settings)" "1 1"
	sed -i /PostUp/d "$DIR/wg1.conf"
	our down wg1
	all_undone
	# Earlier still, in a hook, and nobody is surprised.
	write wg1 192.168.241.0/24 'Address = 192.168.241.1/24' "PreUp = kill -9 \$PPID"
	refute our up wg1
	sed -i /PreUp/d "$DIR/wg1.conf"
	our down wg1 2> "$TMP/told"
	[ ! -s "$TMP/told" ] || fail "$(< "$TMP/told")"
	all_undone
	write wg1 '0.0.0.0/0, 192.168.241.0/24' 'Address = 192.168.241.1/24, fd00:241::1/64' \
		'ListenPort = 2001' '# wgpeer role = server' '# wgpeer exit = yes'
	# The interface went without us.
	our up wg1
	ipn a link del wg1
	equal "forwarding" "$(settings)" "1 1"
	our down wg1
	all_undone
	our up wg1
	ipn a link del wg1
	our up wg1
	our down wg1
	all_undone
	# Without its file, too.
	our up wg1
	mv "$DIR/wg1.conf" "$TMP/"
	our down wg1
	all_undone
	mv "$TMP/wg1.conf" "$DIR/"
	# And with one that nobody understands.
	our up wg1
	sed -i 's/^Address/Adress/' "$DIR/wg1.conf"
	our down wg1 2> "$TMP/told"
	equal "lines told" "$(grep -c '^Warning: .*Adress' "$TMP/told")" "$(wc -l < "$TMP/told")"
	all_undone
}

# --- signals -----------------------------------------------------------------

# A name server that is down for the moment. What is in the background ignores
# SIGINT otherwise.
echo 'nameserver 127.0.0.1' > "$TMP/resolv.conf"
# shellcheck disable=SC2016 # the inner shell's
no_names=(unshare -m sh -c
	'mount --bind "$0" /etc/resolv.conf && exec env --default-signal=INT "$@"' "$TMP/resolv.conf")

# begins PATTERN WORD...: the program in a is $BG, and $TMP/told matches
begins()
{
	local pattern=$1
	shift
	: > "$TMP/told"
	WG_ENDPOINT_RESOLUTION_RETRIES=infinity bg a "${no_names[@]}" \
		"$WGPEER" "$@" --config-dir "$DIR" > "$TMP/told" 2>&1
	wait_for 5 grep -q "$pattern" "$TMP/told"
}

# ends SIGNAL PATTERN WORD...: the program gets the signal then; it has to end
# by it
ends()
{
	local sig=$1 rc=0
	shift
	begins "$@"
	kill "-$sig" "$BG"
	wait "$BG" || rc=$?
	cat "$TMP/told"
	equal "status" "$rc" $((128 + $(kill -l "$sig")))
}

exit_server()
{
	write wg1 '0.0.0.0/0, 192.168.241.0/24' 'Address = 192.168.241.1/24, fd00:241::1/64' \
		'ListenPort = 2001' '# wgpeer role = server' '# wgpeer exit = yes' "$@"
}

signals()
{
	local sig
	for sig in INT TERM HUP; do
		exit_server
		sed -i 's/^Endpoint.*/Endpoint = nowhere.invalid:1002/' "$DIR/wg1.conf"
		ends $sig 'Trying again' up wg1
		grep -q '^Ended by signal' "$TMP/told"
		all_undone
	done
	# Behind all steps; the hook gets the signal, too.
	exit_server 'PostUp = echo hook; exec sleep 1000' 'PostUp = echo second'
	ends TERM hook up wg1
	refute grep -q second "$TMP/told"
	refute pgrep -f 'sleep 1000'
	all_undone
	exit_server
	our up wg1
	state > "$TMP/up"
	find /run/wgpeer -name '*.state' -exec cat {} + > "$TMP/noted"
	sed -i 's/^Endpoint.*/Endpoint = nowhere.invalid:1002/; s/^Address.*/Address = 192.168.241.7\/24/' "$DIR/wg1.conf"
	ends TERM 'Trying again' apply wg1
	state | diff "$TMP/up" -
	find /run/wgpeer -name '*.state' -exec cat {} + | diff "$TMP/noted" -
	our down wg1
	all_undone
}

# --- who is slow -------------------------------------------------------------

# overtaken VERB: while it asks for a name a site is removed, and stays so
overtaken()
{
	begins 'Trying again' "$1" wg1
	WG_ENDPOINT_RESOLUTION_RETRIES=0 on a "${no_names[@]}" \
		"$WGPEER" site remove wg1 mallory --config-dir "$DIR"
	echo '10.0.0.2 nowhere.invalid' >> /etc/hosts
	wait "$BG"
	cat "$TMP/told"
	sed -i '$d' /etc/hosts
	grep -q 'changed meanwhile; starting over' "$TMP/told"
	refute grep mallory "$DIR/wg1.conf"
	equal "peers" "$(on a wg show wg1 peers)" "${PUB[b]}"
	equal "endpoint" "$(peer_field a wg1 b endpoint)" 10.0.0.2:1002
	refute grep -F 10.77.0.0/16 <(ipn a route)
	our down wg1
	all_undone
}

slow()
{
	local site
	site=$(write wg1 192.168.241.0/24 'Address = 192.168.241.1/24' 'ListenPort = 2001' '# wgpeer role = site'
		cat "$DIR/wg1.conf"
		printf '%s\n' '' '[Peer]' '# Name = mallory' "PublicKey = ${PUB[d]}" 'AllowedIPs = 10.77.0.0/16')
	echo "${site//10.0.0.2:1002/nowhere.invalid:1002}" > "$DIR/wg1.conf"
	overtaken up
	echo "$site" > "$DIR/wg1.conf"
	our up wg1
	echo "${site//10.0.0.2:1002/nowhere.invalid:1002}" > "$DIR/wg1.conf"
	overtaken apply
	# Whoever takes it down wants it to be down.
	write wg1 192.168.241.0/24 'Address = 192.168.241.1/24'
	sed -i 's/^Endpoint.*/Endpoint = nowhere.invalid:1002/' "$DIR/wg1.conf"
	begins 'Trying again' up wg1
	our down wg1
	echo '10.0.0.2 nowhere.invalid' >> /etc/hosts
	refute wait "$BG"
	sed -i '$d' /etc/hosts
	grep -q 'was taken down meanwhile' "$TMP/told"
	all_undone
}

# --- what cannot be undone at once -------------------------------------------

later()
{
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24' '# wgpeer role = client' '# wgpeer kill-switch = yes'
	our up wg1
	# Where `su' without `-' leads: no directories of the system's programs.
	on a env PATH=/usr/bin:/bin "$WGPEER" down "$DIR/wg1.conf"
	all_undone
	our up wg1
	refute bare down "$DIR/wg1.conf" 2> "$TMP/told"
	cat "$TMP/told"
	grep -q 'no program .nft' "$TMP/told"
	no_reach a 10.1.0.2
	refute bare down "$DIR/wg1.conf"
	refute bare up "$DIR/wg1.conf"
	no_reach a 10.1.0.2
	our down wg1
	reach a 10.1.0.2
	all_undone
	refute our down wg1 2> "$TMP/told"
	equal "told" "$(< "$TMP/told")" "\`wg1' is not up"
	our up wg1
	refute bare client leave wg1 --config-dir "$DIR"
	our client leave wg1
	all_undone
	rm "$DIR/wg1.conf.bak"
	# Not at once, but before something new.
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24' '# wgpeer role = client' '# wgpeer kill-switch = yes'
	our up wg1
	refute bare down "$DIR/wg1.conf"
	sed -i /kill-switch/d "$DIR/wg1.conf"
	our up wg1
	reach a 10.1.0.2
	our down wg1
	all_undone
}

# What wg-quick made can be taken over, and taken down.
of_wg_quick()
{
	write wg1 '0.0.0.0/0' 'Address = 192.168.241.1/24'
	on a wg-quick up "$DIR/wg1.conf"
	our apply wg1
	equal "mark" "$(on a wg show wg1 fwmark)" 0xca6c
	our down wg1
	on a nft flush ruleset
	ns_sysctl a net.ipv4.conf.all.src_valid_mark 0
	all_undone
	on a wg-quick up "$DIR/wg1.conf"
	our down wg1
	on a nft flush ruleset
	ns_sysctl a net.ipv4.conf.all.src_valid_mark 0
	all_undone
}

subtest "a step that fails undoes those before it" fresh steps
subtest "what is there already, what is no name" fresh exists
subtest "without any other program" fresh alone
subtest "two tunnels that forward" fresh shared
subtest "two tunnels for everything" fresh two_exits
subtest "a path narrower than IPv6 needs" fresh narrow
subtest "another mark" fresh mark_changes
subtest "after a crash" fresh crash
subtest "signals" fresh signals
subtest "the file changes meanwhile" fresh slow
subtest "what cannot be undone is undone later" fresh later
subtest "what wg-quick made" fresh of_wg_quick
subtest "without a module" fresh userspace
finish
