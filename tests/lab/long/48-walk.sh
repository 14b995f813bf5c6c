#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: timeout=3000
#
# A random walk of 100000 steps over frontend states and keys, and one as long
# with the backend's module unloaded and loaded in between.

. /lab/lib.sh

STEPS=${STEPS:-100000}

ok "the backend loads" module_load
ok "a disk in memory" null_disk
leak_snapshot
disk=$(devt_hex /dev/nullb0)
frontend "walk" walk.fe DISK="$disk" LIMIT=steps="$STEPS"
for n in 1 2 3 4 5; do
	frontend "walk $n" walk.fe DISK="$disk" LIMIT=steps=$((STEPS / 10)) PAUSE=0
	leak_check "$n: nothing is left behind"
	ok "$n: the backend unloads" module_unload
	ok "$n: and loads" module_load
done
leak_check "nothing is left behind"
ok "the backend unloads" module_unload
done_testing
