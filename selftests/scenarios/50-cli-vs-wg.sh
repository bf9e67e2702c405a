#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
# env: uml uml-smp qemu-[0-9]*
#
# wgpeer called as wg against the stock wg: the same bytes on standard output,
# the same exit status and the same device afterwards, for a table of commands.
# (spec 8.1-8.7)
#
#   s: wg0 wg1, driven by the stock program      o: wg0 wg1, driven by ours
#   a: wg0 ---------------- b: wg0, with a handshake, read by both
#
# Known differences, left out on purpose (see man/wgpeer.8): ports above 65535
# wrap in the stock program; old releases lack names in `show all endpoints` and
# keep, in syncconf, a preshared key or keepalive that left the file.
# shellcheck source=selftests/lib.sh
. "${WG_SELFTESTS:-$(dirname "$0")/..}/lib.sh"

STOCK=$(command -v wg) || skip_all "no stock wg"
[ -n "$WGPEER" ] && [ -x "$WGPEER" ] || skip_all "no WGPEER"
mkdir -p "$TMP/bin"
ln -s "$(realpath "$WGPEER")" "$TMP/bin/wg"
OURS=$TMP/bin/wg

stock() { on s "$STOCK" "$@" < "${INPUT:-/dev/null}" > "$TMP/s.out" 2> "$TMP/s.err"; }
ours() { on o "$OURS" "$@" < "${INPUT:-/dev/null}" > "$TMP/o.out" 2> "$TMP/o.err"; }
state() { on "$1" "$STOCK" show all dump; }

# both WORD...: run in both namespaces; status, output and devices must agree.
# $want, if set, is the status both must have.
both()
{
	local rs=0 ro=0
	stock "$@" || rs=$?
	ours "$@" || ro=$?
	if [ $rs != $ro ] || ! cmp -s "$TMP/s.out" "$TMP/o.out"; then
		echo "different: wg $*"
		echo "status: stock $rs, ours $ro"
		diff "$TMP/s.out" "$TMP/o.out" | head -n 20
		cat "$TMP/s.err" "$TMP/o.err"
		return 1
	fi
	[ -z "${want:-}" ] || equal "status of wg $*" "$ro" "$want"
	# Who fails must say why; who succeeds may warn.
	[ $ro = 0 ] || [ -s "$TMP/o.err" ] || fail "silent failure of wg $*"
	# Emulated machines are slow: what failed on both sides is only looked at
	# with the next change that succeeds, and at the end of the subtest.
	case $ro${1:-} in
	0set* | 0addconf | 0syncconf) same_state "$*" ;;
	esac
}

same_state()
{
	[ "$(state s)" = "$(state o)" ] || {
		echo "device differs after: wg $1"
		diff <(state s) <(state o) | head -n 20
		return 1
	}
}

good() { want=0 both "$@"; }
bad() { want=1 both "$@"; }

COLUMNS_ALL=(public-key private-key listen-port fwmark peers preshared-keys
	allowed-ips latest-handshakes transfer persistent-keepalive dump)

read_everything()
{
	local dev col
	good
	good show
	good show interfaces
	good show all
	for dev in wg0 wg1; do
		good show "$dev"
		good showconf "$dev"
		good show "$dev" endpoints
		for col in "${COLUMNS_ALL[@]}"; do good show "$dev" "$col"; done
	done
	for col in "${COLUMNS_ALL[@]}"; do good show all "$col"; done
	WG_COLOR_MODE=always good show
	WG_HIDE_KEYS=never good show
}

no_interface()
{
	good
	good show all
	good show interfaces
	good show all dump
	bad show wg9
	bad show wg9 dump
	bad showconf wg9
	bad set wg9 listen-port 1
	bad setconf wg9 /dev/null
}

create()
{
	local ns dev
	for ns in s o; do
		for dev in wg0 wg1; do ipn $ns link add "$dev" type wireguard; done
	done
	key one two
	(umask 077; "$STOCK" genpsk > "$TMP/psk")
}

not_ours()
{
	bad show lo
	bad set lo listen-port 1
	bad show abcdefghijklmnopq
	# 15 characters are left of this: an interface that does not exist.
	bad set abcdefghijklmnopq listen-port 1
}

device_settings()
{
	good set wg0 listen-port 7
	good set wg0 listen-port 8 listen-port 0 listen-port 51820
	good set wg0 listen-port domain
	good set wg0 fwmark 0x1f
	good set wg0 fwmark 4294967295
	good set wg0 fwmark off
	good set wg0 fwmark 010
	good set wg0 private-key "$TMP/one.key"
	good set wg0 private-key /dev/null
	good set wg0 private-key "$TMP/two.key" listen-port 9 fwmark 7
	good show wg0
	good show all dump
}

peer_settings()
{
	local p=${PUB[one]} q
	q=$("$STOCK" genkey | "$STOCK" pubkey)
	good set wg0 peer "$p"
	good set wg0 peer "$p" endpoint 192.0.2.1:5
	good set wg0 peer "$p" endpoint '[2001:db8::1]:5'
	good set wg0 peer "$p" endpoint '[fe80::1%lo]:65535'
	good set wg0 peer "$p" persistent-keepalive 25
	good set wg0 peer "$p" persistent-keepalive off
	good set wg0 peer "$p" preshared-key "$TMP/psk"
	good set wg0 peer "$p" preshared-key /dev/null
	good set wg0 peer "$p" allowed-ips 10.0.0.0/8,fd00::/64,10.1.2.3
	good set wg0 peer "$p" allowed-ips 10.0.0.1/8
	good set wg0 peer "$p" allowed-ips ' 10.0.0.0/8 , ::/0'
	good set wg0 peer "$p" allowed-ips ''
	good set wg0 peer "$p" allowed-ips 1.1.1.1 allowed-ips 2.2.2.2
	good set wg0 peer "$p" allowed-ips 0.0.0.0/0 peer "$q" allowed-ips 1.0.0.0/8 \
		preshared-key "$TMP/psk" persistent-keepalive 65535 endpoint 127.0.0.1:1
	good set wg0 peer "$p" remove peer "$p" allowed-ips 9.9.9.9
	good set wg0 peer "$p" remove allowed-ips 8.8.8.8
	good set wg0 peer "$p" remove
	# A peer with our own key is left out by the kernel, silently.
	good set wg0 peer "${PUB[two]}" allowed-ips 3.3.3.3
}

bad_words()
{
	local p=${PUB[one]} v
	bad set wg0
	bad set wg0 frob
	bad set wg0 listen-port
	bad set wg0 remove
	bad set wg0 endpoint 1.2.3.4:5
	bad set wg0 peer
	bad set wg0 peer abc
	bad set wg0 PEER "$p"
	bad set wg0 peer "$p" listen-port 5
	bad set wg0 peer "$p" frob
	bad set wg0 private-key "$TMP/none"
	bad set wg0 private-key "$0"
	for v in '' 0x50 -1 no-such-service; do bad set wg0 listen-port "$v"; done
	for v in '' -1 +5 0x 0X1 0x100000000 4294967296 x; do bad set wg0 fwmark "$v"; done
	for v in '' -1 65536 0x5 x; do bad set wg0 peer "$p" persistent-keepalive "$v"; done
	for v in 1.2.3.4 1.2.3.4: '' '[::1]' '[::1:5' '[::1]5'; do
		bad set wg0 peer "$p" endpoint "$v"
	done
	for v in 1.2.3.4/33 ::/129 1.2.3/8 x "," "1.2.3.4," 1.2.3.4/x 1.2.3.4/; do
		bad set wg0 peer "$p" allowed-ips "$v"
	done
	WG_ENDPOINT_RESOLUTION_RETRIES=x bad set wg0 peer "$p" endpoint 1.2.3.4:5
	bad show wg0 frob
	bad show all frob
	bad show wg0 dump x
	bad show interfaces x
	bad showconf
	bad showconf wg0 x
	bad setconf wg0
	bad frob
	bad help me
	good show --help
	# Both begin with the path they were called by.
	cmp <("$STOCK" help | tail -n +2) <("$OURS" help | tail -n +2)
	WG_ENDPOINT_RESOLUTION_RETRIES=0 bad set wg0 peer "$p" endpoint no-such-host.invalid:5
	same_state "bad words"
}

# conf WORD TEXT: the file for both, as printf makes it
conf()
{
	# shellcheck disable=SC2059
	printf "$2" > "$TMP/conf"
	both "$1" wg1 "$TMP/conf"
}

configurations()
{
	local p=${PUB[one]} q=${PUB[two]} k verb
	k=$(< "$TMP/one.key")
	export want=0
	for verb in setconf addconf syncconf; do
		conf $verb ''
		conf $verb "[Interface]\nPrivateKey=$k\nListenPort=99\nFwMark=0x7\n"
		conf $verb "[Peer]\nPublicKey=$q\nAllowedIPs=1.0.0.0/8, 2.0.0.0/8\nAllowedIPs=::/0\n"
		conf $verb "# c\n[peer]\n PUBLICKEY = $q # x\nPresharedKey=$k\nPersistentKeepalive=5\nEndpoint=[::1]:5\n"
		# Old releases keep a preshared key that left the file.
		[ $verb != syncconf ] || conf setconf ''
		conf $verb "[Peer]\nPublicKey=$q\n[Interface]\nListenPort=7"
		conf $verb "[Peer]\nPublicKey=$q\nAllowedIPs=5.0.0.0/8\n[Peer]\nPublicKey=$p\nAllowedIPs=5.0.0.0/8\n"
		conf $verb "\r\n[Peer]\r\nPublicKey=$q\r\nPersistentKeepalive=off\r\n"
	done
	export want=1
	for verb in setconf addconf syncconf; do
		conf $verb 'ListenPort=5\n'
		conf $verb '[Foo]\n'
		conf $verb '[Interface]\nAddress=1.1.1.1/8\n'
		conf $verb '[Interface]\nPrivateKey=abc\n'
		conf $verb '[Interface]\nPrivateKey=\n'
		conf $verb '[Interface]x\n'
		conf $verb '[Peer]\nEndpoint=1.1.1.1:1\n'
		conf $verb "[Peer]\nPublicKey=$q\nAllowedIPs=1.1.1.1/99\n"
		conf $verb "[Peer]\nPublicKey=$q\nAllowedIPs=\n"
		conf $verb "[Peer]\nPublicKey=$q\nListenPort=5\n"
		conf $verb "[Peer]\nPublicKey=$q\n[Peer]\n[Interface]\n"
		both $verb wg1 "$TMP/none"
	done
	unset want
	same_state "bad files"
}

# Many peers and one with many prefixes: SET and GET take several messages.
big_config()
{
	{
		echo '[Interface]'
		echo 'ListenPort = 5'
		"$PY" - <<- 'EOF'
		import base64, hashlib
		for i in range(200):
		    key = hashlib.sha256(b"%d" % i).digest()
		    key = key[:31] + bytes([key[31] & 127])
		    print("[Peer]\nPublicKey =", base64.b64encode(key).decode())
		    n = 1500 if i in (0, 77) else i % 5
		    print("AllowedIPs =", ", ".join(f"10.{i}.{j >> 8}.{j & 255}/32" for j in range(n))) if n else None
		    print(f"Endpoint = 192.0.2.{i}:{i + 1}\nPersistentKeepalive = {i}")
		EOF
	} > "$TMP/big"
	good setconf wg1 "$TMP/big"
	equal "prefixes" "$(on o "$OURS" show wg1 allowed-ips | tr ' ' '\n' | grep -c /32)" 3398
	good syncconf wg1 "$TMP/big"
	good show wg1
	good showconf wg1
	good addconf wg1 "$TMP/big"
	on o "$OURS" showconf wg1 > "$TMP/again"
	good setconf wg1 "$TMP/again"
	good show wg1 dump
	# Whole peers only: old versions do not clear what a file leaves out.
	sed -n '1,/^PersistentKeepalive = 77$/p' "$TMP/big" > "$TMP/less"
	good syncconf wg1 "$TMP/less"
	good setconf wg1 /dev/null
}

keys()
{
	export want=0
	INPUT=$TMP/one.key both pubkey
	INPUT=$TMP/psk both pubkey
	export want=1
	INPUT=/dev/null both pubkey
	INPUT=$0 both pubkey
	both pubkey x
	both genkey x
	both genpsk x
	unset want
	equal "form of a key" "$("$OURS" genkey | wc -c)" 45
	"$OURS" genkey | "$STOCK" pubkey > /dev/null
	"$STOCK" genkey | tee "$TMP/k" | "$OURS" pubkey > "$TMP/p"
	equal "public key" "$(< "$TMP/p")" "$("$STOCK" pubkey < "$TMP/k")"
}

# The clock may tick between the two: try again, a few times.
read_same()
{
	local try
	for try in 1 2 3 4 5 6 7 8; do
		on a "$STOCK" "$@" > "$TMP/s.out"
		on a "$OURS" "$@" > "$TMP/o.out"
		cmp -s "$TMP/s.out" "$TMP/o.out" && return
	done
	echo "different in $try attempts: wg $*"
	diff "$TMP/s.out" "$TMP/o.out"
}

with_handshake()
{
	reach a 192.168.241.2
	read_same show
	grep -q 'latest handshake' "$TMP/o.out"
	grep -q 'transfer: .* received, .* sent' "$TMP/o.out"
	read_same show wg0 dump
	read_same show wg0 latest-handshakes
	read_same show wg0 transfer
}

# syncconf with the running configuration must not cost the session.
sync_keeps_session()
{
	local before
	before=$(peer_field a wg0 b handshake)
	[ "$before" -gt 0 ]
	on a "$OURS" showconf wg0 > "$TMP/a.conf"
	on a "$OURS" syncconf wg0 "$TMP/a.conf"
	equal "handshake" "$(peer_field a wg0 b handshake)" "$before"
	on a "$OURS" showconf wg0 | cmp - "$TMP/a.conf"
}

# Called by its own name a long interface name is an error, not another name.
own_name()
{
	local rc=0
	on o "$WGPEER" set abcdefghijklmnopq listen-port 1 2> "$TMP/o.err" || rc=$?
	equal status "$rc" 1
	grep -q 'too long' "$TMP/o.err"
	equal "script forms" "$(on o "$WGPEER" show all dump)" "$(on o "$OURS" show all dump)"
}

# Taking one prefix away needs a kernel that knows the flag.
remove_one_prefix()
{
	local p=${PUB[one]}
	on o "$OURS" set wg0 peer "$p" allowed-ips 10.0.0.0/8,11.0.0.0/8
	on o "$OURS" set wg0 peer "$p" allowed-ips +12.0.0.0/8
	equal "after +" "$(on o "$OURS" show wg0 allowed-ips | grep -F "$p" | cut -f 2 | tr ' ' '\n' | sort | tr '\n' ' ')" \
		"10.0.0.0/8 11.0.0.0/8 12.0.0.0/8 "
	on o "$OURS" set wg0 peer "$p" allowed-ips -11.0.0.0/8 2> "$TMP/o.err" || {
		[ "$WG_MODULE" = intree ] || fail "our module must know it: $(< "$TMP/o.err")"
		grep -q 'Unable to modify interface: Invalid argument' "$TMP/o.err" || cat "$TMP/o.err"
		skip "this kernel cannot remove one prefix"
	}
	equal "after -" "$(on o "$OURS" show wg0 allowed-ips | grep -F "$p" | cut -f 2 | tr ' ' '\n' | sort | tr '\n' ' ')" \
		"10.0.0.0/8 12.0.0.0/8 "
}

no_privilege()
{
	local rc=0
	setpriv --reuid 65534 --clear-groups --bounding-set=-all --inh-caps=-all \
		nsenter --version > /dev/null 2>&1 || skip "no setpriv"
	on o setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
		--reuid 65534 --clear-groups "$OURS" show wg0 2> "$TMP/o.err" || rc=$?
	equal status "$rc" 1
	grep -q 'Operation not permitted' "$TMP/o.err"
}

ns_add s o
# Before any other device: the lists must be empty.
subtest "no interface" no_interface
create
subtest "not a WireGuard interface" not_ours
subtest "read fresh devices" read_everything
subtest "device settings" device_settings
subtest "peer settings" peer_settings
subtest "read set devices" read_everything
subtest "bad words" bad_words
subtest "configuration files" configurations
subtest "many peers, many prefixes" big_config
subtest "keys" keys
subtest "called by its own name" own_name
subtest "remove one prefix" remove_one_prefix
subtest "no privilege" no_privilege
two_peers
subtest "handshake and transfer" with_handshake
subtest "syncconf keeps the session" sync_keeps_session
finish
