#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs CBMC, with its arguments. The first time it fetches it, with the libraries that
# it needs, from the suite of Debian that has it.

HERE=$(cd "$(dirname "$0")" && pwd) || exit
# shellcheck source-path=SCRIPTDIR/../lab source=common.sh
. "$HERE/../lab/common.sh"
# shellcheck source-path=SCRIPTDIR/../lab source=setup.sh
. "$HERE/../lab/setup.sh"
# shellcheck source-path=SCRIPTDIR/../lab source=suite.sh
. "$HERE/../lab/suite.sh"

dir=$CACHE/cbmc-$(hash_of "$0" "$LAB/packages/cbmc" "$LAB/setup.sh" "$LAB/suite.sh")

# fetch_cbmc DIR: what is listed and no more, for its compiler is the host's
fetch_cbmc()
{
	local names

	say "fetching CBMC"
	mapfile -t names < <(packages cbmc)
	suite_begin "$(suite_of cbmc)"
	# shellcheck disable=SC2046 # file names without blanks
	unpack "$1" $(fetch_or_die "^($(IFS='|' && echo "${names[*]//+/[+]}"))$" "${names[@]}")
	suite_end
}

fetch_once "$dir" fetch_cbmc
lib=$dir/usr/lib/x86_64-linux-gnu
exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib:$dir/usr/lib" "$dir/usr/bin/cbmc" "$@"
