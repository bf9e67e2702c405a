#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The program as a whole, as far as it needs no kernel module: key verbs,
# usage, versions, and errors before anything is sent.
cd "$(dirname "$0")/.." || exit 1
bin=$PWD/build/san/wgpeer
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
ln -s "$bin" "$tmp/wg"
ln -s "$bin" "$tmp/wgpeer"
wg=$tmp/wg
n=0 bad=0
secret=uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU=
public=KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY=

# is NAME STATUS STDOUT-PATTERN STDERR-PATTERN CMD...  (standard input: $input)
input=
is()
{
	name=$1 status=$2 out=$3 err=$4
	shift 4
	printf "$input" | "$@" > "$tmp/out" 2> "$tmp/err"
	rc=$?
	n=$((n + 1))
	verdict=ok
	[ "$rc" = "$status" ] || verdict="not ok"
	got_out=$(cat "$tmp/out") got_err=$(cat "$tmp/err")
	# shellcheck disable=SC2254 # patterns they are
	case $got_out in $out) ;; *) verdict="not ok" ;; esac
	# shellcheck disable=SC2254
	case $got_err in $err) ;; *) verdict="not ok" ;; esac
	[ "$verdict" = ok ] || bad=1
	echo "$verdict $n - cli: $name"
	if [ "$verdict" != ok ]; then
		echo "status $rc"
		sed 's/^/out: /' "$tmp/out"
		sed 's/^/err: /' "$tmp/err"
	fi
}

input="$secret"
is "pubkey" 0 "$public" "" "$wg" pubkey
input="$secret\n \t\r\n\\000"
is "pubkey, white space behind" 0 "$public" "" "$wg" pubkey
for input in "" abc "${secret}x" "$secret\n$secret" " $secret" \
	uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UV=; do
	is "pubkey refuses '$input'" 1 "" "wg: *" "$wg" pubkey
done
input=
is "pubkey with an argument" 1 "" "Usage: wg pubkey" "$wg" pubkey x
is "genkey with an argument" 1 "" "Usage: wg genkey" "$wg" genkey x
is "genpsk with an argument" 1 "" "Usage: wg genpsk" "$wg" genpsk x

# A private key is clamped: first byte's low three bits 0, last byte 01xxxxxx.
clamped=0 i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	bytes=$("$wg" genkey | base64 -d | od -An -v -tu1 | tr -s ' \n' ' ')
	set -- $bytes
	first=$1
	shift 31
	if [ $((first & 7)) = 0 ] && [ $(($1 & 192)) = 64 ]; then
		clamped=$((clamped + 1))
	fi
done
is "20 of 20 private keys are clamped" 0 "" "" test $clamped = 20
is "two keys differ" 0 "" "" test "$("$wg" genpsk)" != "$("$wg" genpsk)"
is "genpsk is 44 characters and a newline" 0 "" "" test "$("$wg" genpsk | wc -c)" = 45
: > "$tmp/open"
chmod 644 "$tmp/open"
is "genkey warns about a readable file" 0 "" "Warning: writing to world accessible file.*" \
	sh -c "'$wg' genkey > '$tmp/open'"
chmod 600 "$tmp/open"
is "genkey is quiet about a private file" 0 "" "" sh -c "'$wg' genkey > '$tmp/open'"
is "genkey notices a full disk" 1 "" "*No space left*" sh -c "'$wg' genkey > /dev/full"
is "version notices a full disk" 1 "" "*Unable to write*" sh -c "'$wg' version > /dev/full"

for word in -v --version version; do
	is "wg $word" 0 "wireguard-tools v1.0.[0-9]* - *" "" "$wg" $word
done
is "wgpeer version" 0 "wgpeer v[0-9]*" "" "$tmp/wgpeer" version
for word in -h --help help; do
	is "wg $word" 0 "Usage: $wg <cmd> *" "" "$wg" $word
	is "wg show $word" 0 "" "Usage: wg show { <interface> *" "$wg" show $word
	is "wgpeer set $word" 0 "" "Usage: wgpeer set <interface> *" "$tmp/wgpeer" set $word
done
is "help with more words" 1 "" "Invalid subcommand: \`help'*" "$wg" help show
for verb in show showconf set setconf addconf syncconf genkey genpsk pubkey \
	up down apply status save strip export server client site; do
	is "help $verb" 0 "Usage: wgpeer $verb*
*" "" "$tmp/wgpeer" help $verb
	is "$verb is in the help" 0 "" "" sh -c "'$tmp/wgpeer' help | grep -q '^  $verb: '"
done
is "help of an unknown verb" 1 "" "Invalid subcommand: \`frob'*" "$tmp/wgpeer" help frob
is "help of a verb that wg lacks" 1 "" "Invalid subcommand: \`help'*" "$wg" help server
is "unknown verb" 1 "" "Invalid subcommand: \`frob'*Usage: $wg <cmd>*" "$wg" frob
is "abbreviated verb" 1 "" "Invalid subcommand: \`sh'*" "$wg" sh
is "show, too many words" 1 "" "Usage: wg show *" "$wg" show a b c
is "show interfaces, a word too many" 1 "" "Usage: wg show *" "$wg" show interfaces peers
for verb in showconf set setconf addconf syncconf; do
	is "$verb without words" 1 "" "Usage: wg $verb <interface>*" "$wg" $verb
done
is "set without settings" 1 "" "Usage: wg set *" "$wg" set wg0
is "setconf without a file" 1 "" "Usage: wg setconf *" "$wg" setconf wg0
is "setconf, no such file" 1 "" "*$tmp/none*No such file*" "$wg" setconf wg0 "$tmp/none"
is "setconf, a directory" 1 "" "*Is a directory*" "$wg" setconf wg0 "$tmp"
is "set, unknown word" 1 "" "Invalid argument: frob*" "$wg" set wg0 frob
is "set, long name, as wgpeer" 1 "" "*abcdefghijklmnop*too long*1 to 15*" \
	"$tmp/wgpeer" set abcdefghijklmnop listen-port 1
is "show, long name, as wgpeer" 1 "" "Unable to access interface: *" "$tmp/wgpeer" show abcdefghijklmnop
is "setconf, long name, as wgpeer" 1 "" "*too long*" "$tmp/wgpeer" setconf abcdefghijklmnop /dev/null
is "show of a path is no device" 1 "" "Unable to access interface: *" "$wg" show ../lo

# For whole tunnels: wg has none of them; errors are one line, never a usage.
printf '[Interface]\nAddress = 10.0.0.1/24\nPrivateKey = %s\nPostUp = true\n' "$secret" > "$tmp/wg0.conf"
chmod 600 "$tmp/wg0.conf"
is "wg has no up" 1 "" "Invalid subcommand: \`up'*" "$wg" up wg0
for verb in up down apply status save strip; do
	is "$verb --help" 0 "" "Usage: wgpeer $verb { <interface> | <file>.conf } *" "$tmp/wgpeer" $verb --help
	is "$verb wg0 -h" 0 "" "Usage: wgpeer $verb *" "$tmp/wgpeer" $verb wg0 -h
	is "$verb without words" 1 "" "$verb: one interface*" "$tmp/wgpeer" $verb
	is "$verb with two" 1 "" "$verb: one interface*2 words" "$tmp/wgpeer" $verb wg0 wg1
	is "$verb with an option nobody knows" 1 "" "$verb: no option \`--frob'*--config-dir*" \
		"$tmp/wgpeer" $verb wg0 --frob
	is "$verb of no name" 1 "" "interface: \`a/b' is wrong*" "$tmp/wgpeer" $verb a/b
	is "$verb of a long name" 1 "" "interface: \`abcdefghijklmnop' is wrong*" \
		"$tmp/wgpeer" $verb "$tmp/abcdefghijklmnop.conf"
done
for verb in up apply save strip; do
	is "$verb of no file" 1 "" "*$tmp/none.conf*No such file*" "$tmp/wgpeer" $verb none --config-dir "$tmp"
done
is "down of nothing" 1 "" "\`none' is not up" "$tmp/wgpeer" down none --config-dir "$tmp"
printf '[Interface]\nAddres = 10.0.0.1/24\n' > "$tmp/typo.conf"
is "down with a typo in the file" 1 "" "Warning: $tmp/typo.conf:2: *; hooks *\`typo' is not up" \
	"$tmp/wgpeer" down typo --config-dir "$tmp"
is "status of nothing" 3 "*state: not up" "" "$tmp/wgpeer" status none --config-dir "$tmp"
is "status of nothing, for programs" 3 '{"name": "none", "up": false,*' "" \
	"$tmp/wgpeer" status none --json --config-dir "$tmp"
for verb in "server init, add" "client join, new or leave" "site init, join"; do
	set -- $verb
	is "$1 without words" 1 "" "$1: too few words; right would be ${verb#"$1 "}*" "$tmp/wgpeer" "$1"
	is "$1 with a wrong one" 1 "" "$1: \`frob' is wrong; right would be ${verb#"$1 "}*" "$tmp/wgpeer" "$1" frob
	is "$1 says that in one line" 0 "" "" sh -c "[ \$('$tmp/wgpeer' $1 2>&1 | wc -l) = 1 ]"
done
is "strip" 0 "*PrivateKey = $secret*" "" "$tmp/wgpeer" strip wg0 --config-dir "$tmp"
is "strip takes away" 1 "" "" sh -c "'$tmp/wgpeer' strip '$tmp/wg0.conf' | grep -E 'Address|PostUp'"
echo "1..$n"
exit $bad
