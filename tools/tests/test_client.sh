#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The verb "client", as far as it needs no kernel module: which files it takes,
# what it makes of them, and all that it refuses.
# shellcheck disable=SC2154,SC2016 # from verb.sh; sed has a $ of its own
cd "$(dirname "$0")/.." || exit 1
verb=client
# shellcheck source=tools/tests/verb.sh
. tests/verb.sh

private=$("$wgpeer" genkey) public=$("$wgpeer" genkey | "$wgpeer" pubkey)
other=$("$wgpeer" genkey | "$wgpeer" pubkey)

# file [SED SCRIPT]: what a provider hands out
file()
{
	sed "${1-}" <<- END
		[Interface]
		PrivateKey = $private
		Address = 10.64.0.2/32, fd64::2/128
		DNS = 10.64.0.1

		[Peer]
		PublicKey = $public
		AllowedIPs = 0.0.0.0/0, ::/0
		Endpoint = 198.51.100.1:51820
	END
}

# --- words --------------------------------------------------------------------

file > "$tmp/file"
while read -r pattern words; do
	# shellcheck disable=SC2086 # words
	wrong "$pattern" $words
done << END
right.would.be.join frob
too.few.words join
too.few.words join $if
too.many.words join $if $tmp/file x
too.few.words new
too.many.words new $if x
too.few.words leave
--frob join $if $tmp/file --frob
needs.a.value join $if $tmp/file --dns
dns:..frob join $if $tmp/file --no-up --dns frob
--keepalive join $if $tmp/file --no-up --keepalive 0
--keepalive join $if $tmp/file --no-up --keepalive 65536
--keepalive join $if $tmp/file --no-up --keepalive x
exclude join $if $tmp/file --no-up --kill-switch --no-kill-switch
there.is.no.kill.switch join $if $tmp/file --no-up --kill-switch-except 10.0.0.0/8
everything join $if $tmp/file --no-up --kill-switch --kill-switch-except 0.0.0.0/0
--kill-switch-except join $if $tmp/file --no-up --kill-switch --kill-switch-except x
interface: join ../x $tmp/file --no-up
interface.of.this.name join lo $tmp/file --no-up
$tmp/none join $if $tmp/none --no-up
no.such.file leave $if
END
ok "no directory is left of that" test ! -e "$dir"

# --- files that will not do ---------------------------------------------------

# bad PATTERN SED SCRIPT
bad()
{
	file "$2" > "$tmp/file"
	wrong "$1" join "$if" "$tmp/file" --no-up
	ok "without the key" secret_not "$private" "$tmp/err"
}
bad "has no PrivateKey" '/^PrivateKey/d'
bad "no Address" '/^Address/d'
bad "no \[Peer\]" '/Peer/,$d'
bad "no AllowedIPs" '/^Allowed/d'
bad "no peer has an Endpoint" '/^Endpoint/d'
bad "PublicKey" '/^PublicKey/d'
bad ":2: " 's/^PrivateKey = .*/PrivateKey = frob/'
bad ":3: " 's/^Address = .*/Address = 10.64.0.256/'
bad ":8: " 's/^Allowed.*/AllowedIPs = 0.0.0.0\/33/'
bad ":9: " 's/^Endpoint.*/Endpoint = nowhere/'
bad ":10: " '$aFrob = yes'
bad "own public key" "s|^PublicKey = .*|PublicKey = $(echo "$private" | "$wgpeer" pubkey)|"
for hook in PreUp PostUp PreDown PostDown; do
	bad "$hook = touch /tmp/owned.*--allow-hooks" "2i$hook = touch /tmp/owned"
done
bad "owned would be run as root; " '2iPostUp = touch /tmp/owned'
bad "PreUp = a would be run as root, and so would 1 more line; " '2iPostUp = b\nPreUp = a'
bad "PostUp = b would be run as root, and so would 3 more lines; " '2iPostUp = b\nPostUp = c\nPreDown = d\nPostDown = e'
bad "PreUp = rm x.x1b\[2K.x0d.x07.xc2.x9b would be run" '2iPreUp = rm x\x1b[2K\r\x07\xc2\x9b'
ok "and a terminal is not told" sh -c "! tr -d '\\n' < '$tmp/err' | LC_ALL=C grep -q '[^ -~]'"
bad "PreUp = a\{100\}\.\.\. would be run" "2iPreUp = $(printf %0101d 0 | tr 0 a)"
bad "PreUp = a\{100\} would be run" "2iPreUp = $(printf %0100d 0 | tr 0 a)"
bad "198.51.100.1:51820.*198.51.100.0/28" 's/^AllowedIPs.*/AllowedIPs = 198.51.100.0\/28/'
printf '[Interface]\0\n' > "$tmp/file"
wrong "NUL" join "$if" "$tmp/file" --no-up
: > "$tmp/file"
wrong "no Address" join "$if" "$tmp/file" --no-up
head -c 2000000 /dev/zero | tr '\0' '#' > "$tmp/file"
wrong "$tmp/file" join "$if" "$tmp/file" --no-up
file '/^Address/d' > "$tmp/in"
wrong "^standard input: " join "$if" - --no-up
rm "$tmp/in"
ok "no directory is left of that" test ! -e "$dir"

# --- join ---------------------------------------------------------------------

file > "$tmp/file"
ok "join" does join "$if" "$tmp/file" --no-up
ok "prints nothing" test ! -s "$tmp/out"
ok "the file is for root only" same "$(stat -c %a "$conf")" 600
ok "says its role" has "# wgpeer role = client" "$conf"
for line in "PrivateKey = $private" "Address = 10.64.0.2/32, fd64::2/128" "DNS = 10.64.0.1" "PublicKey = $public" \
	"AllowedIPs = 0.0.0.0/0, ::/0" "Endpoint = 198.51.100.1:51820"; do
	ok "keeps ${line%% *}" has "$line" "$conf"
done
ok "does not tell the key" secret_not "$private" "$tmp/err"
ok "tells where it connects to" said "connects to 198.51.100.1:51820"
cp "$conf" "$tmp/first"
ok "join again" does join "$if" "$tmp/file" --no-up
ok "changes nothing" cmp "$conf" "$tmp/first"
ok "leaves no backup then" test ! -e "$conf.bak"
ok "join with other wishes" does join "$if" "$tmp/file" --no-up --kill-switch --dns none --keepalive 21 \
	--kill-switch-except 192.168.1.7/16,fd00::/8
for line in "# wgpeer kill-switch = yes" "# wgpeer dns = none" "PersistentKeepalive = 21" \
	"# wgpeer kill-switch-except = 192.168.0.0/16, fd00::/8"; do
	ok "says $line" has "$line" "$conf"
done
ok "keeps the file before" cmp "$conf.bak" "$tmp/first"
ok "the backup is for root only" same "$(stat -c %a "$conf.bak")" 600
file 's/10.64.0.2/10.64.0.3/' > "$tmp/file"
ok "join with a new file" does join "$if" "$tmp/file" --no-up
ok "takes it" has "Address = 10.64.0.3/32, fd64::2/128" "$conf"
for line in "# wgpeer kill-switch = yes" "# wgpeer dns = none" \
	"# wgpeer kill-switch-except = 192.168.0.0/16, fd00::/8"; do
	ok "but keeps $line" has "$line" "$conf"
done
ok "an exception taken back" does join "$if" "$tmp/file" --no-up --kill-switch-except none
ok "is gone" has_not kill-switch-except "$conf"
ok "--no-kill-switch" does join "$if" "$tmp/file" --no-up --no-kill-switch
ok "ends it" has_not kill-switch "$conf"
file '/^PrivateKey/d' > "$tmp/file"
ok "a file without a key" does join "$if" "$tmp/file" --no-up
ok "is for the key that is there" has "PrivateKey = $private" "$conf"
file '/^Address/d' > "$tmp/file"
wrong "no Address" join "$if" "$tmp/file" --no-up
ok "leave" does leave "$if"
ok "removes the file" test ! -e "$conf"
ok "and keeps what it held" has "PrivateKey = $private" "$conf.bak"
rm "$conf.bak"
wrong "no such file" leave "$if"

# --- what others put around it, and into it -----------------------------------

# shape NAME: the file of standard input is taken, and is the same as the usual one
shape()
{
	cat > "$tmp/shape"
	ok "$1" sh -c "'$wgpeer' client join '$if' - --no-up --config-dir '$dir' < '$tmp/shape' 2> '$tmp/err'"
	ok "is the usual file" diff "$tmp/first" "$conf"
	rm -rf "$dir"
}
file | sed '1s/^/QR-Code:/' | shape "zbarimg"
file | sed 's/^/QR-Code:/' | shape "zbarimg, a code for each line"
file | sed 's/$/\r/' | shape "lines of Windows"
file | sed '1s/^/\xef\xbb\xbf/' | shape "a byte order mark"
file | sed '1s/^/\xef\xbb\xbf/;s/$/\r/' | shape "both"
file | sed '1s/^/QR-Code:/;s/$/\r/' | shape "zbarimg, lines of Windows"
{ file; printf '\n\n'; } | sed '1i# wgpeer kill-switch = yes' | sed '3i# wgpeer firewall = none' |
	sed 's/^\[Peer\]/&\n#wgpeer exit = yes/' > "$tmp/file"
printf ' \v\f# \tWGPEER role = server\n' >> "$tmp/file"
sed -i '1s/^/\xef\xbb\xbf/' "$tmp/file"
ok "settings of somebody else" does join "$if" "$tmp/file" --no-up
ok "are not taken" same "$(grep -i wgpeer "$conf")" "# wgpeer role = client"
rm -rf "$dir"
# However a setting is hidden: what is one is what stays behind.
while read -r before; do
	{ printf '%b# wgpeer kill-switch-except = 0.0.0.0/1, 128.0.0.0/1\n' "$before"; file; } > "$tmp/file"
	ok "a setting behind '$before'" does join "$if" "$tmp/file" --no-up --kill-switch
	ok "is not taken" same "$(grep -i wgpeer "$conf" | sort | tr '\n' ';')" \
		"# wgpeer kill-switch = yes;# wgpeer role = client;"
	rm -rf "$dir"
done << 'END'
QR-Code:
QR-Code:\0357\0273\0277
\0357\0273\0277
\0357\0273\0277\0357\0273\0277
\0357\0273\0277QR-Code:
\0357\0273\0277QR-Code:\0357\0273\0277
QR-Code:\t\0013
END
{ printf '\357\273\277\357\273\277\357\273\277# wgpeer firewall = print\n'; file; } > "$tmp/file"
wrong ":1: " join "$if" "$tmp/file" --no-up
{ printf '# wgpeer firewall = print\n\357\273\277# wgpeer firewall = print\n'; file; } > "$tmp/file"
wrong ":2: " join "$if" "$tmp/file" --no-up
rm -rf "$dir"
file '2iPostUp = touch /tmp/owned' > "$tmp/file"
ok "--allow-hooks" does join "$if" "$tmp/file" --no-up --allow-hooks
ok "keeps them" has "PostUp = touch /tmp/owned" "$conf"
ok "and does not run them" test ! -e /tmp/owned
rm -rf "$dir"
file "s|^Endpoint.*|&\n\n[Peer]\nPublicKey = $other\nAllowedIPs = 10.65.0.0/16|;s/^AllowedIPs = 0.*/AllowedIPs = 10.64.0.0\/16/" > "$tmp/file"
ok "two peers, one without an endpoint" does join "$if" "$tmp/file" --no-up --keepalive 25 --kill-switch
ok "a keepalive only for the one that has" same "$(count "^PersistentKeepalive = 25$" "$conf")" 1
ok "a kill switch without /0" has "# wgpeer kill-switch = yes" "$conf"
ok "tells what that means" said "cuts off"
rm -rf "$dir"

# --- while it waits for standard input ----------------------------------------

mkfifo "$tmp/fifo"
timeout 60 "$wgpeer" client join "$if" - --no-up --config-dir "$dir" < "$tmp/fifo" > "$tmp/out" 2> "$tmp/waits" &
exec 3> "$tmp/fifo"
# Until it waits: then it has made what it would make before.
i=0
while [ ! -e "$dir" ] && [ $i -lt 5 ]; do
	sleep 0.1
	i=$((i + 1))
done
ok "nothing is made yet" test ! -e "$dir"
ok "nobody else waits" timeout 10 "$wgpeer" client new "n$if" --config-dir "$dir"
file >&3
exec 3>&-
ok "and then it joins" wait $!
ok "with the file that came" has "PrivateKey = $private" "$conf"
rm -rf "$dir"

# --- new ----------------------------------------------------------------------

ok "new" does new "$if"
ok "prints one line" same "$(wc -l < "$tmp/out")" 1
key=$(value PrivateKey "$conf")
ok "that is the public key" same "$(cat "$tmp/out")" "$(echo "$key" | "$wgpeer" pubkey)"
ok "tells what to do" said "^To do: give this key"
ok "the file is for root only" same "$(stat -c %a "$conf")" 600
cp "$tmp/out" "$tmp/first"
ok "new again" does new "$if" --no-up
ok "is the same key" cmp "$tmp/out" "$tmp/first"
file '/^PrivateKey/d' > "$tmp/file"
ok "join with a file without a key" does join "$if" "$tmp/file" --no-up
ok "takes it" has "PrivateKey = $key" "$conf"
file > "$tmp/file"
ok "join with a file that has one" does join "$if" "$tmp/file" --no-up
ok "takes that" has "PrivateKey = $private" "$conf"
printf '[Interface]\nPrivateKey = %s\n# wgpeer role = server\n' "$key" > "$conf"
wrong "its role is .server" join "$if" "$tmp/file" --no-up
wrong "its role is .server" new "$if"
wrong "its role is .server" leave "$if"
printf '[Interface]\nPrivateKey = %s\n' "$key" > "$conf"
wrong "was not made by" join "$if" "$tmp/file" --no-up
ends
