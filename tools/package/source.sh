# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What make-deb, make-rpm and make-alpine have in common: the version, and the source that
# a package is made of. Sourced in the root of the repository.

die()
{
	printf 'make %s: %s\n' "${0##*/make-}" "$*" >&2
	exit 1
}

# base_version: that of dkms.conf
base_version()
{
	sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf
}

# commit FORMAT: of the commit at hand, nothing if there is none
commit()
{
	[ ! -e .git ] || TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format="$1"
}

# commit_time: its time as a number
commit_time()
{
	commit %cd || die "git cannot tell the commit"
}

# full_version: with the time and name of the commit if this is a git repository
full_version()
{
	local time

	time=$(commit_time) || exit
	echo "$(base_version)${time:+"+git$time.$(git describe --always --exclude='*' --dirty=.dirty)"}"
}

# source_date: in seconds since 1970
source_date()
{
	local time

	time=$(commit %ct)
	echo "${time:-$(stat -c %Y dkms.conf)}"
}

# news BULLET: the items of the newest version in NEWS, for a changelog: none is wider
# than 80 columns
news()
{
	awk '/^=+$/ { if (version++) exit; next }
		version && /^- / { if (item) print item; item = substr($0, 3); next }
		version && item && /^  / { item = item " " substr($0, 3); next }
		{ if (item) print item; item = "" }
		END { if (item) print item }' NEWS |
		while read -r item; do
			fmt -w 74 <<<"$item" | sed "1s/^/$1/; 1!s/^/${1//?/ }/"
		done
}

# copy_source DIR VERSION
copy_source()
{
	mkdir -p "$1/tools"
	tools/driver-files | xargs cp -t "$1" --parents
	cp -r dkms.conf COPYING NEWS ./*.md Documentation "$1/"
	cp -r tools/{Makefile,package,xen-blkback-takeover,xen-vbd,xen_vbd,completion,monitoring,udev,bpftrace} \
		"$1/tools/"
	sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$2\"/" "$1/dkms.conf"
}

# source_tar FILE VERSION: xen-blkback-VERSION/ as a tar, the same for the same source
source_tar()
{
	local dir=${1%/*}/source

	mkdir -p "$dir"
	copy_source "$dir/xen-blkback-$2" "$2"
	tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(source_date)" \
		-C "$dir" "xen-blkback-$2" | gzip -n >"$1"
	rm -r "$dir"
}
