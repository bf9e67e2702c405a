# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# services.sh - network services for scenarios, behind lib.sh: systemd-networkd
# and NetworkManager out of a root file system with Debian 12's packages
# (kernels/rootfs), in namespace "a". The scenario has made a mount namespace of
# its own before: what the services need goes with it.

lower=$(cat "$WG_CACHE/answers/rootfs" 2> /dev/null)
[ -d "$lower/etc" ] || skip_all "no root file system (selftests/kernels/rootfs)"
ROOT=/run/$PFX.root/merged

make_root()
{
	local top=${ROOT%/*}
	mkdir -p "$top"
	mount -t tmpfs tmpfs "$top"
	mkdir "$top/upper" "$top/work" "$ROOT"
	mount -t overlay -o "lowerdir=$lower,upperdir=$top/upper,workdir=$top/work" overlay "$ROOT"
	mount --bind /proc "$ROOT/proc"
	mount --rbind /dev "$ROOT/dev"
	mount -t tmpfs tmpfs "$ROOT/run"
	# Of the namespace's devices; read only says that no udev will come.
	on a mount -t sysfs -o ro sysfs "$ROOT/sys"
	mkdir -p "$ROOT/run/dbus" "$ROOT/run/systemd/netif/"{links,leases,lldp} "$ROOT/etc/systemd/network"
	# networkd runs as a user of its own.
	chmod -R 777 "$ROOT/run/systemd/netif"
}

bus_answers()
{
	in_root dbus-send --system --dest=org.freedesktop.DBus --print-reply / \
		org.freedesktop.DBus.ListNames
}

in_root() { on a chroot "$ROOT" "$@"; }

# service NAME COMMAND...: start it and wait until it has its name on the bus
service()
{
	local name=$1
	shift
	bg a chroot "$ROOT" "$@" >> "$TMP/$name.log" 2>&1
	echo "$BG" > "$TMP/$name.pid"
	told "$name" wait_for 15 on_bus "$name"
}

on_bus() { bus_answers | grep -q "org.freedesktop.$1\""; }
gone_from_bus() { ! on_bus "$1"; }

service_end()
{
	kill "$(< "$TMP/$1.pid")"
	wait_for 15 gone_from_bus "$1"
}

# told NAME COMMAND...: when the command fails, what the service said
told()
{
	local name=$1
	shift
	"$@" || { tail -n 15 "$TMP/$name.log"; return 1; }
}

start_bus()
{
	make_root
	bg a chroot "$ROOT" dbus-daemon --system --nofork --nopidfile > "$TMP/bus.log" 2>&1
	told bus wait_for 10 bus_answers
}

networkd() { service network1 /lib/systemd/systemd-networkd; }

networkmanager()
{
	printf '%s\n' '[main]' plugins=keyfile auth-polkit=false dns=none no-auto-default='*' \
		'[keyfile]' 'unmanaged-devices=interface-name:eth0;interface-name:lo' \
		> "$ROOT/etc/NetworkManager/NetworkManager.conf"
	service NetworkManager /usr/sbin/NetworkManager --debug --no-daemon
	wait_for 15 in_root nmcli -t general status
}

nm() { told NetworkManager in_root nmcli --wait $((10 * SCALE)) "$@"; }
