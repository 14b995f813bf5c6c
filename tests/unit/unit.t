#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the unit tests, and those of blkfe, and runs them: the TAP of all their
# programs as one. For prove, from any directory.
#   SRC=dir  test the driver in this directory   O=dir  build there

HERE=$(cd "$(dirname "$0")" && pwd)
SRC=${SRC:-$(cd "$HERE/../.." && pwd)}
O=${O:-$SRC/build/unit}
export CMOCKA_MESSAGE_OUTPUT=TAP
# Leaks are of no interest: the programs end after the tests.
export ASAN_OPTIONS=detect_leaks=0
# shellcheck source-path=SCRIPTDIR/.. source=tap.sh
. "$HERE/../tap.sh"
mkdir -p "$O"
tap_log "$O/build.log"

need gcc command -v gcc
need make command -v make
need libcmocka-dev test -e /usr/include/cmocka.h
need libxen-dev test -e /usr/include/xen/io/blkif.h

ok "the unit tests build" make -C "$HERE" -k -j"$(nproc)" SRC="$SRC" O="$O" ||
	done_testing
for t in $(make -s -C "$HERE" SRC="$SRC" names); do
	relay "$t" "$O/test_$t"
done
# What of blkfe needs no Xen
FRONTEND=$O/frontend
ok "the tests of blkfe build" \
	make -C "$HERE/../frontend" O="$FRONTEND" "$FRONTEND/abi_test" "$FRONTEND/script_test"
relay "blkfe's layouts" "$FRONTEND/abi_test"
relay "blkfe's scripts" "$FRONTEND/script_test"
done_testing
