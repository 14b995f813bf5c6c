#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a directory with those files of the reference kernel's source that checks and
# tests need: its checking scripts, and what the patches for other parts of the kernel
# change. The first time it fetches them: Debian has them only in the package of the
# whole source, of which nothing else is kept.

LAB=$(cd "$(dirname "$0")/../tests/lab" && pwd) || exit
# shellcheck source-path=SCRIPTDIR/../tests/lab source=common.sh
. "$LAB/common.sh"
# shellcheck source-path=SCRIPTDIR/../tests/lab source=setup.sh
. "$LAB/setup.sh"

PACKAGE=linux-source-$REFERENCE_KERNEL
# Not the block backend that is there: nobody needs it, and nobody should read it.
FILES=(
	scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch,kernel-doc}
	Makefile Kconfig MAINTAINERS
	Documentation/ABI/{stable/sysfs-bus-xen-backend,testing/sysfs-driver-xen-blkback}
	Documentation/block/index.rst
	block/{bdev.c,blk.h,genhd.c}
	drivers/block/{Kconfig,Makefile}
	drivers/xen/xenbus
	include/linux/blkdev.h
	include/xen/{xenbus.h,interface/io/blkif.h}
)
dir=$CACHE/kernel-files-$(hash_of "$0")

# fetch DIR
fetch()
{
	local deb

	say "fetching files of the kernel's source"
	deb=$(fetch_or_die '^linux-source-[0-9]' "$PACKAGE") || exit
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$PACKAGE.tar.xz" |
		xz -dc -T0 | tar -x -C "$1" --strip-components=1 \
		"${FILES[@]/#/$PACKAGE/}" || die "cannot unpack $deb"
	# 150 MB that nobody needs again
	rm -f "$deb"
}

fetch_once "$dir" fetch
echo "$dir"
