#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The verb "server", as far as it needs no kernel module: the files it makes,
# for the server and for its clients, and all that it refuses.
# shellcheck disable=SC2034,SC2154 # shared with verb.sh
cd "$(dirname "$0")/.." || exit 1
verb=server
# Each of its refusals shows a way out.
way_out='right|needs|choose|twice'
# shellcheck source=tools/tests/verb.sh
. tests/verb.sh

# peer NAME KEY: value of a line in the section of a client
peer()
{
	awk -v name="# Name = $1" -v key="$2 = " '
		/^\[/ { section = ""; has = 0 }
		{ section = section $0 "\n" }
		$0 == name { has = 1 }
		has && index(section, key) && !done {
			sub(".*\n" key, "", section)
			sub("\n.*", "", section)
			value = section; done = 1 }
		END { print value }' RS='\n' "$conf"
}

# --- init ---------------------------------------------------------------------

wrong "wrong; right would be" frob "$if"
ok "alone it says what there is" sh -c "'$wgpeer' server 2>&1 | grep -q 'init, add, list'"
wrong "too few words" init
wrong "too many words" init "$if" x
wrong "no option" init "$if" --frob
wrong "needs a value" init "$if" --port
wrong "interface: .../x" init ../x
wrong "interface: .12345678" init 1234567890123456
wrong "an interface of this name" init lo --no-up --endpoint a.example
ok "no directory is left of that" test ! -e "$dir"

new="init $if --no-up --endpoint vpn.example.org"
# shellcheck disable=SC2086 # words
while read -r pattern words; do
	mkdir -p "$dir"
	wrong "$pattern" $new $words
done << END
--port --port 0
--port --port 65536
--port --port x
--address --address 10.99.0.1/33
--address --address frob
--address.*no.room --address 10.99.0.1
--address.*no.room --address 10.99.0.0/31
--address.*no.room --address fd99::1/127
--address.*broadcast --address 10.99.0.255/24
--address.*two.addresses --address 10.99.0.1/24,10.99.0.2/24
--share --share 10.5.0.0/33
--share.*exit --share 0.0.0.0/0
--share.*exit --share 10.5.0.0/16,::/0
--share.*overlaps --address 10.99.0.1/24 --share 10.99.0.0/16
--dns --dns frob
--dns.*network --dns 10.0.0.0/8
--firewall --firewall iptables
--exit --exit --no-exit
--isolate --isolate --no-isolate
twice --port 1 --port 2
END
while read -r endpoint; do
	wrong "^--endpoint" init "$if" --no-up --endpoint "$endpoint"
done << END
:51820
host:
host:0
host:65536
host:x
300.1.1.1
1.2.3
[fd00::1
[fd00::1]x
[host]:1
fd00::1::2
a b
a/b
.host
host..name
END
wrong "^--endpoint" init "$if" --no-up --endpoint ""
rmdir "$dir"

# shellcheck disable=SC2086
ok "init makes directory and file" does $new --address 10.99.0.1/24,fd99::1/64 --port 51999
ok "nothing on standard output" test ! -s "$tmp/out"
ok "the directory is for root only" same "$(stat -c %a "$dir")" 700
ok "the file is for root only" same "$(stat -c %a "$conf")" 600
for line in "# wgpeer role = server" "Address = 10.99.0.1/24, fd99::1/64" "ListenPort = 51999" \
	"# wgpeer endpoint = vpn.example.org:51999"; do
	ok "says $line" has "$line" "$conf"
done
ok "tells its public key" grep -q "public key $(value PrivateKey "$conf" | "$wgpeer" pubkey)" "$tmp/err"
ok "does not tell its private key" has_not "$(value PrivateKey "$conf" | cut -c 1-20)" "$tmp/err"

key=$(value PrivateKey "$conf")
cp "$conf" "$tmp/first"
ok "init again" does init "$if" --no-up
ok "changes nothing" cmp "$conf" "$tmp/first"
ok "leaves no backup then" test ! -e "$conf.bak"
ok "init with a port" does init "$if" --no-up --port 51998
ok "changes the port" has "ListenPort = 51998" "$conf"
ok "which the endpoint follows" has "# wgpeer endpoint = vpn.example.org:51998" "$conf"
ok "but not the key" same "$(value PrivateKey "$conf")" "$key"
ok "nor the addresses" has "Address = 10.99.0.1/24, fd99::1/64" "$conf"
ok "keeps the file before" cmp "$conf.bak" "$tmp/first"
ok "the backup is for root only" same "$(stat -c %a "$conf.bak")" 600
ok "a forwarded port" does init "$if" --no-up --endpoint 192.0.2.1:443
ok "is said" has "# wgpeer endpoint = 192.0.2.1:443" "$conf"
ok "another port behind it" does init "$if" --no-up --port 51999
ok "leaves it alone" has "# wgpeer endpoint = 192.0.2.1:443" "$conf"
while read -r given want; do
	ok "endpoint $given" does init "$if" --no-up --endpoint "$given"
	ok "is $want" has "# wgpeer endpoint = $want" "$conf"
done << END
2001:db8::1 [2001:db8::1]:51999
[2001:db8::1] [2001:db8::1]:51999
[2001:db8::1]:1 [2001:db8::1]:1
192.0.2.1 192.0.2.1:51999
vpn-1.example.org:65535 vpn-1.example.org:65535
END
ok "lists and flags" does init "$if" --no-up --share 10.50.0.7/16,10.60.0.0/16 --dns 10.50.0.1,fd50::1 --exit --isolate \
	--firewall none
for line in "# wgpeer share = 10.50.0.0/16, 10.60.0.0/16" "# wgpeer client-dns = 10.50.0.1, fd50::1" "# wgpeer exit = yes" \
	"# wgpeer isolate = yes" "# wgpeer firewall = none"; do
	ok "says $line" has "$line" "$conf"
done
ok "all that taken back" does init "$if" --no-up --share none --dns none --no-exit --no-isolate --firewall nft
for key in share client-dns exit isolate; do
	ok "says no $key" has_not "wgpeer $key" "$conf"
done
ok "a network for an address" does init "$if" --no-up --address 10.99.0.0/24,fd99::/64
ok "is its first address" has "Address = 10.99.0.1/24, fd99::1/64" "$conf"

printf '[Interface]\nPrivateKey = %s\n' "$("$wgpeer" genkey)" > "$dir/h$if.conf"
wrong "was not made by" init "h$if" --no-up
wrong "was not made by" add "h$if" laptop
echo "# wgpeer role = site" >> "$dir/h$if.conf"
wrong "its role is .site" init "h$if" --no-up
wrong "its role is .site" list "h$if"
rm "$dir/h$if.conf"
wrong "no such file" add "x$if" laptop
wrong "no such file" list "x$if"
wrong "no such file" remove "x$if" laptop

# --- add ----------------------------------------------------------------------

wrong "too few words" add "$if"
wrong "too many words" add "$if" a b
while read -r pattern words; do
	# shellcheck disable=SC2086
	wrong "$pattern" add "$if" $words
done << END
name -
name .x
name a/b
name a:b
name 1234567890123456789012345678901234567890123456789012345678901234
--exit laptop --exit
exclude laptop --exit --split
--format laptop --format frob
--qr laptop --qr --format json
--qr laptop --qr --output $tmp/x
--public-key laptop --public-key frob
--public-key laptop --public-key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
--keep-key laptop --keep-key --public-key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
--output.*exists laptop --output $conf
--output.*exists laptop --output /dev/null
--dns laptop --dns x
--dns laptop --dns 10.0.0.0/8
--address laptop --address x
--address.*no.address laptop --address 10.98.0.2
--address.*no.address laptop --address 10.99.0.16/28
--address.*no.address laptop --address fd98::2
--address.*whole laptop --address 10.99.0.0
--address.*whole laptop --address 10.99.0.255
--address.*whole laptop --address fd99::
--address.*used laptop --address 10.99.0.1
--address.*used laptop --address 10.99.0.7,10.99.0.7
--address.*used laptop --address fd99::1
no.option laptop --now
END

ok "add" does add "$if" laptop
cp "$tmp/out" "$tmp/laptop.conf"
public=$(value PrivateKey "$conf" | "$wgpeer" pubkey)
for line in "# wgpeer role = client" "Address = 10.99.0.2/32, fd99::2/128" "PublicKey = $public" \
	"Endpoint = vpn-1.example.org:65535" "AllowedIPs = 10.99.0.0/24, fd99::/64" "PersistentKeepalive = 25"; do
	ok "the client's file says $line" has "$line" "$tmp/laptop.conf"
done
ok "no name servers" has_not DNS "$tmp/laptop.conf"
ok "no preshared key" has_not Preshared "$tmp/laptop.conf"
secret=$(value PrivateKey "$tmp/laptop.conf")
ok "the server's file has its public key" has "PublicKey = $(echo "$secret" | "$wgpeer" pubkey)" "$conf"
ok "and its name" has "# Name = laptop" "$conf"
ok "and its addresses" has "AllowedIPs = 10.99.0.2/32, fd99::2/128" "$conf"
ok "but not its private key" sh -c "! grep -qF '$secret' '$conf' '$conf.bak' '$tmp/err'"
wrong "a client .laptop. already" add "$if" laptop
wrong "--address.*used" add "$if" phone --address 10.99.0.2
wrong "has a client with the key" add "$if" phone --public-key "$(echo "$secret" | "$wgpeer" pubkey)"
wrong "own" add "$if" phone --public-key "$public"

theirs=$("$wgpeer" genkey)
ok "add with a key of its own" does add "$if" phone --public-key "$(echo "$theirs" | "$wgpeer" pubkey)" --psk \
	--address 10.99.0.4/24 --dns 9.9.9.9,2620:fe::fe
ok "no private key in the file" has_not PrivateKey "$tmp/out"
ok "only that address" has "Address = 10.99.0.4/32" "$tmp/out"
ok "its name servers" has "DNS = 9.9.9.9, 2620:fe::fe" "$tmp/out"
ok "its preshared key is the server's" has "PresharedKey = $(value PresharedKey "$tmp/out")" "$conf"
ok "what is left to do is said" grep -q "^To do: put the private key" "$tmp/err"
ok "the next free address" does add "$if" three
ok "is the lowest" has "Address = 10.99.0.3/32, fd99::3/128" "$tmp/out"
ok "the next one" does add "$if" five
ok "goes past those that are used" has "Address = 10.99.0.5/32, fd99::4/128" "$tmp/out"

ok "an exit with shares" does init "$if" --no-up --exit --share 10.50.0.0/16 --dns 10.50.0.1
ok "tells that clients need new files" grep -q "^To do: clients made before" "$tmp/err"
ok "add to an exit" does add "$if" all
ok "routes everything" has "AllowedIPs = 0.0.0.0/0, ::/0" "$tmp/out"
ok "name servers of the server" has "DNS = 10.50.0.1" "$tmp/out"
ok "which the server knows" same "$(peer all "# wgpeer exit")" yes
ok "add --split" does add "$if" some --split
ok "routes tunnel and shares" has "AllowedIPs = 10.99.0.0/24, fd99::/64, 10.50.0.0/16" "$tmp/out"
ok "which the server knows, too" same "$(peer some "# wgpeer exit")" ""

umask 0
ok "add --output" does add "$if" file --output "$tmp/file.conf"
umask 077
ok "prints nothing" test ! -s "$tmp/out"
ok "makes a file for its owner" same "$(stat -c %a "$tmp/file.conf")" 600
ok "that is the client's" grep -q "^PrivateKey = " "$tmp/file.conf"
chmod 644 "$tmp/out"
ok "add into a file that all can read" does add "$if" readable
ok "is done with a warning" grep -q "^Warning: writing to world accessible" "$tmp/err"
ok "export without a key" does export "$if" file
ok "is done without" sh -c '! grep -q Warning "$1"' sh "$tmp/err"
chmod 600 "$tmp/out"
ok "add --output=-" does add "$if" minus --output -
ok "is standard output" grep -q "^PrivateKey = " "$tmp/out"
for format in networkd nm uci; do
	ok "add --format $format" does add "$if" $format --format $format
	ok "has the key" grep -qF "$(peer $format PublicKey)" <<- END
		$(sed -n 's/.*[=_ ].\{0,1\}\([A-Za-z0-9+/]\{43\}=\).*/\1/p' "$tmp/out" |
			while read -r word; do echo "$word" | "$wgpeer" pubkey; done)
	END
	ok "says no Warning" has_not Warning "$tmp/err"
done
ok "a QR code, or why there is none" sh -c "
	if '$wgpeer' server add '$if' qr --qr --config-dir '$dir' > '$tmp/out' 2> '$tmp/err'; then
		[ \$(wc -l < '$tmp/out') -gt 20 ] && grep -qx '# Name = qr' '$conf'
	else
		[ \$(wc -l < '$tmp/err') = 1 ] && ! grep -qx '# Name = qr' '$conf'
	fi"
ok "add --format json" does add "$if" json --format json
ok "is JSON" python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$tmp/out"

# A client whose file went nowhere is none.
before=$(sha256sum < "$conf")
ok "a full disk is an error" sh -c "! '$wgpeer' server add '$if' gone --config-dir '$dir' > /dev/full 2> '$tmp/err'"
ok "that is told in one line" same "$(grep -c "No space left" "$tmp/err")" 1
ok "and takes the client back" same "$(sha256sum < "$conf")" "$before"
mkfifo "$tmp/pipe"
closed_pipe()
{
	exec 3<> "$tmp/pipe" 4> "$tmp/pipe" 3>&-
	call add "$if" gone >&4 2> "$tmp/err"
	rc=$?
	exec 4>&-
	[ $rc = 1 ]
}
ok "so is a reader that went away" closed_pipe
ok "and takes the client back" same "$(sha256sum < "$conf")" "$before"
ok "so is a directory that is not there" sh -c "! '$wgpeer' server add '$if' gone --config-dir '$dir' --output '$tmp/none/x' 2> '$tmp/err'"
ok "and takes the client back" same "$(sha256sum < "$conf")" "$before"

# --- export -------------------------------------------------------------------

ok "export of a client" does export "$if" laptop
ok "has no private key" has_not PrivateKey "$tmp/out"
ok "has its addresses" has "Address = 10.99.0.2/32, fd99::2/128" "$tmp/out"
ok "knows what has changed" has "AllowedIPs = 10.99.0.0/24, fd99::/64, 10.50.0.0/16" "$tmp/out"
ok "add --keep-key" does add "$if" kept --keep-key --psk
cp "$tmp/out" "$tmp/kept.conf"
ok "the server keeps the key" same "$(peer kept "# wgpeer private-key")" "$(value PrivateKey "$tmp/kept.conf")"
ok "export of that client" does export "$if" kept
ok "is the same file" cmp "$tmp/out" "$tmp/kept.conf"
wrong "has no client .gone" export "$if" gone
wrong "exists" export "$if" kept --output "$tmp/kept.conf"

# --- list ---------------------------------------------------------------------

ok "list" does list "$if"
ok "a line for each client" same "$(wc -l < "$tmp/out")" "$(count '^\[Peer\]' "$conf")"
ok "with name, kind, addresses" grep -q "^laptop *split .* 10.99.0.2,fd99::2  not up$" "$tmp/out"
ok "with exits" grep -q "^all *exit " "$tmp/out"
ok "without secrets" has_not "$(value PrivateKey "$tmp/kept.conf" | cut -c 1-20)" "$tmp/out"
ok "list --json" does list "$if" --json
ok "is right" python3 - "$tmp/out" << 'END'
import json, sys
d = json.load(open(sys.argv[1]))
c = {x["name"]: x for x in d["clients"]}
assert d["up"] is False and c["laptop"]["addresses"] == ["10.99.0.2", "fd99::2"]
assert c["all"]["mode"] == "exit" and c["laptop"]["latest_handshake"] is None
END
wrong "no option" list "$if" --frob
wrong "too many words" list "$if" x

# --- rename, remove -----------------------------------------------------------

wrong "too few words" rename "$if" laptop
wrong "has no client .gone" rename "$if" gone here
wrong "a client .phone. already" rename "$if" laptop phone
wrong "name" rename "$if" laptop a/b
cp "$conf" "$tmp/first"
ok "rename" does rename "$if" laptop notebook
ok "changes only the name" sh -c "sed 's/^# Name = laptop\$/# Name = notebook/' '$tmp/first' | cmp - '$conf'"
wrong "has no client .laptop" remove "$if" laptop
wrong "too few words" remove "$if"
wrong "too many words" remove "$if" notebook phone
ok "remove" does remove "$if" notebook
ok "removes it" has_not notebook "$conf"
ok "and its key" has_not "$(echo "$secret" | "$wgpeer" pubkey)" "$conf"
ok "and no other" same "$(count '^\[Peer\]' "$conf")" "$(($(count '^\[Peer\]' "$tmp/first") - 1))"
ok "its address is free again" does add "$if" newcomer
ok "for the next one" has "Address = 10.99.0.2/32, fd99::2/128" "$tmp/out"

# --- rotate -------------------------------------------------------------------

wrong "exclude" rotate "$if" kept --now --finish
wrong "has no old key" rotate "$if" kept --finish
wrong "has no client .gone" rotate "$if" gone
wrong "makes no file" rotate "$if" kept --finish --qr
wrong "no option" rotate "$if" kept --psk
old=$(peer kept PublicKey) old_psk=$(peer kept PresharedKey) old_ips=$(peer kept AllowedIPs)
ok "rotate" does rotate "$if" kept
ok "the file has a new address" test "$(value Address "$tmp/out" | sed 's/, .*//')" != "${old_ips%%,*}"
ok "a new key" test "$(value PrivateKey "$tmp/out" | "$wgpeer" pubkey)" != "$old"
ok "that the server knows" same "$(peer kept PublicKey)" "$(value PrivateKey "$tmp/out" | "$wgpeer" pubkey)"
ok "a new preshared key" test "$(value PresharedKey "$tmp/out")" != "$old_psk"
ok "the kept key is gone" same "$(peer kept "# wgpeer private-key")" ""
ok "the client is split or exit as before" has "AllowedIPs = 0.0.0.0/0, ::/0" "$tmp/out"
ok "the old key is there" has "PublicKey = $old" "$conf"
ok "with its address" has "AllowedIPs = $old_ips" "$conf"
ok "and its preshared key" has "PresharedKey = $old_psk" "$conf"
ok "as previous" same "$(count '^# wgpeer previous = yes$' "$conf")" 1
ok "list shows both" sh -c "'$wgpeer' server list '$if' --config-dir '$dir' | grep -c '^kept ' | grep -qx 2"
wrong "has an old key already" rotate "$if" kept
wrong "--address.*used" add "$if" x --address "${old_ips%%,*}"
ok "rename while under way" does rename "$if" kept renamed
ok "takes both along" same "$(count '^# Name = renamed$' "$conf")" 2
ok "rotate --finish" does rotate "$if" renamed --finish
ok "prints nothing" test ! -s "$tmp/out"
ok "the old key is gone" has_not "$old" "$conf"
ok "nothing is previous" has_not previous "$conf"
old=$(peer renamed PublicKey) old_ips=$(peer renamed AllowedIPs)
ok "rotate --now" does rotate "$if" renamed --now --keep-key
ok "keeps the addresses" same "$(value Address "$tmp/out")" "$old_ips"
ok "the old key is gone" has_not "$old" "$conf"
ok "the new one is there" same "$(peer renamed PublicKey)" "$(value PrivateKey "$tmp/out" | "$wgpeer" pubkey)"
ok "and kept" same "$(peer renamed "# wgpeer private-key")" "$(value PrivateKey "$tmp/out")"
ok "rotate" does rotate "$if" renamed
ok "rotate --now in between" does rotate "$if" renamed --now
ok "ends every old key" has_not previous "$conf"
ok "rotate" does rotate "$if" renamed
ok "remove in between" does remove "$if" renamed
ok "removes both" has_not renamed "$conf"
before=$(sha256sum < "$conf")
ok "a rotation to a full disk fails" sh -c "! '$wgpeer' server rotate '$if' phone --config-dir '$dir' > /dev/full 2> '$tmp/err'"
ok "and is taken back" same "$(sha256sum < "$conf")" "$before"

# --- networks -----------------------------------------------------------------

wrong "client .phone. has 10.99.0.4" init "$if" --no-up --address 10.98.0.1/24
wrong "would be the server's" init "$if" --no-up --address 10.99.0.2/24,fd99::1/64
ok "a wider network" does init "$if" --no-up --address 10.99.0.1/23,fd99::1/64
ok "init of a small one" does init "s$if" --no-up --endpoint a.example --port 51997 --address 10.97.0.1/30
ok "has room for one" does add "s$if" one
wrong "no address is free in 10.97.0.0/30" add "s$if" two
ok "comments and foreign lines" sh -c "
	printf '# mine\n' >> '$dir/s$if.conf'
	printf '\n[Peer]\n# by hand\nPublicKey = %s\nAllowedIPs = 10.96.0.0/24\n' \
		'$("$wgpeer" genkey | "$wgpeer" pubkey)' >> '$dir/s$if.conf'"
ok "another edit" does rename "s$if" one two
ok "keeps them" sh -c "grep -qx '# mine' '$dir/s$if.conf' && grep -qx '# by hand' '$dir/s$if.conf'"

# What collides on this host keeps nobody in.

ok "init" does init "b$if" --no-up --endpoint a.example --address 10.95.0.1/24
ok "a client" does add "b$if" one
ok "another" does add "b$if" two
ok "a rotation" does rotate "b$if" two
holds "$dir/b$if.conf" add "b$if" three > "$tmp/out"
ok "with the port in use nobody gets in" same "$(count '^\[Peer\]' "$dir/b$if.conf")" 3
ok "and that is told" grep -q "is in use" "$tmp/err"
ok "a rotation ends" holds "$dir/b$if.conf" rotate "b$if" two --finish
ok "a name changes" holds "$dir/b$if.conf" rename "b$if" two three
ok "a client goes" holds "$dir/b$if.conf" remove "b$if" one
ok "one is left" same "$(grep -A1 '^\[Peer\]' "$dir/b$if.conf" | tail -n +2)" "# Name = three"

# Two at once: neither loses the other's work.
at_once()
{
	for i in 1 2 3 4 5 6; do
		call add "$if" "once$i" > "$tmp/once$i" 2> /dev/null &
	done
	wait
	[ "$(grep -c "# Name = once" "$conf")" = 6 ] &&
		[ "$(cat "$tmp"/once? | grep '^Address' | sort -u | wc -l)" = 6 ]
}
ok "six clients at once" at_once
ends
