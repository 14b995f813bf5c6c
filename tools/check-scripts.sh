#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a directory with the kernel's own checking scripts, of the reference
# kernel. The first time it fetches them: Debian has checkpatch.pl only in the
# package of the whole source, of which nothing else is kept.

LAB=$(cd "$(dirname "$0")/../tests/lab" && pwd) || exit
# shellcheck source-path=SCRIPTDIR/../tests/lab source=common.sh
. "$LAB/common.sh"
# shellcheck source-path=SCRIPTDIR/../tests/lab source=setup.sh
. "$LAB/setup.sh"

PACKAGE=linux-source-$REFERENCE_KERNEL
SCRIPTS=(checkpatch.pl spelling.txt const_structs.checkpatch kernel-doc)
dir=$CACHE/scripts-$(hash_of "$0")

# fetch DIR
fetch()
{
	local deb

	say "fetching the kernel's checking scripts"
	deb=$(fetch_or_die '^linux-source-[0-9]' "$PACKAGE") || exit
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$PACKAGE.tar.xz" |
		xz -dc -T0 | tar -x -C "$1" --strip-components=2 \
		"${SCRIPTS[@]/#/$PACKAGE/scripts/}" || die "cannot unpack $deb"
	# 150 MB that nobody needs again
	rm -f "$deb"
}

fetch_once "$dir" fetch
echo "$dir"
