# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Packages of another Debian release than the host's: a list in packages/ that begins
# with "# suite: NAME". apt-get gets a directory of its own for each suite. A compiler
# of another release needs its own C library, so it runs in a root of its own.

# What apt-get is told while packages of a suite are looked for
APT_SUITE=()

# suite_of LIST: nothing if it is the host's
suite_of()
{
	sed -n '1s/^# suite: //p' "$LAB/packages/$1"
}

# suite_begin SUITE: apt-get looks there, until suite_end
suite_begin()
{
	local dir=$CACHE/apt/$1

	mkdir -p "$dir/lists/partial"
	suite_sources "$1" >"$dir/sources.list"
	APT_SUITE=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/nonexistent
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache::pkgcache=$dir/pkgcache.bin"
		-o "Dir::Cache::srcpkgcache=$dir/srcpkgcache.bin" -o APT::Sandbox::User= -t "$1")
	say "refreshing the package lists of $1"
	retry apt-get "${APT_SUITE[@]}" -qq -o Acquire::Retries=3 -o Debug::NoLocking=1 \
		update >&2 </dev/null || die "apt-get update failed for $1"
}

suite_end()
{
	APT_SUITE=()
}

# suite_sources SUITE: of the mirror that the host has; and what backports build on
suite_sources()
{
	local mirror suite

	# shellcheck disable=SC2016 # apt-get expands it
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Component: main' 'Origin: Debian' | grep -v -- -security | head -n 1)
	[ -n "$mirror" ] || die "apt-get knows no mirror of Debian"
	for suite in "${1%-backports}" "$1"; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done | sort -u
}

# in_root ROOT COMMAND...: with the repository and the cache where they are outside. For
# who is not root, too, where the kernel allows user namespaces.
in_root()
{
	# shellcheck disable=SC2016 # for the shell inside
	unshare --mount --map-root-user bash -c '
		for dir in "$1" "$2" /dev /proc; do
			mkdir -p "$3$dir" && mount --rbind "$dir" "$3$dir" || exit
		done
		exec chroot "${@:3}"' in_root "$REPO" "$CACHE" "$@"
}
