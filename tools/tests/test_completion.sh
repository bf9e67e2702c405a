#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What bash offers, with hostile names in files: they are words and are never
# run, neither by completion nor by the line that it makes.
# shellcheck disable=SC2016,SC2034,SC2317 # names that look like code; for what is tested
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/etc"
n=0 bad=0
sed "s|/etc/wireguard|$tmp/etc|g" completion/wgpeer.bash > "$tmp/wgpeer.bash"
# shellcheck source=/dev/null
. "$tmp/wgpeer.bash"
wgpeer() { [ "$*" != "show interfaces" ] || echo "$interfaces"; }
interfaces="wg0 wg1"

# offers NAME EXPECTED WORD...: completion of the last word
offers()
{
	local name=$1 want=$2 got verdict=ok
	shift 2
	COMP_WORDS=(wgpeer "$@") COMP_CWORD=$#
	_wgpeer 2> "$tmp/err"
	got=${COMPREPLY[*]}
	n=$((n + 1))
	[ "$got" = "$want" ] && [ ! -s "$tmp/err" ] && [ ! -e "$tmp/owned" ] || verdict="not ok" bad=1
	echo "$verdict $n - completion: $name"
	[ "$verdict" = ok ] || { echo "got '$got', wanted '$want'"; cat "$tmp/err"; rm -f "$tmp/owned"; }
}

offers "a verb" "showconf" showc
offers "an interface" "wg0 wg1" up ""
interfaces=
offers "no interface" "" up ""
interfaces="wg0 wg1"
offers "of show" "all" show a
offers "what a server does" "remove rename rotate" server r
offers "a verb to be told of" "show showconf set setconf syncconf status save strip server site" help s
offers "an option" "--config-dir" client leave wg0 --
offers "one of two" "--share --endpoint --port --name --address --no-up --config-dir" site join wg0 --
offers "a value" "networkd nm" export wg0 --format n
offers "a way" "resolved resolvconf" client join wg0 --dns res
offers "a setting" "persistent-keepalive" set wg0 pers
offers "nothing" "" server remove wg0 ""
printf '# Name = %s\n' laptop 'lap top' '$(touch owned)' '`touch owned`' '$HOME' '*' '${x:=$(touch owned)}' > "$tmp/etc/wg0.conf"
cd "$tmp" || exit 1
offers "names" 'laptop lap\ top \$\(touch\ owned\) \`touch\ owned\` \$HOME \* \$\{x:=\$\(touch\ owned\)\}' server remove wg0 ""
offers "some names" 'laptop lap\ top' server remove wg0 lap
offers "the rest of a name" 'lap\ top' server remove wg0 'lap\ t'
offers "a name in quotes" laptop server remove wg0 '"lapt'
offers "no name" "" server remove wg0 '$(touch owned)'
: > "$tmp/etc/\$(touch owned).conf"
offers "a file's name" 'wg0 wg1 \$\(touch\ owned\) wg0' down ""
offers "of such a file" "" server remove '$(touch owned)' ""
offers "files" "wgpeer.bash" client join wg0 wg
echo "1..$n"
exit $bad
