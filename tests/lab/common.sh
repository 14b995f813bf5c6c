# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Paths and small helpers shared by the host side of the lab.

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPO=$(cd "$LAB/../.." && pwd)
CACHE=${XENVBD_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/xen-blkback}
BUILD=$REPO/build
LOGS=$BUILD/lab-logs
KERNELS=(6.12 6.1)
# Fetched when they are asked for
MORE_KERNELS=(7.3)
REFERENCE_KERNEL=6.12

# Progress goes to stderr: stdout belongs to the job's TAP.
say()
{
	printf '[%3d s] %s\n' "$SECONDS" "$*" >&2
}

die()
{
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

# packages FILE: the names in a package list
packages()
{
	grep -v '^#' "$LAB/packages/$1"
}

# retry COMMAND...: mirrors fail now and then, so try three times
retry()
{
	local try

	for try in 1 2 3; do
		"$@" && return
		say "attempt $try failed: $*"
		sleep $((try * 5))
	done
	return 1
}

# hash_of FILE...: a short name for the contents of these files
hash_of()
{
	cat "$@" | sha256sum | cut -c1-12
}

# fetch_once DIR COMMAND...: a directory of the cache. If it is not there COMMAND fills
# a new one, whose name is its last argument; others that want the same wait meanwhile.
fetch_once()
{
	local dir=$1

	shift
	[ ! -d "$dir" ] || return 0
	mkdir -p "$CACHE/apt"
	exec 9>"$CACHE/lock"
	flock 9
	if [ ! -d "$dir" ]; then
		rm -rf "$dir.tmp"
		mkdir "$dir.tmp"
		"$@" "$dir.tmp" || die "cannot make $dir"
		mv "$dir.tmp" "$dir"
	fi
	exec 9>&-
}

xen_dir()
{
	echo "$CACHE/xen-$(hash_of "$LAB/packages/xen" "$LAB/setup.sh")"
}

root_dir()
{
	echo "$CACHE/root-$(hash_of "$LAB/packages/root" "$LAB/setup.sh")"
}

# kernel_dir KERNEL: vmlinuz, release, headers/, modules/, modules.squashfs
kernel_dir()
{
	echo "$CACHE/kernel-$1-$(hash_of "$LAB/packages/kernel-$1" "$LAB/setup.sh")"
}

# kernel_headers KERNEL: the directory to give to `make -C`
kernel_headers()
{
	local dir

	dir=$(kernel_dir "$1")
	echo "$dir/headers/usr/src/linux-headers-$(<"$dir/release")"
}

# initrd_file KERNEL
initrd_file()
{
	echo "$CACHE/initrd-$1-$(hash_of "$LAB/initramfs-init" "$LAB/guest-init" "$LAB/setup.sh" \
		"$LAB/packages/kernel-$1" "$LAB/packages/root").img"
}
