#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the unit tests of the pure core and runs them: the TAP of all their
# programs as one. For prove, from any directory.
#   SRC=dir  test the core in this directory   O=dir  build there

HERE=$(cd "$(dirname "$0")" && pwd)
SRC=${SRC:-$(cd "$HERE/../.." && pwd)}
O=${O:-$SRC/build/unit}
export CMOCKA_MESSAGE_OUTPUT=TAP
# Leaks are of no interest: the programs end after the tests.
export ASAN_OPTIONS=detect_leaks=0
n=0
failed=0

result()
{
	n=$((n + 1))
	[ "$1" = ok ] || failed=$((failed + 1))
	echo "$1 $n - $2"
}

finish()
{
	echo "1..$n"
	[ "$failed" = 0 ]
	exit
}

# have WHAT COMMAND...: a test that this is here; nothing can be skipped
have()
{
	local what=$1

	shift
	"$@" >/dev/null 2>&1 && return
	result "not ok" "needs $what"
	finish
}

# run NAME: a program's results, numbered on; it must keep to its plan, or it died
run()
{
	local name=$1 plan=0 seen=0 status line out

	out=$("$O/test_$name" 2>&1)
	status=$?
	while IFS= read -r line; do
		case $line in
		1..*)	plan=${line#1..} ;;
		"ok "*)	seen=$((seen + 1)); result ok "$name: ${line#* - }" ;;
		"not ok "*)
			seen=$((seen + 1)); result "not ok" "$name: ${line#* - }" ;;
		*)	echo "# ${line#\# }" ;;
		esac
	done <<<"$out"
	if [ "$plan" = 0 ] || [ "$seen" != "$plan" ] || { [ "$status" != 0 ] && [ "$failed" = 0 ]; }; then
		result "not ok" "$name: ended with status $status after $seen of $plan tests"
	fi
}

have gcc command -v gcc
have make command -v make
have libcmocka-dev test -e /usr/include/cmocka.h
have libxen-dev test -e /usr/include/xen/io/blkif.h

if ! log=$(make -C "$HERE" -k SRC="$SRC" O="$O" 2>&1); then
	echo "# ${log//$'\n'/$'\n'# }"
	result "not ok" "the unit tests build"
	finish
fi
result ok "the unit tests build"

for t in $(make -s -C "$HERE" SRC="$SRC" names); do
	run "$t"
done
finish
