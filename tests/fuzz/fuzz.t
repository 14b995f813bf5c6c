#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fuzzes the pure core for SECS seconds (30) in total. For prove, from any
# directory.
#   SRC=dir  fuzz the core in this directory   O=dir  build there

HERE=$(cd "$(dirname "$0")" && pwd)
SRC=${SRC:-$(cd "$HERE/../.." && pwd)}
O=${O:-$SRC/build/fuzz}
SECS=${SECS:-30}
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
mkdir -p "$O"
tap_log "$O/build.log"

# fuzz NAME: a fuzzer that finds something leaves an artifact and fails
fuzz()
{
	local log=$O/$1.log artifact

	rm -f "$O/$1"-{crash,leak,oom,timeout}-*
	make -C "$HERE" "run-$1" SRC="$SRC" O="$O" SECS="$SECS" >"$log" 2>&1
	report $? "fuzz $1" || {
		diag "$(grep -E 'broken:|ERROR:|SUMMARY:|runtime error:|needs ' "$log")"
		for artifact in "$O/$1"-{crash,leak,oom,timeout}-*; do
			[ -e "$artifact" ] && diag "again with: $O/fuzz_$1 $artifact"
		done
		diag "log: $log"
	}
	sed -n 's/^Done /# /p' "$log"
}

plan 3
for tool in clang make perl; do
	need "$tool" command -v "$tool"
done
need libxen-dev test -e /usr/include/xen/io/blkif.h
ok "the fuzzers build (needs clang and libclang-rt)" make -C "$HERE" SRC="$SRC" O="$O"
fuzz request
fuzz state
done_testing
