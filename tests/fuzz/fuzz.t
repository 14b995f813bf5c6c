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
failed=0

# report NUMBER STATUS NAME
report()
{
	if [ "$2" = 0 ]; then
		echo "ok $1 - $3"
	else
		echo "not ok $1 - $3"
		failed=1
	fi
}

# fuzz NUMBER NAME: a fuzzer that finds something leaves an artifact and fails
fuzz()
{
	local log=$O/$2.log status artifact

	rm -f "$O/$2"-{crash,leak,oom,timeout}-*
	make -C "$HERE" "run-$2" SRC="$SRC" O="$O" SECS="$SECS" >"$log" 2>&1
	status=$?
	if [ "$status" != 0 ]; then
		grep -E 'broken:|ERROR:|SUMMARY:|runtime error:|needs ' "$log" | sed 's/^/# /'
		for artifact in "$O/$2"-{crash,leak,oom,timeout}-*; do
			[ -e "$artifact" ] && echo "# again with: $O/fuzz_$2 $artifact"
		done
		echo "# log: $log"
	fi
	sed -n 's/^Done /# /p' "$log"
	report "$1" "$status" "fuzz $2"
}

echo 1..3
for tool in clang make perl; do
	command -v "$tool" >/dev/null || { echo "Bail out! needs $tool"; exit 1; }
done
[ -e /usr/include/xen/io/blkif.h ] || { echo "Bail out! needs libxen-dev"; exit 1; }

mkdir -p "$O"
make -C "$HERE" SRC="$SRC" O="$O" >"$O/build.log" 2>&1
status=$?
[ "$status" = 0 ] || sed 's/^/# /' "$O/build.log"
report 1 "$status" "the fuzzers build (needs clang and libclang-rt)"
fuzz 2 request
fuzz 3 state
exit "$failed"
