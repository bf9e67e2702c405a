# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # shared with who reads this
# What the tests of verbs for whole setups share: results, and what must hold
# for every refusal.  $verb is set by who reads this, in the directory of tools.
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
ln -s "$PWD/build/san/wgpeer" "$tmp/wgpeer"
wgpeer=$tmp/wgpeer
dir=$tmp/etc
n=0 bad=0
# What is printed holds keys.
umask 077
# Not the name of anything that is up here.
if=wgt$$
conf=$dir/$if.conf

# ok NAME CMD...: CMD succeeds
ok()
{
	name=$1
	shift
	n=$((n + 1))
	if "$@" > "$tmp/log" 2>&1; then
		echo "ok $n - $verb: $name"
	else
		bad=1
		echo "not ok $n - $verb: $name"
		sed 's/^/# /' "$tmp/log" "$tmp/err" 2> /dev/null
	fi
}

# call WORD...: the verb with our directory
call()
{
	sub=$1
	shift
	"$wgpeer" "$verb" "$sub" --config-dir "$dir" "$@"
}

# holds FILE WORD...: the same while another program has the port of the file
holds()
{
	file=$1
	shift
	python3 -c 'import re, socket, subprocess, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 0))
text = open(sys.argv[1]).read()
open(sys.argv[1], "w").write(re.sub("(?m)^ListenPort = .*$", "ListenPort = %d" % s.getsockname()[1], text))
sys.exit(subprocess.call(sys.argv[2:]))' "$file" "$wgpeer" "$verb" "$@" --config-dir "$dir" 2> "$tmp/err"
}

# does WORD...: succeeds; standard output is in $tmp/out then
does() { call "$@" > "$tmp/out" 2> "$tmp/err"; }

# All that is there.
state() { (cd "$dir" 2> /dev/null && ls -lA --time-style=full-iso && sha256sum -- * 2> /dev/null); }

# wrong PATTERN WORD...: is refused with one line, and nothing has changed; what
# it reads is $tmp/in
wrong()
{
	pattern=$1
	shift
	before=$(state)
	[ -e "$tmp/in" ] || : > "$tmp/in"
	call "$@" < "$tmp/in" > "$tmp/out" 2> "$tmp/err"
	rc=$?
	verdict=ok
	[ $rc = 1 ] || verdict="status $rc"
	[ ! -s "$tmp/out" ] || verdict="it printed something"
	[ "$(wc -l < "$tmp/err")" = 1 ] || verdict="not one line"
	grep -q -e "$pattern" "$tmp/err" || verdict="not '$pattern'"
	grep -qE "${way_out:-}" "$tmp/err" || verdict="no way out"
	[ "$(state)" = "$before" ] || verdict="something has changed"
	ok "refuses $(echo "$*" | sed "s/$if/IF/g;s/wgs[a-z0-9]*-[-_A-Za-z0-9]*/TOKEN/g") ($pattern)" test "$verdict" = ok
	[ "$verdict" = ok ] || { echo "# $verdict"; sed 's/^/# /' "$tmp/err"; }
}

has() { grep -qxF -e "$1" "$2"; }
has_not() { ! grep -q -e "$1" "$2"; }
value() { sed -n "s/^$1 = //p" "$2"; }
count() { grep -c -e "$1" "$2"; }
same() { [ "$1" = "$2" ] || { echo "got '$1', wanted '$2'"; return 1; }; }
said() { grep -q -e "$1" "$tmp/err"; }
said_not() { ! said "$1"; }

# secret_not WORD...: no part of a secret is in a file
secret_not() { ! grep -qF -e "$(echo "$1" | cut -c 2-20)" "$2"; }

# ends: the last line of a test
ends()
{
	echo "1..$n"
	exit $bad
}
