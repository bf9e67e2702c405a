#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The verb "site", as far as it needs no kernel module: two sites and more, each
# with a directory of its own, what their tokens make of the files of others, and
# all that is refused.
# shellcheck disable=SC2154,SC2317 # from verb.sh; called by ok
cd "$(dirname "$0")/.." || exit 1
verb=site
# shellcheck source=tools/tests/verb.sh
. tests/verb.sh

# at NAME: from now on calls are of the site with that name
at()
{
	dir=$tmp/$1
	conf=$dir/$if.conf
}

# begin NAME WORD...: its init, with a token in $tmp/NAME.token; its name is $as
# if there is one
begin()
{
	at "$1"
	out=$tmp/$1.token
	called=${as:-$1}
	shift
	call init "$if" --no-up --name "$called" "$@" > "$out" 2> "$tmp/err"
}

# joins NAME OTHER WORD...: its join with the token of another one
joins()
{
	at "$1"
	out=$tmp/$1.token with=$(cat "$tmp/$2.token")
	called=${as:-$1}
	shift 2
	call join "$if" "$with" --no-up --name "$called" "$@" > "$out" 2> "$tmp/err"
}

# adds NAME OTHER...: takes the tokens of others
adds()
{
	at "$1"
	shift
	for with; do
		call add "$if" "$(cat "$tmp/$with.token")" > "$tmp/out" 2> "$tmp/err" || return 1
	done
}

# peer NAME KEY: value of a line in the section of another site
peer()
{
	awk -v name="$1" -v key="$2" '
		/^\[Peer\]/ { hit = 0 }
		$0 == "# Name = " name { hit = 1 }
		index($0, key " = ") == 1 && hit { print substr($0, length(key) + 4) }
	' "$conf"
}

key() { value PrivateKey "$tmp/$1/$if.conf" | "$wgpeer" pubkey; }
anew() { rm -rf "$tmp/a" "$tmp/b" "$tmp/c" "$tmp/h"; }

# --- words --------------------------------------------------------------------

at a
while read -r pattern words; do
	# shellcheck disable=SC2086 # words
	wrong "$pattern" $words
done << END
right.would.be.init frob
too.few.words init
too.many.words init $if x
too.few.words join $if
too.many.words join $if x y
too.few.words add $if
too.few.words token
too.few.words list
too.few.words remove $if
--frob init $if --frob
--share.is.missing init $if --no-up --endpoint a.example
everything init $if --no-up --share 0.0.0.0/0
everything init $if --no-up --share 10.1.0.0/24,::/0
overlap init $if --no-up --share 10.1.0.0/24,10.1.0.128/25
--share init $if --no-up --share x
--share init $if --no-up --share 10.1.0.0/33
--port init $if --no-up --share 10.1.0.0/24 --port 0
--name init $if --no-up --share 10.1.0.0/24 --name a/b
--endpoint init $if --no-up --share 10.1.0.0/24 --endpoint a:b:c:d.example
room init $if --no-up --share 10.1.0.0/24 --address 10.9.0.1
room init $if --no-up --share 10.1.0.0/24 --address 10.9.0.1/0
one.in.each init $if --no-up --share 10.1.0.0/24 --address 10.9.0.1/16,10.9.0.2/24
the.tunnel init $if --no-up --share 10.1.0.0/24 --address 10.1.0.9/16
--peer-share.is.missing init $if --no-up --share 10.1.0.0/24 --endpoint a.example --one-paste
belong.to.--one-paste init $if --no-up --share 10.1.0.0/24 --peer-share 10.2.0.0/24
belong.to.--one-paste init $if --no-up --share 10.1.0.0/24 --peer-name b
--endpoint init $if --no-up --share 10.1.0.0/24 --one-paste --peer-share 10.2.0.0/24 --endpoint none
--peer-name init $if --no-up --share 10.1.0.0/24 --endpoint a.example --one-paste --peer-share 10.2.0.0/24 --peer-name a/b
--peer-share init $if --no-up --share 10.1.0.0/24 --endpoint a.example --one-paste --peer-share x
everything init $if --no-up --share 10.1.0.0/24 --endpoint a.example --one-paste --peer-share 0.0.0.0/0
10.1.0.0/25.*10.1.0.0/24 init $if --no-up --share 10.1.0.0/24 --endpoint a.example --one-paste --peer-share 10.1.0.0/25
exclude init $if --no-up --share 10.1.0.0/24 --hub --routed
interface: init ../x --no-up --share 10.1.0.0/24
interface.of.this.name init lo --no-up --share 10.1.0.0/24
token join $if x --share 10.2.0.0/24 --no-up
no.such.file add $if x
no.such.file token $if
no.such.file list $if
no.such.file remove $if b
END
ok "no directory is left of that" test ! -e "$dir"

# --- init ---------------------------------------------------------------------

ok "init" begin a --share 10.1.0.7/24,fd01::/64 --endpoint a.example --port 51990
ok "prints one line" same "$(wc -l < "$tmp/a.token")" 1
ok "that is a token" grep -qx 'wgsite1-[-_A-Za-z0-9]*' "$tmp/a.token"
ok "the directory is for root only" same "$(stat -c %a "$dir")" 700
ok "the file is for root only" same "$(stat -c %a "$conf")" 600
for line in "# wgpeer role = site" "# wgpeer site-name = a" "# wgpeer share = 10.1.0.0/24, fd01::/64" \
	"# wgpeer endpoint = a.example:51990" "ListenPort = 51990"; do
	ok "says $line" has "$line" "$conf"
done
ok "a /20 and a /64" grep -qxE 'Address = 10\.[0-9.]*/20, fd[0-9a-f:]*/64' "$conf"
ok "tells what to do" said "^To do: on the other site"
ok "no secret in it" secret_not "$(value PrivateKey "$conf")" "$tmp/err"
cp "$conf" "$tmp/first"
cp "$tmp/a.token" "$tmp/first.token"
ok "init again" begin a
ok "changes nothing" cmp "$conf" "$tmp/first"
ok "prints the same" cmp "$tmp/a.token" "$tmp/first.token"
ok "token" does token "$if"
ok "prints the same" cmp "$tmp/out" "$tmp/first.token"
ok "init with another port" begin a --port 51991 --endpoint a.example
ok "takes it" has "ListenPort = 51991" "$conf"
ok "and nothing else" same "$(diff "$conf" "$tmp/first" | grep -c '^<')" 2
ok "which the token says" sh -c "! cmp '$tmp/a.token' '$tmp/first.token'"
wrong "makes its routes itself" init "$if" --no-up --routed
before=$(state)
ok "a full disk is an error" sh -c "! '$wgpeer' site init '$if' --no-up --port 51992 --config-dir '$dir' > /dev/full 2> '$tmp/err'"
ok "told in one line" same "$(wc -l < "$tmp/err")" 1
ok "and taken back" has "ListenPort = 51991" "$conf"

# The addresses are those of the key.
expect=$(value PrivateKey "$conf" | "$wgpeer" pubkey | base64 -d | od -An -tu8 -N8 | tr -d ' ')
ok "the address is from the key" same \
	"$(sed -n 's/^Address = \([0-9.]*\).*/\1/p' "$conf" | awk -F. '{ print $3 % 16 * 256 + $4 }')" \
	"$(python3 -c "print(1 + $expect % 4094)")"
anew
ok "init with a network" begin a --share 10.1.0.0/24 --endpoint a.example --address 10.9.0.0/16
ok "takes an address in it" grep -qE '^Address = 10\.9\.[0-9.]*/16$' "$conf"
anew
ok "init with an address" begin a --share 10.1.0.0/24 --endpoint a.example --address 10.9.0.1/16,fd09::1/64
ok "takes it" has "Address = 10.9.0.1/16, fd09::1/64" "$conf"
ok "another one" begin a --address 10.9.0.2/16,fd09::2/64
ok "while nobody knows this one" has "Address = 10.9.0.2/16, fd09::2/64" "$conf"

# --- join, add ----------------------------------------------------------------

token=$(cat "$tmp/a.token")
at b
while read -r pattern words; do
	# shellcheck disable=SC2086 # words
	wrong "$pattern" join "$if" "$token" --no-up $words
done << END
--share.is.missing --endpoint b.example
10.1.0.0/24.*10.1.0.0/24 --share 10.1.0.0/24
10.1.0.0/24.*renumbered --share 10.1.0.128/25
10.1.0.0/24.*of.this.site --share 10.1.0.0/16
the.tunnel --share 10.9.0.0/16
the.tunnel --share 10.9.0.7/32
everything --share 0.0.0.0/0
is.not.in.a.network --share 10.2.0.0/24 --address 10.8.0.5
is.not.in.a.network --share 10.2.0.0/24 --address fd08::5
has.address.10.9.0.2 --share 10.2.0.0/24 --address 10.9.0.2
--hub --share 10.2.0.0/24 --hub
--endpoint --share 10.2.0.0/24 --endpoint a:b:c:d.example
called..a..like --share 10.2.0.0/24 --name a
END
wrong "checksum" join "$if" "wgsite1-x${token#wgsite1-}" --share 10.2.0.0/24 --no-up
wrong "checksum" join "$if" "${token%?????}" --share 10.2.0.0/24 --no-up
ok "no directory is left of that" test ! -e "$dir"

ok "join" joins b a --share 10.2.0.0/24 --endpoint '[2001:db8::2]:7' --port 51993
ok "prints one line" same "$(wc -l < "$tmp/b.token")" 1
ok "tells what to do" said "^To do: on site .a.: .* site add"
for line in "# wgpeer site-name = b" "# wgpeer share = 10.2.0.0/24" "# wgpeer endpoint = [2001:db8::2]:7" "ListenPort = 51993"; do
	ok "says $line" has "$line" "$conf"
done
ok "is in the tunnel" grep -qE '^Address = 10\.9\.[0-9.]*/16, fd09::[0-9a-f:]*/64$' "$conf"
ok "knows the other key" same "$(peer a PublicKey)" "$(key a)"
ok "its networks" same "$(peer a AllowedIPs)" "10.9.0.2/32, fd09::2/128, 10.1.0.0/24"
ok "its endpoint" same "$(peer a Endpoint)" a.example:51820
ok "both are reached: no keepalive" same "$(peer a PersistentKeepalive)" ""
cp "$conf" "$tmp/first"
ok "join again" joins b a
ok "changes nothing" cmp "$conf" "$tmp/first"
wrong "this site's own" add "$if" "$(cat "$tmp/b.token")"
at a
wrong "this site's own" add "$if" "$token"
wrong "no site .b" remove "$if" b
ok "add" adds a b
ok "prints nothing" test ! -s "$tmp/out"
ok "tells what is behind it" said "site .b. has 10.2.0.0/24"
ok "knows the other key" same "$(peer b PublicKey)" "$(key b)"
ok "its networks" same "$(peer b AllowedIPs)" "$(value Address "$tmp/b/$if.conf" | sed 's|/16,|/32,|;s|/64|/128|'), 10.2.0.0/24"
ok "its endpoint" same "$(peer b Endpoint)" "[2001:db8::2]:7"
cp "$conf" "$tmp/first"
ok "add again" adds a b
ok "changes nothing" cmp "$conf" "$tmp/first"
wrong "there is another site .b." init "$if" --no-up --name b
wrong "know this one by its address" init "$if" --no-up --address 10.9.0.9/16,fd09::9/64
ok "the address it has" does init "$if" --no-up --address 10.9.0.2/16,fd09::2/64
ok "is no change" cmp "$conf" "$tmp/first"
wrong "10.2.0.0/24 of b" init "$if" --no-up --share 10.2.0.0/16
as=beta
ok "a site that has changed" begin b --share 10.2.0.0/24,10.3.0.0/24 --endpoint none
as=
ok "tells that others do not know" said "^To do: the other sites do not know"
ok "starts from now on" same "$(peer a PersistentKeepalive)" 25
ok "add brings it up to date" adds a b
ok "its networks" same "$(peer beta AllowedIPs | sed 's/.*128, //')" "10.2.0.0/24, 10.3.0.0/24"
ok "no endpoint any more" same "$(peer beta Endpoint)" ""
ok "no second section" same "$(count '^\[Peer\]' "$conf")" 1
ok "the other one keeps the way open" same "$(peer beta PersistentKeepalive)" ""
before=$(state)
wrong "neither .beta. nor this site" init "$if" --no-up --endpoint none
at b
ok "an endpoint again" does init "$if" --no-up --endpoint b.example
ok "ends the keepalive" same "$(peer a PersistentKeepalive)" ""
sed -i '/^# Name/aPersistentKeepalive = 7' "$conf"
ok "one of the user's own" does init "$if" --no-up --endpoint b.example
ok "is left alone" same "$(peer a PersistentKeepalive)" 7

# A token by way of a pipe, folded by a mail program.
at a
fold -w 60 "$tmp/b.token" > "$tmp/in"
ok "a folded token on standard input" sh -c "'$wgpeer' site add '$if' - --config-dir '$dir' < '$tmp/in'"
rm "$tmp/in"
ok "remove" does remove "$if" beta
ok "removes it" same "$(count '^\[Peer\]' "$conf")" 0
wrong "no site .beta" remove "$if" beta

# --- a third one --------------------------------------------------------------

ok "add" adds a b
ok "a third one joins" joins c a --share 10.4.0.0/24
ok "the second takes it" adds b c
ok "the first one, too" adds a c
ok "and knows both" same "$(count '^\[Peer\]' "$conf")" 2
ok "the third takes the second" adds c b
anew
ok "three others" begin a --share 10.1.0.0/24 --endpoint a.example --address 10.9.0.1/16,fd09::1/64
ok "the second" joins b a --share 10.2.0.0/24 --endpoint b.example --address 10.9.0.5
ok "has the address it wants" grep -q '^Address = 10.9.0.5/16, fd09::[0-9a-f:]*/64$' "$conf"
ok "the third with its network" joins c a --share 10.2.0.128/25 --endpoint c.example --address 10.9.0.6
ok "the first takes the second" adds a b
wrong "10.2.0.128/25 of c overlaps 10.2.0.0/24 of b" add "$if" "$(cat "$tmp/c.token")"
at b
wrong "10.2.0.128/25 of c overlaps 10.2.0.0/24 of this site" add "$if" "$(cat "$tmp/c.token")"
rm -rf "$tmp/c"
ok "the third with its address" joins c a --share 10.3.0.0/24 --endpoint c.example --address 10.9.0.5
at a
wrong "has address 10.9.0.5, as site .b.*--address" add "$if" "$(cat "$tmp/c.token")"
rm -rf "$tmp/c"
ok "the third" joins c a --share 10.3.0.0/24 --endpoint none
at b
ok "the second without an endpoint" begin b --endpoint none
wrong "neither .c. nor this site" add "$if" "$(cat "$tmp/c.token")"
rm -rf "$tmp/c"
as=b
ok "the third with the same name" joins c a --share 10.3.0.0/24 --endpoint c.example
as=
at a
wrong "another site .b. with another key" add "$if" "$(cat "$tmp/c.token")"
rm -rf "$tmp/c"
begin c --share 10.3.0.0/24 --endpoint c.example --address 10.8.0.1/24
at a
wrong "another tunnel" add "$if" "$(cat "$tmp/c.token")"
rm -rf "$tmp/c"
begin c --share 10.3.0.0/24 --endpoint c.example --routed --address 10.9.0.7/16,fd09::7/64
at a
wrong "--routed.*both sides" add "$if" "$(cat "$tmp/c.token")"
anew

# --- one paste ----------------------------------------------------------------

begin a --share 10.1.0.0/24 --endpoint a.example --address 10.9.0.1/16
ok "init --one-paste" begin a --one-paste --peer-share 10.2.0.7/24 --peer-name b
ok "prints one line" same "$(wc -l < "$tmp/a.token")" 1
ok "that is secret" grep -q '^wgsecret1-' "$tmp/a.token"
ok "and tells so" said "^To do: the token holds the other site's private key"
ok "but does not tell it" secret_not "$(tail -c 60 "$tmp/a.token")" "$tmp/err"
ok "knows the other one" same "$(peer b AllowedIPs | sed 's/.*, //')" 10.2.0.0/24
ok "has a preshared key" test -n "$(peer b PresharedKey)"
wrong "there is a site .b. already" init "$if" --no-up --one-paste --peer-share 10.3.0.0/24 --peer-name b
wrong "private key.*site join" add "$if" "$(cat "$tmp/a.token")"
ok "without the token" secret_not "$(tail -c 60 "$tmp/a.token")" "$tmp/err"
at b
for words in "--share 10.3.0.0/24" "--address 10.9.0.7" "--endpoint b.example"; do
	# shellcheck disable=SC2086 # words
	wrong "--one-paste" join "$if" "$(cat "$tmp/a.token")" --no-up $words
done
ok "join" sh -c "'$wgpeer' site join '$if' - --no-up --name b --config-dir '$dir' < '$tmp/a.token' > '$tmp/out' 2> '$tmp/err'"
ok "prints nothing" test ! -s "$tmp/out"
ok "is who the other one knows" same "$(at a; peer b PublicKey)" "$(key b)"
ok "has the address" same "$(value Address "$conf" | sed 's|/16|/32|')" "$(at a; peer b AllowedIPs | sed 's/,.*//')"
ok "has the preshared key" same "$(peer a PresharedKey)" "$(at a; peer b PresharedKey)"
ok "has its share" has "# wgpeer share = 10.2.0.0/24" "$conf"
ok "starts" same "$(peer a PersistentKeepalive)" 25
cp "$conf" "$tmp/first"
ok "join again" sh -c "'$wgpeer' site join '$if' - --no-up --config-dir '$dir' < '$tmp/a.token' 2> '$tmp/err'"
ok "changes nothing" cmp "$conf" "$tmp/first"
ok "its token" does token "$if"
ok "is not secret" grep -q '^wgsite1-' "$tmp/out"
cp "$tmp/out" "$tmp/b.token"
ok "and can be added" adds a b
ok "the preshared key stays" test -n "$(peer b PresharedKey)"
begin c --share 10.5.0.0/24 --endpoint none
wrong "has a key already" join "$if" "$(cat "$tmp/a.token")" --no-up
at a
before=$(sha256sum < "$conf")
ok "a token to a full disk" sh -c "! '$wgpeer' site init '$if' --no-up --one-paste --peer-share 10.6.0.0/24 --peer-name x --config-dir '$dir' > /dev/full 2> '$tmp/err'"
ok "makes no site" same "$(sha256sum < "$conf")" "$before"
anew

# --- a port that is in use ----------------------------------------------------

begin a --share 10.1.0.0/24 --endpoint a.example --address 10.9.0.1/16
joins b a --share 10.2.0.0/24 --endpoint b.example
at a
holds "$conf" add "$if" "$(cat "$tmp/b.token")"
ok "keeps another site out" same "$(count '^\[Peer\]' "$conf")" 0
ok "and is told" said "is in use"
ok "add" adds a b
ok "does not keep it in" holds "$conf" remove "$if" b
ok "which is gone" same "$(count '^\[Peer\]' "$conf")" 0
anew

# --- a hub --------------------------------------------------------------------

ok "init --hub" begin h --share 10.1.0.0/24 --endpoint h.example --hub --address 10.9.0.1/16,fd09::1/64
ok "a site joins" joins a h --share 10.2.0.0/24 --endpoint none
ok "everything of the tunnel goes there" same "$(peer h AllowedIPs)" \
	"10.9.0.1/32, fd09::1/128, 10.1.0.0/24, 10.9.0.0/16, fd09::/64"
ok "another one, too" joins b h --share 10.3.0.0/24 --endpoint none
ok "the hub takes both" adds h a b
ok "tells that others need its token" said "^To do: give the new token of this hub"
at h
call token "$if" > "$tmp/h.token"
ok "the first takes the hub's token again" adds a h
ok "and knows the way to the second" same "$(peer h AllowedIPs)" \
	"10.9.0.1/32, fd09::1/128, 10.1.0.0/24, 10.3.0.0/24, 10.9.0.0/16, fd09::/64"
ok "but not to itself" same "$(peer h "# wgpeer shares")" "10.1.0.0/24, 10.3.0.0/24"
at c
wrong "10.3.0.0/24 of h overlaps 10.3.0.0/24 of this site" join "$if" "$(cat "$tmp/h.token")" --no-up --share 10.3.0.0/24
wrong "10.3.0.0/24 of h overlaps" join "$if" "$(cat "$tmp/h.token")" --no-up --share 10.3.0.0/16
at a
wrong "10.3.0.0/24 of h" init "$if" --no-up --share 10.3.0.0/24
ok "a network more" begin a --share 10.2.0.0/24,10.7.0.0/24
ok "goes to the hub" adds h a
ok "which knows it" same "$(peer a AllowedIPs | sed 's/.*128, //')" "10.2.0.0/24, 10.7.0.0/24"
ok "one with one paste" begin h --one-paste --peer-share 10.4.0.0/24 --peer-name c
at c
ok "joins" does join "$if" "$(cat "$tmp/h.token")" --no-up --name c
ok "knows all the others" same "$(peer h AllowedIPs)" \
	"10.9.0.1/32, fd09::1/128, 10.1.0.0/24, 10.2.0.0/24, 10.7.0.0/24, 10.3.0.0/24, 10.9.0.0/16, fd09::/64"
at h
wrong "10.3.0.0/24" init "$if" --no-up --one-paste --peer-share 10.3.0.0/25 --peer-name d
ok "list" does list "$if"
ok "a line for each" same "$(wc -l < "$tmp/out")" 3
ok "with the networks" grep -q '^a  *site .* 10.9.[0-9.]*,fd09:[0-9a-f:]*,10.2.0.0/24,10.7.0.0/24  not up$' "$tmp/out"
ok "without secrets" secret_not "$(peer c PresharedKey)" "$tmp/out"
at a
ok "of a spoke" does list "$if"
ok "shows the hub" grep -q '^h  *hub ' "$tmp/out"
at h
ok "list --json" does list "$if" --json
ok "is right" python3 - "$tmp/out" << 'END'
import json, sys
d = json.load(open(sys.argv[1]))
assert d["up"] is False
assert [x["name"] for x in d["sites"]] == ["a", "b", "c"]
assert d["sites"][1]["addresses"][-1] == "10.3.0.0/24" and d["sites"][1]["mode"] == "site"
END
anew

# --- routing daemons ----------------------------------------------------------

ok "init --routed" begin a --routed --endpoint a.example --address 10.9.0.1/16,fd09::1/64
ok "makes no routes" has "Table = off" "$conf"
ok "has a link-local address" grep -q '^Address = 10.9.0.1/16, fd09::1/64, fe80::[0-9a-f:]*/64$' "$conf"
cp "$conf" "$tmp/first"
ok "init again" begin a --routed
ok "changes nothing" cmp "$conf" "$tmp/first"
wrong "forward by themselves" init "$if" --no-up --hub
ok "join" joins b a --endpoint b.example
ok "is routed, too" has "Table = off" "$conf"
ok "has a link-local address" grep -q '^Address = .*, fe80::[0-9a-f:]*/64$' "$conf"
ok "everything may come and go" same "$(peer a AllowedIPs)" "0.0.0.0/0, ::/0"
ok "add" adds a b
ok "join of a third one" joins c a --endpoint c.example
at a
wrong "each interface has one peer" add "$if" "$(cat "$tmp/c.token")"
anew
ok "--routed --one-paste" begin a --routed --endpoint a.example --one-paste
at b
ok "join" does join "$if" "$(cat "$tmp/a.token")" --no-up --name b
ok "is routed, too" has "Table = off" "$conf"
ok "everything may come and go" same "$(peer a AllowedIPs)" "0.0.0.0/0, ::/0"
anew

# --- tokens that lie ----------------------------------------------------------

# craft NETWORK [TYPE]: a token of the site that shares that as well, or has it
# in a field of another type
craft()
{
	python3 - "$(cat "$tmp/a.token")" "$1" "${2-7}" <<- 'END'
		import base64, ipaddress, sys, zlib
		head, body = sys.argv[1].split("-", 1)
		raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))[:-4]
		net = ipaddress.ip_network(sys.argv[2])
		value = bytes([net.prefixlen]) + net.network_address.packed
		raw += bytes([int(sys.argv[3]), len(value)]) + value
		head += "-"
		raw += zlib.crc32(head.encode() + raw).to_bytes(4, "big")
		print(head + base64.urlsafe_b64encode(raw).decode().rstrip("="))
	END
}
begin a --share 10.1.0.0/24 --endpoint a.example --address 10.9.0.1/16,fd09::1/64
at b
wrong "10.9.7.0/24 of a overlaps 10.9.0.0/16 of the tunnel" join "$if" "$(craft 10.9.7.0/24)" --no-up --share 10.2.0.0/24
wrong "fd09::/80 of a overlaps" join "$if" "$(craft fd09::/80)" --no-up --share 10.2.0.0/24
wrong "everything" join "$if" "$(craft 0.0.0.0/0)" --no-up --share 10.2.0.0/24
wrong "127.0.0.0/8" join "$if" "$(craft 127.0.0.0/8)" --no-up --share 10.2.0.0/24
for net in 10.77.0.0/31 10.77.0.0/32 fd77::/127 fd77::/128; do
	wrong "$net has no room" join "$if" "$(craft $net 5)" --no-up --share 10.2.0.0/24
done
ok "no directory is left of that" test ! -e "$dir"
ok "one that does not" does join "$if" "$(craft 10.7.0.0/24)" --no-up --name b --share 10.2.0.0/24
ok "is taken" same "$(peer a AllowedIPs | sed 's/.*128, //')" "10.1.0.0/24, 10.7.0.0/24"
anew

# --- names --------------------------------------------------------------------

at a
ok "a site without a name" sh -c "'$wgpeer' site init '$if' --no-up --share 10.1.0.0/24 --endpoint a.example --config-dir '$dir' > '$tmp/a.token' 2> '$tmp/err'"
name_a=$(value "# wgpeer site-name" "$conf")
ok "is called as the host" same "$name_a" "$(uname -n | tr -c 'a-zA-Z0-9\n' - | cut -c 1-29)"
at b
ok "another one on such a host" does join "$if" "$(cat "$tmp/a.token")" --no-up --share 10.2.0.0/24
ok "is called otherwise" has "# wgpeer site-name = $name_a-2" "$conf"
anew

# --- files that others made ---------------------------------------------------

at a
mkdir "$dir"
printf '[Interface]\nPrivateKey = %s\n# wgpeer role = server\n' "$("$wgpeer" genkey)" > "$conf"
wrong "its role is .server" init "$if" --no-up --share 10.1.0.0/24
wrong "its role is .server" list "$if"
wrong "its role is .server" token "$if"
anew
for net in 10.9.0.0/31 10.9.0.0/32 fd09::/127 fd09::/128; do
	begin a --share 10.1.0.0/24 --endpoint a.example --address 10.8.0.1/16
	sed -i "s|^Address = .*|Address = 10.8.0.1/16, $net|" "$conf"
	wrong "$net has no room" init "$if" --no-up --one-paste --peer-share 10.2.0.0/24
	wrong "$net has no room" init "$if" --no-up
	wrong "$net has no room" token "$if"
	anew
done
ends
