#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a directory with a Debian root that has tools to build and install packages.
# The first time it makes it: unlike the lab's its packages are installed, in there,
# by their own scripts. Needs root.

HERE=$(cd "$(dirname "$0")" && pwd) || exit
# shellcheck source-path=SCRIPTDIR/../lab source=common.sh
. "$HERE/../lab/common.sh"
# shellcheck source-path=SCRIPTDIR/../lab source=setup.sh
. "$HERE/../lab/setup.sh"

dir=$CACHE/package-root-$(hash_of "$0" "$HERE/in-root" "$HERE/packages" "$LAB/setup.sh")

# skeleton ROOT: what has to be there before the first package
skeleton()
{
	local d

	mkdir -p "$1"/usr/{bin,sbin,lib,lib64} "$1"/{dev,proc}
	for d in bin sbin lib lib64; do
		ln -s "usr/$d" "$1/$d"
	done
	mknod -m 666 "$1/dev/null" c 1 3 && mknod -m 666 "$1/dev/zero" c 1 5 &&
		mknod -m 666 "$1/dev/random" c 1 8 && mknod -m 666 "$1/dev/urandom" c 1 9 &&
		ln -s /proc/self/fd "$1/dev/fd"
}

# configure ROOT: dpkg sorts out in which order; what must come first is unpacked, so
# it works although its own scripts have not run yet
configure()
{
	"$HERE/in-root" "$1" sh -c '
		cp /usr/share/base-passwd/passwd.master /etc/passwd
		cp /usr/share/base-passwd/group.master /etc/group
		ln -sf mawk /usr/bin/awk
		dpkg --force-depends --force-unsafe-io --install /debs/*.deb &&
			dpkg --force-unsafe-io --configure --pending && dpkg --audit'
}

# make_root ROOT
make_root()
{
	local root=$1 debs log=$dir.log

	say "making the root that the package is tested in"
	mkdir "$root/debs"
	skeleton "$root" || die "cannot make device nodes"
	# shellcheck disable=SC2046 # lists of words
	debs=$(fetch_or_die . '?essential' $(grep -v '^#' "$HERE/packages")) || exit
	# shellcheck disable=SC2086
	unpack "$root" $debs
	# shellcheck disable=SC2086
	cp $debs "$root/debs/"
	configure "$root" >"$log" 2>&1 || die "cannot configure it, see $log"
	rm -rf "$root/debs" "$log"
}

fetch_once "$dir" make_root
echo "$dir"
