# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# bash completion for wgpeer(8)

_wgpeer_interfaces()
{
	wgpeer show interfaces 2> /dev/null | tr ' ' '\n'
	local file
	for file in /etc/wireguard/*.conf; do
		[ -e "$file" ] && basename "$file" .conf
	done
}

# Names in the comments of an interface's file.  $1: interface
_wgpeer_names() { sed -n 's/^# Name = //p' "/etc/wireguard/$1.conf" 2> /dev/null; }

# Options of a verb.  $1: verb, or verb and what it does
_wgpeer_options()
{
	local output="--format --output --qr"
	case $1 in
	up | down | apply) echo "--dry-run --config-dir" ;;
	status) echo "--json --config-dir" ;;
	save | strip) echo "--config-dir" ;;
	export) echo "--format --qr --config-dir" ;;
	"server init") echo "--address --port --endpoint --share --exit --no-exit --isolate --no-isolate --dns --firewall --no-up --config-dir" ;;
	"server add") echo "--exit --split --address --psk --public-key --dns --keep-key $output --config-dir" ;;
	"server list" | "site list") echo "--json --config-dir" ;;
	"server export") echo "--dns $output --config-dir" ;;
	"server rotate") echo "--now --finish --public-key --dns --keep-key $output --config-dir" ;;
	"server remove" | "server rename" | "site remove" | "site add" | "site token" | "client leave") echo "--config-dir" ;;
	"client join") echo "--kill-switch --no-kill-switch --kill-switch-except --dns --keepalive --allow-hooks --no-up --config-dir" ;;
	"client new") echo "--no-up --config-dir" ;;
	"site init") echo "--share --endpoint --port --name --address --hub --routed --one-paste --peer-share --peer-name --no-up --config-dir" ;;
	"site join") echo "--share --endpoint --port --name --address --no-up --config-dir" ;;
	esac
}

# Offers the words that begin with $cur.  Never compgen -W, which expands them:
# a name is what somebody wrote into a file, and goes quoted onto the line.
_wgpeer_offer()
{
	local word typed=${cur#[\"\']}
	for word; do
		[ -n "$word" ] || continue
		printf -v word %q "$word"
		[[ $word != "$typed"* ]] || COMPREPLY+=("$word")
	done
}

_wgpeer_offer_files()
{
	compopt -o filenames 2> /dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_wgpeer()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} words=() sub='' at=2
	local verbs=(show showconf set setconf addconf syncconf genkey genpsk pubkey
		up down apply status save strip export server client site)

	COMPREPLY=()
	case $verb in
	server | client | site) sub=" ${COMP_WORDS[2]}" at=3 ;;
	esac
	case $prev in
	--format) words=(wg-quick networkd nm uci json) ;;
	--firewall) words=(nft print none) ;;
	--dns) [ "$verb" != client ] || words=(auto resolved resolvconf dnsmasq none) ;;
	--config-dir | --output | setconf | addconf | syncconf)
		_wgpeer_offer_files
		return
		;;
	esac
	if [ ${#words[@]} -gt 0 ]; then
		:
	elif [ "$COMP_CWORD" = 1 ]; then
		words=("${verbs[@]}" help version)
	elif [ "$COMP_CWORD $verb" = "2 help" ]; then
		words=("${verbs[@]}")
	elif [ "$at" = 3 ] && [ "$COMP_CWORD" = 2 ]; then
		case $verb in
		server) words=(init add list export remove rename rotate) ;;
		client) words=(join new leave) ;;
		site) words=(init join add token list remove) ;;
		esac
	elif [[ $cur == -* ]]; then
		mapfile -t words < <(_wgpeer_options "$verb$sub" | tr ' ' '\n')
	elif [ "$COMP_CWORD" = "$at" ]; then
		mapfile -t words < <(_wgpeer_interfaces)
		[ "$verb" != show ] || words+=(all interfaces)
	else
		case $verb$sub in
		"server export" | "server remove" | "server rename" | "server rotate" | "site remove")
			mapfile -t words < <(_wgpeer_names "${COMP_WORDS[at]}")
			;;
		"client join" | setconf | addconf | syncconf)
			_wgpeer_offer_files
			return
			;;
		show)
			words=(public-key private-key listen-port fwmark peers preshared-keys endpoints
				allowed-ips latest-handshakes transfer persistent-keepalive dump)
			;;
		set) words=(listen-port fwmark private-key peer remove preshared-key endpoint persistent-keepalive allowed-ips) ;;
		esac
	fi
	_wgpeer_offer "${words[@]}"
}
complete -F _wgpeer wgpeer
