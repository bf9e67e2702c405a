# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those who source it
#
# What every script here shares: the cache and a private apt.
#
# Kernels come from Debian suites that the machine may not use itself. They are
# looked up with an apt state of our own and unpacked with dpkg -x into the
# cache, so the system's package database never learns of them.

set -euo pipefail

WG_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/wgpeer
WG_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
DEB_ARCH=$(dpkg --print-architecture)
mkdir -p "$WG_CACHE"

say() { echo "# $*" >&2; }
die() { echo "error: $*" >&2; exit 1; }

# Only one process at a time works on a cache entry; the others wait and then
# find it done.  $1: the entry's name.
lock_entry()
{
	mkdir -p "$WG_CACHE/locks"
	exec 9>"$WG_CACHE/locks/$1"
	flock -n 9 || { say "waiting for another process: $1"; flock 9; }
}

# The mirrors that the machine's own apt uses: nothing is written down here.
# $1: Debian or Debian-Security
mirror()
{
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(LABEL) $(SITE)' "Created-By: Packages" |
		awk -v l="$1" '$1 == l { print $2; exit }'
}

# One apt state for each release.  $1: release, the rest: apt's words
private_apt()
{
	local dir=$WG_CACHE/apt/$1 tool=$2
	shift 2
	"$tool" -qq -oDir::State="$dir" -oDir::State::Lists="$dir/lists" \
		-oDir::State::status="$dir/status" -oDir::Cache="$dir/cache" \
		-oDir::Etc::SourceList="$dir/sources.list" \
		-oDir::Etc::SourceParts=/dev/null -oAPT::Sandbox::User=root \
		-oAcquire::Languages=none -oAcquire::Check-Valid-Until=false \
		-oAcquire::Retries=3 "$@"
}

# Reads the package lists of a release, at most once a day; without a network
# the old ones do.  $1: release
refresh_apt()
{
	local dir=$WG_CACHE/apt/$1 deb sec k="[signed-by=$KEYRING]"
	mkdir -p "$dir"
	exec 8>"$dir/lock"
	flock 8
	if [ -n "$(find "$dir/stamp" -mmin -1440 2>/dev/null)" ]; then
		exec 8>&-
		return
	fi
	deb=$(mirror Debian)
	sec=$(mirror Debian-Security)
	[ -n "$deb" ] || die "apt knows no Debian mirror: run 'apt-get update' first"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	{
		echo "deb $k $deb $1 main"
		echo "deb $k $deb $1-backports main"
		[ -z "$sec" ] || echo "deb $k $sec $1-security main"
	} >"$dir/sources.list"
	say "reading the package lists of $1"
	if private_apt "$1" apt-get update >&2; then
		touch "$dir/stamp"
	elif [ ! -e "$dir/stamp" ]; then
		die "cannot read the package lists of $1"
	fi
	exec 8>&-
}

# What was found out today need not be asked again: apt takes seconds.
# $1: the question's name
recent()
{
	[ -n "$(find "$WG_CACHE/answers/$1" -mmin -1440 2>/dev/null)" ] &&
		cat "$WG_CACHE/answers/$1"
}
remember()
{
	mkdir -p "$WG_CACHE/answers"
	tee "$WG_CACHE/answers/$1"
}

# The newest package of a release whose name matches.  $1: release, $2: ERE
newest_package()
{
	private_apt "$1" apt-cache pkgnames linux- | grep -E "^$2\$" |
		sort -V | tail -n 1
}

# Unpacks packages into a directory.  $1: release, $2: directory, rest: names
unpack_packages()
{
	local release=$1 into=$2 tmp deb
	shift 2
	tmp=$(mktemp -d "$WG_CACHE/download.XXXXXX")
	say "fetching $*"
	(cd "$tmp" && private_apt "$release" apt-get download "$@" >&2)
	mkdir -p "$into"
	for deb in "$tmp"/*.deb; do
		dpkg -x "$deb" "$into"
	done
	rm -rf "$tmp"
}

# Where each kernel comes from: its release and the form of its version. "-rt"
# behind a series is the same kernel with PREEMPT_RT.
kernel_release() { case $1 in 6.*) echo bookworm ;; 7*) echo trixie ;; *) die "unknown kernel $1" ;; esac; }
kernel_pattern()
{
	case $1 in
	*-rt) echo "$(kernel_pattern "${1%-rt}")-rt" ;;
	6.1) echo '6\.1\.0-[0-9]+' ;;
	6.12) echo '6\.12\.[0-9]+\+deb12' ;;
	7) echo '7\.[0-9]+\.[0-9]+\+deb13' ;;
	esac
}
