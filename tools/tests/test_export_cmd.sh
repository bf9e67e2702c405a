#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The verb export: which file, which form, and that standard output holds all or
# nothing.
cd "$(dirname "$0")/.." || exit 1
bin=$PWD/build/san/wgpeer
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0
umask 077
key=uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU=

# is NAME STATUS STDOUT-PATTERN STDERR-PATTERN WORD...
is()
{
	name=$1 status=$2 out=$3 err=$4
	shift 4
	"$bin" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null
	rc=$?
	n=$((n + 1)) verdict=ok
	[ "$rc" = "$status" ] || verdict="not ok"
	# shellcheck disable=SC2254 # patterns they are
	case $(cat "$tmp/out") in $out) ;; *) verdict="not ok" ;; esac
	# shellcheck disable=SC2254
	case $(cat "$tmp/err") in $err) ;; *) verdict="not ok" ;; esac
	# One line says what is wrong, and the key is not in it.
	[ "$(wc -l < "$tmp/err")" -le 1 ] || verdict="not ok"
	! grep -qF "$key" "$tmp/err" || verdict="not ok"
	[ "$verdict" = ok ] || bad=1
	echo "$verdict $n - export: $name"
	[ "$verdict" = ok ] || { echo "status $rc"; cat "$tmp/out" "$tmp/err"; }
}

mkdir "$tmp/dir"
printf '%s\n' '[Interface]' "PrivateKey = $key" 'Address = 10.0.0.1/24' '' '# end' \
	> "$tmp/dir/wg0.conf"
printf '%s\n' '[Interface]' "PrivateKey = $key" 'PostUp = true' > "$tmp/dir/hook.conf"

is "a file as it is" 0 "?Interface?*# end" "" export wg0 --config-dir "$tmp/dir"
is "the same by its path" 0 "?Interface?*# end" "" export "$tmp/dir/wg0.conf"
is "wg-quick by its name" 0 "?Interface?*# end" "" \
	export "$tmp/dir/wg0.conf" --format wg-quick
is "networkd" 0 "*Kind=wireguard*" "" export "$tmp/dir/wg0.conf" --format networkd
is "nm" 0 "*type=wireguard*" "" export "$tmp/dir/wg0.conf" --format=nm
is "uci" 0 "*proto 'wireguard'*" "" export --format uci "$tmp/dir/wg0.conf"
is "json" 0 '{"name": "wg0"*}' "" export "$tmp/dir/wg0.conf" --format json
is "no such format" 1 "" "*\`toml'*right would be*" export "$tmp/dir/wg0.conf" --format toml
is "a hook" 1 "" "*\`PostUp'*right would be*" export "$tmp/dir/hook.conf" --format nm
is "a hook, as it is" 0 "*PostUp*" "" export "$tmp/dir/hook.conf"
is "no such file" 1 "" "*nonesuch.conf*" export nonesuch --config-dir "$tmp/dir"
is "no file" 1 "" "*one interface*" export
is "two files" 1 "" "*one interface*" export wg0 wg1
is "a form that is no QR code" 1 "" "*--qr*" export "$tmp/dir/wg0.conf" --qr --format nm
if [ "${QR:-yes}" = yes ] && pkg-config --exists libqrencode; then
	is "a QR code" 0 "████*" "" export "$tmp/dir/wg0.conf" --qr
else
	is "no QR code" 1 "" "*libqrencode*" export "$tmp/dir/wg0.conf" --qr
fi
ln -s "$bin" "$tmp/wg"
bin=$tmp/wg
n=$((n + 1))
if "$bin" export "$tmp/dir/wg0.conf" > "$tmp/out" 2> /dev/null || [ -s "$tmp/out" ]; then
	bad=1
	printf 'not '
fi
echo "ok $n - export: is none of wg's verbs"
echo "1..$n"
exit $bad
