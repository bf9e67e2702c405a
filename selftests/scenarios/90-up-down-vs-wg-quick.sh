#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every file of quick-corpus/, brought up and taken down by wg-quick and by
# `wgpeer up` and `wgpeer down`: what the host looks like in between must be the
# same, but for what is said here, and afterwards nothing may be left.
#
#   a [file's name] -- eth0 10.0.0.1 fd00:aa::1 -- b
#
# Differences that are meant (Documentation/differences.rst):
#
#   * firewall: one table inet wgpeer-IF instead of ip and ip6 wg-quick-IF. That
#     they do the same is seen in 91 and 55; here, that both have one or none.
#   * net.ipv4.conf.all.src_valid_mark: wg-quick leaves it at 1.
#   * MTU with several endpoints: ours fits the narrowest path, wg-quick's the
#     widest.
#
# Without --long only a few of the files.
#
# spec 8.8
# env: uml uml-smp
# timeout: 1200
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"
need wg-quick
need_nft

ns_add a b
veth a eth0 b eth0
addr a eth0 10.0.0.1/24 fd00:aa::1/64
addr b eth0 10.0.0.2/24 fd00:aa::2/64
ipn a route add default via 10.0.0.2
ipn a -6 route add default via fd00:aa::2
ipn a route add 203.0.113.0/24 via 10.0.0.2 mtu 1400
echo '10.0.0.2 peer.wgpeer-test' >> /etc/hosts
# As the module leaves it, whoever makes the first interface.
ns_sysctl a net.ipv4.conf.all.send_redirects 0
export NOTES=$TMP/notes

# A resolvconf that takes notes, in front of any other.
mkdir -p "$TMP/bin"
cat > "$TMP/bin/resolvconf" <<END
#!/bin/sh
# wg-quick asks for what is set when it saves; nothing comes of that.
[ "\$1" != -l ] || exit 0
echo "resolvconf \$*" >> $TMP/dns
case \$1 in -a) cat >> $TMP/dns ;; esac
END
cp "$(command -v wg-quick)" "$TMP/bin/"
ln -s "$(command -v wg)" "$TMP/bin/wg"
chmod +x "$TMP/bin/resolvconf"
PATH=$TMP/bin:$PATH

# quick stock|ours up|down FILE
quick()
{
	case $1 in
	stock) on a "$TMP/bin/wg-quick" "$2" "$3" ;;
	ours) on a "$WGPEER" "$2" "$3" ;;
	esac
}

# What a run leaves to see, by few programs: each takes its time here.
state()
{
	# shellcheck disable=SC2016 # the shell in the namespace expands
	on a bash -c 'batch=$(printf "%s\n" "rule list" "route show table all type unicast" \
			"addr show")
		ip -4 -o -batch - <<< "$batch" && ip -6 -o -batch - <<< "$batch" &&
			cd /proc/sys/net && grep -s . ipv4/ip_forward \
			ipv4/conf/*/{forwarding,rp_filter,src_valid_mark,accept_redirects,send_redirects} \
			ipv6/conf/*/{forwarding,accept_ra,disable_ipv6,mtu} &&
			{ nft list tables | grep -qv "^$" && echo firewall: some || echo firewall: none; }' |
		sed 's/^[0-9]*: \([^ ]*  *inet\)/\1/; s/valid_lft.*//'
	ipn a -o link show | sed 's/^[0-9]*: //; s/ qlen .*//; s/@if[0-9]*//'
}

# A port that is not in the file is another one each time.
device()
{
	on a wg showconf "$1" |
		if grep -qi '^ *listenport' "$2"; then cat; else sed '/^ListenPort/d'; fi
}

# run KIND FILE: up, look, down, look
run()
{
	local kind=$1 file=$TMP/conf/$2.conf name=$2
	: > "$TMP/dns"
	: > "$NOTES"
	install -D -m 600 "$WG_SELFTESTS/quick-corpus/$2.conf" "$file"
	quick "$kind" up "$file"
	state > "$TMP/$kind.up"
	device "$name" "$file" > "$TMP/$kind.device"
	quick "$kind" down "$file"
	[ "$kind" = stock ] || state > "$TMP/$kind.down"
	cp "$TMP/dns" "$TMP/$kind.dns"
	cp "$NOTES" "$TMP/$kind.notes"
	grep -v '^#\|^$' "$file" | sort > "$TMP/$kind.saved"
}

# What is meant to differ for a file, made the same on both sides.
declare -A BUT=([14-mtu-two]='s/mtu\([ :]\)1[34]20/mtu\1narrow or wide/')

# same NAME: both do the same with it
same()
{
	local what but=${BUT[$1]:-}
	run stock "$1"
	ns_sysctl a net.ipv4.conf.all.src_valid_mark 0
	run ours "$1"
	for what in up device dns notes; do
		diff <(sed "$but" "$TMP/stock.$what") <(sed "$but" "$TMP/ours.$what") || fail "$what"
	done
	diff "$TMP/before" "$TMP/ours.down" || fail "left behind"
	saved
	[ -z "$(find /run/wgpeer -name '*.state')" ] || fail "notes are left"
}

# wg-quick writes a file anew; its lines are the same, in another order.
saved()
{
	grep -q '^SaveConfig = true' "$TMP/ours.saved" || return 0
	diff "$TMP/stock.saved" "$TMP/ours.saved" || fail "saved"
}

files=("$WG_SELFTESTS"/quick-corpus/*.conf)
[ -n "$WG_LONG" ] ||
	files=("$WG_SELFTESTS"/quick-corpus/{04,10,14,15,24,32}-*.conf)
state > "$TMP/before"
for file in "${files[@]}"; do
	name=$(basename "$file" .conf)
	subtest "$name: $(sed -n '1s/^# //p' "$file")" same "$name"
done
finish
