#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the path of promtool, which checks alerts. The first time it fetches it:
# Debian has it only in the package of the whole server, of which nothing else is kept.

LAB=$(cd "$(dirname "$0")/../tests/lab" && pwd) || exit
# shellcheck source-path=SCRIPTDIR/../tests/lab source=common.sh
. "$LAB/common.sh"
# shellcheck source-path=SCRIPTDIR/../tests/lab source=setup.sh
. "$LAB/setup.sh"

dir=$CACHE/promtool-$(hash_of "$0")

# fetch DIR
fetch()
{
	local deb

	say "fetching promtool"
	deb=$(fetch_or_die '^prometheus$' prometheus) || exit
	dpkg-deb --fsys-tarfile "$deb" |
		tar -x -C "$1" --strip-components=3 ./usr/bin/promtool || die "cannot unpack $deb"
	rm -f "$deb"
}

fetch_once "$dir" fetch
echo "$dir/promtool"
