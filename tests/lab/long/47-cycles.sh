#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=3000
#
# A vbd is made, connects, reads, writes and goes a thousand times, and its
# frontend reconnects as often. Threads, slab objects, grants, xenstore nodes and
# dom0's memory are what they were.

. /lab/lib.sh

CYCLES=${CYCLES:-1000}
# What the kernel keeps for itself varies by less
SLACK_KIB=4096

cycle_script()
{
	local n

	echo "protocol x86_64-abi"
	for ((n = 0; n < $1; n++)); do
		printf '%s\n' "vbd physical-device=$disk" connect "write sector=8 n=88" \
			"read sector=8 n=88" destroy
	done
	printf '%s\n' "vbd physical-device=$disk" connect "cycle count=$1" destroy
}

cycles()
{
	cycle_script "$1" >"$LAB_TMP/cycles.fe"
	/job/blkfe "$LAB_TMP/cycles.fe"
}

ok "the backend loads" module_load
ok "a disk in memory" null_disk
disk=$(devt_hex /dev/nullb0)
ok "some, to warm up" cycles 20
leak_snapshot
had=$(memory_free)
begin=$SECONDS
ok "$CYCLES times" cycles "$CYCLES"
diag "$CYCLES cycles and reconnects in $((SECONDS - begin)) s"
leak_check "nothing is left behind"
has=$(memory_free)
diag "dom0's free memory: $had KiB before, $has KiB after"
le $((had - has)) $SLACK_KIB "no memory is lost"
ok "the backend unloads" module_unload
done_testing
