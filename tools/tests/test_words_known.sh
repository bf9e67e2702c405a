#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Whatever option a verb takes, its manual page and the completions of all
# shells know it, and they know no other.
cd "$(dirname "$0")/.." || exit 1
bin=$PWD/build/san/wgpeer
n=0 bad=0

ok()
{
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - words: $1"
	else
		bad=1
		echo "not ok $n - words: $1:" $2
	fi
}

# What the verb itself says when it is given an option that it does not know.
options()
{
	"$bin" "$@" --no-such-option x 2>&1 |
		sed -n 's/.*right would be: //p' | tr -d ',' | tr ' ' '\n' | sed 's/^--//' | sort -u
}

# lacks FILE PATTERN-BEFORE WORD...: the words that do not stand in the file
lacks()
{
	file=$1 before=$2
	shift 2
	for word; do
		grep -qE -e "$before$word([^a-z-]|\$)" "$file" || echo "$word"
	done
}

all=
while read -r page verbs; do
	for verb in $verbs; do
		verb=$(echo "$verb" | tr _ ' ')
		# shellcheck disable=SC2086 # words
		words=$(options $verb)
		[ -n "$words" ] || { ok "$verb" "takes no option at all"; continue; }
		all="$all $words"
		# shellcheck disable=SC2046,SC2086 # words
		ok "$verb" "$(lacks man/$page.8 '\\-\\-' $(echo "$words" | sed 's/-/\\\\?-/g') |
			sed 's/$/ (manual)/'
			lacks completion/wgpeer.bash -- $words | sed 's/$/ (bash)/'
			lacks completion/_wgpeer -- $words | sed 's/$/ (zsh)/'
			lacks completion/wgpeer.fish '-l \$?' $(echo "$words" | grep -vxE "$(
				sed -n 's/^for option in //p' completion/wgpeer.fish | tr '\n' ' ' |
					xargs | tr ' ' '|')") | sed 's/$/ (fish)/')"
	done
done <<-END
	wgpeer-server server_init server_add server_list server_remove server_rename server_rotate
	wgpeer-client client_join client_new client_leave
	wgpeer-site site_init site_join site_add site_token site_list site_remove
	wgpeer-up up down apply status save strip export
END
# shellcheck disable=SC2086 # words
known=$(printf '%s\n' $all | sort -u)
ok "bash knows no other" "$(grep -oE -- '--[a-z]+[a-z-]*' completion/wgpeer.bash | sed 's/^--//' | sort -u |
	grep -vxF "$known")"
ok "zsh knows no other" "$(grep -oE -- "'--[a-z]+[a-z-]*" completion/_wgpeer | sed "s/^'--//" | sort -u |
	grep -vxF "$known")"
echo "1..$n"
exit $bad
